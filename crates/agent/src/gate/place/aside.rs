//! Writing to the standard error of somebody's process if that may hang: by a process of its
//! own, with the rights of that user. It is abandoned after a time limit.
//!
//! What is written to is the very file description that the process has, so that its place in the
//! file moves on and nothing overwrites it. Only that process of ours ever has it open: also a
//! close may hang.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, fstat, fstatfs};
use rustix::net::{AddressFamily, SendFlags};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags};
use usher_core::sessions::ProcessKey;
use usher_gate::{Answer, Gate, QuestionNumber};

use crate::system::procfs;

/// The name of the process's role on the command line.
const ROLE: &str = "say-refused";
/// How many errands may wait; nothing is written for further ones.
const WAITING_LIMIT: usize = 64;
/// Processes at a time, those that hang included, in all and for one user; beyond, nothing is
/// written: who has files that hang keeps nobody else from reading why.
const PROCESSES_LIMIT: usize = 32;
const PROCESSES_LIMIT_EACH: usize = 2;
/// How long an errand may take; then it is told to end and no longer waited for.
const WITHIN: Duration = Duration::from_millis(450);
/// How often the writing processes are checked: while somebody waits for them, and later.
const LOOK: Duration = Duration::from_millis(5);
const LOOK_LATER: Duration = Duration::from_secs(1);
/// How many bytes are written at most; every pipe holds as many.
const TEXT_LIMIT_BYTES: usize = 4_096;
/// The group of the writing process: nobody's.
const NO_GROUP: u32 = 65_534;
/// Kernel interfaces that look like files, and on which a write acts: proc, sysfs, control
/// groups of both versions, debugfs, tracefs, securityfs, bpf, configfs, efivarfs, selinuxfs.
const NO_FILES: [u64; 11] = [
    0x9fa0,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0x6265_6570,
    0xde5e_81e4,
    0xf97c_ff8c,
];

/// Something to write before a start is refused.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) process: ProcessKey,
    pub(super) lines: String,
    pub(super) gate: Arc<Gate>,
    pub(super) number: QuestionNumber,
}

/// Sends errands to the thread that carries them out.
#[derive(Debug, Clone)]
pub(crate) struct Aside(SyncSender<Errand>);

impl Aside {
    /// Starts the thread; `program` is an usher.
    pub(crate) fn start(program: PathBuf) -> io::Result<Aside> {
        let (send, errands) = sync_channel(WAITING_LIMIT);
        usher_vital::spawn("usher-aside", move || see_to(&program, &errands))?;
        Ok(Aside(send))
    }

    /// Hands over an errand; answers whether it was accepted, so that the gate will get an answer.
    pub(super) fn send(&self, errand: Errand) -> bool {
        self.0.try_send(errand).is_ok()
    }
}

/// An errand with its running process.
struct Out {
    child: Child,
    /// The user whose rights the process has.
    uid: u32,
    since: Instant,
    /// The start to refuse afterwards; none: the errand was given up.
    refuses: Option<(Arc<Gate>, QuestionNumber)>,
}

