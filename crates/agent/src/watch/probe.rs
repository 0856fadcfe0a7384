//! The programs of `exec.bpf.c` in the kernel: loading, their ring, their tables.
//!
//! They end with this process, however it ends.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{Array, HashMap, MapData, MapError, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Btf, Ebpf, EbpfLoader};
use rustix::process::{Resource, Rlimit};

use super::nobodys::Nobodys;
use super::record::{self, Record};

/// Room for records that are not read yet: 3,000 starts. A power of two, whole pages.
pub(super) const RING_BYTES: u32 = 1 << 20;

/// Programs, and what they are attached to.
const PROGRAMS: [(&str, &str); 3] = [
    ("on_exec", "sched_process_exec"),
    ("on_fork", "sched_process_fork"),
    ("on_exit", "sched_process_exit"),
];
/// Flag for a BPF map: insert only if there is no such entry yet (`BPF_NOEXIST`).
const NEW_ONLY: u64 = 1;
/// The namespaces that every Linux has from its start (linux/proc_ns.h).
const FIRST_NAMESPACES: [(&str, &str); 2] = [
    ("/proc/self/ns/pid", "pid:[4026531836]"),
    ("/proc/self/ns/time", "time:[4026531834]"),
];

static OBJECT: &[u8] = aya::include_bytes_aligned!("exec.bpf.o");

/// The programs, running.
pub(super) struct Probe {
    /// Keeps the programs attached: they are detached when this is dropped.
    _programs: Ebpf,
    records: RingBuf<MapData>,
    followed: HashMap<MapData, u32, u64>,
    lost: Array<MapData, u64>,
    lost_before: u64,
}

impl Probe {
    /// Loads them, with a ring of that size; fails if the kernel or a lack of privilege does
    /// not let it.
    pub(super) fn load(ring_bytes: u32) -> io::Result<(Self, Nobodys)> {
        sees_all_processes()?;
        // Kernels before 5.11 count tables as locked memory.
        let unlimited = Rlimit {
            current: None,
            maximum: None,
        };
        let _ = rustix::process::setrlimit(Resource::Memlock, unlimited);
        let loaded = load(ring_bytes).map_err(|error| io::Error::other(whole(&*error)));
        // The kernel's own types were read for it: 10 MiB.
        usher_platform::process::give_memory_back();
        loaded
    }

