//! What the server's answers mean for those who wait for a seat, one behaviour a test.

use serde_json::{Value, json};
use usher_api::SyncAnswer;
use usher_core::sessions::{AskId, Counting, Process, ProcessKey, Program, Unanswered, Use, Who};

use super::*;
use crate::seats::UNSEATED_RETRY_MS;

mod one_seat;

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

#[test]
fn what_the_server_does_not_know_is_asked_again_by_those_who_wait() {
    let mut desk = Desk::new();
    desk.asks(10);
    let first = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert_eq!(asked_at_gate(&first), [true]);
    assert!(first[0]["program"].is_string(), "{first:?}");
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
    desk.asks(10);
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
    desk.asks(10);
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
    desk.asks(10);
    let items = desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    assert!(items[0].get("gate").is_none(), "it refuses unknown fields");
    assert!(items[0].get("program").is_none());
    let items = desk.exchange(|_| unseated());
    assert!(items[0].get("gate").is_none());
    assert!(items[0].get("program").is_none());
    assert!(!desk.is_asking());
    // It runs, where another one would have been refused.
    assert_eq!(desk.agent.sessions.starts().count(), 1);
}

#[test]
fn who_waits_for_a_server_that_is_away_goes_by_the_policy_and_what_came_of_it_is_kept() {
    let mut desk = Desk::new();
    desk.asks(10);
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
    desk.asks(10);
    assert!(desk.is_asking());
    assert!(desk.sends().0.is_empty(), "it cannot be asked for");
    assert!(!desk.is_asking(), "it is let go at once");
    assert_eq!(desk.agent.next_let_go(), None, "once");
    // Then the disk takes records again.
    desk.agent.outbox.is_full(false);
    desk.asks(11);
    assert_eq!(asked_at_gate(&desk.exchange(|_| granted())), [true]);
    assert!(!desk.is_asking());
}

#[test]
fn what_ends_while_an_agent_stops_was_last_seen_when_it_watched() {
    let mut desk = Desk::new();
    desk.does(Event::Runs(process(10))).unwrap();
    let mut until = clock::now();
    until.boot_ms -= 500;
    desk.agent.watched_until = Some(until);
    let seen = |desk: &Desk| desk.agent.outbox.number("seen_boot_ms").unwrap();
    desk.agent.write_down_members().unwrap();
    assert_eq!(seen(&desk), until.boot_ms);
    desk.does(Event::Runs(process(11))).unwrap();
    assert_eq!(seen(&desk), until.boot_ms);
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

#[test]
fn a_session_that_is_taken_up_keeps_its_processes_whatever_is_answered_first() {
    let (mut desk, child) = seated(&ends_without_lease());
    desk.restarts();
    let asked = desk.exchange(|_| granted());
    assert_eq!(asked.len(), 1);
    let saved = desk.agent.outbox.sessions().unwrap();
    assert_eq!(saved[0].members[0].pid, child.id());
    end(child);
}

#[test]
fn what_ignores_that_it_is_to_end_is_killed_later() {
    let (mut desk, mut child) = seated(&ends_without_lease());
    desk.loses();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked - 1);
    assert_eq!(desk.agent.lost.next_due_boot_ms(), Some(asked));
    desk.agent.remind_due(asked);
    let killed = desk.agent.lost.next_due_boot_ms().unwrap();
    assert_eq!(killed, asked + 30_000);
    desk.agent.remind_due(killed - 1);
    assert!(child.try_wait().unwrap().is_none());
    desk.agent.remind_due(killed);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
}

#[test]
fn nobody_is_ended_by_default_or_where_nothing_is_enforced() {
    for product in [
        json!({"id": "solver", "mode": "enforce"}),
        json!({"id": "solver", "mode": "track", "on_lost_lease": "end"}),
    ] {
        let (mut desk, child) = seated(&product);
        desk.loses();
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        end(child);
    }
}

#[test]
fn what_never_had_a_seat_has_lost_none() {
    let mut desk = Desk::new();
    desk.goes_by(&ends_without_lease());
    desk.does(Event::Runs(process(10))).unwrap();
    desk.exchange(|_| unseated());
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
}

#[test]
fn a_server_that_is_away_for_longer_than_the_ttl_ends_nobody() {
    let (mut desk, child) = seated(&ends_without_lease());
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().until_boot_ms = 0;
    desk.agent.let_go(true).unwrap();
    desk.exchange(|_| Some(SyncOutcome::Undecided));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    end(child);
}

#[test]
fn a_server_that_decides_nothing_ends_nobody_and_is_shown_the_lease_again() {
    let (mut desk, child) = seated(&ends_without_lease());
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
    desk.exchange(|_| Some(SyncOutcome::UnknownSession));
    for _ in 0..3 {
        let asked = desk.exchange(|_| undecided());
        assert_eq!(asked[0]["held"]["lease"], "L1", "{asked:?}");
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        let seat = desk.agent.seats.get_mut(session).unwrap();
        assert!(seat.due_boot_ms <= clock::boot_ms() + UNSEATED_RETRY_MS);
        seat.due_boot_ms = 0;
    }
    // What it decides later counts.
    desk.exchange(|_| unseated());
    assert!(desk.agent.lost.next_due_boot_ms().is_some());
    end(child);
}

