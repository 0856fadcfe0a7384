//! Reading the archive for an answer: the parts that the answer's own transaction knows, no others.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::folder::Archive;
use super::part::Part;
use super::sound::{self, Sound};
use super::told::{Archived, MissingPart};
use super::uses::{self, ArchivedUse};

/// Parts that have uses of the time of an answer.
pub(crate) struct Reading<'a> {
    archive: Option<&'a Archive>,
    parts: Vec<Part>,
    read: BTreeSet<i64>,
    missing: BTreeSet<i64>,
    told: Archived,
}

/// Of those that were taken, how many began before the time and last into it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Over {
    pub(crate) leases: i64,
    /// Sessions, and leases that are sessions themselves.
    pub(crate) sessions: i64,
}

impl<'a> Reading<'a> {
    /// Of parts; without an archive none of them can be read.
    pub(crate) fn new(archive: Option<&'a Archive>, parts: Vec<Part>) -> Reading<'a> {
        Reading {
            archive,
            parts,
            read: BTreeSet::new(),
            missing: BTreeSet::new(),
            told: Archived::default(),
        }
    }

    /// Has taken the uses of a product that begin in a time, and those before that last up to its
    /// beginning or longer. Of a part that cannot be read none is taken.
    pub(crate) fn overlapping(
        &mut self,
        product: i64,
        (from_ms, to_ms): (i64, i64),
        take: &mut dyn FnMut(&ArchivedUse),
    ) -> Over {
        let mut over = Over::default();
        for part in &self.parts {
            if part.first_ms >= to_ms || part.last_ms < from_ms {
                continue;
            }
            let found = match found(self.archive, part, (product, from_ms, to_ms)) {
                Ok(found) => found,
                Err(why) => {
                    if self.missing.insert(part.number) {
                        self.told.misses(MissingPart {
                            file: part.file.clone(),
                            rows: u64::try_from(part.rows).unwrap_or(0),
                            first_ms: part.first_ms,
                            last_ms: part.last_ms,
                            why,
                        });
                    }
                    continue;
                }
            };
            self.read.insert(part.number);
            for it in &found {
                let is_before = it.from_ms < from_ms;
                let lasts = it.from_ms < it.until_ms && it.until_ms >= from_ms;
                if it.from_ms >= to_ms || is_before && !lasts {
                    continue;
                }
                if is_before {
                    over.leases += i64::from(it.is_lease);
                    over.sessions += i64::from(it.is_session);
                }
                take(it);
            }
        }
        over
    }

    /// What was read, and what could not be.
    pub(crate) fn end(self) -> Archived {
        Archived {
            files: self.read,
            ..self.told
        }
    }
}

/// The uses of a product in a part, as far as its groups are of the time.
fn found(
    archive: Option<&Archive>,
    part: &Part,
    (product, from_ms, to_ms): (i64, i64, i64),
) -> Result<Vec<ArchivedUse>, String> {
    let archive = archive.ok_or("this manager has no archive: set archive in [retention]")?;
    let reads = archive.reads.as_ref();
    let reads = reads.ok_or("the system had no thread for it when the manager began")?;
    let file = OnDisk {
        path: archive.path(&part.file),
        part: part.clone(),
        known: archive.sound.clone(),
    };
    reads.ask(move || file.found(product, (from_ms, to_ms)))
}

/// The file of a part, and what is known of the files of the archive, by their numbers.
struct OnDisk {
    path: PathBuf,
    part: Part,
    known: Arc<Mutex<HashMap<i64, Sound>>>,
}

impl OnDisk {
    fn found(&self, product: i64, time: (i64, i64)) -> Result<Vec<ArchivedUse>, String> {
        let groups = self.sound()?.groups(product, time);
        let mut found = Vec::new();
        if groups.is_empty() {
            return Ok(found);
        }
        let reader = sound::open_file(&self.path, &self.part)?;
        for group in groups {
            uses::read(&reader, self.part.what, (group, product), &mut found)?;
        }
        Ok(found)
    }

    /// It is read whole once, and again if it was changed.
    fn sound(&self) -> Result<Sound, String> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(&self.part.number).cloned();
        if let Some(sound) = before.filter(|it| it.is_still(&self.path)) {
            return Ok(sound);
        }
        let sound = Sound::of(&self.path, &self.part)?;
        known().insert(self.part.number, sound.clone());
        Ok(sound)
    }
}
