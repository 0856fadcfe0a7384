//! What runs inside of a `usher run`, and who joins a lease that somebody else keeps.

use std::process::{Command, Output};

use crate::fake::{Fake, PROOF};
use crate::support::{Ended, Folder, stderr, stdout, usher};

#[test]
fn a_run_inside_a_run_of_the_same_product_joins_its_seat() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let usher_path = env!("CARGO_BIN_EXE_usher");
    let script = format!("{usher_path} run --product tool -- sh -c 'echo inside on $USHER_LEASE'");
    let output = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .env("USHER_SERVER", &fake.url)
        .ended();
    assert_eq!(stdout(&output), "inside on l-1\n", "{}", stderr(&output));
    assert_eq!(fake.with(|world| world.count("POST /v1/checkouts")), 1);
    // Another product has seats of its own.
    let script = format!("{usher_path} run --product other -- true");
    let output = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .env("USHER_SERVER", &fake.url)
        .ended();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("there is no product other"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_named_lease_is_joined_and_neither_taken_nor_given_back() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("theirs".into()));
    let output = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--lease",
            "theirs",
            "--",
            "sh",
            "-c",
            "echo $USHER_LEASE",
        ])
        .ended();
    assert_eq!(stdout(&output), "theirs\n");
    // Only whether it is held is asked.
    let asked = fake.with(|world| world.asked.clone());
    assert_eq!(asked, ["POST /v1/leases/theirs/renew"]);
}

#[test]
fn what_runs_on_a_seat_finds_its_proof_in_the_environment_and_one_of_another_lease_is_not_shown() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("theirs".into()));
    let run = |more: &[&str], environment: &[(&str, &str)]| {
        fake.with(|world| world.asked.clear());
        let mut run = usher(&folder);
        run.args(["run", "--server", &fake.url]).args(more);
        run.envs(environment.iter().copied());
        let output = run
            .args(["--", "sh", "-c", "echo $USHER_LEASE $USHER_LEASE_PROOF"])
            .ended();
        (stdout(&output), fake.with(|world| world.asked.clone()))
    };
    let named = ["--lease", "theirs"];
    let proof = ("USHER_LEASE_PROOF", PROOF);
    let by_proof = "GET /v1/agents/leases/theirs".to_owned();
    let by_renewal = "POST /v1/leases/theirs/renew".to_owned();
    let (said, asked) = run(&named, &[proof]);
    assert_eq!(
        (said, asked),
        (format!("theirs {PROOF}\n"), vec![by_proof.clone()])
    );
    let (said, asked) = run(&[&named[..], &["--lease-proof", PROOF]].concat(), &[]);
    assert_eq!((said, asked), (format!("theirs {PROOF}\n"), vec![by_proof]));
    // What the environment holds is the proof of the lease that it names.
    let (said, asked) = run(&named, &[proof, ("USHER_LEASE", "l-9")]);
    assert_eq!((said, asked), ("theirs\n".to_owned(), vec![by_renewal]));
    fake.with(|world| world.leases.clear());
    let stale = [
        ("USHER_LEASE_PROOF", "1d"),
        ("USHER_LEASE_PRODUCT", "other"),
    ];
    let (said, _) = run(&["--product", "tool"], &stale);
    assert_eq!(said, format!("l-1 {PROOF}\n"));
}

/// `usher run` with what is said of a lease in its environment.
fn run_with(
    folder: &Folder,
    fake: &Fake,
    more: &[&str],
    environment: &[(&str, &str)],
    words: &[&str],
) -> Output {
    let mut run = usher(folder);
    run.args(["run", "--server", &fake.url]).args(more);
    run.envs(environment.iter().copied());
    run.arg("--").args(words).ended()
}

