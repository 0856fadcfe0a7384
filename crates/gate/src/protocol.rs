//! What gate and partner say to each other: messages of one size, some with a descriptor beside.

use std::time::Duration;

/// Numbers in a message; the first says what it is.
const NUMBERS: usize = 16;
/// Bytes of a message.
pub(crate) const SIZE: usize = NUMBERS * 8;

/// The number under which a start is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionNumber(pub u64);

/// A file as the kernel knows it (`st_dev`, `st_ino`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// `st_dev` of the file.
    pub device: u64,
    /// `st_ino` of the file.
    pub inode: u64,
}

/// A file as it is until the next change: an inode that another file takes over, or that is written
/// to, is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileState {
    /// Which file.
    pub id: FileId,
    /// `st_ctime` of the file: seconds, and nanoseconds of the second.
    pub changed: (i64, u64),
}

impl FileState {
    /// As the kernel describes it.
    pub fn of(stat: &rustix::fs::Stat) -> Self {
        FileState {
            id: FileId {
                device: stat.st_dev,
                inode: stat.st_ino,
            },
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// What happens to a start that nobody decides in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// It runs.
    Run,
    /// It fails with EPERM.
    Refuse,
}

/// The partner's answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The program runs.
    Run,
    /// The program runs, and its file is not asked about again until it changes, the kernel needs
    /// the memory, or [`Gate::ask_about_all_again`](crate::Gate::ask_about_all_again).
    RunAndForget,
    /// The start fails with EPERM, before the program's first instruction.
    Refuse,
    /// The partner needs more time ("I am asking the server").
    Hold {
        /// From now on, in whole milliseconds; cut to what
        /// [`Options::hold_limit`](crate::Options::hold_limit) leaves of the start's whole wait.
        at_most: Duration,
        /// The answer if that limit passes.
        otherwise: Otherwise,
    },
}

/// What the gate has counted since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Starts that the kernel told of.
    pub events: u64,
    /// Starts that the partner was asked about.
    pub asked: u64,
    /// Starts that ran, for whatever reason.
    pub run: u64,
    /// Starts that were refused.
    pub refused: u64,
    /// Starts that the partner did not answer in time.
    pub unanswered: u64,
    /// Starts that were held as long as the partner had said, without another word.
    pub held_out: u64,
    /// Starts that found all places of the table taken.
    pub table_full: u64,
    /// Starts that could not be asked about, because the partner did not take its messages.
    pub partner_full: u64,
    /// Times that the kernel's own queue was full: those starts ran without the gate.
    pub overflow: u64,
    /// Times that an event could not be read: the kernel has refused that start.
    pub unreadable: u64,
    /// Files that are not asked about again.
    pub forgotten: u64,
    /// Starts that are held now.
    pub held: u64,
    /// The longest that any start was held, from the gate's first sight of it, in microseconds.
    pub longest_wait_us: u64,
}

/// From the gate to its partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToPartner {
    /// The gate serves, and a guard watches it.
    Ready,
    /// The gate cannot serve.
    Failed { step: Step, errno: i32 },
    /// A start is held; its file comes beside.
    Question {
        number: QuestionNumber,
        pid: u32,
        file: FileId,
    },
    /// A command is done; `errno` 0 is success.
    Done { command: u64, errno: i32 },
    /// What was counted.
    Figures { figures: Figures },
}

/// What the gate does before it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Descriptors,
    Memory,
    Group,
}

/// From the partner to its gate. A command has a number, which comes back with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToGate {
    Answer {
        number: QuestionNumber,
        answer: Answer,
    },
    Order {
        command: u64,
        order: Order,
    },
    Figures,
}

/// What the partner has the gate do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Ask about programs of the file system on which the descriptor beside is.
    Mark,
    /// Ask no more about that file system.
    Unmark,
    /// Ask again about the file that the descriptor beside is open on.
    AskAgain,
    /// Ask again about every file.
    AskAboutAllAgain,
    /// What happens to this file's starts when the partner is silent, until the file changes.
    Known {
        file: FileState,
        otherwise: Otherwise,
    },
    /// Nothing is known of this file any more.
    ForgetKnown { file: FileId },
    /// Nothing is known of any file.
    ForgetAllKnown,
    /// Ask about starts, or let all run and take every mark away.
    Enforce { on: bool },
}

