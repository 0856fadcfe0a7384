//! The ends of programs of no product that the agent saw start. The agent holds each
//! process by a pidfd, which the kernel makes readable when the process has ended; this works with
//! every way of watching, and nothing wakes meanwhile.
//!
//! The number of descriptors is bounded. Of processes beyond it, and before Linux 5.3, only the
//! regular looks at the running programs know.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;

use super::Shared;
use crate::base::wake::Wake;
use crate::base::{clock, lock};

/// How many processes are held at a time.
const LIMIT: usize = 512;
/// How many ends are read at a time.
const BATCH: usize = 64;
/// The key of the wake among those of the processes: no process has this number.
const WAKE: u64 = u64::MAX;

/// A running program, and since when it runs, in milliseconds that the computer was awake since its
/// boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) name: Arc<str>,
    pub(super) since_ms: u64,
}

/// A program that has ended, and from when to when it ran, on the same clock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) name: Arc<str>,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
}

impl Runs {
    fn until(self, to_ms: u64) -> Ran {
        Ran {
            name: self.name,
            from_ms: self.since_ms,
            to_ms,
        }
    }
}

/// The processes whose ends are waited for.
#[derive(Debug)]
pub(super) struct Ends {
    epoll: OwnedFd,
    wake: Wake,
    running: Mutex<FxHashMap<u32, Running>>,
}

#[derive(Debug)]
struct Running {
    process: OwnedFd,
    runs: Runs,
}

impl Ends {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = Wake::new()?;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        Ok(Ends {
            epoll,
            wake,
            running: Mutex::default(),
        })
    }

    /// A process has started to run a program. Returns what is known to have ended by that: the
    /// program that it ran before, or this one if the process is gone already.
    pub(super) fn began(&self, pid: u32, runs: Runs) -> Option<Ran> {
        let mut running = lock(&self.running);
        let mut before = None;
        if let Some(known) = running.get_mut(&pid) {
            if !has_ended(&known.process) {
                let former = std::mem::replace(&mut known.runs, runs);
                let to_ms = known.runs.since_ms;
                return Some(former.until(to_ms));
            }
            // Another process has its number by now.
            let former = running.remove(&pid).map(|known| known.runs);
            before = former.map(|former| former.until(clock::awake_ms()));
        }
        if running.len() >= LIMIT {
            return before;
        }
        let process = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        match pidfd_open(process, PidfdFlags::empty()) {
            Ok(process) => {
                let number = EventData::new_u64(pid.into());
                if epoll::add(&self.epoll, &process, number, EventFlags::IN).is_ok() {
                    running.insert(pid, Running { process, runs });
                }
                before
            }
            // It is gone already.
            Err(rustix::io::Errno::SRCH) => before.or_else(|| Some(runs.until(clock::awake_ms()))),
            Err(_) => before,
        }
    }

    /// A process runs a program of a product from now on.
    pub(super) fn is_of_product(&self, pid: u32) -> Option<Ran> {
        let running = lock(&self.running).remove(&pid)?;
        Some(running.runs.until(clock::awake_ms()))
    }

    /// The programs that still run.
    pub(super) fn open(&self) -> Vec<Runs> {
        let running = lock(&self.running);
        let runs = running.values().filter(|it| !has_ended(&it.process));
        runs.map(|it| it.runs.clone()).collect()
    }

    /// Ends the wait for ends.
    pub(super) fn stop(&self) {
        self.wake.wake();
    }

    /// Waits until processes have ended, and removes them.
    fn wait(&self, events: &mut Vec<Event>) -> Vec<Ran> {
        events.clear();
        if let Err(error) = epoll::wait(&self.epoll, spare_capacity(events), None)
            && error != rustix::io::Errno::INTR
        {
            tracing::error!(%error, "cannot wait for the ends of programs");
            // tidy: sleep, a fault of the kernel's must not take a core
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        let now_ms = clock::awake_ms();
        let mut running = lock(&self.running);
        let pids = events.iter().map(|event| event.data.u64());
        let ended = pids.filter_map(|number| {
            let pid = u32::try_from(number).ok()?;
            // Another process may have its number by now.
            running.get(&pid).filter(|it| has_ended(&it.process))?;
            Some(running.remove(&pid)?.runs.until(now_ms))
        });
        ended.collect()
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    poll(&mut fds, Some(&at_once)).is_ok_and(|count| count > 0)
}

/// Starts the thread that waits for ends. It ends when it is told to stop.
pub(super) fn spawn(shared: Arc<Shared>) -> io::Result<()> {
    usher_vital::spawn("usher-ends", move || {
        let mut events = Vec::with_capacity(BATCH);
        while let Some(ends) = shared.ends.as_ref().filter(|_| !shared.stopping()) {
            usher_vital::plant::thread();
            let ended = ends.wait(&mut events);
            for ran in ended {
                shared.has_run(&ran);
            }
        }
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn sleeps() -> Child {
        Command::new("/bin/sleep").arg("600").spawn().unwrap()
    }

    fn runs(name: &str, since_ms: u64) -> Runs {
        let name = name.into();
        Runs { name, since_ms }
    }

    #[test]
    fn a_process_runs_what_it_became_last_until_it_ends() {
        let ends = Ends::new().unwrap();
        let mut child = sleeps();
        let pid = child.id();
        assert_eq!(ends.began(pid, runs("sh", 1)), None);
        let former = ends.began(pid, runs("sleep", 5)).unwrap();
        assert_eq!((&*former.name, former.from_ms, former.to_ms), ("sh", 1, 5));
        assert_eq!(ends.open(), [runs("sleep", 5)]);
        child.kill().unwrap();
        child.wait().unwrap();
        let ended = ends.wait(&mut Vec::with_capacity(BATCH));
        assert_eq!(ended.len(), 1);
        assert_eq!((&*ended[0].name, ended[0].from_ms), ("sleep", 5));
        assert!(ended[0].to_ms > 5 && ends.open().is_empty());
        // It is gone before it can be held.
        let gone = ends.began(pid, runs("sleep", 7)).unwrap();
        assert_eq!((&*gone.name, gone.from_ms), ("sleep", 7));
    }

    #[test]
    fn who_runs_a_products_program_is_waited_for_no_more_and_a_stop_ends_the_wait() {
        let ends = Ends::new().unwrap();
        let mut child = sleeps();
        assert_eq!(ends.began(child.id(), runs("sleep", 1)), None);
        assert!(ends.is_of_product(child.id()).is_some());
        assert_eq!(ends.is_of_product(child.id()), None);
        child.kill().unwrap();
        child.wait().unwrap();
        ends.stop();
        assert_eq!(ends.wait(&mut Vec::with_capacity(BATCH)), []);
    }
}
