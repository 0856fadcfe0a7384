//! The id of this computer, which all its agents share wherever their data directories are.
//!
//! It is in a file of root's, with the keyed hash of the machine id that it was made for. The agent
//! that runs with the id holds a lock on the file: a second agent that runs at the same time and
//! has no id yet becomes a computer of its own. If the file cannot be read or written, only the id
//! in the data directory counts.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use usher_platform::{files, lock};

use crate::AgentError;

/// A limit: an id and a hash take less.
const LIMIT_BYTES: u64 = 1_024;

/// The file, and the lock on it while this value lives.
pub(crate) struct SharedId {
    path: PathBuf,
    file: File,
    /// No other agent runs with the id.
    is_locked: bool,
    held: Option<Held>,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    id: String,
    machine: Option<String>,
}

impl SharedId {
    /// The file at `path`, made with its folder if its parent is there.
    pub(crate) fn open(path: &Path) -> Option<SharedId> {
        let opened = Self::try_open(path);
        if let Err(error) = &opened {
            tracing::debug!(path = %path.display(), %error, "this computer's id is not shared");
        }
        opened.ok()
    }

    fn try_open(path: &Path) -> std::io::Result<SharedId> {
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            files::make_private_folder(folder)?;
        }
        let mut file = files::open_private_itself(path)?;
        let is_locked = lock::take(&file).unwrap_or(false);
        let mut text = String::new();
        (&mut file).take(LIMIT_BYTES).read_to_string(&mut text)?;
        Ok(SharedId {
            path: path.to_owned(),
            file,
            is_locked,
            held: held(&text),
        })
    }

    /// The id for an agent that has none, if no other agent runs with it and it was made for the
    /// computer with the machine hash `machine`.
    pub(crate) fn to_adopt(&self, machine: Option<&str>) -> Option<String> {
        let held = self.held.as_ref().filter(|_| self.is_locked)?;
        is_of(held, machine).then(|| held.id.clone())
    }

    /// Fails if another agent runs with the id `id`.
    pub(crate) fn must_be_free(&self, id: &str) -> Result<(), AgentError> {
        let is_the_same = self.held.as_ref().is_some_and(|held| held.id == id);
        if self.is_locked || !is_the_same {
            return Ok(());
        }
        Err(AgentError::Failed(format!(
            "another agent of this computer runs, with the same id {id} (from {}): stop it first \
             (`systemctl stop usher-agent`), or remove this one's data directory to make it a \
             computer of its own",
            self.path.display()
        )))
    }

    /// Writes this agent's id to the file, if the file has no id of this computer; releases the
    /// lock if it has another id.
    pub(crate) fn publish(mut self, id: &str, machine: Option<&str>) -> Option<SharedId> {
        if !self.is_locked {
            return None;
        }
        match &self.held {
            Some(held) if held.id == id => Some(self),
            Some(held) if is_of(held, machine) => None,
            _ => {
                let text = format!("{id}\n{}\n", machine.unwrap_or_default());
                let written = self
                    .file
                    .rewind()
                    .and_then(|()| self.file.set_len(0))
                    .and_then(|()| self.file.write_all(text.as_bytes()))
                    .and_then(|()| self.file.sync_all());
                if let Err(error) = written {
                    let path = self.path.display();
                    tracing::warn!(%path, %error, "this computer's id cannot be written down");
                }
                Some(self)
            }
        }
    }
}

fn held(text: &str) -> Option<Held> {
    let mut lines = text.lines();
    let id = lines.next().filter(|id| id.starts_with("c-"))?;
    let machine = lines.next().filter(|line| !line.is_empty());
    Some(Held {
        id: id.to_owned(),
        machine: machine.map(str::to_owned),
    })
}

/// Whether it was made for this computer: a cloned disk has another machine id.
fn is_of(held: &Held, machine: Option<&str>) -> bool {
    match (&held.machine, machine) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_that_runs_beside_the_first_gets_no_id_of_its() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/computer-id");
        let first = SharedId::open(&path).unwrap();
        assert_eq!(first.to_adopt(Some("m")), None);
        let first = first.publish("c-1", Some("m")).unwrap();
        let beside = SharedId::open(&path).unwrap();
        assert_eq!(beside.to_adopt(Some("m")), None);
        assert!(beside.must_be_free("c-1").is_err());
        assert!(beside.must_be_free("c-2").is_ok());
        assert!(beside.publish("c-2", Some("m")).is_none());
        drop(first);
        let next = SharedId::open(&path).unwrap();
        assert_eq!(next.to_adopt(Some("m")).as_deref(), Some("c-1"));
        assert!(next.must_be_free("c-1").is_ok());
    }

    #[test]
    fn the_id_of_another_computer_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("computer-id");
        drop(SharedId::open(&path).unwrap().publish("c-1", Some("m")));
        let cloned = SharedId::open(&path).unwrap();
        assert_eq!(cloned.to_adopt(Some("n")), None);
        drop(cloned.publish("c-2", Some("n")));
        let next = SharedId::open(&path).unwrap();
        assert_eq!(next.to_adopt(Some("n")).as_deref(), Some("c-2"));
    }

    #[test]
    fn an_agent_with_an_older_id_of_its_own_keeps_it_and_leaves_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("computer-id");
        drop(SharedId::open(&path).unwrap().publish("c-1", Some("m")));
        let other = SharedId::open(&path).unwrap();
        assert!(other.must_be_free("c-0").is_ok());
        assert!(other.publish("c-0", Some("m")).is_none());
        let next = SharedId::open(&path).unwrap();
        assert_eq!(next.to_adopt(Some("m")).as_deref(), Some("c-1"));
    }

    #[test]
    fn a_place_that_cannot_be_used_is_as_none() {
        assert!(SharedId::open(Path::new("/proc/none/computer-id")).is_none());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("computer-id");
        std::fs::write(&path, "nonsense").unwrap();
        let opened = SharedId::open(&path).unwrap();
        assert_eq!(opened.to_adopt(None), None);
        assert!(opened.publish("c-1", None).is_some());
    }
}
