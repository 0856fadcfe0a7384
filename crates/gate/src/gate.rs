//! The gate: one thread and one loop over the kernel, the partner and the guard.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, PidfdFlags};

use crate::kernel::{self, Buffer, Event, Group, READ_AT_ONCE};
use crate::passing::{self, Received};
use crate::patience::Patience;
use crate::protocol::{
    Answer, Figures, FileState, Order, Otherwise, QuestionNumber, SIZE, Step, ToGate, ToPartner,
};
use crate::table::{HELD_AT_MOST, Held, Known, Table, Until};

/// For each start that is held, for those of one reading, and a few of its own.
pub(crate) const DESCRIPTORS: i32 = (HELD_AT_MOST + 2 * READ_AT_ONCE) as i32;
/// Messages of the partner that are taken before the kernel is looked after again.
const HEARD_AT_ONCE: usize = 256;
/// The guard has to be heard this often, or once in so many looks; else the gate ends.
pub(crate) const GUARD_LOOK_EVERY: Duration = Duration::from_millis(250);
pub(crate) const GUARD_LOOKS: u32 = 4;
/// The partner speaks this often, as [`GateWatch`](crate::GateWatch) has it; after so many looks in vain what
/// it promised is void.
const PARTNER_LOOK_EVERY: Duration = Duration::from_millis(250);
const PARTNER_LOOKS: u32 = 4;
/// Below the guard's.
const PRIORITY: i32 = 1;

static SERVING: AtomicBool = AtomicBool::new(false);

/// Whether this process is a gate that serves: from then on it takes no memory.
pub fn is_serving() -> bool {
    SERVING.load(Ordering::Relaxed)
}

/// How long a start may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For the partner's first word.
    pub(crate) first_word: Duration,
    /// For the first word of a partner that was silent the last time.
    pub(crate) when_silent: Duration,
    /// In all, whatever the partner says.
    pub(crate) hold: Duration,
}

impl Limits {
    /// As they stand on the gate's command line: three whole numbers of microseconds.
    pub(crate) fn parse(args: &[&str]) -> Option<Self> {
        let &[first_word, when_silent, hold] = args else {
            return None;
        };
        let micros = |text: &str| text.parse().ok().map(Duration::from_micros);
        Some(Self {
            first_word: micros(first_word)?,
            when_silent: micros(when_silent)?,
            hold: micros(hold)?,
        })
    }

    pub(crate) fn to_args(self) -> [String; 3] {
        [self.first_word, self.when_silent, self.hold].map(|limit| limit.as_micros().to_string())
    }
}

/// Serves as gate: descriptor 0 leads to the partner, 1 to the guard.
pub(crate) fn serve(limits: Limits) -> ExitCode {
    let (Some(partner), Some(guard)) = (passed(0), passed(1)) else {
        return ExitCode::from(2);
    };
    kernel::close_others();
    match Gate::set_up(partner, guard, limits) {
        Ok(mut gate) => {
            SERVING.store(true, Ordering::Relaxed);
            gate.run();
            ExitCode::SUCCESS
        }
        Err((step, errno)) => {
            let errno = errno.raw_os_error();
            let failed = ToPartner::Failed { step, errno };
            let _ = passing::send(partner, &failed.encode(), None);
            ExitCode::FAILURE
        }
    }
}

/// A descriptor that the partner has put at this number.
pub(crate) fn passed(number: u8) -> Option<BorrowedFd<'static>> {
    let descriptor = match number {
        0 => rustix::stdio::stdin(),
        _ => rustix::stdio::stdout(),
    };
    rustix::fs::fstat(descriptor).is_ok().then_some(descriptor)
}

/// Names this process, has it go first, holds all its memory, and keeps others out of it.
pub(crate) fn become_quiet(name: &CStr, priority: i32) -> Result<(), Errno> {
    let _ = rustix::thread::set_name(name);
    kernel::go_first(priority);
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE)
}

struct Gate {
    group: Group,
    partner: BorrowedFd<'static>,
    /// Becomes readable when the partner's process has ended.
    partner_process: OwnedFd,
    partner_pid: u32,
    partner_patience: Patience,
    guard: BorrowedFd<'static>,
    guard_patience: Patience,
    /// The partner knows that the gate serves.
    is_ready: bool,
    /// The partner has not answered in time, and not spoken since.
    is_silent: bool,
    is_enforcing: bool,
    has_ended: bool,
    limits: Limits,
    table: Table,
    known: Known,
    figures: Figures,
}

