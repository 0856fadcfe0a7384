//! A file of a made-up disk: what the medium holds, and what the computer believes that it holds.

use crate::rng::Rng;

/// Changes that a disk which lies about syncs still holds back; older ones are on the medium.
const HELD_BACK: usize = 64;

/// One file, on the medium and in the computer's memory.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// On the medium; none: it has no such name.
    durable: Option<Vec<u8>>,
    /// As programs see it; none: they see no such file.
    seen: Option<Vec<u8>>,
    /// What makes the second of the first, in the order in which it was asked for.
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Made,
    Write { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
    Removed,
}

/// How much of what was not synced the medium has when the power fails.
#[derive(Debug, Clone, Copy)]
enum Kept {
    All,
    Nothing,
    /// So many changes; of the next, some sectors.
    First(usize),
    /// Each sector or not, whatever came before it.
    Some,
}

impl File {
    pub(super) fn seen(&self) -> Option<&[u8]> {
        self.seen.as_deref()
    }

    /// Makes it, empty, if programs see none.
    pub(super) fn make(&mut self) {
        if self.seen.is_none() {
            self.change(Change::Made);
        }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.change(Change::Write {
            at,
            bytes: bytes.to_vec(),
        });
    }

    pub(super) fn cut(&mut self, length: usize) {
        self.change(Change::Cut { length });
    }