    /// What to wait on for more records.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.records.as_fd()
    }

    /// The next record, without waiting.
    pub(super) fn next(&mut self) -> Option<Record> {
        while let Some(bytes) = self.records.next() {
            if let Some(record) = record::parse(&bytes) {
                return Some(record);
            }
        }
        None
    }

    /// Whether records found no room since this was last asked.
    pub(super) fn has_lost(&mut self) -> bool {
        let lost = self.lost.get(&0, 0).unwrap_or(self.lost_before);
        std::mem::replace(&mut self.lost_before, lost) != lost
    }

    /// Has the kernel tell of a process from now on. False: it did already.
    pub(super) fn follow(&mut self, pid: u32) -> bool {
        match self.followed.insert(pid, 0, NEW_ONLY) {
            Ok(()) => true,
            Err(MapError::SyscallError(error)) => {
                error.io_error.kind() != io::ErrorKind::AlreadyExists
            }
            Err(_) => true,
        }
    }

    /// What was told of a process at that time is of no interest: nor is what it does from then
    /// on, unless it has become something else meanwhile. (Should it do so between the two calls,
    /// its end is only found at the next look at all processes.)
    pub(super) fn forget(&mut self, pid: u32, at_ns: u64) {
        if self.followed.get(&pid, 0).is_ok_and(|since| since == at_ns) {
            let _ = self.followed.remove(&pid);
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn load(ring_bytes: u32) -> Result<(Probe, Nobodys), Failure> {
    let types = Btf::from_sys_fs()?;
    let mut programs = EbpfLoader::new()
        .btf(Some(&types))
        .map_max_entries("records", ring_bytes)
        .load(OBJECT)?;
    let mut take = |name: &str| {
        programs
            .take_map(name)
            .ok_or_else(|| format!("the object file has no table `{name}`"))
    };
    let records = RingBuf::try_from(take("records")?)?;
    let followed = HashMap::try_from(take("followed")?)?;
    let lost = Array::try_from(take("lost")?)?;
    let ended = RingBuf::try_from(take("ended")?)?;
    let nobodys = Nobodys::new(HashMap::try_from(take("nobodys")?)?, ended);
    for (name, event) in PROGRAMS {
        let program: &mut BtfTracePoint = programs
            .program_mut(name)
            .ok_or_else(|| format!("the object file has no program `{name}`"))?
            .try_into()?;
        program.load(event, &types)?;
        program.attach()?;
    }
    let probe = Probe {
        _programs: programs,
        records,
        followed,
        lost,
        lost_before: 0,
    };
    Ok((probe, nobodys))
}

/// In another namespace the kernel's numbers of processes, and its times, are not those of `/proc`.
fn sees_all_processes() -> io::Result<()> {
    for (link, first) in FIRST_NAMESPACES {
        // Before 5.6 there are no namespaces of time.
        if std::fs::read_link(link).is_ok_and(|target| target.as_os_str() != first) {
            let why = "the agent is in a namespace of its own, as in a container";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
    }
    Ok(())
}

/// An error with what it comes from, down to the kernel's word.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        // What the verifier says is pages of text.
        let inner_text: String = inner.to_string().chars().take(200).collect();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::super::nobodys;
    use super::super::record::{KnownAs, Told};
    use super::*;
    use crate::base::clock;
    use crate::system::procfs;

    fn probe() -> Option<(Probe, Nobodys)> {
        match Probe::load(RING_BYTES) {
            Ok(loaded) => Some(loaded),
            Err(error) => {
                eprintln!("skipped: no eBPF here: {error}");
                None
            }
        }
    }

    /// Runs a program; what the kernel tells of its start, if it does. The end of a process that
    /// it does tell of shows that nothing is to come any more.
    fn started(probe: &mut Probe, program: &Path) -> Option<(Told, KnownAs)> {
        let mut child = Command::new(program).arg("0").spawn().unwrap();
        let pid = child.id();
        assert!(child.wait().unwrap().success());
        let mut last = Command::new("/bin/true").spawn().unwrap();
        last.wait().unwrap();
        let mut found = None;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "no word of {}", last.id());
            match probe.next() {
                Some(Record::Exec { told, file, .. }) if told.key.pid == pid => {
                    found = Some((told, file));
                }
                Some(Record::Exit { told }) if told.key.pid == last.id() => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn the_kernel_counts_a_file_that_is_nobodys_until_anything_of_it_changes() {
        let Some((mut probe, mut nobodys)) = probe() else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let program = inner.join("program");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let link = inner.join("link");
        std::fs::hard_link(&program, &link).unwrap();

        let (_, file) = started(&mut probe, &program).unwrap();
        let (path, key) = procfs::file_by_name(program.to_str().unwrap().as_bytes()).unwrap();
        assert!(file.is(&key) && path.ends_with(b"/program"));
        assert!(nobodys.add(file, "program".into()));
        let counted = |nobodys: &mut Nobodys| {
            let mut all = 0;
            nobodys.take(|told| {
                if let nobodys::Told::Counts { starts, .. } = told {
                    all += starts;
                }
            });
            all
        };
        for _ in 0..3 {
            assert_eq!(started(&mut probe, &program), None);
        }
        assert_eq!(counted(&mut nobodys), 3);
        assert_eq!(counted(&mut nobodys), 0, "they are taken once");

        // Another name of the same file is looked at by itself, another way to it is not.
        let (_, linked) = started(&mut probe, &link).unwrap();
        assert_eq!(linked.0[1..], file.0[1..]);
        let soft = folder.path().join("soft");
        std::os::unix::fs::symlink(&program, &soft).unwrap();
        assert_eq!(started(&mut probe, &soft), None);
        assert_eq!(counted(&mut nobodys), 1);

        // A folder above has another name, then the first one again.
        let moved = folder.path().join("moved");
        std::fs::rename(&inner, &moved).unwrap();
        assert!(started(&mut probe, &moved.join("program")).is_some());
        std::fs::rename(&moved, &inner).unwrap();
        // Another file of the same length in its place.
        let bytes = std::fs::read(&program).unwrap();
        std::fs::write(&program, bytes).unwrap();
        let (_, rewritten) = started(&mut probe, &program).unwrap();
        assert!(nobodys.add(rewritten, "program".into()));
        assert_eq!(started(&mut probe, &program), None);
        assert_eq!(counted(&mut nobodys), 1);
        nobodys.forget(rewritten.inode());
        assert!(started(&mut probe, &program).is_some());
    }

    #[test]
    fn the_kernel_tells_for_how_long_a_file_that_is_nobodys_was_run() {
        let Some((mut probe, mut nobodys)) = probe() else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let (_, file) = started(&mut probe, &program).unwrap();
        assert!(nobodys.add(file, "program".into()));
        let taken = |nobodys: &mut Nobodys| {
            let (mut short_ns, mut runs) = (0, Vec::new());
            nobodys.take(|told| match told {
                nobodys::Told::Counts { short_ns: ns, .. } => short_ns += ns,
                nobodys::Told::Run { from_ms, to_ms, .. } => runs.push((from_ms, to_ms)),
            });
            (short_ns, runs)
        };
        let run = |seconds: &str| {
            let began = clock::awake_ms();
            let ended = Command::new(&program).arg(seconds).status().unwrap();
            assert!(ended.success());
            (began, clock::awake_ms())
        };
        let (began, ended) = run("0.2");
        let (short_ns, runs) = taken(&mut nobodys);
        assert!(runs.is_empty() || ended - began > 1_000);
        assert!(short_ns <= (ended - began + 1) * 1_000_000, "{short_ns} ns");
        assert!(short_ns >= 200_000_000 || !runs.is_empty(), "{short_ns} ns");
        // One that ends when the file is counted no more is told of all the same.
        let (began, _) = run("1.2");
        let mut last = Command::new(&program).arg("1.2").spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        // It sleeps once its start is behind it: the link of what it runs changes before the probe is
        // called.
        let sleeps = |pid| {
            let runs = std::fs::read_link(format!("/proc/{pid}/exe"));
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            runs.is_ok_and(|it| it == program) && state.is_ok_and(|it| it.contains(") S "))
        };
        while !sleeps(last.id()) {
            assert!(Instant::now() < deadline, "it does not run");
        }
        nobodys.forget_all();
        assert!(last.wait().unwrap().success());
        let ended = clock::awake_ms();
        let (_, runs) = taken(&mut nobodys);
        assert_eq!(runs.len(), 2, "{runs:?}");
        for (from_ms, to_ms) in runs {
            assert!(from_ms >= began && to_ms <= ended + 1, "{from_ms} {to_ms}");
            assert!(to_ms - from_ms >= 1_199, "{from_ms} {to_ms}");
        }
    }

    #[test]
    fn what_is_told_of_a_process_is_what_its_folder_in_proc_says() {
        let Some((mut probe, _)) = probe() else {
            return;
        };
        let mut child = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let deadline = Instant::now() + Duration::from_secs(20);
        let (told, name) = loop {
            assert!(Instant::now() < deadline, "no word of {pid}");
            match probe.next() {
                Some(Record::Exec { told, name, .. }) if told.key.pid == pid => break (told, name),
                _ => {}
            }
        };
        let stat = procfs::process_stat(pid).unwrap();
        assert_eq!(told.key.start, stat.start);
        assert_eq!(told.parent, stat.parent);
        assert_eq!(told.who.real, procfs::real_account(pid).unwrap());
        let login = procfs::login_account(pid).unwrap_or(told.who.real);
        assert_eq!(told.who.counted, login);
        assert_eq!(name, b"/bin/sleep");
        // Followed since its start, and no more once it is of no interest.
        assert!(!probe.follow(pid));
        probe.forget(pid, told.at_ns + 1);
        assert!(!probe.follow(pid), "of another time");
        probe.forget(pid, told.at_ns);
        assert!(probe.follow(pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