type Numbers = [u64; NUMBERS];

fn numbers(first: &[u64]) -> Numbers {
    let mut all = [0; NUMBERS];
    for (to, from) in all.iter_mut().zip(first) {
        *to = *from;
    }
    all
}

fn to_bytes(numbers: Numbers) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    for (to, from) in bytes.chunks_exact_mut(8).zip(numbers) {
        to.copy_from_slice(&from.to_le_bytes());
    }
    bytes
}

fn from_bytes(bytes: &[u8]) -> Option<Numbers> {
    let bytes: &[u8; SIZE] = bytes.try_into().ok()?;
    let mut numbers = [0; NUMBERS];
    for (to, from) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *to = u64::from_le_bytes(from.try_into().ok()?);
    }
    Some(numbers)
}

impl Otherwise {
    fn to_number(self) -> u64 {
        match self {
            Self::Run => 0,
            Self::Refuse => 1,
        }
    }

    fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Run),
            1 => Some(Self::Refuse),
            _ => None,
        }
    }
}

impl Step {
    fn from_number(number: u64) -> Option<Self> {
        [Self::Descriptors, Self::Memory, Self::Group]
            .into_iter()
            .find(|step| *step as u64 == number)
    }
}

impl ToPartner {
    pub(crate) fn encode(&self) -> [u8; SIZE] {
        to_bytes(match *self {
            Self::Ready => numbers(&[1]),
            Self::Failed { step, errno } => numbers(&[2, step as u64, u64::from(errno as u32)]),
            Self::Question { number, pid, file } => {
                numbers(&[3, number.0, u64::from(pid), file.device, file.inode])
            }
            Self::Done { command, errno } => numbers(&[4, command, u64::from(errno as u32)]),
            Self::Figures { figures } => figures.to_numbers(5),
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let [kind, a, b, c, d, ..] = from_bytes(bytes)?;
        Some(match kind {
            1 => Self::Ready,
            2 => Self::Failed {
                step: Step::from_number(a)?,
                errno: i32::try_from(b).ok()?,
            },
            3 => Self::Question {
                number: QuestionNumber(a),
                pid: u32::try_from(b).ok()?,
                file: FileId {
                    device: c,
                    inode: d,
                },
            },
            4 => Self::Done {
                command: a,
                errno: i32::try_from(b).ok()?,
            },
            5 => Self::Figures {
                figures: Figures::from_numbers(&from_bytes(bytes)?),
            },
            _ => return None,
        })
    }
}

impl ToGate {
    pub(crate) fn encode(&self) -> [u8; SIZE] {
        to_bytes(match *self {
            Self::Figures => numbers(&[1]),
            Self::Answer { number, answer } => match answer {
                Answer::Run => numbers(&[2, number.0]),
                Answer::RunAndForget => numbers(&[3, number.0]),
                Answer::Refuse => numbers(&[4, number.0]),
                Answer::Hold { at_most, otherwise } => {
                    let at_most_ms = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
                    numbers(&[5, number.0, at_most_ms, otherwise.to_number()])
                }
            },
            Self::Order { command, order } => match order {
                Order::Mark => numbers(&[10, command]),
                Order::Unmark => numbers(&[11, command]),
                Order::AskAgain => numbers(&[12, command]),
                Order::AskAboutAllAgain => numbers(&[13, command]),
                Order::Known { file, otherwise } => numbers(&[
                    14,
                    command,
                    file.id.device,
                    file.id.inode,
                    otherwise.to_number(),
                    file.changed.0.cast_unsigned(),
                    file.changed.1,
                ]),
                Order::ForgetKnown { file } => numbers(&[15, command, file.device, file.inode]),
                Order::ForgetAllKnown => numbers(&[16, command]),
                Order::Enforce { on } => numbers(&[17, command, u64::from(on)]),
            },
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let [kind, a, b, c, d, e, f, ..] = from_bytes(bytes)?;
        let answer = |answer| Self::Answer {
            number: QuestionNumber(a),
            answer,
        };
        let order = |order| Self::Order { command: a, order };
        let file = FileId {
            device: b,
            inode: c,
        };
        Some(match kind {
            1 => Self::Figures,
            2 => answer(Answer::Run),
            3 => answer(Answer::RunAndForget),
            4 => answer(Answer::Refuse),
            5 => answer(Answer::Hold {
                at_most: Duration::from_millis(b),
                otherwise: Otherwise::from_number(c)?,
            }),
            10 => order(Order::Mark),
            11 => order(Order::Unmark),
            12 => order(Order::AskAgain),
            13 => order(Order::AskAboutAllAgain),
            14 => order(Order::Known {
                file: FileState {
                    id: file,
                    changed: (e.cast_signed(), f),
                },
                otherwise: Otherwise::from_number(d)?,
            }),
            15 => order(Order::ForgetKnown { file }),
            16 => order(Order::ForgetAllKnown),
            17 => order(Order::Enforce { on: b != 0 }),
            _ => return None,
        })
    }
}

impl Figures {
    fn to_numbers(self, kind: u64) -> Numbers {
        numbers(&[
            kind,
            self.events,
            self.asked,
            self.run,
            self.refused,
            self.unanswered,
            self.held_out,
            self.table_full,
            self.partner_full,
            self.overflow,
            self.unreadable,
            self.forgotten,
            self.held,
            self.longest_wait_us,
        ])
    }

    fn from_numbers(numbers: &Numbers) -> Self {
        let [
            _,
            events,
            asked,
            run,
            refused,
            unanswered,
            held_out,
            table_full,
            partner_full,
            overflow,
            unreadable,
            forgotten,
            held,
            longest_wait_us,
            ..,
        ] = *numbers;
        Self {
            events,
            asked,
            run,
            refused,
            unanswered,
            held_out,
            table_full,
            partner_full,
            overflow,
            unreadable,
            forgotten,
            held,
            longest_wait_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId {
        device: 7,
        inode: u64::MAX,
    };

    #[test]
    fn what_the_partner_says_arrives_as_it_was_said() {
        let number = QuestionNumber(u64::MAX);
        let hold = Answer::Hold {
            at_most: Duration::from_millis(1_234),
            otherwise: Otherwise::Refuse,
        };
        let answers = [Answer::Run, Answer::RunAndForget, Answer::Refuse, hold];
        let answers = answers.map(|answer| ToGate::Answer { number, answer });
        let orders = [
            Order::Mark,
            Order::Unmark,
            Order::AskAgain,
            Order::AskAboutAllAgain,
            Order::Known {
                file: FileState {
                    id: FILE,
                    changed: (-1, u64::MAX),
                },
                otherwise: Otherwise::Refuse,
            },
            Order::ForgetKnown { file: FILE },
            Order::ForgetAllKnown,
            Order::Enforce { on: true },
            Order::Enforce { on: false },
        ];
        let orders = orders.map(|order| ToGate::Order { command: 9, order });
        for said in answers.into_iter().chain(orders).chain([ToGate::Figures]) {
            assert_eq!(ToGate::decode(&said.encode()), Some(said));
        }
    }

    #[test]
    fn what_the_gate_says_arrives_as_it_was_said() {
        let figures = Figures::from_numbers(&std::array::from_fn(|at| at as u64));
        let failed = [Step::Descriptors, Step::Memory, Step::Group]
            .map(|step| ToPartner::Failed { step, errno: 1 });
        let others = [
            ToPartner::Ready,
            ToPartner::Question {
                number: QuestionNumber(5),
                pid: u32::MAX,
                file: FILE,
            },
            ToPartner::Done {
                command: 3,
                errno: 22,
            },
            ToPartner::Figures { figures },
        ];
        for said in failed.into_iter().chain(others) {
            assert_eq!(ToPartner::decode(&said.encode()), Some(said));
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        assert_eq!(ToGate::decode(&[]), None);
        assert_eq!(ToGate::decode(&[1; SIZE - 1]), None);
        assert_eq!(ToGate::decode(&[255; SIZE]), None);
        assert_eq!(ToPartner::decode(&[255; SIZE]), None);
        let hold_or_what = numbers(&[5, 1, 1, 2]);
        assert_eq!(ToGate::decode(&to_bytes(hold_or_what)), None);
    }
}
