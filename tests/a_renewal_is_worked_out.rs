//! Before a renewal, the past says how many seats are needed.

use crate::support::{Folder, Running, wait_for};

#[test]
fn the_past_says_how_many_seats_are_needed_and_what_fewer_would_have_come_to() {
    let folder = Folder::new();
    let up = Running::up(&folder.path("data"));
    up.ok(&["product", "add", "cad", "--seats", "3"]);
    let take = |user: &str| up.ok(&["checkout", "cad", "--user", user, "--computer", "pc1"]);
    let first = take("ann");
    take("ben");
    take("eve");
    up.ok(&["checkin", first.trim()]);
    // What is still held counts as soon as it is held, the other when it is collected.
    let answer = wait_for("the history to be collected", || {
        up.ok(&["servers", "poll", "local"]);
        let answer = up.json(&["whatif", "cad", "--seats", "1..3"]);
        (answer["asks"] == 3).then_some(answer)
    });
    let results = answer["results"].as_array().unwrap();
    let denied: Vec<u64> = results
        .iter()
        .map(|result| result["denied"].as_u64().unwrap())
        .collect();
    assert_eq!(denied, [2, 1, 0], "{answer}");
    assert_eq!(answer["seats_today"], 3);
    let shown = up.ok(&[
        "whatif",
        "cad",
        "--seats",
        "1..3",
        "--service-level",
        "60% within 0s",
    ]);
    for said in [
        ": 3 asks\n",
        "  ##############################\n",
        "The smallest of these that keeps 60% within 0s: 2 seats.\n",
        "Keep 2 seats of cad, 1 fewer than the 3 that are owned today.",
        "\nAssumed:\n",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }

    up.ok(&["product", "add", "cam", "--seats", "1"]);
    let (code, said) = up.fails(&["whatif", "cam", "--seats", "1"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("nobody asked for a seat in that time"),
        "{said}"
    );
    let (code, said) = up.fails(&["whatif", "never", "--seats", "1"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("there is no product never"), "{said}");
    let (code, said) = up.fails(&["whatif", "cad", "--seats", "1..200"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("1..200/3"), "{said}");
}
