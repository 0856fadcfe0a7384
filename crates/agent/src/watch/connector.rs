//! The kernel's proc connector: an event for each fork, exec and exit (linux/cn_proc.h).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, bind, send, socket_with};
use rustix::time::Timespec;

const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const NLMSG_DONE: u16 = 3;
const NLMSG_HEADER_BYTES: usize = 16;
const CN_HEADER_BYTES: usize = 20;
/// Where `struct proc_event` begins in a message.
const EVENT_AT: usize = NLMSG_HEADER_BYTES + CN_HEADER_BYTES;
/// Where its `event_data` begins: after `what`, `cpu` and `timestamp_ns`.
const DATA_AT: usize = EVENT_AT + 16;

const WHAT_NONE: u32 = 0;
const WHAT_FORK: u32 = 1;
const WHAT_EXEC: u32 = 2;
const WHAT_EXIT: u32 = 0x8000_0000;

/// The receive buffer: room for about 20,000 events that are not read yet.
const RECEIVE_BUFFER_BYTES: usize = 16 << 20;
const BATCH: usize = 32;
const MESSAGE_BYTES: usize = 128;

/// Something that a process did. There are no events for threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessEvent {
    Fork { parent: u32, child: u32 },
    Exec { pid: u32 },
    Exit { pid: u32 },
}

/// The result of reading from the socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Events,
    Nothing,
    /// Events came faster than the agent read them; some are lost.
    Lost,
}

/// A subscription.
pub(crate) struct Connector {
    socket: OwnedFd,
    buffers: Box<[[u8; MESSAGE_BYTES]; BATCH]>,
}

impl Connector {
    /// Subscribes; fails if the kernel cannot, or this process may not.
    pub(crate) fn subscribe() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(netlink::CONNECTOR),
        )?;
        if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES)
            .is_err()
        {
            rustix::net::sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES)?;
        }
        bind(&socket, &SocketAddrNetlink::new(0, CN_IDX_PROC))?;
        let mut connector = Connector {
            socket,
            buffers: Box::new([[0; MESSAGE_BYTES]; BATCH]),
        };
        send(&connector.socket, &listen_message(), SendFlags::empty())?;
        connector.await_acknowledgement()?;
        connector.follow(&[])?;
        Ok(connector)
    }

    /// From now on the socket receives, besides all execs, the forks by and exits of these
    /// processes. Other forks and exits do not even wake the agent.
    pub(crate) fn follow(&self, pids: &[u32]) -> io::Result<()> {
        attach(self.socket.as_fd(), filter_program(pids))
    }

    /// Outside the first user and pid namespace the kernel takes the subscription and never sends
    /// anything, not even the acknowledgement.
    fn await_acknowledgement(&mut self) -> io::Result<()> {
        let mut messages = Vec::new();
        for _ in 0..200 {
            let timeout = Timespec {
                tv_sec: 0,
                tv_nsec: 500_000_000,
            };
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            if poll(&mut fds, Some(&timeout))? == 0 {
                break;
            }
            messages.clear();
            self.receive_raw(&mut messages)?;
            for message in &messages {
                match word(message, EVENT_AT) {
                    Some(WHAT_NONE) => {
                        let error = word(message, DATA_AT).unwrap_or(0);
                        return match error {
                            0 => Ok(()),
                            code => Err(io::Error::from_raw_os_error(code as i32)),
                        };
                    }
                    _ => continue,
                }
            }
        }
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the kernel did not acknowledge the subscription, as in a container",
        ))
    }

    /// The descriptor to wait on for more events.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Adds the events that have come to `events`, without waiting; at most a batch.
    pub(crate) fn receive(&mut self, events: &mut Vec<ProcessEvent>) -> io::Result<Received> {
        let mut lengths = [0; BATCH];
        let count = match self.receive_lengths(&mut lengths) {
            Ok(count) => count,
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Received::Lost),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok(Received::Nothing);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                return Ok(Received::Nothing);
            }
            Err(error) => return Err(error),
        };
        for (buffer, length) in self.buffers.iter().zip(lengths).take(count) {
            events.extend(parse(&buffer[..length]));
        }
        Ok(Received::Events)
    }

    fn receive_raw(&mut self, messages: &mut Vec<Vec<u8>>) -> io::Result<()> {
        let mut lengths = [0; BATCH];
        let count = self.receive_lengths(&mut lengths)?;
        for (buffer, length) in self.buffers.iter().zip(lengths).take(count) {
            messages.push(buffer[..length].to_vec());
        }
        Ok(())
    }

    fn receive_lengths(&mut self, lengths: &mut [usize; BATCH]) -> io::Result<usize> {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut vectors: [libc::iovec; BATCH] = unsafe { std::mem::zeroed() };
        for ((header, vector), buffer) in headers
            .iter_mut()
            .zip(&mut vectors)
            .zip(self.buffers.iter_mut())
        {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: each header points to its own vector, each vector to its own buffer of the length
        // that it says; all live and are not moved until the call returns.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        for (length, header) in lengths.iter_mut().zip(&headers).take(count) {
            *length = (header.msg_len as usize).min(MESSAGE_BYTES);
        }
        Ok(count)
    }
}

