//! What was used, as far as who asks may see it.

use serde_json::json;

use crate::fake::Fake;
use crate::lists::answers;
use crate::support::{Ended, Folder, stderr, stdout, usher};

#[test]
fn who_may_see_the_programs_of_no_product_is_said_to_who_shows_no_token() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let output = usher(&folder)
        .args(["usage", "programs", "--server", &fake.url])
        .ended();
    assert_eq!(output.status.code(), Some(77));
    assert_eq!(stdout(&output), "");
    insta::assert_snapshot!(stderr(&output), @r"
    usher: `usher usage programs` needs a token: it shows what all computers start, and not who does
      A token of role viewer, operator or admin may see it (--token or USHER_TOKEN); whoever administers the server makes one with `usher token create --role viewer`.
    ");
    assert_eq!(fake.with(|world| world.asked.len()), 0);
}

#[test]
fn of_programs_of_no_product_it_is_said_that_no_person_is_recorded() {
    let folder = Folder::new();
    let output = usher(&folder)
        .args(["usage", "programs", "--user", "ben"])
        .ended();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    usher: --user has no effect in `usher usage programs`: of programs of no product it is not recorded who starts them
      Of products it is: `usher usage --user USER`; `usher product add` makes one.
    ");
}

#[test]
fn who_sees_only_their_own_is_told_that_they_used_nothing_and_not_that_nobody_did() {
    let folder = Folder::new();
    let url = answers(|_, path| {
        let only = json!({"realm": "usher", "account": "ben"});
        let day = json!({"day": "2026-03-01", "from": "2026-03-01T00:00:00Z",
            "to": "2026-03-02T00:00:00Z", "sessions": 0, "users": 0, "computers": 0,
            "products": 0, "total_seconds": 0, "unseated_seconds": 0});
        let items = match path {
            "/v1/usage/days" => vec![day; 31],
            _ => Vec::new(),
        };
        let page = json!({"items": items, "next": null, "only": only});
        (200, page.to_string())
    });
    let show = |view, more: &[&str]| {
        let output = usher(&folder)
            .args(["usage", view, "--server", &url, "--token", "t"])
            .args(more)
            .ended();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    };
    for view in ["by-user", "by-day"] {
        let (listed, said) = show(view, &[]);
        assert_eq!(listed, "", "rows of zeros say nothing");
        assert_eq!(
            said,
            "You have used nothing in this time.\n\
             This shows only what is yours, as ben, the user of this token.\n"
        );
    }
    // Programs are given each day.
    assert_eq!(show("by-day", &["--csv"]).0.lines().count(), 32);
}

#[test]
fn sums_by_person_and_by_day_are_shown_by_the_agent_without_a_token() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let _agent = Fake::agent(1, &socket);
    for view in ["by-user", "by-day"] {
        let output = usher(&folder)
            .args(["usage", view, "--agent-socket"])
            .arg(&socket)
            .ended();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("You have used nothing in this time."),
            "{}",
            stderr(&output)
        );
    }
}