    pub(super) fn remove(&mut self) {
        self.change(Change::Removed);
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    /// What was asked for is on the medium.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Whether the medium does not know its name yet.
    pub(super) fn is_new(&self) -> bool {
        let is_made = |change: &Change| matches!(change, Change::Made);
        self.unsynced.iter().any(is_made)
    }

    /// The names of its folder are on the medium, and so that it was made or removed.
    pub(super) fn sync_name(&mut self) {
        let is_name = |change: &Change| matches!(change, Change::Made | Change::Removed);
        if let Some(last) = self.unsynced.iter().rposition(is_name) {
            for change in self.unsynced.drain(..=last) {
                change.apply(&mut self.durable);
            }
        }
    }

    /// A sync of a disk that lies: the last writes stay unsynced, and are lost with the power.
    pub(super) fn pretend_to_sync(&mut self) {
        let old = self.unsynced.len().saturating_sub(HELD_BACK);
        for change in self.unsynced.drain(..old) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that fails: some of what was asked for is on the medium, programs see all of it, and no
    /// later sync brings the rest, as with Linux.
    pub(super) fn fail_to_sync(&mut self, rng: &mut Rng) {
        for change in self.unsynced.drain(..) {
            let is_name = matches!(change, Change::Made | Change::Removed);
            if is_name || rng.chance(50) {
                change.apply(&mut self.durable);
            }
        }
    }

    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The power fails: of what was not synced some reaches the medium, in sectors of that size,
    /// and programs see what the medium has.
    pub(super) fn lose(&mut self, rng: &mut Rng, sector: usize) {
        let changes = std::mem::take(&mut self.unsynced);
        let kept = Kept::draw(rng, changes.len());
        for (number, change) in changes.iter().enumerate() {
            let whole = match kept {
                Kept::All => true,
                Kept::Nothing => false,
                Kept::First(count) => number < count,
                Kept::Some => rng.chance(50),
            };
            let may_tear = match kept {
                Kept::First(count) => number == count,
                Kept::Some => true,
                Kept::All | Kept::Nothing => false,
            };
            match change {
                _ if whole => change.apply(&mut self.durable),
                Change::Write { at, bytes } if may_tear => {
                    for (at, part) in sectors(*at, bytes, sector) {
                        if rng.chance(50) {
                            write(&mut self.durable, at, part);
                        }
                    }
                }
                Change::Write { .. } | Change::Cut { .. } => {}
                // What comes after it is of a file that the medium has under no name.
                Change::Made | Change::Removed => break,
            }
        }
        self.seen.clone_from(&self.durable);
    }
}

impl Change {
    fn apply(&self, file: &mut Option<Vec<u8>>) {
        match self {
            Change::Made => *file = Some(Vec::new()),
            Change::Write { at, bytes } => write(file, *at, bytes),
            Change::Cut { length } => {
                if let Some(file) = file {
                    file.resize(*length, 0);
                }
            }
            Change::Removed => *file = None,
        }
    }
}

impl Kept {
    fn draw(rng: &mut Rng, changes: usize) -> Kept {
        match rng.within(0..=5) {
            0 => Kept::All,
            1 => Kept::Nothing,
            2 | 3 => {
                let count = rng.within(0..=changes as u64);
                Kept::First(usize::try_from(count).unwrap_or(changes))
            }
            _ => Kept::Some,
        }
    }
}

/// What lies between is zeros, as of a file with a hole.
fn write(file: &mut Option<Vec<u8>>, at: usize, bytes: &[u8]) {
    let Some(file) = file else {
        return;
    };
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

/// The parts of a write that lie in one sector each, with their positions.
fn sectors(at: usize, bytes: &[u8], sector: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(begin..).filter(|rest| !rest.is_empty())?;
        let place = at + begin;
        let length = rest.len().min(sector - place % sector);
        begin += length;
        Some((place, &rest[..length]))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_synced_stays_and_a_later_write_is_torn_at_sectors() {
        let mut outcomes = BTreeSet::new();
        for seed in 0..200 {
            let mut file = File::default();
            file.make();
            file.write(0, &[1; 1_536]);
            file.sync();
            file.write(256, &[2; 1_024]);
            assert_eq!(file.seen().unwrap()[256], 2);
            file.lose(&mut Rng::new(seed, 0), 512);
            let left = file.seen().unwrap();
            assert_eq!(left.len(), 1_536);
            assert!(
                left[..256]
                    .iter()
                    .chain(&left[1_280..])
                    .all(|byte| *byte == 1)
            );
            // The write lies in three sectors: each is there whole, or not at all.
            let parts = [256..512, 512..1_024, 1_024..1_280];
            outcomes.insert(parts.map(|part| {
                let part = &left[part];
                assert!(part.iter().all(|byte| *byte == part[0]));
                part[0]
            }));
        }
        assert_eq!(outcomes.len(), 8, "{outcomes:?}");
    }

    #[test]
    fn a_file_that_was_made_and_not_synced_may_have_no_name_and_then_has_no_bytes() {
        let mut kept = 0;
        for seed in 0..100 {
            let mut file = File::default();
            file.make();
            file.write(0, &[1; 512]);
            file.lose(&mut Rng::new(seed, 0), 512);
            kept += u32::from(file.seen().is_some());
        }
        assert!((20..80).contains(&kept), "{kept}");
    }

    #[test]
    fn what_a_failed_sync_has_left_out_is_seen_until_the_power_fails() {
        let mut lost = 0;
        for seed in 0..100 {
            let mut rng = Rng::new(seed, 0);
            let mut file = File::default();
            file.make();
            file.write(0, &[1; 512]);
            file.fail_to_sync(&mut rng);
            file.sync();
            assert_eq!(file.seen(), Some(&[1; 512][..]));
            file.lose(&mut rng, 512);
            let left = file.seen().unwrap();
            lost += u32::from(left.is_empty());
        }
        assert!((20..80).contains(&lost), "{lost}");
    }

    #[test]
    fn a_disk_that_lies_loses_the_newest_and_keeps_the_oldest() {
        let mut lost = 0;
        for seed in 0..100 {
            let mut file = File::default();
            file.make();
            for number in 0..200 {
                file.write(number, &[7]);
                file.pretend_to_sync();
            }
            file.lose(&mut Rng::new(seed, 0), 512);
            let left = file.seen().unwrap();
            assert!(left.len() >= 200 - HELD_BACK, "{}", left.len());
            lost += u32::from(left.len() < 200);
        }
        assert!(lost > 10, "{lost}");
    }
}
