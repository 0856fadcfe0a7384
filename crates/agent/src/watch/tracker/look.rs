//! What a process runs, by its file, by what its interpreter was given, and by its own root.

use super::Tracker;
use crate::identity::Known;
use crate::identity::file::Target;
use crate::identity::hosted::{self, HostedFile};
use crate::system::{FileKey, procfs};
use crate::watch::resolve::Run;

/// What a process turned out to run.
pub(super) enum Found {
    /// No product's program.
    Unmetered(Known),
    /// A product's program, or what may be one.
    Program(Run),
}

impl Tracker {
    pub(super) fn look(&mut self, pid: u32, path: Vec<u8>, key: FileKey) -> Found {
        let known = self.shared.identifier.quick(&path, &key);
        let by_host = match known.host {
            Some(host) if self.shared.identifier.has_rules() => {
                hosted::hosted(host, pid, &path, &key)
            }
            _ => None,
        };
        if let Some(file) = by_host {
            let inner = self.shared.identifier.quick(&file.path, &file.key);
            match &inner.verdict {
                Some(Some(_)) => return Found::Program(Run::known(inner)),
                Some(None) => {}
                None => return Found::Program(self.unsure(pid, inner, Some(file), path, key)),
            }
        }
        match &known.verdict {
            Some(None) => match self.look_from_own_root(pid, &path, key) {
                Some(run) => Found::Program(run),
                None => Found::Unmetered(known),
            },
            Some(Some(_)) => Found::Program(Run::known(known)),
            None => Found::Program(self.unsure(pid, known, None, path, key)),
        }
    }

    /// A file that is no product's by its path here may be one by its path in a chroot, as in a
    /// container.
    fn look_from_own_root(&self, pid: u32, path: &[u8], key: FileKey) -> Option<Run> {
        if !self.shared.identifier.has_rules() {
            return None;
        }
        let own = procfs::path_in_own_root(pid, path)?;
        let known = self.shared.identifier.quick(&own, &key);
        match &known.verdict {
            Some(None) => None,
            Some(Some(_)) => Some(Run::known(known)),
            None => {
                let file = procfs::open_executable(pid, path, &key).ok();
                Some(Run {
                    name: known.name,
                    verdict: None,
                    targets: vec![Target {
                        path: own,
                        key,
                        file,
                    }],
                })
            }
        }
    }

    /// Keeps the files open that are to be read: they may be gone in a moment.
    fn unsure(
        &self,
        pid: u32,
        known: Known,
        inner: Option<HostedFile>,
        path: Vec<u8>,
        key: FileKey,
    ) -> Run {
        let inner = inner.map(|file| Target {
            path: file.path,
            key: file.key,
            file: Some(file.file),
        });
        let file = procfs::open_executable(pid, &path, &key).ok();
        let outer = Target { path, key, file };
        Run {
            name: known.name,
            verdict: None,
            targets: inner.into_iter().chain([outer]).collect(),
        }
    }
}