#[test]
fn a_seat_or_another_rule_in_time_saves_a_program() {
    let (mut desk, child) = seated(&ends_without_lease());
    desk.loses();
    let session = SessionId(1);
    desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
    desk.exchange(|_| granted());
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    for product in [
        json!({"id": "solver", "mode": "enforce", "on_lost_lease": "run"}),
        json!({"id": "solver", "mode": "track", "on_lost_lease": "end"}),
    ] {
        desk.goes_by(&ends_without_lease());
        desk.loses();
        assert!(desk.agent.lost.next_due_boot_ms().is_some());
        desk.goes_by(&product);
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
        desk.agent.seats.get_mut(session).unwrap().due_boot_ms = 0;
        desk.exchange(|_| granted());
    }
    // Nor once it was told to end.
    desk.goes_by(&ends_without_lease());
    desk.loses();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked);
    desk.goes_by(&json!({"id": "solver", "mode": "enforce"}));
    assert_eq!(desk.agent.lost.next_due_boot_ms(), None);
    end(child);
}

fn ends_when_idle(mode: &str) -> Value {
    json!({"id": "solver", "mode": mode, "on_idle": "end", "idle_seconds": 60,
        "grace_seconds": 60})
}

#[test]
fn whoever_was_asked_to_use_a_program_that_may_not_be_ended_any_more_loses_nothing() {
    for other in [
        ends_when_idle("track"),
        json!({"id": "solver", "mode": "enforce", "on_idle": "warn", "idle_seconds": 60}),
    ] {
        let (mut desk, child) = seated(&ends_when_idle("enforce"));
        desk.is_left_alone();
        let asked = desk.agent.lost.next_due_boot_ms().unwrap();
        desk.goes_by(&other);
        desk.agent.remind_due(asked);
        assert_eq!(desk.agent.lost.next_due_boot_ms(), None, "{other}");
        end(child);
    }
}

#[test]
fn a_seat_that_a_full_disk_kept_from_being_given_back_is_given_back_later() {
    let idle = json!({"id": "solver", "on_idle": "release", "idle_seconds": 60});
    let (mut desk, child) = seated(&idle);
    desk.is_left_alone();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.outbox.is_full(true);
    desk.agent.remind_due(asked);
    assert_eq!(desk.agent.idle.count_released(), 0);
    desk.agent.outbox.is_full(false);
    desk.is_left_alone();
    let asked = desk.agent.lost.next_due_boot_ms().unwrap();
    desk.agent.remind_due(asked);
    assert_eq!(desk.agent.idle.count_released(), 1);
    let items = desk.exchange(|_| None);
    assert_eq!(items[0]["kind"], "released", "{items:?}");
    end(child);
}

#[test]
fn a_new_life_of_the_server_that_a_full_disk_did_not_take_is_noticed_later() {
    let (mut desk, child) = seated(&json!({"id": "solver"}));
    let mut new_life = desk.answer(&[], |_| None);
    new_life.answer.incarnation = Some(2);
    let (items, sent) = desk.sends();
    assert!(items.is_empty());
    desk.agent.outbox.is_full(true);
    desk.agent.digest(&sent, new_life).unwrap_err();
    desk.agent.outbox.is_full(false);
    desk.life = Some(2);
    desk.exchange(|_| None);
    let (items, _) = desk.sends();
    assert_eq!(items[0]["held"]["lease"], "L1", "{items:?}");
    end(child);
}

#[test]
fn what_was_undone_by_a_disk_that_filled_up_in_the_midst_of_a_transaction_is_written_later() {
    let mut desk = Desk::new();
    let mut effects = Vec::new();
    let runs = Event::Runs(process(10));
    desk.agent.sessions.apply(clock::now(), runs, &mut effects);
    let filled_up = desk.agent.together(|agent| {
        agent.write(effects)?;
        agent.outbox.has_no_room(true);
        let much = "x".repeat(1_000_000);
        agent.outbox.change(|change| change.set_meta("much", &much))
    });
    filled_up.unwrap_err();
    assert_eq!(desk.agent.outbox.waiting().unwrap(), 0);
    desk.agent.outbox.has_no_room(false);
    let (items, _) = desk.sends();
    assert_eq!(items[0]["kind"], "checkout", "{items:?}");
    assert_eq!(desk.agent.outbox.sessions().unwrap().len(), 1);
}

#[test]
fn who_is_back_and_refused_a_seat_is_told_why_there_is_none() {
    use usher_api::Reason;
    let idle = json!({"id": "solver", "on_idle": "release", "idle_seconds": 60});
    for (reason, why) in [
        (Reason::NoSeat, "All are in use by now. "),
        (Reason::EntitlementExpired, "There are none now. "),
        (Reason::Quota, "You may not have one now. "),
        (Reason::ProductDisabled, "The product is switched off. "),
    ] {
        let (mut desk, child) = seated(&idle);
        desk.is_left_alone();
        let asked = desk.agent.lost.next_due_boot_ms().unwrap();
        desk.agent.remind_due(asked);
        desk.exchange(|_| None);
        desk.is_touched();
        desk.exchange(|_| {
            Some(SyncOutcome::Unseated {
                reason,
                undecided: false,
            })
        });
        let told = desk.agent.notices.of(1_000, None);
        let text = &told.last().unwrap().text;
        assert!(text.starts_with(why), "{text}");
        end(child);
    }
}