impl Gate {
    fn set_up(
        partner: BorrowedFd<'static>,
        guard: BorrowedFd<'static>,
        limits: Limits,
    ) -> Result<Self, (Step, Errno)> {
        let at = |step| move |errno| (step, errno);
        let table = Table::new();
        let known = Known::new();
        kernel::allow_descriptors(DESCRIPTORS).map_err(at(Step::Descriptors))?;
        let parent = rustix::process::getppid().ok_or((Step::Descriptors, Errno::SRCH))?;
        let partner_process = rustix::process::pidfd_open(parent, PidfdFlags::empty())
            .map_err(at(Step::Descriptors))?;
        let group = Group::open().map_err(at(Step::Group))?;
        become_quiet(c"usher-gate", PRIORITY).map_err(at(Step::Memory))?;
        Ok(Self {
            group,
            partner,
            partner_process,
            partner_pid: parent.as_raw_nonzero().get().cast_unsigned(),
            partner_patience: Patience::new(PARTNER_LOOK_EVERY, PARTNER_LOOKS, Instant::now()),
            guard,
            guard_patience: Patience::new(GUARD_LOOK_EVERY, GUARD_LOOKS, Instant::now()),
            is_ready: false,
            is_silent: false,
            is_enforcing: true,
            has_ended: false,
            limits,
            table,
            known,
            figures: Figures::default(),
        })
    }

    /// Returns when partner or guard are gone; with this process the kernel's descriptor closes.
    fn run(&mut self) {
        let mut buffer = Buffer::new();
        while !self.has_ended {
            let due = self.guard_patience.next_look();
            let due = self.partner_patience.next_look().min(due);
            let due = self.table.next_due().map_or(due, |next| next.min(due));
            let left = due.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            let ends = [
                self.partner,
                self.guard,
                self.partner_process.as_fd(),
                self.group.as_fd(),
            ];
            let mut ends = ends.map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
            if poll(&mut ends, Some(&left)).is_err() {
                continue;
            }
            let [partner, guard, partner_process, kernel] = ends.map(|end| end.revents());
            let gone = PollFlags::HUP | PollFlags::ERR;
            if partner.intersects(gone) || guard.intersects(gone) || !partner_process.is_empty() {
                return;
            }
            if guard.contains(PollFlags::IN) {
                self.hear_guard();
            }
            if partner.contains(PollFlags::IN) {
                self.hear_partner();
            }
            if kernel.contains(PollFlags::IN) {
                self.hear_kernel(&mut buffer);
            }
            self.look_at_the_clock();
        }
    }

    fn hear_guard(&mut self) {
        while let Received::Message(..) = passing::receive(self.guard) {
            self.guard_patience.heard(Instant::now());
            let _ = passing::send(self.guard, &[0; SIZE], None);
            if !self.is_ready {
                self.is_ready = self.tell(ToPartner::Ready).is_ok();
            }
        }
    }

    fn hear_kernel(&mut self, buffer: &mut Buffer) {
        match self.group.read(buffer) {
            Ok(events) => events.for_each(|event| match event {
                Event::Start { pid, file } => self.start(pid, file),
                Event::Overflow => self.figures.overflow += 1,
            }),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.figures.unreadable += 1,
        }
    }

    /// A program is to be started: asks the partner, or decides if that cannot be.
    fn start(&mut self, pid: u32, event: OwnedFd) {
        let now = Instant::now();
        self.figures.events += 1;
        let is_partners = pid == self.partner_pid;
        let stat = rustix::fs::fstat(&event);
        let (false, true, Ok(stat)) = (is_partners, self.is_enforcing, stat) else {
            return self.decide(event, Otherwise::Run, now);
        };
        let file = FileState::of(&stat);
        let Some(number) = self.table.next_number() else {
            self.figures.table_full += 1;
            return self.decide(event, self.known.otherwise(file), now);
        };
        let question = ToPartner::Question {
            number,
            pid,
            file: file.id,
        };
        if passing::send(self.partner, &question.encode(), Some(event.as_fd())).is_err() {
            self.figures.partner_full += 1;
            self.is_silent = true;
            return self.decide(event, self.known.otherwise(file), now);
        }
        self.figures.asked += 1;
        let patience = match self.is_silent {
            true => self.limits.when_silent,
            false => self.limits.first_word,
        };
        self.table.put(Held {
            number,
            event,
            file,
            since: now,
            until: Until::FirstWord {
                due: now + patience,
            },
        });
    }

    fn decide(&mut self, event: OwnedFd, what: Otherwise, since: Instant) {
        match what {
            Otherwise::Run => self.figures.run += 1,
            Otherwise::Refuse => self.figures.refused += 1,
        }
        self.group.answer(&event, what == Otherwise::Run);
        // To close a file that nobody else has open any more may mean to write to its disk, and to
        // hang with it: the guard closes later than we do, so it is never ours to wait for.
        let _ = passing::send(self.guard, &[0; SIZE], Some(event.as_fd()));
        let waited_us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.figures.longest_wait_us = self.figures.longest_wait_us.max(waited_us);
    }

