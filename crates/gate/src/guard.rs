//! The guard: asks the gate again and again for a sign of life, and ends it when none comes. Beside
//! that it closes the gate's files later than the gate does: a guard that hangs on a dead disk is
//! missed by the gate, and holds nobody.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::gate::{DESCRIPTORS, become_quiet, passed};
use crate::kernel;
use crate::passing::{self, Received};
use crate::patience::Patience;
use crate::protocol::SIZE;

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
    // Where it may not be done the guard watches all the same; the partner can ask.
    let _ = crate::apart::leave();
    let _ = kernel::allow_descriptors(DESCRIPTORS);
    let _ = become_quiet(c"usher-guard", PRIORITY);
    watch(gate, process);
    ExitCode::SUCCESS
}

/// Returns when the gate has ended, or has been ended.
fn watch(gate: BorrowedFd<'_>, process: BorrowedFd<'_>) {
    let mut patience = Patience::new(ASK_EVERY, IN_VAIN_AT_MOST, Instant::now());
    let mut kept = Vec::new();
    loop {
        // A gate that takes no more messages gives no sign of life either.
        let _ = passing::send(gate, &[0; SIZE], None);
        // What came since the last look is closed after the next one: the gate has long closed it.
        let to_close = std::mem::take(&mut kept);
        let look = until_next_look(gate, patience.next_look(), &mut kept);
        drop(to_close);
        let now = Instant::now();
        match look {
            Look::Ended => return,
            Look::Heard => patience.heard(now),
            Look::Silent if patience.is_at_its_end(now) => {
                let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
                return;
            }
            Look::Silent => {}
        }
    }
}

enum Look {
    Heard,
    Silent,
    Ended,
}

/// Listens until `end`, and keeps the files that come.
fn until_next_look(gate: BorrowedFd<'_>, end: Instant, kept: &mut Vec<OwnedFd>) -> Look {
    let mut look = Look::Silent;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return look;
        }
        // Once it was heard, what comes more can lie until the next look.
        let interest = match look {
            Look::Silent => PollFlags::IN,
            _ => PollFlags::empty(),
        };
        let mut ends = [PollFd::from_borrowed_fd(gate, interest)];
        let left = Timespec::try_from(left).unwrap_or_default();
        let _ = poll(&mut ends, Some(&left));
        let [answer] = ends.map(|end| end.revents());
        if answer.intersects(PollFlags::HUP | PollFlags::ERR) {
            return Look::Ended;
        }
        while let (true, Received::Message(_, file)) =
            (answer.contains(PollFlags::IN), passing::receive(gate))
        {
            kept.extend(file);
            look = Look::Heard;
        }
    }
}