/// `nlmsghdr`, `cn_msg`, `enum proc_cn_mcast_op`, in the machine's byte order.
fn listen_message() -> Vec<u8> {
    let total = EVENT_AT + 4;
    let mut message = Vec::with_capacity(total);
    message.extend_from_slice(&(total as u32).to_ne_bytes());
    message.extend_from_slice(&NLMSG_DONE.to_ne_bytes());
    message.extend_from_slice(&[0; 10]);
    message.extend_from_slice(&CN_IDX_PROC.to_ne_bytes());
    message.extend_from_slice(&CN_VAL_PROC.to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&4_u16.to_ne_bytes());
    message.extend_from_slice(&[0; 2]);
    message.extend_from_slice(&PROC_CN_MCAST_LISTEN.to_ne_bytes());
    message
}

fn word(message: &[u8], at: usize) -> Option<u32> {
    let bytes = message.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// Parses one message, which holds at most one event of a process. `None` for anything else, such
/// as events of threads.
fn parse(message: &[u8]) -> Option<ProcessEvent> {
    let pid = word(message, DATA_AT)?;
    let tgid = word(message, DATA_AT + 4)?;
    match word(message, EVENT_AT)? {
        WHAT_FORK => {
            let child = word(message, DATA_AT + 8)?;
            let child_tgid = word(message, DATA_AT + 12)?;
            (child == child_tgid).then_some(ProcessEvent::Fork {
                parent: tgid,
                child,
            })
        }
        WHAT_EXEC => Some(ProcessEvent::Exec { pid: tgid }),
        WHAT_EXIT => (pid == tgid).then_some(ProcessEvent::Exit { pid }),
        _ => None,
    }
}

/// The most processes that a filter names; when more are of interest, all forks and exits come.
const FILTER_PIDS: usize = 256;

/// The program of a filter: execs pass; forks by, and exits of, the processes `pids` pass (all of
/// them if there are too many to name); threads do not, nor anything else.
fn filter_program(pids: &[u32]) -> Vec<libc::sock_filter> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const TO_X: u16 = (libc::BPF_MISC | libc::BPF_TAX) as u16;
    const IF_K: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const IF_X: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_X) as u16;
    const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let op = |code: u16, jt: u8, jf: u8, k: u32| libc::sock_filter { code, jt, jf, k };
    let load = |at: usize| op(LOAD, 0, 0, at as u32);
    let (take, drop) = (op(RETURN, 0, 0, u32::MAX), op(RETURN, 0, 0, 0));
    // A filter loads words in network order; a jump counts from the instruction behind it.
    let mut program = vec![
        load(EVENT_AT),
        op(IF_K, 0, 1, WHAT_EXEC.to_be()),
        take,
        op(IF_K, 2, 0, WHAT_EXIT.to_be()),
        op(IF_K, 6, 0, WHAT_FORK.to_be()),
        drop,
        // An exit of a whole process; then its owner.
        load(DATA_AT),
        op(TO_X, 0, 0, 0),
        load(DATA_AT + 4),
        op(IF_X, 6, 0, 0),
        drop,
        // Fork: into a whole process; then by whom.
        load(DATA_AT + 8),
        op(TO_X, 0, 0, 0),
        load(DATA_AT + 12),
        op(IF_X, 0, 2, 0),
        load(DATA_AT + 4),
        op(JUMP, 0, 0, 1),
        drop,
    ];
    // The fork's way in is the first of its loads; an exit's pid is in the accumulator already.
    program[9].jt = (program.len() - 10) as u8;
    if pids.len() > FILTER_PIDS {
        program.push(take);
        return program;
    }
    for pid in pids {
        program.push(op(IF_K, 0, 1, pid.to_be()));
        program.push(take);
    }
    program.push(drop);
    program
}

