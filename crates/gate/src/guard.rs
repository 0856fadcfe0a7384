//! The guard: asks the gate again and again for a sign of life, and ends it when none comes.

use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::gate::{become_quiet, passed};
use crate::kernel;
use crate::passing::{self, Received};
use crate::patience::Patience;
use crate::wire::SIZE;

/// The gate is asked this often.
pub(crate) const ASK_EVERY: Duration = Duration::from_millis(100);
/// So many times in vain in a row, and the gate is ended.
const IN_VAIN_AT_MOST: u32 = 3;
/// Above the gate's own: a gate that loops may take no processor from it.
const PRIORITY: i32 = 2;

/// Serves as guard: descriptor 0 leads to the gate, 1 is the gate's pidfd.
pub(crate) fn serve() -> ExitCode {
    let (Some(gate), Some(process)) = (passed(0), passed(1)) else {
        return ExitCode::from(2);
    };
    kernel::close_others();
    let _ = become_quiet(c"usher-guard", PRIORITY);
    watch(gate, process);
    ExitCode::SUCCESS
}

/// Returns when the gate has ended, or has been ended.
fn watch(gate: BorrowedFd<'_>, process: BorrowedFd<'_>) {
    let mut patience = Patience::new(ASK_EVERY, IN_VAIN_AT_MOST, Instant::now());
    loop {
        // A gate that takes no more messages gives no sign of life either.
        let _ = passing::send(gate, &[0; SIZE], None);
        match until_next_look(gate, &mut patience) {
            Look::Again => {}
            Look::Ended => return,
            Look::Late => {
                let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
                return;
            }
        }
    }
}

enum Look {
    Again,
    Late,
    Ended,
}

fn until_next_look(gate: BorrowedFd<'_>, patience: &mut Patience) -> Look {
    let next_look = patience.next_look();
    let mut was_heard = false;
    loop {
        let now = Instant::now();
        if now >= next_look {
            if was_heard {
                patience.heard(now);
                return Look::Again;
            }
            return match patience.is_at_its_end(now) {
                true => Look::Late,
                false => Look::Again,
            };
        }
        let interest = match was_heard {
            true => PollFlags::empty(),
            false => PollFlags::IN,
        };
        let mut ends = [PollFd::from_borrowed_fd(gate, interest)];
        let left = Timespec::try_from(next_look - now).unwrap_or_default();
        let _ = poll(&mut ends, Some(&left));
        let [end] = ends;
        if end.revents().intersects(PollFlags::HUP | PollFlags::ERR) {
            return Look::Ended;
        }
        if end.revents().contains(PollFlags::IN) {
            while matches!(passing::receive(gate), Received::Message(..)) {
                was_heard = true;
            }
        }
    }
}