fn see_to(program: &PathBuf, errands: &Receiver<Errand>) {
    let mut out: Vec<Out> = Vec::new();
    loop {
        usher_vital::plant::thread();
        let next = match out.iter().any(|out| out.refuses.is_some()) {
            _ if out.is_empty() => errands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            true => errands.recv_timeout(LOOK),
            false => errands.recv_timeout(LOOK_LATER),
        };
        match next {
            Ok(errand) => {
                // Those that have ended make room.
                out.retain_mut(Out::goes_on);
                let (gate, number) = (errand.gate.clone(), errand.number);
                match send_out(program, &errand, &out) {
                    Ok((child, uid)) => out.push(Out {
                        child,
                        uid,
                        since: Instant::now(),
                        refuses: Some((gate, number)),
                    }),
                    Err(_) => {
                        let _ = gate.answer(number, Answer::Refuse);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        out.retain_mut(Out::goes_on);
    }
}

impl Out {
    fn goes_on(&mut self) -> bool {
        let has_ended = !matches!(self.child.try_wait(), Ok(None));
        if (has_ended || self.since.elapsed() > WITHIN)
            && let Some((gate, number)) = self.refuses.take()
        {
            let _ = gate.answer(number, Answer::Refuse);
            // One that hangs in a file ends when that comes back.
            let _ = self.child.kill();
        }
        !has_ended
    }
}

/// Starts a process for an errand, if there is room for one of that user.
fn send_out(program: &PathBuf, errand: &Errand, out: &[Out]) -> io::Result<(Child, u32)> {
    let uid = procfs::real_uid(errand.process.pid)?;
    if !has_room(out.iter().map(|out| out.uid), uid) {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    Ok((start(program, errand)?, uid))
}

/// Whether one more process may run for a user, besides those for these users.
fn has_room(out: impl Iterator<Item = u32> + Clone, uid: u32) -> bool {
    let own = out.clone().filter(|other| *other == uid);
    out.count() < PROCESSES_LIMIT && own.count() < PROCESSES_LIMIT_EACH
}

fn start(program: &PathBuf, errand: &Errand) -> io::Result<Child> {
    let mut child = Command::new(program)
        .arg(ROLE)
        .arg(errand.process.pid.to_string())
        .arg(errand.process.start.to_string())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut to) = child.stdin.take() {
        // A pipe holds it, so this waits for nobody.
        let _ = to.write_all(text_of(&errand.lines).as_bytes());
    }
    Ok(child)
}

/// The text of these lines, up to the limit.
fn text_of(lines: &str) -> String {
    let end = lines.floor_char_boundary(TEXT_LIMIT_BYTES - 1);
    format!("{}\n", &lines[..end])
}

/// Writes standard input to the standard error of a process, if the command line says that this
/// process is the one for it. To be called before anything else is set up.
pub fn entered(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let (_program, role) = (args.next()?, args.next()?);
    if role != ROLE {
        return None;
    }
    let mut number = || args.next()?.to_str()?.parse::<u64>().ok();
    let process = match (number(), number()) {
        (Some(pid), Some(start)) => u32::try_from(pid).ok().map(|pid| ProcessKey { pid, start }),
        _ => None,
    };
    let written = process
        .ok_or(io::ErrorKind::InvalidInput.into())
        .and_then(write);
    Some(match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn write(process: ProcessKey) -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin()
        .take(TEXT_LIMIT_BYTES as u64)
        .read_to_end(&mut text)?;
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    let held = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    // Only now is the number that process's for as long as this one looks.
    if procfs::process_stat(process.pid)?.start != process.start {
        return Err(io::ErrorKind::NotFound.into());
    }
    let uid = procfs::real_uid(process.pid)?;
    let place = rustix::process::pidfd_getfd(held, 2, PidfdGetfdFlags::empty())?;
    become_user(uid)?;
    let stat = fstat(&place)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => write_file(place, &text),
        FileType::Socket => write_socket(&place, &text),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Gives up root for good, so that the text is written with the user's own rights.
fn become_user(uid: u32) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_gid(rustix::process::Gid::from_raw(NO_GROUP))?;
    rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(uid))?;
    Ok(())
}

fn write_file(place: OwnedFd, text: &[u8]) -> io::Result<()> {
    let kind = fstatfs(&place)?.f_type.cast_unsigned();
    if NO_FILES.contains(&kind) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    std::fs::File::from(place).write_all(text)
}

/// As far as it takes it at once, and only on this computer: whoever listens on a network did not
/// ask for it.
fn write_socket(place: &OwnedFd, text: &[u8]) -> io::Result<()> {
    let own = rustix::net::getsockname(place)?;
    if own.address_family() != AddressFamily::UNIX {
        return Err(io::ErrorKind::Unsupported.into());
    }
    rustix::net::send(place, text, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_files_hang_keeps_room_for_others() {
        let of = |uids: &[u32], uid| has_room(uids.iter().copied(), uid);
        assert!(of(&[], 7) && of(&[7], 7));
        assert!(!of(&[7, 7], 7) && !of(&[7, 8, 7], 7));
        assert!(of(&[7, 7], 8));
        let many: Vec<u32> = (0..PROCESSES_LIMIT as u32).collect();
        assert!(!of(&many, 1_000));
    }

    #[test]
    fn more_than_is_ever_written_is_cut_between_characters() {
        assert_eq!(text_of("why"), "why\n");
        let text = text_of(&"\u{e9}".repeat(TEXT_LIMIT_BYTES));
        assert_eq!(text.len(), TEXT_LIMIT_BYTES - 1);
        assert!(text.ends_with("\u{e9}\n"));
    }
}