/// Attaches the filter `program` in place of the last one: the kernel drops what it does not pass.
fn attach(socket: BorrowedFd<'_>, mut program: Vec<libc::sock_filter>) -> io::Result<()> {
    let filter = libc::sock_fprog {
        len: program.len() as libc::c_ushort,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` and the program that it points to live until the call returns; the kernel
    // copies and checks them.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Gives the calling thread a real-time priority, as the kernel's own watchdogs have: it must look
/// at a program before that has ended. Its work for each event is bounded, and the kernel leaves
/// other threads a share of the processor in any case (sched_rt_runtime_us).
pub(super) fn run_ahead_of_others() -> io::Result<()> {
    // SAFETY: all-zero is a valid value of this plain C structure.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = 1;
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: pid 0 is the calling thread; `parameters` lives until the call returns.
    if unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(what: u32, words: &[u32]) -> Vec<u8> {
        let mut message = vec![0; EVENT_AT];
        message.extend_from_slice(&what.to_ne_bytes());
        message.extend_from_slice(&[0; 12]);
        for word in words {
            message.extend_from_slice(&word.to_ne_bytes());
        }
        message
    }

    #[test]
    fn events_of_processes_are_read_and_those_of_threads_are_not() {
        let cases = [
            (WHAT_EXEC, vec![7, 7], Some(ProcessEvent::Exec { pid: 7 })),
            (
                WHAT_EXIT,
                vec![7, 7, 0, 9],
                Some(ProcessEvent::Exit { pid: 7 }),
            ),
            (WHAT_EXIT, vec![8, 7, 0, 9], None),
            (
                WHAT_FORK,
                vec![8, 7, 20, 20],
                Some(ProcessEvent::Fork {
                    parent: 7,
                    child: 20,
                }),
            ),
            (WHAT_FORK, vec![7, 7, 21, 7], None),
            (4, vec![7, 7, 0, 0], None),
        ];
        for (what, words, expected) in cases {
            assert_eq!(parse(&message(what, &words)), expected, "{what} {words:?}");
        }
    }

    #[test]
    fn a_message_that_is_cut_short_is_no_event() {
        let whole = message(WHAT_FORK, &[7, 7, 20, 20]);
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None);
        }
    }

    #[test]
    fn events_that_found_no_room_are_told_of_as_lost() {
        let Ok(mut connector) = Connector::subscribe() else {
            eprintln!("skipped: no kernel events without privilege");
            return;
        };
        // The least that the kernel gives: room for a few events.
        rustix::net::sockopt::set_socket_recv_buffer_size(&connector.socket, 1).unwrap();
        for _ in 0..100 {
            let status = std::process::Command::new("/bin/true").status();
            assert!(status.unwrap().success());
        }
        let mut events = Vec::new();
        let mut received = Vec::new();
        for _ in 0..200 {
            received.push(connector.receive(&mut events).unwrap());
        }
        assert!(received.contains(&Received::Lost), "{received:?}");
        assert!(received.contains(&Received::Events), "what fitted is there");
    }

    #[test]
    fn the_kernel_tells_of_a_child_from_its_fork_to_its_exit() {
        let mut connector = match Connector::subscribe() {
            Ok(connector) => connector,
            Err(error) => {
                eprintln!("skipped: no kernel events without privilege: {error}");
                return;
            }
        };
        let me = std::process::id();
        connector.follow(&[me]).unwrap();
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("0.1")
            .spawn()
            .unwrap();
        connector.follow(&[me, child.id()]).unwrap();
        child.wait().unwrap();
        // Of no interest: only its exec is told.
        let mut stranger = std::process::Command::new("/bin/sh")
            .args(["-c", "/bin/sleep 0.01; true"])
            .spawn()
            .unwrap();
        stranger.wait().unwrap();
        // Threads are dropped by the kernel's own filter.
        let thread_id = std::thread::spawn(|| rustix::thread::gettid().as_raw_nonzero().get())
            .join()
            .unwrap() as u32;
        let mut last = std::process::Command::new("/bin/true").spawn().unwrap();
        last.wait().unwrap();
        let mut events = Vec::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !events.contains(&ProcessEvent::Exec { pid: last.id() }) {
            assert!(
                std::time::Instant::now() < deadline,
                "no exec in {events:?}"
            );
            connector.receive(&mut events).unwrap();
        }
        let child = child.id();
        assert!(events.contains(&ProcessEvent::Fork { parent: me, child }));
        assert!(events.contains(&ProcessEvent::Exec { pid: child }));
        assert!(events.contains(&ProcessEvent::Exit { pid: child }));
        assert!(events.contains(&ProcessEvent::Exec { pid: stranger.id() }));
        assert!(!events.contains(&ProcessEvent::Exit { pid: stranger.id() }));
        assert!(!events.contains(&ProcessEvent::Exit { pid: thread_id }));
        let strangers_child = |event: &ProcessEvent| matches!(event, ProcessEvent::Fork { parent, .. } if *parent == stranger.id());
        assert!(!events.iter().any(strangers_child));
        // More than can be named: all come.
        let many: Vec<u32> = (1..1000).map(|n| 4_000_000 + n).collect();
        connector.follow(&many).unwrap();
        let mut any = std::process::Command::new("/bin/true").spawn().unwrap();
        any.wait().unwrap();
        while !events.contains(&ProcessEvent::Exit { pid: any.id() }) {
            assert!(
                std::time::Instant::now() < deadline,
                "no exit in {events:?}"
            );
            connector.receive(&mut events).unwrap();
        }
    }
}
