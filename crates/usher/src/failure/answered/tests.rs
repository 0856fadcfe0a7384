//! What answers are turned into, as people read it.

use super::super::Asker;
use super::*;

#[test]
fn a_certificate_that_is_not_trusted_is_not_taken_for_an_absent_server() {
    let why = "its certificate is of an authority that is not trusted here: name it";
    let failure = unreachable_server("https://a:1", why);
    insta::assert_snapshot!(failure, @"usher: cannot talk to the server at https://a:1: its certificate is of an authority that is not trusted here: name it");
}

#[test]
fn an_unexpected_error_names_its_request_and_a_refusal_does_not() {
    let say = |code: Code| {
        let mut problem = Problem::new(code, "it is so");
        problem.request_id = Some("r-7".to_owned());
        refused(&problem).to_string()
    };
    for unexpected in [Code::Internal, Code::StorageFailed, Code::OutcomeUnknown] {
        assert!(say(unexpected).contains("(request r-7 in the server's log)"));
    }
    for expected in [
        Code::Denied,
        Code::Busy,
        Code::ServicePaused,
        Code::NotFound,
    ] {
        assert!(!say(expected).contains("r-7"), "{expected:?}");
    }
}

#[test]
fn a_refusal_has_the_exit_code_and_the_next_step_of_its_kind() {
    let say = |code: Code| {
        let failure = refused(&Problem::new(code, "it is so"));
        (failure.code(), failure.to_string())
    };
    assert_eq!(say(Code::InvalidRequest).0, 2);
    assert_eq!(say(Code::Denied).0, 77);
    assert_eq!(say(Code::UnknownLease), (1, "usher: it is so".to_owned()));
    for not_now in [
        Code::RestoreHold,
        Code::ServicePaused,
        Code::Busy,
        Code::StorageFailed,
    ] {
        assert_eq!(say(not_now).0, 75, "{not_now:?}");
    }
    let follows = "another manager leads the site: ask the one at https://pc2:8480";
    let follows = refused(&Problem::new(Code::NotLeading, follows));
    assert_eq!(follows.code(), 75);
    insta::assert_snapshot!(follows, @"usher: another manager leads the site: ask the one at https://pc2:8480");
    let held = say(Code::RestoreHold).1;
    assert!(!held.contains("in a moment"), "it may be a day: {held}");
    let busy = "this account has asked the server too often: try again in a second";
    let busy = refused(&Problem::new(Code::Busy, busy)).to_string();
    assert_eq!(busy.matches("ry again").count(), 1, "{busy}");
    assert_eq!(say(Code::ServerUnreachable).0, 69);
    let nobody = unreachable_server("http://a:1", "connection refused");
    assert_eq!(nobody.code(), 69);
    assert_eq!(say(Code::Unauthorized).0, 77);
}

fn of_token(detail: &str, asker: Asker<'_>) -> (u8, String) {
    let failure = refused(&Problem::new(Code::Unauthorized, detail)).for_asker(asker);
    (failure.code(), failure.to_string())
}

#[test]
fn who_is_not_let_in_is_told_what_is_missing_for_them() {
    let nobody = Asker::default();
    let none = "no token was shown: send it as `Authorization: Bearer TOKEN`";
    let (code, text) = of_token(none, nobody);
    assert_eq!(code, exit::REFUSED);
    insta::assert_snapshot!(text, @r"
    usher: no token was shown
      Give a token with --token or USHER_TOKEN; an administrator makes one with `usher token create`.
    ");
    let shows_token = Asker {
        shows_token: true,
        ..Asker::default()
    };
    let unknown = "the token is not known here, or was revoked: make one with `usher token create`";
    let (code, text) = of_token(unknown, shows_token);
    assert_eq!(code, exit::REFUSED);
    insta::assert_snapshot!(text, @r"
    usher: the token is not known here, or was revoked
      An administrator makes another with `usher token create`.
    ");
    let of_a_file = Asker {
        token_file: Some(std::path::Path::new("/var/lib/usher/admin.token")),
        ..shows_token
    };
    insta::assert_snapshot!(of_token(unknown, of_a_file).1, @r"
    usher: the token is not known here, or was revoked
      The token came from /var/lib/usher/admin.token, and may be that of another server or manager: give one of this server with --token or USHER_TOKEN, or name its data directory with --data.
      An administrator makes another with `usher token create`.
    ");
    let misses_agent = Asker {
        misses_agent: true,
        ..Asker::default()
    };
    let (code, text) = of_token(none, misses_agent);
    assert_eq!(code, exit::NO_SERVER);
    assert!(text.starts_with("usher: no Usher agent answers"), "{text}");
    let denied = refused(&Problem::new(Code::Denied, "none")).for_asker(misses_agent);
    assert_eq!(denied.code(), exit::REFUSED);
}

#[test]
fn a_manager_that_does_not_answer_or_wants_a_token_is_called_one() {
    let of_manager = Asker {
        of_manager: true,
        ..Asker::default()
    };
    let silent = unreachable_server("http://192.0.2.1:8480", "Connection refused");
    let silent = silent.for_asker(of_manager);
    assert_eq!(silent.code(), exit::NO_SERVER);
    insta::assert_snapshot!(silent, @r"
    usher: no Usher manager answers at http://192.0.2.1:8480: Connection refused
      Nothing listens on that port there: check the port in the URL (8480 unless the manager was given another), and on the manager's computer `systemctl status usher-manager`. The manager is named with --manager URL or USHER_MANAGER; whoever administers it knows the URL.
    ");
    let (code, text) = of_token(
        "no token was shown: the manager takes tokens of its own. Its administrator's is in \
         /x; `usher token create --at-manager` makes others",
        of_manager,
    );
    assert_eq!(code, exit::REFUSED);
    insta::assert_snapshot!(text, @r"
    usher: no token was shown: the manager takes tokens of its own
      Its administrator's is in /x; `usher token create --at-manager` makes others
    ");
}

#[test]
fn a_decision_that_cannot_be_shown_may_be_mistyped_or_somebody_elses() {
    let text = refused(&Problem::new(Code::UnknownDecision, "no decision x")).to_string();
    assert!(text.contains("`usher denials` lists yours"), "{text}");
    let say = |id: &str| {
        let by_server = format!(
            "there is no decision {id} that you may see: decisions are named by the answers to \
             checkouts"
        );
        let by_agent = format!("there is no decision {id:?} of yours: a refusal names its own");
        let said = [by_server, by_agent].map(|detail| {
            let problem = Problem::new(Code::UnknownDecision, detail);
            (refused(&problem).code(), refused(&problem).to_string())
        });
        assert_eq!(said[0], said[1]);
        said[0].1.clone()
    };
    let said = ["D1-2", "L5305820d-390", "T5305820d-7"].map(say);
    insta::assert_snapshot!(said.join("\n"), @r"
    usher: there is no decision D1-2 that you may see
      It may be mistyped, or somebody else's: `usher denials` lists yours.
    usher: there is no lease L5305820d-390 that you may see
      It may be mistyped, or somebody else's: `usher leases` lists yours, `usher usage` those that have ended.
    usher: T5305820d-7 is a place in the queue, and no decision
      `usher queue` lists those that you have; `usher why` explains refusals and leases.
    ");
}
