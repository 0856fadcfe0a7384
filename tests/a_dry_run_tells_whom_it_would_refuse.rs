//! Before a product is enforced its administrator is told whom that would have refused, from what
//! an agent recorded; a dry run changes nothing.

use std::process::{Child, Command};

use crate::support::{Ended, Folder, Running, said, stderr, usher, wait_for};

/// A program that ends with the test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn two_at_once_on_one_seat_are_one_start_that_would_have_been_refused() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let tool = folder.path("tool");
    std::fs::copy("/bin/sleep", &tool).unwrap();
    let mut command = usher();
    command
        .args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(&socket);
    let running = Running::start(&mut command, &folder.path("data"));
    let rule = format!("path={}", tool.display());
    let socket = socket.to_str().unwrap();
    running.ok(&[
        "product",
        "add",
        "tool",
        "--seats",
        "1",
        "--counting",
        "process",
        "--program",
        &rule,
        "--agent-socket",
        socket,
    ]);
    let dry_run = ["product", "edit", "tool", "--mode", "enforce", "--dry-run"];
    let nothing = running.ok(&dry_run);
    assert!(nothing.starts_with("Nothing is recorded"), "{nothing}");

    let runs = [(), ()].map(|()| Run(Command::new(&tool).arg("600").spawn().unwrap()));
    wait_for("both to be recorded", || {
        let sessions = running.json(&["usage", "--product", "tool"]);
        (sessions["items"].as_array().unwrap().len() == 2).then_some(())
    });
    let found = running.json(&dry_run);
    assert_eq!(
        (&found["refused"], &found["people"]),
        (&1.into(), &1.into()),
        "{found}"
    );
    assert_eq!(
        (&found["peak"], &found["seats"]),
        (&2.into(), &1.into()),
        "{found}"
    );
    assert!(found["first"]["user"].is_string(), "{found}");
    let text = running.ok(&dry_run);
    assert!(
        text.contains("1 start by 1 person would have been refused"),
        "{text}"
    );
    assert!(
        text.starts_with("At most 2 seats were wanted at once"),
        "{text}"
    );
    let more = running.ok(&["product", "edit", "tool", "--dry-run", "--seats", "2"]);
    assert!(
        more.contains("With 2 seats nobody would have been refused, or have had to wait."),
        "{more}"
    );
    assert!(more.contains("1 seat may be in use now."), "{more}");
    assert_eq!(
        running.json(&["product", "show", "tool"])["mode"],
        "track",
        "nothing changed"
    );

    let output = running
        .usher(&["product", "edit", "tool", "--mode", "enforce"])
        .ended();
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        stderr(&output).contains("would have been refused"),
        "{}",
        said(&output)
    );
    drop(runs);
}
