//! Answers the gate: immediately from names and memory, or after a look into the file, or through
//! the agent, which asks the server for a seat.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rustix::fs::fstat;
use tokio::sync::mpsc;
use usher_core::identify::{Needed, ProgramRole, Started};
use usher_core::sessions::{Process, ProcessKey, Program, Unanswered, Who};
use usher_gate::{Answer, FileState, Gate, Otherwise, Question, QuestionNumber};

use super::changes::Changes;
use super::place::{self, aside::Aside};
use super::refused::{Refused, Tell};
use super::start::{Start, Waiting};
use crate::identity::file::Target;
use crate::identity::needed::needed_here;
use crate::identity::{Matched, Verdict, display_name};
use crate::system::{FileKey, procfs};
use crate::watch::Shared;

/// Files that wait to be looked into; beyond, a start runs.
const LOOKS_LIMIT: usize = 256;
/// At most so many starts wait for the name of their account; further ones are decided by policy.
const NAMES_LIMIT: usize = 256;
/// How long a file may be looked into, a large one for its hash: then it runs, once.
const LOOK_WITHIN: Duration = Duration::from_secs(3);
/// How long the agent may take for a seat, its own deadline included: then the policy decides.
const SEAT_WITHIN: Duration = Duration::from_secs(5);

/// What is known of a start at first sight.
enum Sight {
    /// It is no business of the gate.
    Nobodys,
    /// Its file has to be looked into.
    Unknown,
    /// It needs a seat.
    Metered(Arc<Matched>),
}

/// A gate that is answered, and the files that it does not ask about.
pub(super) struct Served {
    pub(super) gate: Arc<Gate>,
    /// None if the kernel tells of no changes: then no file is forgotten.
    pub(super) changes: Option<Changes>,
}

/// Answers the questions of gates.
pub(super) struct Answers {
    teller: Teller,
    looks: SyncSender<(Arc<Served>, FileQuestion)>,
    /// Files that the gate knows to refuse if nobody answers.
    refused: Refused,
}

/// A question, with what was seen of its file.
struct FileQuestion {
    question: Question,
    path: Vec<u8>,
    key: FileKey,
    state: FileState,
    owner: u32,
}

/// What both threads do with a file that is known.
#[derive(Clone)]
struct Teller {
    watching: Arc<Shared>,
    needed: Arc<Needed>,
    starts: mpsc::Sender<Start>,
    /// Starts by accounts whose name is not at hand.
    unnamed: SyncSender<Start>,
    aside: Aside,
}

impl Answers {
    /// Starts the thread that looks into files.
    pub(super) fn start(
        watching: Arc<Shared>,
        starts: mpsc::Sender<Start>,
        program: PathBuf,
    ) -> io::Result<Self> {
        let (unnamed, to_name) = sync_channel(NAMES_LIMIT);
        let (naming, named) = (watching.clone(), starts.clone());
        usher_vital::spawn("usher-names", move || {
            name_people(&naming, &to_name, &named)
        })?;
        let teller = Teller {
            watching,
            needed: Arc::new(needed_here()),
            starts,
            unnamed,
            aside: Aside::start(program)?,
        };
        let (looks, to_look) = sync_channel(LOOKS_LIMIT);
        let looker = teller.clone();
        usher_vital::spawn("usher-look", move || looker.look_into_files(&to_look))?;
        Ok(Answers {
            teller,
            looks,
            refused: Refused::new(usher_gate::KNOWN_AT_MOST),
        })
    }

    /// Another gate, or other rules: what the gate knew, it has forgotten.
    pub(super) fn begin(&mut self) {
        self.refused.clear();
        self.teller.needed = Arc::new(needed_here());
    }

    /// Answers, or has others answer.
    pub(super) fn answer(&mut self, served: &Arc<Served>, question: Question) {
        let gate = &served.gate;
        let number = question.number;
        let Ok(seen) = FileQuestion::of(question) else {
            return tell(gate, number, Answer::Run);
        };
        match self.teller.at_first_sight(&seen) {
            Sight::Nobodys => {
                self.learn(gate, &seen, false);
                served.forget(&seen.question);
            }
            Sight::Metered(matched) => {
                self.learn(gate, &seen, matched.gate == Some(Unanswered::Refuse));
                self.teller.ask(gate, seen, matched);
            }
            Sight::Unknown => {
                let hold = Answer::Hold {
                    at_most: LOOK_WITHIN,
                    otherwise: Otherwise::Run,
                };
                tell(gate, number, hold);
                if self.looks.try_send((served.clone(), seen)).is_err() {
                    tell(gate, number, Answer::Run);
                }
            }
        }
    }

    /// Tells the gate which files to refuse if nobody answers it.
    fn learn(&mut self, gate: &Gate, seen: &FileQuestion, is_refused: bool) {
        for tell in self.refused.seen(seen.state, is_refused) {
            let _ = match tell {
                Tell::Known(file) => gate.know(file, Otherwise::Refuse),
                Tell::Forgotten(id) => gate.forget_known(id),
            };
        }
    }
}

