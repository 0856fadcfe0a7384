//! The lock of a data directory as evidence: a metering server holds it as long as its process
//! exists.
//!
//! It is asked who holds the lock without touching it, so that a server which starts at this very
//! moment is not disturbed.

use std::path::Path;
use std::time::Duration;

use usher_core::health::{ServiceManagerWord, ServiceWord};
use usher_core::lifecycle::{Refusal, ServiceState};
use usher_platform::lock::{self, Holder};

const LOCK: &str = "lock";

/// What the lock of a data directory says about its server.
pub(crate) fn ask(data: &Path) -> ServiceManagerWord {
    let holder = match lock::holder(&data.join(LOCK)) {
        Ok(holder) => holder,
        Err(error) => return ServiceManagerWord::NoAnswer(error.to_string()),
    };
    ServiceManagerWord::Says(match holder {
        Some(holder) => word(ServiceState::Running, None, held_by(holder)),
        None => word(
            ServiceState::Stopped,
            Some(Refusal::NotActive.number()),
            "nobody holds the lock of its data directory".to_owned(),
        ),
    })
}

fn held_by(holder: Holder) -> String {
    match holder {
        Holder::Hidden => "a process holds the lock of its data directory".to_owned(),
        Holder::Process(pid) => format!("process {pid} holds the lock of its data directory"),
    }
}

fn word(state: ServiceState, error: Option<u32>, text: String) -> ServiceWord {
    ServiceWord {
        state,
        age: Duration::ZERO,
        checkpoint: 0,
        wait_hint: Duration::ZERO,
        error,
        on_purpose: false,
        has_process: state != ServiceState::Stopped,
        // Whoever started it there sees to it.
        restarts_itself: true,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_seen_and_one_that_is_not_neither() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOCK);
        let file = std::fs::File::create(&path).unwrap();
        let state = || match ask(folder.path()) {
            ServiceManagerWord::Says(word) => (word.state, word.text),
            other => panic!("{other:?}"),
        };
        assert_eq!(state().0, ServiceState::Stopped);
        assert!(lock::take(&file).unwrap());
        let (held, text) = state();
        assert_eq!(held, ServiceState::Running);
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(file);
        assert_eq!(state().0, ServiceState::Stopped);
        let nowhere = ask(&folder.path().join("none"));
        assert!(matches!(nowhere, ServiceManagerWord::NoAnswer(why) if why.contains("none")));
    }
}
