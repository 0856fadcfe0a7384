//! Files of programs of no product: an eBPF program counts their starts and run times in the
//! kernel, without waking the agent.

use std::sync::Arc;

use aya::maps::{HashMap, MapData, RingBuf};
use rustc_hash::FxHashMap;

use super::record::{self, KnownAs};

/// How many names are kept of files that the kernel no longer counts, whose runs may still end;
/// beyond, all are forgotten, and with them the time of these runs.
const FORMER_LIMIT: usize = 8_192;

/// The kernel's tables of these files, and the names to report them by.
///
/// `exec.bpf.c` sets their size; when the table of files is full, all are forgotten and looked at
/// again, as with everything that is remembered of files.
pub(crate) struct Nobodys {
    table: HashMap<MapData, [u64; 6], Counted>,
    ended: RingBuf<MapData>,
    /// By inode: a file may have to be forgotten under all its names at once.
    names: FxHashMap<u64, Vec<Name>>,
    /// Names of files that are no longer counted.
    former: FxHashMap<KnownAs, Arc<str>>,
}

impl std::fmt::Debug for Nobodys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names.len();
        f.debug_struct("Nobodys").field("names", &names).finish()
    }
}

/// What the kernel counts of a file: its starts, and the nanoseconds of all runs that ended within
/// a second.
type Counted = [u64; 2];

#[derive(Debug)]
struct Name {
    file: KnownAs,
    name: Arc<str>,
    /// What of the counts was reported already.
    taken: Counted,
}

/// What the kernel has counted of a program since it was last asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told<'n> {
    /// The number of starts, and the sum of the runs of less than a second.
    Counts {
        name: &'n Arc<str>,
        starts: u64,
        short_ns: u64,
    },
    /// A run of more than a second, in milliseconds that the computer was awake since its boot.
    Run {
        name: &'n Arc<str>,
        from_ms: u64,
        to_ms: u64,
    },
}

impl Nobodys {
    /// With tables that are still empty.
    pub(super) fn new(table: HashMap<MapData, [u64; 6], Counted>, ended: RingBuf<MapData>) -> Self {
        Nobodys {
            table,
            ended,
            names: FxHashMap::default(),
            former: FxHashMap::default(),
        }
    }

    /// From now on the kernel counts the starts of that file, under its present name; `false` if
    /// there is no room.
    pub(super) fn add(&mut self, file: KnownAs, name: Arc<str>) -> bool {
        let known = self.names.entry(file.inode()).or_default();
        if known.iter().any(|known| known.file == file) {
            return true;
        }
        if self.table.insert(file.0, [0, 0], 0).is_err() {
            return false;
        }
        let taken = [0, 0];
        known.push(Name { file, name, taken });
        true
    }

    /// Passes on what was counted since the last time.
    pub(super) fn take(&mut self, mut each: impl FnMut(Told<'_>)) {
        for known in self.names.values_mut().flatten() {
            let counted = self.table.get(&known.file.0, 0).unwrap_or(known.taken);
            if counted != known.taken {
                each(Told::Counts {
                    name: &known.name,
                    starts: counted[0].wrapping_sub(known.taken[0]),
                    short_ns: counted[1].wrapping_sub(known.taken[1]),
                });
                known.taken = counted;
            }
        }
        while let Some(bytes) = self.ended.next() {
            let Some((file, since_ns, ended_ns)) = record::parse_ended(&bytes) else {
                continue;
            };
            let mut known = self.names.get(&file.inode()).into_iter().flatten();
            let known = known.find(|known| known.file == file);
            let name = known.map(|known| &known.name);
            if let Some(name) = name.or_else(|| self.former.get(&file)) {
                each(Told::Run {
                    name,
                    from_ms: since_ns / 1_000_000,
                    to_ms: ended_ns / 1_000_000,
                });
            }
        }
    }

    /// Forgets a file under all its names, since one of them turned out to be a product's. Its
    /// counts must have been taken before.
    pub(super) fn forget(&mut self, inode: u64) {
        let gone = self.names.remove(&inode).into_iter().flatten();
        for known in gone {
            let _ = self.table.remove(&known.file.0);
            was_counted(&mut self.former, known);
        }
    }

    /// Forgets all files; their counts must have been taken before.
    pub(super) fn forget_all(&mut self) {
        for known in std::mem::take(&mut self.names).into_values().flatten() {
            let _ = self.table.remove(&known.file.0);
            was_counted(&mut self.former, known);
        }
    }

    /// Whether a file is known under any name.
    pub(super) fn knows(&self, inode: u64) -> bool {
        self.names.contains_key(&inode)
    }
}

/// A process of that file may still run.
fn was_counted(former: &mut FxHashMap<KnownAs, Arc<str>>, known: Name) {
    if former.len() >= FORMER_LIMIT {
        former.clear();
    }
    former.insert(known.file, known.name);
}