impl Served {
    fn forget(&self, question: &Question) {
        match &self.changes {
            Some(changes) => changes.forget(question),
            None => tell(&self.gate, question.number, Answer::Run),
        }
    }
}

impl FileQuestion {
    fn of(question: Question) -> io::Result<FileQuestion> {
        let stat = fstat(&question.file)?;
        let file = File::from(question.file.try_clone()?);
        Ok(FileQuestion {
            path: procfs::path_of_open(&file)?,
            key: FileKey::of(&stat),
            state: FileState::of(&stat),
            owner: stat.st_uid,
            question,
        })
    }
}

impl Teller {
    fn at_first_sight(&self, seen: &FileQuestion) -> Sight {
        let started = Started {
            path: &seen.path,
            file: seen.key.id(),
            is_administrators: seen.owner == 0,
        };
        if self.needed.never_refused(&started).is_some() {
            return Sight::Nobodys;
        }
        match self
            .watching
            .identifier
            .quick(&seen.path, &seen.key)
            .verdict
        {
            None => Sight::Unknown,
            Some(verdict) => by_verdict(verdict),
        }
    }

    fn look_into_files(&self, looks: &Receiver<(Arc<Served>, FileQuestion)>) {
        for (served, seen) in looks {
            usher_vital::plant::thread();
            let gate = &served.gate;
            let number = seen.question.number;
            let Ok(file) = seen.question.file.as_fd().try_clone_to_owned() else {
                tell(gate, number, Answer::Run);
                continue;
            };
            let target = Target {
                path: seen.path.clone(),
                key: seen.key,
                file: Some(file.into()),
            };
            let looked = usher_vital::catch("a file", || {
                by_verdict(self.watching.identifier.thorough(&target))
            });
            // A file that cannot be looked into without a panic is nobody's.
            match looked.unwrap_or(Sight::Nobodys) {
                Sight::Metered(matched) => self.ask(gate, seen, matched),
                Sight::Nobodys | Sight::Unknown => served.forget(&seen.question),
            }
        }
    }

    /// Has the agent ask for a seat.
    fn ask(&self, gate: &Arc<Gate>, seen: FileQuestion, matched: Arc<Matched>) {
        let number = seen.question.number;
        let unanswered = matched.gate.unwrap_or(Unanswered::Run);
        let at_once = otherwise(unanswered);
        let hold = Answer::Hold {
            at_most: SEAT_WITHIN,
            otherwise: at_once,
        };
        tell(gate, number, hold);
        let pid = seen.question.pid;
        let Ok(process) = process(pid, &seen.path, &matched) else {
            // If a process cannot be inspected, nobody can say whose start it is.
            return tell(gate, number, Answer::Run);
        };
        let start = Start {
            waiting: Waiting {
                gate: gate.clone(),
                number,
                place: place::of_process(process.key, &self.aside),
            },
            process,
            unanswered,
        };
        let is_taken = match self.watching.accounts.knows(start.process.who.counted) {
            true => self.starts.try_send(start).is_ok(),
            false => self.unnamed.try_send(start).is_ok(),
        };
        if !is_taken {
            tell(gate, number, as_answer(at_once));
        }
    }
}

/// Hands starts on once it is known whose they are.
fn name_people(watching: &Shared, unnamed: &Receiver<Start>, starts: &mpsc::Sender<Start>) {
    for start in unnamed {
        usher_vital::plant::thread();
        watching.accounts.learn(start.process.who.counted);
        let (gate, number) = (start.waiting.gate.clone(), start.waiting.number);
        let at_once = otherwise(start.unanswered);
        if starts.try_send(start).is_err() {
            tell(&gate, number, as_answer(at_once));
        }
    }
}

fn otherwise(unanswered: Unanswered) -> Otherwise {
    match unanswered {
        Unanswered::Run => Otherwise::Run,
        Unanswered::Refuse => Otherwise::Refuse,
    }
}

fn by_verdict(verdict: Verdict) -> Sight {
    let gated =
        |matched: &Arc<Matched>| matched.gate.is_some() && matched.role == ProgramRole::Main;
    match verdict.filter(gated) {
        Some(matched) => Sight::Metered(matched),
        None => Sight::Nobodys,
    }
}

fn process(pid: u32, path: &[u8], matched: &Matched) -> io::Result<Process> {
    let stat = procfs::process_stat(pid)?;
    let real = procfs::real_account(pid)?;
    Ok(Process {
        key: ProcessKey {
            pid,
            start: stat.start,
        },
        parent: stat.parent,
        who: Who {
            counted: procfs::login_account(pid).unwrap_or(real),
            real,
        },
        program: Program {
            name: display_name(path),
            version: matched.version.clone(),
        },
        uses: Some(matched.as_use()),
        since: None,
    })
}

fn as_answer(otherwise: Otherwise) -> Answer {
    match otherwise {
        Otherwise::Run => Answer::Run,
        Otherwise::Refuse => Answer::Refuse,
    }
}

/// A gate that takes no messages has ended, or its guard ends it: then the start runs.
fn tell(gate: &Gate, number: QuestionNumber, answer: Answer) {
    let _ = gate.answer(number, answer);
}
