//! Which process of this manager led its shared site last, and that it has ended: then the next need not
//! wait for the end of that lease.
//!
//! A manager holds the lock of its data directory for as long as it lives, and writes there that it leads.
//! Who gets the lock knows that the process which wrote that has ended.

use std::path::{Path, PathBuf};

use usher_platform::files::{self, Readers};
use usher_platform::lock::{self, FolderLock};

/// In the data directory.
const FILE: &str = "led-by";
const DRAFT: &str = "led-by.new";
/// A longer text is none of ours.
const LIMIT_BYTES: u64 = 256;

/// What a data directory knows of who led.
#[derive(Debug)]
pub(crate) struct Former {
    /// None: another process uses the same directory, or there are no locks.
    lock: Option<FolderLock>,
    data: PathBuf,
    /// The process that led last and has ended.
    pub(crate) holder: Option<String>,
}

impl Former {
    /// Of a data directory, whose lock this process keeps from now on, if nobody has it.
    pub(crate) fn of(data: &Path) -> Former {
        let lock = lock::take_folder(data).unwrap_or_else(|error| {
            tracing::warn!(
                %error,
                "the data directory cannot be locked: after a kill the lead is waited for"
            );
            None
        });
        let written = lock.as_ref().and_then(|_| {
            let text = files::read_own_text(&data.join(FILE), LIMIT_BYTES).ok()?;
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        });
        Former {
            lock,
            data: data.to_owned(),
            holder: written,
        }
    }

    /// Writes down that this process leads. Without it the next process waits as others do.
    pub(crate) fn leads_now(&self, holder: &str) {
        if self.lock.is_none() {
            return;
        }
        let (file, draft) = (self.data.join(FILE), self.data.join(DRAFT));
        if let Err(error) = files::put(&file, &draft, Readers::Nobody, holder.as_bytes()) {
            tracing::warn!(
                file = %file.display(), %error,
                "it cannot be written down who leads: after a kill the lead is waited for"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_led_is_known_to_have_ended_by_who_has_the_lock_alone() {
        let data = tempfile::tempdir().unwrap();
        let first = Former::of(data.path());
        assert_eq!(first.holder, None);
        first.leads_now("one");
        let beside = Former::of(data.path());
        assert_eq!(beside.holder, None);
        beside.leads_now("two");
        drop((first, beside));
        assert_eq!(Former::of(data.path()).holder.as_deref(), Some("one"));
    }

    #[test]
    fn a_directory_that_is_not_there_tells_of_nobody() {
        let none = Former::of(Path::new("/nowhere/at/all"));
        assert_eq!(none.holder, None);
        none.leads_now("one");
    }
}
