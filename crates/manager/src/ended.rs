//! Reports, once, that a panic ended the previous manager.

use std::path::Path;

use usher_site::Once;

use crate::clock::date;
use crate::tools::Tools;

/// The message that a panic ended a role.
const ROLE_ENDED: u16 = 9450;
/// The kind of an event that is reported once: the end of a manager, by its Unix milliseconds.
const TOLD: &str = "told_end_of_manager";

/// Raises the message about the end that is recorded in `data`, unless it was raised before.
pub(crate) async fn tell(tools: &Tools, data: &Path) {
    let Some(ended) = usher_vital::ended::last(data, "manager") else {
        return;
    };
    let at = ended.at_ms.to_string();
    let when = date(ended.at_ms).strftime("%Y-%m-%d %H:%M UTC").to_string();
    let values = vec![
        "manager".to_owned(),
        tools.dispatcher.computer().to_owned(),
        ended.thread,
        when,
        ended.what,
        // Another end with the same words is another message.
        at.clone(),
    ];
    let once = Once {
        what: TOLD,
        which: at,
    };
    tools.dispatcher.raise_once(once, ROLE_ENDED, values).await;
}
