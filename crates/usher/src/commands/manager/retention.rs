//! Options of `usher manager` about how long it keeps what it has collected.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use usher_manager::{Archive, RetentionOptions};

use crate::time;

/// The word for no end.
const FOREVER: &str = "forever";

/// For how long the manager keeps what it has collected.
#[derive(Debug, Args)]
pub(super) struct Retention {
    /// How long sessions and leases are kept after their end, or forever; what they say of use over
    /// time stays
    #[arg(long, value_name = "DURATION", default_value = "400d", value_parser = kept)]
    retention_sessions: Kept,
    /// How long refusals are kept, or forever
    #[arg(long, value_name = "DURATION", default_value = "400d", value_parser = kept)]
    retention_denials: Kept,
    /// How long waits for seats are kept, or forever
    #[arg(long, value_name = "DURATION", default_value = "400d", value_parser = kept)]
    retention_waits: Kept,
    /// A folder for Parquet files, by month, with the sessions and leases whose time is over: reports
    /// go on reading them [default: they are only removed]
    #[arg(long, value_name = "FOLDER")]
    retention_archive: Option<PathBuf>,
}

/// For how long something is kept; none: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept(Option<Duration>);

/// Reads how long something is kept.
fn kept(text: &str) -> Result<Kept, String> {
    if text.trim() == FOREVER {
        return Ok(Kept(None));
    }
    let seconds = time::within(text, 86_400, None).map_err(|why| format!("{why}, or {FOREVER}"))?;
    Ok(Kept(Some(Duration::from_secs(seconds))))
}

impl Retention {
    /// The options of the manager.
    pub(super) fn options(self) -> RetentionOptions {
        let archive = self.retention_archive.map(Archive::in_folder);
        RetentionOptions {
            sessions: self.retention_sessions.0,
            denials: self.retention_denials.0,
            waits: self.retention_waits.0,
            archive: archive.map(Arc::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_kept_for_a_day_or_longer_or_for_ever() {
        assert_eq!(kept("forever"), Ok(Kept(None)));
        let days = |days: u64| Ok(Kept(Some(Duration::from_secs(days * 86_400))));
        assert_eq!(kept("400d"), days(400));
        assert_eq!(kept("1y"), days(365));
        for wrong in ["1h", "0", "-3d", "never", ""] {
            let why = kept(wrong).unwrap_err();
            assert!(why.contains("or forever"), "{why}");
        }
    }
}
