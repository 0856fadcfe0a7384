//! What is made of each kind of evidence, and in which words.

use std::fmt::Write;

use usher_core::health::{
    ApiAnswer, Observation, PackWord, ServiceManagerWord, ServiceWord, Verdict, WorkSeen, weigh,
};
use usher_core::lifecycle::ServiceState;

use super::{at, killed, running, silent, word};

fn cases() -> Vec<(&'static str, Observation)> {
    let mut packing = running();
    packing.api = ApiAnswer::Well {
        state: ServiceState::Running,
        pack: Some(PackWord { percent: 40 }),
    };
    let mut paused = running();
    paused.api = ApiAnswer::Well {
        state: ServiceState::Paused,
        pack: None,
    };
    let mut restored = running();
    restored.api = ApiAnswer::Withholds {
        state: ServiceState::Running,
        why: "it was restored from a backup and grants nothing until 2026-11-26T10:00:00Z"
            .to_owned(),
    };
    let mut restored_and_still = restored.clone();
    restored_and_still.work = WorkSeen::StandsStill(at(5));
    let mut false_stopping = running();
    false_stopping.service_manager = ServiceManagerWord::Says(ServiceWord {
        age: at(3 * 3_600),
        checkpoint: 1,
        wait_hint: at(20),
        error: Some(1061),
        ..word(ServiceState::StopPending)
    });
    let mut said_just_now = running();
    said_just_now.service_manager = ServiceManagerWord::Says(ServiceWord {
        age: at(1),
        wait_hint: at(20),
        ..word(ServiceState::StopPending)
    });
    let mut really_stopping = silent(ServiceState::StopPending);
    really_stopping.service_manager = ServiceManagerWord::Says(ServiceWord {
        checkpoint: 4,
        wait_hint: at(20),
        ..word(ServiceState::StopPending)
    });
    let mut trapped = really_stopping.clone();
    trapped.service_manager = ServiceManagerWord::Says(ServiceWord {
        age: at(900),
        checkpoint: 4,
        wait_hint: at(20),
        ..word(ServiceState::StopPending)
    });
    let mut on_purpose = killed();
    on_purpose.service_manager = ServiceManagerWord::Says(ServiceWord {
        on_purpose: true,
        ..word(ServiceState::Stopped)
    });
    let mut full_disk = running();
    full_disk.api = ApiAnswer::Unwell {
        state: ServiceState::Running,
        why: "the disk is full".to_owned(),
    };
    full_disk.work = WorkSeen::Refused("503 storage_full".to_owned());
    let mut dead_disk = full_disk.clone();
    dead_disk.work = WorkSeen::StandsStill(at(5));
    let mut grants_nothing = running();
    grants_nothing.work = WorkSeen::Refused("no_seat".to_owned());
    let mut cut_off = running();
    cut_off.api = ApiAnswer::NoConnection("no route to host".to_owned());
    cut_off.work = WorkSeen::NotTried;
    let mut full = silent(ServiceState::Running);
    full.api = ApiAnswer::TakesNone(at(3));
    let mut full_alone = full.clone();
    full_alone.service_manager = ServiceManagerWord::NotAsked;
    let mut alone = cut_off.clone();
    alone.service_manager = ServiceManagerWord::NotAsked;
    let mut refused_alone = killed();
    refused_alone.service_manager = ServiceManagerWord::NoAnswer("access denied".to_owned());
    let mut stranger = running();
    stranger.api = ApiAnswer::Strange("200 OK where a server tells its health".to_owned());
    stranger.work = WorkSeen::NotTried;
    let mut declines = stranger.clone();
    declines.api = ApiAnswer::Declines("it does not accept the manager's token".to_owned());
    vec![
        ("healthy", running()),
        ("in a pack", packing),
        ("paused by an operator", paused),
        ("restored from a backup", restored),
        ("restored, and its work stands still", restored_and_still),
        ("says stopping and serves on (KB Q299261)", false_stopping),
        ("said stopping just now, and serves on", said_just_now),
        ("stopping, and its work moves", really_stopping),
        ("stopping, and its work stands still", trapped),
        ("frozen", silent(ServiceState::Running)),
        ("frozen for so long that its queue is full", full),
        ("its queue is full, nobody to ask", full_alone),
        ("killed", killed()),
        ("stopped on purpose", on_purpose),
        ("its disk is full", full_disk),
        ("its disk hangs", dead_disk),
        ("answers, and grants nothing", grants_nothing),
        ("cut off, its service manager within reach", cut_off),
        ("cut off, nobody to ask", alone),
        ("nobody listens, nobody to ask", refused_alone),
        ("something else answers", stranger),
        ("takes no such token", declines),
    ]
}

#[test]
fn each_kind_of_evidence_has_its_verdict_and_its_words() {
    let mut told = String::new();
    for (name, seen) in cases() {
        let judgement = weigh(&seen);
        writeln!(told, "{name}: {}", judgement.verdict).unwrap();
        for finding in judgement.findings {
            writeln!(told, "    {}: {}", finding.source.name(), finding.text).unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

/// Every combination of what three witnesses can say.
#[test]
fn not_running_is_only_said_of_what_has_no_process_and_does_not_answer() {
    let words = ServiceState::ALL.into_iter().flat_map(|state| {
        [true, false].into_iter().flat_map(move |has_process| {
            [at(1), at(1_000)].map(|age| {
                ServiceManagerWord::Says(ServiceWord {
                    has_process,
                    age,
                    wait_hint: at(20),
                    ..word(state)
                })
            })
        })
    });
    let others = [
        ServiceManagerWord::NotAsked,
        ServiceManagerWord::NoAnswer(String::new()),
    ];
    let mut seen_stopped = 0;
    for service_manager in words.chain(others) {
        for (_, case) in cases() {
            for works in [WorkSeen::Moves(at(0)), WorkSeen::NotTried] {
                let seen = Observation {
                    service_manager: service_manager.clone(),
                    api: case.api.clone(),
                    work: works,
                };
                if weigh(&seen).verdict != Verdict::Stopped {
                    continue;
                }
                seen_stopped += 1;
                let down = matches!(
                    &service_manager,
                    ServiceManagerWord::Says(word)
                        if word.state == ServiceState::Stopped && !word.has_process
                );
                assert!(down, "{seen:?}");
                let answers = matches!(
                    seen.api,
                    ApiAnswer::Well { .. }
                        | ApiAnswer::Withholds { .. }
                        | ApiAnswer::Unwell { .. }
                        | ApiAnswer::Strange(_)
                        | ApiAnswer::Declines(_)
                );
                assert!(!answers, "{seen:?}");
            }
        }
    }
    assert!(seen_stopped > 0);
}

#[test]
fn a_server_that_seats_people_is_never_called_stuck_or_stopped() {
    for (_, case) in cases() {
        let seen = Observation {
            work: WorkSeen::Moves(at(0)),
            api: running().api,
            ..case
        };
        let verdict = weigh(&seen).verdict;
        let serves = matches!(
            verdict,
            Verdict::Running | Verdict::Degraded | Verdict::Maintenance
        );
        assert!(serves, "{verdict}: {seen:?}");
    }
}
