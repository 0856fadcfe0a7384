//! Which product is this executable? The rules of the policy, asked of real files.
//!
//! What was found out of a file is remembered as long as the file is the same (device, inode,
//! size, times) under the same path: a start of a known program costs a look-up. Dear facts
//! (packages, hashes) are never looked at on the watcher's own thread: [`Identifier::quick`] says
//! that they are needed, [`Identifier::thorough`] gets them.

pub(crate) mod databases;
pub(crate) mod described;
mod desktop;
pub(crate) mod file;
pub(crate) mod hosted;
pub(crate) mod installed;
pub(crate) mod needed;
pub(crate) mod packages;
pub(crate) mod pe;
mod rules;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use usher_core::identify::file_name;

use self::file::{CheapFacts, FileFacts, Target};
use self::hosted::Host;
use self::packages::Packages;
pub(crate) use self::rules::{Matched, Rules};
use crate::base::lock;
use crate::identity::described::Described;
use crate::system::{FileKey, procfs};

/// How many files are remembered; beyond that all are forgotten and identified again.
const CACHE_LIMIT: usize = 8_192;
/// How many files are still known by a former path; further ones are not added.
const PINS_LIMIT: usize = 4_096;
/// The longest program name, in bytes.
const NAME_LIMIT: usize = 255;

/// The identity of an executable: a product's program, or none's.
pub(crate) type Verdict = Option<Arc<Matched>>;

/// What is known about an executable without looking into it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Its file name, for people.
    pub(crate) name: Arc<str>,
    /// How it runs other programs, if it does.
    pub(crate) host: Option<Host>,
    /// Its identity; none: that needs a thorough look.
    pub(crate) verdict: Option<Verdict>,
}

/// Identifies executables.
#[derive(Debug)]
pub(crate) struct Identifier {
    state: Mutex<State>,
    packages: Packages,
    entries: Mutex<desktop::Entries>,
}

#[derive(Debug, Default)]
struct State {
    rules: Arc<Rules>,
    cache: FxHashMap<FileKey, Cached>,
    /// Files that path rules matched, by device and inode.
    pins: FxHashMap<(u64, u64), Pin>,
}

#[derive(Debug)]
struct Cached {
    path: Box<[u8]>,
    known: Known,
}

#[derive(Debug)]
struct Pin {
    key: FileKey,
    path: Vec<u8>,
}

impl Identifier {
    /// An identifier without rules.
    pub(crate) fn new() -> Self {
        Identifier {
            state: Mutex::default(),
            packages: Packages::new(Path::new("/var/lib/dpkg")),
            entries: Mutex::new(desktop::Entries::of_this_computer()),
        }
    }

    /// Uses these rules from now on.
    pub(crate) fn set_rules(&self, rules: Rules) {
        let mut state = lock(&self.state);
        state.cache.clear();
        for path in rules.set.literal_paths() {
            if let Ok(stat) = rustix::fs::stat(path) {
                state.pin(FileKey::of(&stat), path.as_bytes());
            }
        }
        state.rules = Arc::new(rules);
    }

    /// Prepares what the identification of programs will need.
    pub(crate) fn prepare(&self) {
        if self.has_rules() {
            self.packages.prepare();
        }
    }

    /// The names by which people know a program. This may ask another program, so nobody should
    /// wait for it.
    pub(crate) fn describe(&self, path: &[u8]) -> Described {
        let owner = self.packages.owner(path);
        let name = lock(&self.entries).name(path).map(Into::into);
        Described {
            package: owner.map(|owner| owner.name.as_str().into()),
            desktop_name: name,
        }
    }

    /// Whether there is any rule.
    pub(crate) fn has_rules(&self) -> bool {
        !lock(&self.state).rules.set.is_empty()
    }

    /// Identifies an executable without looking into it.
    pub(crate) fn quick(&self, path: &[u8], key: &FileKey) -> Known {
        let mut state = lock(&self.state);
        if let Some(cached) = state.cache.get(key)
            && *cached.path == *path
        {
            return cached.known.clone();
        }
        let known_as = state.known_as(path, key);
        let mut facts = CheapFacts {
            path,
            known_as: &known_as,
            asked_for_more: false,
        };
        let found = state.rules.set.identify(&mut facts);
        let unmetered = found.is_none() && !facts.asked_for_more;
        let known = Known {
            name: display_name(path),
            host: hosted::host(path),
            // Of a product's program the version is to be recorded too.
            verdict: unmetered.then_some(None),
        };
        if unmetered {
            state.remember(path, key, known.clone());
        }
        known
    }

    /// Identifies an executable, however long that takes.
    pub(crate) fn thorough(&self, target: &Target) -> Verdict {
        let (rules, known_as) = {
            let state = lock(&self.state);
            if let Some(cached) = state.cache.get(&target.key)
                && *cached.path == *target.path
                && let Some(verdict) = &cached.known.verdict
            {
                return verdict.clone();
            }
            (
                state.rules.clone(),
                state.known_as(&target.path, &target.key),
            )
        };
        let mut facts = FileFacts::new(target, &known_as, &self.packages);
        let verdict = rules.set.identify(&mut facts).map(|identity| {
            let version = facts.version();
            Arc::new(rules.matched(identity, version))
        });
        // A process in a root of its own can choose the path of its program: the path names the
        // file for that process, and for nobody else.
        let is_there = verdict.as_ref().is_some_and(|matched| matched.by_path)
            && procfs::is_file(&target.path, &target.key);
        let mut state = lock(&self.state);
        if Arc::ptr_eq(&state.rules, &rules) {
            if is_there && known_as.is_empty() {
                state.pin(target.key, &target.path);
            }
            let known = Known {
                name: display_name(&target.path),
                host: hosted::host(&target.path),
                verdict: Some(verdict.clone()),
            };
            state.remember(&target.path, &target.key, known);
        }
        verdict
    }
}

impl State {
    fn remember(&mut self, path: &[u8], key: &FileKey, known: Known) {
        if self.cache.len() >= CACHE_LIMIT {
            self.cache.clear();
        }
        let path = path.into();
        self.cache.insert(*key, Cached { path, known });
    }

    fn pin(&mut self, key: FileKey, path: &[u8]) {
        let id = (key.device, key.inode);
        if self.pins.len() < PINS_LIMIT || self.pins.contains_key(&id) {
            let path = path.to_vec();
            self.pins.insert(id, Pin { key, path });
        }
    }

    /// Another path that a rule knows this file by.
    fn known_as(&self, path: &[u8], key: &FileKey) -> Vec<Vec<u8>> {
        self.pins
            .get(&(key.device, key.inode))
            .filter(|pin| pin.key.same_contents(key) && pin.path != path)
            .map(|pin| pin.path.clone())
            .into_iter()
            .collect()
    }
}

/// A file name that can be shown and sent: UTF-8, without characters that cannot be seen, of bounded length.
pub(crate) fn display_name(path: &[u8]) -> Arc<str> {
    let name = file_name(path);
    if name.is_empty() {
        return "(unnamed)".into();
    }
    let mut shown = String::with_capacity(name.len());
    for c in String::from_utf8_lossy(name).chars() {
        let c = if usher_api::is_unseen(c) {
            '\u{fffd}'
        } else {
            c
        };
        if shown.len() + c.len_utf8() > NAME_LIMIT {
            break;
        }
        shown.push(c);
    }
    shown.into()
}

#[cfg(test)]
mod tests;