    fn hear_partner(&mut self) {
        for _ in 0..HEARD_AT_ONCE {
            let (message, beside) = match passing::receive(self.partner) {
                Received::Message(bytes, beside) => (ToGate::decode(&bytes), beside),
                Received::Nothing => return,
                Received::End => (None, None),
            };
            self.is_silent = false;
            self.partner_patience.heard(Instant::now());
            match message {
                Some(ToGate::Answer { number, answer }) => self.answered(number, answer),
                Some(ToGate::Order { command, order }) => self.ordered(command, order, beside),
                Some(ToGate::Figures) => self.tell_figures(),
                // A partner that cannot be understood is none.
                None => {
                    self.has_ended = true;
                    return;
                }
            }
        }
    }

    fn answered(&mut self, number: QuestionNumber, answer: Answer) {
        let what = match answer {
            Answer::Hold { at_most, otherwise } => {
                return self.hold_on(number, at_most, otherwise);
            }
            Answer::Run | Answer::RunAndForget => Otherwise::Run,
            Answer::Refuse => Otherwise::Refuse,
        };
        let Some(held) = self.table.take(number) else {
            return;
        };
        if answer == Answer::RunAndForget && self.forget(&held) {
            self.figures.forgotten += 1;
        }
        self.decide(held.event, what, held.since);
    }

    fn hold_on(&mut self, number: QuestionNumber, at_most: Duration, otherwise: Otherwise) {
        let until = Instant::now() + at_most.min(self.limits.hold);
        let limit = self.limits.hold;
        self.table.hold(number, |held| Until::Said {
            due: until.min(held.since + limit),
            otherwise,
        });
    }

    /// Has the kernel ask no more about a file, unless it has changed since the partner was asked.
    fn forget(&self, held: &Held) -> bool {
        if self.group.ignore(held.event.as_fd()).is_err() {
            return false;
        }
        // Looked at after the mark: what changes from here on takes the mark away.
        let now = rustix::fs::fstat(&held.event);
        let is_unchanged = now.is_ok_and(|now| FileState::of(&now) == held.file);
        is_unchanged || self.group.heed(held.event.as_fd()).is_err()
    }

    fn ordered(&mut self, command: u64, order: Order, beside: Option<OwnedFd>) {
        let done = match (order, beside) {
            (Order::Mark, Some(on)) => self.group.mark(on.as_fd()),
            (Order::Unmark, Some(on)) => self.group.unmark(on.as_fd()),
            (Order::AskAgain, Some(file)) => self.group.heed(file.as_fd()),
            (Order::Mark | Order::Unmark | Order::AskAgain, None) => Err(Errno::BADF),
            (Order::AskAboutAllAgain, _) => self.group.heed_all(),
            (Order::Known { file, otherwise }, _) => match self.known.learn(file, otherwise) {
                true => Ok(()),
                false => Err(Errno::NOSPC),
            },
            (Order::ForgetKnown { file }, _) => {
                self.known.forget(file);
                Ok(())
            }
            (Order::ForgetAllKnown, _) => {
                self.known.forget_all();
                Ok(())
            }
            (Order::Enforce { on }, _) => self.enforce(on),
        };
        let errno = done.err().map_or(0, Errno::raw_os_error);
        let _ = self.tell(ToPartner::Done { command, errno });
    }

    fn enforce(&mut self, on: bool) -> Result<(), Errno> {
        self.is_enforcing = on;
        if on {
            return Ok(());
        }
        let mut from = 0;
        while let Some(held) = self.table.take_next(None, &mut from) {
            self.decide(held.event, Otherwise::Run, held.since);
        }
        self.group.unmark_all()
    }

    fn tell_figures(&mut self) {
        self.figures.held = self.table.len() as u64;
        let figures = self.figures;
        let _ = self.tell(ToPartner::Figures { figures });
    }

    fn tell(&self, message: ToPartner) -> rustix::io::Result<()> {
        passing::send(self.partner, &message.encode(), None)
    }

    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        if self.guard_patience.is_at_its_end(now) {
            self.has_ended = true;
        }
        // One that is stopped, or cannot die, keeps nobody waiting by what it said before.
        let is_lost = self.partner_patience.is_at_its_end(now);
        self.is_silent |= is_lost;
        if !is_lost && self.table.next_due().is_none_or(|due| now < due) {
            return;
        }
        let until = (!is_lost).then_some(now);
        let mut from = 0;
        while let Some(held) = self.table.take_next(until, &mut from) {
            let what = match held.until {
                Until::FirstWord { .. } => {
                    self.figures.unanswered += 1;
                    self.is_silent = true;
                    self.known.otherwise(held.file)
                }
                Until::Said { otherwise, .. } => {
                    self.figures.held_out += 1;
                    otherwise
                }
            };
            self.decide(held.event, what, held.since);
        }
    }
}
