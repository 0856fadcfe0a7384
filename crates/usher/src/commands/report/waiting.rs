//! What is shown while a report takes long.

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::time;

/// Nothing is shown of what takes no longer.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// Waits for `work`. If it takes longer than `soon`, a line on `terminal` says for how long it has been
/// waited for, anew each second; it is gone when the work is done.
pub(super) async fn shown<T>(
    work: impl Future<Output = T>,
    soon: Duration,
    terminal: &mut impl Write,
) -> T {
    let began = Instant::now();
    let mut work = pin!(work);
    if let Ok(done) = timeout(soon, work.as_mut()).await {
        return done;
    }
    loop {
        let waited = time::span(began.elapsed().as_secs());
        // A terminal that takes nothing any more is no reason to stop.
        let _ = write!(
            terminal,
            "\r\x1b[Kusher: the manager makes the report, {waited} so far"
        );
        let _ = terminal.flush();
        if let Ok(done) = timeout(Duration::from_secs(1), work.as_mut()).await {
            let _ = write!(terminal, "\r\x1b[K");
            let _ = terminal.flush();
            return done;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_says_so_until_it_is_done() {
        let mut terminal = Vec::new();
        let millis = Duration::from_millis;
        let done = shown(async { 7 }, millis(10_000), &mut terminal).await;
        assert_eq!((done, terminal.len()), (7, 0));
        let work = async {
            // tidy: sleep, in place of a manager that takes long
            sleep(millis(60)).await;
            7
        };
        assert_eq!(shown(work, millis(5), &mut terminal).await, 7);
        assert_eq!(
            String::from_utf8(terminal).unwrap(),
            "\r\x1b[Kusher: the manager makes the report, 0 s so far\r\x1b[K"
        );
    }
}
