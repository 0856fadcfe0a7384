//! What a watch keeps on disk: how far it is, and how it stands. Others look at it there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use usher_platform::account::Account;
use usher_platform::files::{self, Readers};
use usher_platform::lock;

use crate::parts::Part;
use crate::standing::{Standing, State};

/// The longest file that is read.
const LIMIT_BYTES: u64 = 1024 * 1024;
/// Watches that are listed.
const WATCHES_LIMIT: usize = 1_000;

/// Why what is kept cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The folder or a file in it cannot be made, read or written.
    #[error("cannot use {path}: {source}")]
    Disk {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder is another account's, or a link: what is written there would be read from it as our own.
    #[error("{path} belongs to another account: name a data directory of your own by --data")]
    Others {
        /// The folder.
        path: PathBuf,
    },
    /// Another process has the watch.
    #[error("the watch {name} runs already, in another process")]
    Runs {
        /// Its name.
        name: String,
    },
    /// What is in the file is no state of a watch.
    #[error("what is in {path} is not the state of a watch: {why}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// The folder with a file for each watch.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// A watch that is known here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// How it stands, or stood.
    #[serde(flatten)]
    pub standing: Standing,
    /// Whether a process runs it.
    pub running: bool,
}

/// The live import that rows go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LiveImport {
    pub(crate) id: String,
    pub(crate) begun_at: Timestamp,
    /// The instant from which it tells: those before it told what was before.
    #[serde(default)]
    pub(crate) from: Option<Timestamp>,
}

/// What is in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) standing: Standing,
    /// What makes the keys of rows.
    pub(crate) keys: String,
    /// How far the log is read.
    pub(crate) parts: Vec<Part>,
    pub(crate) import: Option<LiveImport>,
    /// Up to which instant was told what was taken.
    #[serde(default)]
    pub(crate) told_to: Option<Timestamp>,
}

/// Is told how a watch stands, each time when that is written down; the second word says whether it does
/// something else now than it was told before.
pub type Tell = Box<dyn Fn(&Standing, bool)>;

/// Keeps the file of one watch, which no other process has meanwhile.
pub(crate) struct Keeper {
    path: PathBuf,
    pub(crate) kept: Kept,
    tell: Tell,
    told: Option<State>,
    _lock: File,
}

impl Folder {
    /// The one in that data directory.
    pub fn of(data: &Path) -> Folder {
        Folder(data.join("watch"))
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(format!("{name}.{extension}"))
    }

    /// A file for what a command of that watch prints.
    pub(crate) fn printed(&self, name: &str, stream: &str) -> PathBuf {
        self.file(name, stream)
    }

    /// The watches that are known here, by name: at most 1,000. What cannot be read is left out.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn known(&self) -> Result<Vec<Known>, KeptError> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(disk(&self.0)(error)),
        };
        let mut known = Vec::new();
        for entry in entries.flatten().take(WATCHES_LIMIT * 4) {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(kept) = read(&path) else {
                continue;
            };
            let lock = path.with_extension("lock");
            known.push(Known {
                standing: kept.standing,
                running: lock::holder(&lock).is_ok_and(|holder| holder.is_some()),
            });
        }
        known.sort_by(|a, b| a.standing.name.cmp(&b.standing.name));
        known.truncate(WATCHES_LIMIT);
        Ok(known)
    }

    /// Takes up a watch, with what is kept of it. `again`: how far it was is forgotten.
    pub(crate) fn take_up(
        &self,
        standing: Standing,
        keys: String,
        again: bool,
        tell: Tell,
    ) -> Result<Keeper, KeptError> {
        files::make_folders(&self.0, Readers::Nobody).map_err(disk(&self.0))?;
        let about = std::fs::symlink_metadata(&self.0).map_err(disk(&self.0))?;
        let owner = files::owner(&about).map_err(disk(&self.0))?;
        let own = Account::own().map_err(disk(&self.0))?;
        if about.is_symlink() || owner != own {
            return Err(KeptError::Others {
                path: self.0.clone(),
            });
        }
        let path = self.file(&standing.name, "lock");
        let lock = files::open_private_itself(&path).map_err(disk(&path))?;
        if !lock::take(&lock).map_err(disk(&path))? {
            return Err(KeptError::Runs {
                name: standing.name,
            });
        }
        let path = self.file(&standing.name, "json");
        let before = match read(&path) {
            Err(KeptError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            before => Some(before?),
        };
        let mut kept = Kept {
            standing,
            keys,
            parts: Vec::new(),
            import: None,
            told_to: None,
        };
        if let Some(before) = before.filter(|before| !again && before.keys == kept.keys) {
            (kept.parts, kept.import) = (before.parts, before.import);
            kept.told_to = before.told_to;
            kept.standing.last_at = before.standing.last_at;
            kept.standing.told_until = before.standing.told_until;
        }
        let keeper = Keeper {
            path,
            kept,
            tell,
            told: None,
            _lock: lock,
        };
        keeper.save()?;
        Ok(keeper)
    }
}

impl Keeper {
    /// Writes it down.
    pub(crate) fn save(&self) -> Result<(), KeptError> {
        // All of it are texts and numbers, which can be written.
        let text = serde_json::to_vec_pretty(&self.kept).unwrap_or_default();
        let draft = self.path.with_extension("draft");
        files::put(&self.path, &draft, Readers::Nobody, &text).map_err(disk(&self.path))?;
        (self.tell)(&self.kept.standing, false);
        Ok(())
    }

    /// Notes what the watch does; a change is written down and told.
    pub(crate) fn is_now(&mut self, state: State, why: Option<String>) {
        let was = self.kept.standing.why.clone();
        let is_new = self.kept.standing.is_now(state, why);
        if is_new || was != self.kept.standing.why {
            // It is written again with the next position.
            drop(self.save());
        }
        if self.told.replace(state) != Some(state) {
            (self.tell)(&self.kept.standing, true);
        }
    }

    /// Notes that a body of rows was refused.
    pub(crate) fn refused(&mut self, why: String) {
        let standing = &mut self.kept.standing;
        standing.refused = standing.refused.saturating_add(1);
        standing.refusal = Some(why);
    }
}

fn read(path: &Path) -> Result<Kept, KeptError> {
    let text = files::read_own_text(path, LIMIT_BYTES).map_err(disk(path))?;
    serde_json::from_str(&text).map_err(|error| KeptError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    })
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> KeptError {
    let path = path.to_owned();
    move |source| KeptError::Disk { path, source }
}
