//! The switch for enforcement on this computer.
//!
//! The computer's own administrator can switch enforcement off without a server: through the
//! agent's socket, or, if no agent answers, by a file in the agent's data directory. The setting
//! survives restarts. If anything is unclear, enforcement is off: the file cannot be read, holds
//! something other than `on`, or it is not known that an administrator has set the policy.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use usher_api::EnforcementStatus;
use usher_platform::files::{self, Readers};

/// The file that switches enforcement off, in the agent's data directory.
pub const ENFORCEMENT_FILE: &str = "enforcement";
/// A limit: the words that the file may hold take less.
const READ_LIMIT: u64 = 64;

/// Whether enforcement is on, and why not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EnforcementState {
    /// Why the setting of this computer switches it off; `None`: it does not.
    setting: Option<Arc<str>>,
    /// Why the agent may refuse nobody by the policy; `None`: it may, or the policy refuses nobody.
    policy: Option<&'static str>,
}

impl EnforcementState {
    /// Why no start is refused; `None`: products in mode `enforce` are enforced.
    pub(crate) fn why_off(&self) -> Option<&str> {
        self.setting.as_deref().or(self.policy)
    }

    /// The state in the form of the API.
    pub(crate) fn shown(&self) -> EnforcementStatus {
        EnforcementStatus {
            on: self.why_off().is_none(),
            why_off: self.why_off().map(str::to_owned),
        }
    }
}

/// The setting, and those that are told when it changes.
#[derive(Debug)]
pub(crate) struct Enforcement {
    folder: PathBuf,
    /// Why the file switches it off, as it was last read.
    read: Option<String>,
    state: watch::Sender<EnforcementState>,
}

impl Enforcement {
    /// The setting in the agent's data directory `folder`.
    pub(crate) fn open(folder: &Path) -> Self {
        let read = why_switched_off(folder);
        let setting = read.as_deref().map(Into::into);
        Enforcement {
            folder: folder.to_owned(),
            read,
            state: watch::Sender::new(EnforcementState {
                setting,
                policy: None,
            }),
        }
    }

    /// Whether it is on now, and why not.
    pub(crate) fn state(&self) -> EnforcementState {
        self.state.borrow().clone()
    }

    /// A receiver of the present setting and of each change.
    pub(crate) fn follow(&self) -> watch::Receiver<EnforcementState> {
        self.state.subscribe()
    }

    /// Switches enforcement on or off. Off takes effect at once, even if it cannot be written to
    /// disk; on takes effect once it is.
    ///
    /// # Errors
    /// The setting cannot be written: after a restart the earlier one would hold.
    pub(crate) fn switch(&mut self, on: bool) -> io::Result<()> {
        if !on {
            self.set(Some(SWITCHED_OFF));
        }
        keep(&self.folder, on)?;
        self.read = why_switched_off(&self.folder);
        self.set(self.read.as_deref());
        Ok(())
    }

    /// Takes over what another process wrote into the file. If the file has not changed, the
    /// present setting stays: it may be one that could not be written.
    pub(crate) fn look_again(&mut self) {
        let read = why_switched_off(&self.folder);
        if read != self.read {
            self.read = read;
            self.set(self.read.as_deref());
        }
    }

    /// Whether the policy may be enforced, and why not.
    pub(crate) fn policy_is(&self, why_not: Option<&'static str>) {
        self.state.send_if_modified(|state| {
            let differs = state.policy != why_not;
            state.policy = why_not;
            differs
        });
    }

    fn set(&self, setting: Option<&str>) {
        self.state.send_if_modified(|state| {
            let differs = state.setting.as_deref() != setting;
            state.setting = setting.map(Into::into);
            differs
        });
    }
}

const SWITCHED_OFF: &str = "it was switched off on the computer itself";

/// Why the setting in the agent's data directory `folder` switches enforcement off; `None`: it is
/// on.
pub fn why_switched_off(folder: &Path) -> Option<String> {
    let path = folder.join(ENFORCEMENT_FILE);
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(READ_LIMIT).read_to_string(&mut text));
    match read {
        Ok(_) if text.trim() == "on" => None,
        Ok(_) => Some(SWITCHED_OFF.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // Short, and of plain words: it goes to the server.
        Err(error) => Some(format!("its setting cannot be read: {}", error.kind())),
    }
}

/// Writes the setting durably into the agent's data directory `folder`: a running agent follows it
/// within about ten seconds, another from its next start on.
///
/// # Errors
/// The folder does not exist or cannot be written.
pub fn keep(folder: &Path, on: bool) -> io::Result<()> {
    let path = folder.join(ENFORCEMENT_FILE);
    let draft = folder.join("enforcement.new");
    let text: &[u8] = if on { b"on\n" } else { b"off\n" };
    files::put(&path, &draft, Readers::Nobody, text)
}

/// Logs each change, and has the server told of it.
pub(crate) async fn tell(mut state: watch::Receiver<EnforcementState>, changed: Arc<Notify>) {
    let first = state.borrow_and_update().clone();
    if let Some(why) = first.why_off() {
        tracing::warn!(%why, "enforcement is off: no start is refused on this computer");
    }
    while state.changed().await.is_ok() {
        let now = state.borrow_and_update().clone();
        match now.why_off() {
            Some(why) => tracing::warn!(%why, "enforcement is off: no start is refused any more"),
            None => tracing::warn!("enforcement is on"),
        }
        changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_off_stays_off_until_it_is_switched_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Enforcement::open(folder.path()).state().shown();
        assert!(open().on, "it is on where nothing is said");
        let mut enforcement = Enforcement::open(folder.path());
        let mut followed = enforcement.follow();
        enforcement.switch(false).unwrap();
        assert!(followed.has_changed().unwrap());
        assert_eq!(followed.borrow_and_update().why_off(), Some(SWITCHED_OFF));
        assert!(!open().on, "a restart goes by it");
        enforcement.switch(false).unwrap();
        assert!(!followed.has_changed().unwrap(), "nothing has changed");
        enforcement.switch(true).unwrap();
        assert!(followed.borrow_and_update().why_off().is_none());
        assert!(open().on);
    }

    #[test]
    fn whatever_else_the_file_holds_means_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ENFORCEMENT_FILE);
        for text in ["off", "", "no", "on and off", "\u{feff}on"] {
            std::fs::write(&path, text).unwrap();
            assert!(why_switched_off(folder.path()).is_some(), "{text:?}");
        }
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(why_switched_off(folder.path()).is_some());
        std::fs::write(&path, " on \n").unwrap();
        assert_eq!(why_switched_off(folder.path()), None);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let why = why_switched_off(folder.path()).unwrap();
        assert!(why.contains("cannot be read"), "{why}");
    }

    #[test]
    fn a_file_that_another_wrote_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut enforcement = Enforcement::open(folder.path());
        keep(folder.path(), false).unwrap();
        assert!(enforcement.state().why_off().is_none());
        enforcement.look_again();
        assert!(enforcement.state().why_off().is_some());
    }

    #[test]
    fn off_holds_at_once_where_it_cannot_be_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let mut enforcement = Enforcement::open(&gone);
        assert!(enforcement.switch(false).is_err());
        assert!(enforcement.state().why_off().is_some());
        enforcement.look_again();
        assert!(
            enforcement.state().why_off().is_some(),
            "the file says no more than before"
        );
        assert!(enforcement.switch(true).is_err());
        assert!(enforcement.state().why_off().is_some());
        std::fs::create_dir(&gone).unwrap();
        enforcement.switch(true).unwrap();
        assert!(enforcement.state().why_off().is_none());
    }
}
