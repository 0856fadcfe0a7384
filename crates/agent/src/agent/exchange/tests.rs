//! An agent by itself, to which the tests are the server.

use serde_json::{Value, json};
use usher_api::SyncAnswer;
use usher_core::sessions::{
    AccountKey, AskId, Counting, Process, ProcessKey, Program, Unanswered, Use, Who,
};

use super::*;

mod disk;
mod lost;
mod one_seat;
mod starts;
mod waits;

/// Who starts programs, and somebody else.
const USER: AccountKey = AccountKey::new(1_000);
const ANOTHER: AccountKey = AccountKey::new(1_001);

/// An agent by itself; the tests are its server.
struct Desk {
    agent: Agent,
    life: Option<u32>,
    acknowledged: u64,
    folder: tempfile::TempDir,
}

impl Desk {
    /// At a server that holds starts of `solver`.
    fn new() -> Desk {
        let mut desk = Desk::at_server(Some(1));
        desk.enforces("enforce");
        desk
    }

    fn at_server(life: Option<u32>) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let machine = folder.path().join("machine-id");
        let agent = Agent::open(folder.path(), &machine, Some("box".into()), None).unwrap();
        let mut desk = Desk {
            agent,
            life,
            acknowledged: 0,
            folder,
        };
        desk.exchange(|_| None);
        desk
    }

    /// The agent is another process from now on, which has looked at no program yet.
    fn restarts(&mut self) {
        let folder = self.folder.path();
        let machine = folder.join("machine-id");
        self.agent = Agent::open(folder, &machine, Some("box".into()), None).unwrap();
        self.agent.take_up().unwrap();
    }

    fn enforces(&mut self, mode: &str) {
        self.goes_by(&json!({"id": "solver", "mode": mode}));
    }

    /// A start of a process is held.
    fn asks(&mut self, pid: u32) {
        let event = Event::Asked {
            ask: AskId(pid.into()),
            process: process(pid),
            unanswered: Unanswered::Refuse,
        };
        let mut effects = Vec::new();
        self.agent.sessions.apply(clock::now(), event, &mut effects);
        self.agent.write_with_request(effects).unwrap();
    }

    fn does(&mut self, event: Event) -> Result<(), OutboxError> {
        let mut effects = Vec::new();
        self.agent.sessions.apply(clock::now(), event, &mut effects);
        self.agent.write(effects)
    }

    fn session(&self) -> SessionId {
        let mut starts = self.agent.sessions.starts();
        let session = starts.next().map(|(id, _)| id);
        session.unwrap_or(SessionId(1))
    }

    fn is_asking(&self) -> bool {
        self.agent.sessions.is_asking(self.session())
    }

    /// The items of a request, and what they were answered.
    fn exchange(&mut self, answer: impl Fn(&Value) -> Option<SyncOutcome>) -> Vec<Value> {
        let (items, sent) = self.sends();
        self.answers(&items, &sent, answer);
        items
    }

    fn sends(&mut self) -> (Vec<Value>, Sent) {
        let (request, sent) = self.agent.prepare(Watching::Polling, 100).unwrap();
        let items = request.items.iter();
        let items = items.map(|item| serde_json::from_str(item.get()).unwrap());
        (items.collect(), sent)
    }

    fn answers(
        &mut self,
        items: &[Value],
        sent: &Sent,
        answer: impl Fn(&Value) -> Option<SyncOutcome>,
    ) {
        let answered = self.answer(items, answer);
        self.agent.digest(sent, answered).unwrap();
    }

    fn answer(
        &mut self,
        items: &[Value],
        answer: impl Fn(&Value) -> Option<SyncOutcome>,
    ) -> Answered {
        let sequence = |item: &Value| item["sequence"].as_u64().unwrap();
        let last = items.last().map(sequence);
        self.acknowledged = last.unwrap_or(self.acknowledged);
        let results = items.iter().map(|item| usher_api::SyncResult {
            sequence: sequence(item),
            outcome: answer(item).unwrap_or(SyncOutcome::Done),
        });
        let answer = SyncAnswer {
            server: "server".into(),
            incarnation: self.life,
            before: None,
            acknowledged: self.acknowledged,
            results: results.collect(),
            policy: None,
            policy_key: None,
            policy_signature: None,
        };
        Answered {
            answer,
            policy_text: None,
        }
    }
}

