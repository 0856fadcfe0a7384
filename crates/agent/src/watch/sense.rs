//! Where a person can use a program: the terminal and the displays of each of its processes, and
//! for how long that terminal had no input.
//!
//! A process belongs to its user: the agent asks nothing about its open files that the user's own
//! file system could delay. Of a process that cannot be read nothing is known.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::fs::{AtFlags, CWD, FileType, StatxFlags, readlinkat, statx};
use usher_core::idle::{Terminal, displays_of};
use usher_core::sessions::{ProcessKey, SessionId};

use crate::base::clock;
use crate::system::procfs::{self, Device, ProcessStat};

/// How many processes of one session are looked at; of a larger session it is not known whether a
/// person uses it.
const PROCESSES_LIMIT: usize = 1_000;
/// The descriptors at which a process has its terminal open: its standard files, and 255 in a
/// shell.
const OPEN: [u32; 4] = [0, 1, 2, 255];

/// A session that is looked at.
#[derive(Debug)]
pub(crate) struct IdleQuestion {
    pub(crate) session: SessionId,
    pub(crate) processes: Vec<ProcessKey>,
}

/// The places that a session belongs to.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) session: SessionId,
    /// For how long each of its terminals had no input; `None` if that is not known.
    pub(crate) terminals: Vec<Option<u64>>,
    /// Its displays, by name.
    pub(crate) displays: BTreeSet<Box<str>>,
}

/// Identifies a terminal: those of containers have the same device numbers, but file systems of
/// their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TerminalFile {
    device: (u32, u32),
    inode: u64,
}

/// What was seen before.
#[derive(Debug, Default)]
pub(crate) struct Sensor {
    terminals: FxHashMap<TerminalFile, Terminal>,
    /// The displays that processes were started with; `None` if they cannot be read.
    displays: FxHashMap<ProcessKey, Option<Vec<Box<str>>>>,
}

impl Sensor {
    /// Finds the terminals and displays of sessions, and forgets all others.
    pub(crate) fn look(&mut self, asked: Vec<IdleQuestion>) -> Vec<Places> {
        let mut terminals = FxHashSet::default();
        let mut processes = FxHashSet::default();
        let found = asked
            .into_iter()
            .map(
                |IdleQuestion {
                     session,
                     processes: of,
                 }| {
                    let mut places = Places {
                        session,
                        terminals: Vec::new(),
                        displays: BTreeSet::new(),
                    };
                    if of.len() > PROCESSES_LIMIT {
                        places.terminals.push(None);
                        return places;
                    }
                    let mut own = FxHashSet::default();
                    for process in of {
                        processes.insert(process);
                        self.look_at(process, &mut own, &mut places);
                    }
                    terminals.extend(own);
                    places
                },
            )
            .collect();
        self.terminals.retain(|file, _| terminals.contains(file));
        self.displays.retain(|key, _| processes.contains(key));
        found
    }

    fn look_at(
        &mut self,
        process: ProcessKey,
        own: &mut FxHashSet<TerminalFile>,
        places: &mut Places,
    ) {
        let stat = procfs::process_stat(process.pid).ok();
        // What has ended meanwhile belongs to no place.
        let Some(stat) = stat.filter(|stat| stat.start == process.start && !stat.ending) else {
            return;
        };
        if let Some(device) = stat.terminal {
            match terminal_of(process.pid, &stat, device) {
                Some((file, _)) if own.contains(&file) => {}
                Some((file, input_seconds)) => {
                    own.insert(file);
                    let untouched = self.terminal(file, input_seconds);
                    places.terminals.push(Some(untouched));
                }
                None => places.terminals.push(None),
            }
        }
        let displays = self.displays.entry(process);
        match displays.or_insert_with(|| displays_at(process.pid)) {
            Some(names) => places.displays.extend(names.iter().cloned()),
            None => places.terminals.push(None),
        }
    }

    fn terminal(&mut self, file: TerminalFile, input_seconds: i64) -> u64 {
        let now = clock::awake_ms();
        let known = self.terminals.entry(file);
        let terminal = known
            .and_modify(|terminal| terminal.look(now, input_seconds))
            .or_insert_with(|| Terminal::seen(now, clock::wall_ms() / 1_000, input_seconds));
        terminal.untouched_ms(now)
    }
}

/// The terminal that controls a process, and the second of its last input by the wall clock: as
/// the process has it open, or else the leader of its session.
fn terminal_of(pid: u32, stat: &ProcessStat, device: Device) -> Option<(TerminalFile, i64)> {
    let holders = [pid, stat.leader].into_iter().filter(|pid| *pid != 0);
    let files = holders.flat_map(|pid| OPEN.map(|number| format!("/proc/{pid}/fd/{number}")));
    files.into_iter().find_map(|path| {
        // A file of the network is not asked for. Terminals of containers are named without folder.
        let name = readlinkat(CWD, &*path, Vec::new()).ok()?.into_bytes();
        let bare = format!("/{}", device.minor);
        if !name.starts_with(b"/dev/") && name != bare.as_bytes() {
            return None;
        }
        let flags = AtFlags::STATX_DONT_SYNC;
        let found = statx(CWD, &*path, flags, StatxFlags::BASIC_STATS).ok()?;
        let is_device = FileType::from_raw_mode(found.stx_mode.into()) == FileType::CharacterDevice;
        let is_it = (found.stx_rdev_major, found.stx_rdev_minor) == (device.major, device.minor);
        (is_device && is_it).then_some((
            TerminalFile {
                device: (found.stx_dev_major, found.stx_dev_minor),
                inode: found.stx_ino,
            },
            found.stx_atime.tv_sec,
        ))
    })
}

/// The displays of a process; `None` if they cannot be read.
fn displays_at(pid: u32) -> Option<Vec<Box<str>>> {
    let text = procfs::variables(pid).ok()?;
    let find = |name: &str| {
        let mut lines = text.split(|byte| *byte == 0);
        lines.find_map(|line| {
            let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            std::str::from_utf8(value).ok()
        })
    };
    Some(displays_of(find))
}
