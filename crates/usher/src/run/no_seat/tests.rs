//! What is said to who gets no seat.

use super::*;
use crate::run::ask::Wait;

fn ask(wait: Option<Wait>, away: Away) -> Ask {
    Ask {
        product: "cad".into(),
        also: Vec::new(),
        user: "anna".into(),
        computer: "pc".into(),
        seats: 1,
        ttl_seconds: None,
        priority: 0,
        program: None,
        wait,
        begun: tokio::time::Instant::now(),
        away,
        one_use: false,
    }
}

#[test]
fn who_waits_is_held_up_by_a_pause_and_by_a_server_that_is_away_and_by_no_refusal() {
    let problem = |code| ClientError::Problem(Box::new(Problem::new(code, "it is so: wait")));
    let silent = |why: &str| ClientError::Unreachable {
        endpoint: "http://a:1".into(),
        why: why.into(),
    };
    let waits = ask(Some(Wait::Forever), Away::Wait);
    let held_up = |error: &ClientError| WaitedFor::held_up(error, &waits);
    assert_eq!(
        held_up(&problem(Code::ServicePaused)),
        Some(WaitedFor::Granting("it is so".into()))
    );
    assert!(matches!(
        held_up(&silent("Connection refused")),
        Some(WaitedFor::Server(_))
    ));
    assert!(held_up(&silent("its certificate has expired")).is_none());
    assert!(held_up(&problem(Code::Denied)).is_none());
    // A product that runs without a server waits for none, but through a pause.
    let runs = ask(Some(Wait::Forever), Away::Run);
    assert!(WaitedFor::held_up(&silent("Connection refused"), &runs).is_none());
    for paused in [Code::ServicePaused, Code::StorageFailed] {
        let held_up = WaitedFor::held_up(&problem(paused), &runs);
        assert!(
            matches!(held_up, Some(WaitedFor::Granting(_))),
            "{paused:?}"
        );
    }
    for none in [None, Some(Wait::For(Duration::ZERO))] {
        let ask = ask(none, Away::Wait);
        assert!(WaitedFor::held_up(&problem(Code::ServicePaused), &ask).is_none());
    }
}

#[test]
fn who_is_in_the_queue_is_told_of_what_keeps_the_server_from_granting_and_not_how_to_end_it() {
    let says = |reason, why: &str| {
        let says = GrantsNothing {
            reason,
            why: why.into(),
            until: None,
        };
        match WaitedFor::granting(&says) {
            WaitedFor::Granting(why) => why,
            other => panic!("{other:?}"),
        }
    };
    let said = [
        says(
            Withheld::Paused,
            "it is paused and grants nothing until `usher service continue server`",
        ),
        says(
            Withheld::Restored,
            "it was restored from a backup and grants nothing until 2026-01-01T00:05:00Z, when \
             every lease of before has ended",
        ),
        says(Withheld::Storage, "its disk is full"),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
        the service is paused and grants nothing
        the server was restored from a backup and grants nothing
        its disk is full
        ");
}

#[test]
fn who_waited_in_vain_is_told_for_what() {
    let say = |seconds, last| waited(Duration::from_secs(seconds), &last).to_string();
    let cases = [
        say(5, WaitedFor::Seat),
        Failure::from(NoSeat::NoneFree {
            decision: Some("D1-2".into()),
        })
        .to_string(),
        say(90, WaitedFor::Granting("the service is paused".into())),
        say(5, WaitedFor::Server("cannot reach http://a:1".into())),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r"
        usher: no seat came free within 5 s
          `usher status` shows how many seats are in use and how many requests wait; to who may see all, `usher leases` names the holders and `usher queue` who waits.
        usher: no seat is free, and --wait=0 waits for none
          `usher why D1-2` tells how the seats were held, and what would help.
        usher: no seat was granted within 1 min 30 s: the service is paused
          `usher doctor` says why, and what ends that.
        usher: no server answered within 5 s: cannot reach http://a:1
          `usher doctor` looks at what may be wrong.
        ");
}