fn process(pid: u32) -> Process {
    Process {
        key: ProcessKey { pid, start: 1 },
        parent: 1,
        who: Who {
            counted: USER,
            real: USER,
        },
        program: Program {
            name: "solver".into(),
            version: None,
        },
        uses: Some(Use {
            product: "solver".into(),
            counting: Counting::UserOnComputer,
            role: usher_core::identify::ProgramRole::Main,
        }),
        since: None,
    }
}

fn granted() -> Option<SyncOutcome> {
    Some(SyncOutcome::Granted {
        lease: "L1".into(),
        ttl_seconds: 300,
    })
}

fn unseated() -> Option<SyncOutcome> {
    Some(SyncOutcome::Unseated {
        reason: usher_api::Reason::NoSeat,
        undecided: false,
    })
}

fn undecided() -> Option<SyncOutcome> {
    Some(SyncOutcome::Unseated {
        reason: usher_api::Reason::NoSeat,
        undecided: true,
    })
}

fn asked_at_gate(items: &[Value]) -> Vec<bool> {
    let checkouts = items.iter().filter(|item| item["kind"] == "checkout");
    checkouts.map(|item| item["gate"] == true).collect()
}

/// A program of a product that may not be used without a lease runs, and has one.
fn seated(more: &Value) -> (Desk, std::process::Child) {
    let mut desk = Desk::new();
    desk.goes_by(more);
    // It takes no SIGTERM.
    let child = std::process::Command::new("env")
        .args(["--ignore-signal=TERM", "sleep", "60"])
        .spawn()
        .unwrap();
    let mut runs = process(child.id());
    runs.key.start = crate::system::procfs::process_stat(child.id())
        .unwrap()
        .start;
    desk.does(Event::Runs(runs)).unwrap();
    desk.exchange(|_| granted());
    (desk, child)
}

fn ends_without_lease() -> Value {
    json!({"id": "solver", "mode": "enforce", "on_lost_lease": "end", "grace_seconds": 60})
}

impl Desk {
    fn goes_by(&mut self, product: &Value) {
        let version = self.agent.rulebook.policy.version + 1;
        let policy = json!({"version": version, "products": [product]});
        let policy = serde_json::value::to_raw_value(&policy).unwrap();
        self.agent.rulebook.is_vouched = true;
        self.agent.take_policy(&policy, None, None).unwrap();
    }

    /// Nobody has touched its session for as long as its product allows.
    fn is_left_alone(&mut self) {
        self.is_untouched(60_000);
    }

    fn is_touched(&mut self) {
        self.is_untouched(0);
    }

    fn is_untouched(&mut self, for_ms: u64) {
        let session = self.agent.sessions.get(SessionId(1)).unwrap();
        let event = usher_core::reminders::Event::Untouched {
            session: session.id,
            for_ms,
            rule: self.agent.idle.rule(session, &self.agent.rulebook),
        };
        self.agent.remind(clock::boot_ms(), event);
    }

    /// The server knows nothing of the lease any more, and gives no other.
    fn loses(&mut self) {
        let session = SessionId(1);
        self.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
        let items = self.exchange(|_| Some(SyncOutcome::UnknownSession));
        assert_eq!(items[0]["kind"], "renew");
        assert_eq!(self.agent.lost.next_due_boot_ms(), None, "it is asked anew");
        self.exchange(|_| unseated());
    }
}

fn end(mut child: std::process::Child) {
    assert!(child.try_wait().unwrap().is_none(), "it was not touched");
    child.kill().unwrap();
    child.wait().unwrap();
}
