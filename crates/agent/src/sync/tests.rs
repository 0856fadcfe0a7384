//! What the server's answers mean for those who wait for a seat, one behaviour a test.

use serde_json::{Value, json};
use usher_core::sessions::{AskId, Counting, Process, ProcessKey, Program, Unanswered, Use, Who};

use super::*;

/// An agent by itself; the tests are its server.
struct Desk {
    agent: Agent,
    life: Option<u32>,
    acknowledged: u64,
    _folder: tempfile::TempDir,
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
        let agent = Agent::open(folder.path(), &machine, Some("box".into())).unwrap();
        let mut desk = Desk {
            agent,
            life,
            acknowledged: 0,
            _folder: folder,
        };
        desk.exchange(|_| None);
        desk
    }

    fn enforces(&mut self, mode: &str) {
        let version = self.agent.policy.version + 1;
        let policy = json!({"version": version, "products": [{"id": "solver", "mode": mode}]});
        let policy = serde_json::value::to_raw_value(&policy).unwrap();
        self.agent.is_vouched = true;
        self.agent.take_policy(&policy, None, None).unwrap();
    }

    /// A start of a process is held.
    fn asks(&mut self, pid: u32) -> Result<(), OutboxError> {
        let event = Event::Asked {
            ask: AskId(pid.into()),
            process: process(pid),
            unanswered: Unanswered::Refuse,
        };
        self.does(event)
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
        let answered = Answered {
            answer,
            policy_text: None,
        };
        self.agent.digest(sent, answered).unwrap();
    }
}

fn process(pid: u32) -> Process {
    Process {
        key: ProcessKey { pid, start: 1 },
        parent: 1,
        who: Who {
            counted: 1_000,
            real: 1_000,
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
    })
}

fn asked_at_gate(items: &[Value]) -> Vec<bool> {
    let checkouts = items.iter().filter(|item| item["kind"] == "checkout");
    checkouts.map(|item| item["gate"] == true).collect()
}

#[test]
fn what_the_server_does_not_know_is_asked_again_by_those_who_wait() {
    let mut desk = Desk::new();
    desk.asks(10).unwrap();
    let first = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert_eq!(asked_at_gate(&first), [true]);
    assert!(desk.is_asking());
    assert!(desk.agent.next_let_go().is_some(), "within the same time");
    let second = desk.exchange(|_| granted());
    assert_eq!(asked_at_gate(&second), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn an_answer_to_what_was_asked_before_lets_no_start_run() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(9))).unwrap();
    let (items, sent) = desk.sends();
    assert_eq!(asked_at_gate(&items), [false]);
    desk.asks(10).unwrap();
    assert!(desk.is_asking());
    desk.answers(&items, &sent, |_| unseated());
    assert!(desk.is_asking(), "its own question was not answered yet");
    let denied = SyncOutcome::Denied {
        reason: usher_api::Reason::NoSeat,
        decision_id: "d".into(),
        detail: "no seat is free".into(),
    };
    let items = desk.exchange(|_| Some(denied.clone()));
    assert_eq!(asked_at_gate(&items), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn a_product_that_is_only_tracked_from_now_on_holds_nobody() {
    let mut desk = Desk::new();
    desk.asks(10).unwrap();
    desk.enforces("enforce");
    assert!(desk.is_asking());
    desk.enforces("track");
    assert!(!desk.is_asking());
    assert_eq!(desk.agent.desk.next_due_boot_ms(), None);
}

#[test]
fn a_server_that_knows_of_no_gates_is_asked_without_and_everything_runs() {
    let mut desk = Desk::at_server(None);
    desk.enforces("enforce");
    desk.asks(10).unwrap();
    let items = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert!(items[0].get("gate").is_none(), "it refuses unknown fields");
    let items = desk.exchange(|_| unseated());
    assert!(items[0].get("gate").is_none());
    assert!(!desk.is_asking());
    // It runs, where another one would have been refused.
    assert_eq!(desk.agent.sessions.starts().count(), 1);
}

#[test]
fn who_waits_for_a_server_that_is_away_goes_by_the_policy_and_what_came_of_it_is_kept() {
    let mut desk = Desk::new();
    desk.asks(10).unwrap();
    desk.agent.let_go(false).unwrap();
    assert!(desk.is_asking(), "its time is not over");
    desk.agent.let_go(true).unwrap();
    assert_eq!(desk.agent.sessions.starts().count(), 0, "refused");
    assert_eq!(desk.agent.next_let_go(), None);
    assert!(asked_at_gate(&desk.exchange(|_| None)).is_empty());
}

#[test]
fn on_a_full_disk_nobody_waits_for_what_cannot_be_asked() {
    let mut desk = Desk::new();
    desk.agent.outbox.is_full(true);
    desk.asks(10).unwrap_err();
    assert!(desk.is_asking());
    let due = desk.agent.next_let_go().unwrap();
    assert!(due <= clock::boot_ms(), "it is let go at once");
    desk.agent.let_go(false).unwrap_err();
    assert!(!desk.is_asking());
    assert_eq!(desk.agent.next_let_go(), None, "once");
    // Then the disk takes records again.
    desk.agent.outbox.is_full(false);
    desk.asks(11).unwrap();
    assert_eq!(asked_at_gate(&desk.exchange(|_| granted())), [true]);
    assert!(!desk.is_asking());
}