#[test]
fn an_invented_lease_in_the_environment_starts_nothing_and_is_passed_on_to_nobody() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let invented = [("USHER_LEASE", "nonsense")];
    let says = ["sh", "-c", "echo on $USHER_LEASE"];
    let output = run_with(&folder, &fake, &[], &invented, &says);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(2), String::new()),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("the seat nonsense of the"),
        "{}",
        stderr(&output)
    );
    // With a product, too, even if no agent looks: it asks for a seat of its own.
    let with_product = [invented[0], ("USHER_LEASE_PRODUCT", "tool")];
    let output = run_with(&folder, &fake, &[], &with_product, &says);
    assert_eq!(stdout(&output), "on l-1\n", "{}", stderr(&output));
    // And what was meant is no accident.
    for environment in [&invented[..], &with_product[..], &[][..]] {
        let output = run_with(&folder, &fake, &["--lease", "nonsense"], environment, &says);
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(77), String::new()),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_lease_of_the_environment_without_its_product_is_asked_about() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("theirs".into()));
    let held = [("USHER_LEASE", "theirs"), ("USHER_LEASE_PROOF", PROOF)];
    let says = ["sh", "-c", "echo $USHER_LEASE $USHER_LEASE_PRODUCT"];
    let output = run_with(&folder, &fake, &[], &held, &says);
    assert_eq!(stdout(&output), "theirs tool\n", "{}", stderr(&output));
    // While nobody can say, a command of no product is not started by its word.
    let mut run = usher(&folder);
    run.args(["run", "--server", "http://127.0.0.1:1", "--"])
        .args(says);
    let output = run.envs(held).ended();
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(69), String::new()),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("sh was not started"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_lease_of_another_product_than_the_one_that_is_named_is_refused() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("theirs".into()));
    let proof = [("USHER_LEASE_PROOF", PROOF)];
    let named = ["--product", "other", "--lease", "theirs"];
    let output = run_with(&folder, &fake, &named, &proof, &["echo", "never"]);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(2), String::new())
    );
    insta::assert_snapshot!(stderr(&output), @r"
    usher: lease theirs is of tool, and not of other; echo was not started
      Leave --product out to join it; leave --lease out for a seat of other.
    ");
}

/// `usher run` of a script through a made-up agent; `AGAIN` in it is a further `usher run`.
fn through_agent(folder: &Folder, socket: &std::path::Path, script: &str) -> Command {
    let again = format!(
        "{} run --agent-socket {} --",
        env!("CARGO_BIN_EXE_usher"),
        socket.display()
    );
    let mut run = usher(folder);
    run.args(["run", "--product", "tool", "--agent-socket"]);
    run.arg(socket);
    run.args(["--", "sh", "-c", &script.replace("AGAIN", &again)]);
    run
}

#[test]
fn what_runs_inside_of_a_run_without_a_seat_runs_as_it_does() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    fake.with(|world| world.away = true);
    let script = "echo outer $USHER_WITHOUT_SEAT; AGAIN sh -c 'echo inner $USHER_WITHOUT_SEAT'";
    let output = through_agent(&folder, &socket, script).ended();
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "outer tool\ninner tool\n".into()),
        "{}",
        stderr(&output)
    );
    // The server is back meanwhile: what is inside has a seat, and nothing says otherwise.
    fake.with(|world| world.away = false);
    let script = "echo ${USHER_LEASE:-none} ${USHER_WITHOUT_SEAT:-none}";
    let mut run = through_agent(&folder, &socket, script);
    let output = run.env("USHER_WITHOUT_SEAT", "tool").ended();
    assert_eq!(stdout(&output), "l-1 none\n", "{}", stderr(&output));
}

#[test]
fn that_the_run_around_went_without_a_seat_lets_nothing_start() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(0, &socket);
    let inner = || {
        let mut run = usher(&folder);
        run.args(["run", "--agent-socket"]).arg(&socket);
        run.env("USHER_WITHOUT_SEAT", "tool");
        let output = run.args(["--", "echo", "never"]).ended();
        (output.status.code(), stdout(&output))
    };
    // The server decides again, and all seats are in use.
    assert_eq!(inner(), (Some(77), String::new()));
    // It is away, and the policy says no.
    fake.with(|world| (world.away, world.on_unreachable) = (true, "refuse"));
    assert_eq!(inner(), (Some(75), String::new()));
    fake.with(|world| world.on_unreachable = "run");
    assert_eq!(inner(), (Some(0), "never\n".into()));
}

#[test]
fn without_a_server_the_products_policy_decides_where_the_agent_knows_it() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let fake = Fake::agent(1, &socket);
    fake.with(|world| world.away = true);
    let output = usher(&folder)
        .args(["run", "--product", "tool", "--agent-socket"])
        .arg(&socket)
        .args(["--", "echo", "runs"])
        .ended();
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(0), "runs\n".into())
    );
    assert!(
        stderr(&output).contains("runs without a seat"),
        "{}",
        stderr(&output)
    );
    let output = usher(&folder)
        .args([
            "run",
            "--product",
            "tool",
            "--server",
            "http://127.0.0.1:1",
            "--",
            "echo",
            "runs",
        ])
        .ended();
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(69), String::new())
    );
}
