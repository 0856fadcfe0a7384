//! Reports panics of the manager itself that ended only one request, item or poll.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::date;
use crate::tools::Tools;

/// The message about panics that ended only one request or item.
const CAUGHT: u16 = 9451;
/// How often the count is checked.
const LOOK: Duration = Duration::from_secs(10);
/// For how long after a report further panics are not reported.
const TOLD_FOR: Duration = Duration::from_secs(86_400);

/// Raises the message if there are more than were reported.
pub(crate) async fn tell(tools: Arc<Tools>) {
    let mut told = (0, None::<Instant>);
    loop {
        tokio::time::sleep(LOOK).await;
        let counted = usher_vital::counted();
        let is_told = told.1.is_some_and(|at| at.elapsed() < TOLD_FOR);
        if counted.count == told.0 || is_told {
            continue;
        }
        told = (counted.count, Some(Instant::now()));
        let at = date(counted.last_at_ms).strftime("%Y-%m-%d %H:%M UTC");
        let values = vec![
            format!("the manager on {}", tools.dispatcher.computer()),
            counted.count.to_string(),
            at.to_string(),
            counted.last,
        ];
        tools.dispatcher.raise(CAUGHT, None, values).await;
    }
}
