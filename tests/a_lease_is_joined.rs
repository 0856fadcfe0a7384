//! A lease is joined by its own person on its own computer, or with its proof, and by nobody else:
//! if starts are held, nothing starts on a lease whose id was only guessed.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::gated::{ANNA, BEN, Computer};
use crate::support::{Ended, Folder, finish, program, said, stdout, wait_for};

/// A computer with one seat of an enforced product, and an `usher` that every account may start.
struct Site {
    computer: Computer,
    usher: PathBuf,
    solver: PathBuf,
}

const WRONG: &str = "0123456789abcdef0123456789abcdef";

impl Site {
    fn new() -> Option<Site> {
        let computer = Computer::with_seats("1", &[])?;
        // The built one may lie in a folder that others cannot enter.
        let usher = computer.place.join("usher");
        fs::copy(program(), &usher).unwrap();
        Some(Site {
            usher,
            solver: computer.program("solver"),
            computer,
        })
    }

    /// `usher run` by an account that has no token.
    fn run(
        &self,
        uid: u32,
        more: &[&str],
        environment: &[(&str, &str)],
        words: &[&str],
    ) -> Command {
        let mut run = Command::new(&self.usher);
        run.arg("run").args(more).arg("--agent-socket");
        run.arg(&self.computer.socket).arg("--").args(words);
        run.env_clear()
            .env("HOME", "/nonexistent")
            .env("PATH", "/usr/bin:/bin")
            .envs(environment.iter().copied());
        run.stdout(Stdio::piped()).stderr(Stdio::piped());
        run.uid(uid).gid(uid);
        run
    }

    /// The same, of the solver, which ends at once.
    fn solve(&self, uid: u32, more: &[&str], environment: &[(&str, &str)]) -> std::process::Output {
        let words = [self.solver.to_str().unwrap(), "0"];
        self.run(uid, more, environment, &words).ended()
    }

    /// How often the one lease was joined, once it is as often.
    fn is_joined(&self, times: u64) {
        wait_for("the joins to be told", || {
            let leases = self.computer.running.json(&["leases"]);
            (leases["items"][0]["joined"] == times).then_some(())
        });
    }
}

#[test]
fn a_lease_of_another_computer_starts_nothing_but_for_whom_its_holder_told_its_proof() {
    let Some(site) = Site::new() else {
        return;
    };
    let checkout = [
        "checkout",
        "solver",
        "--user",
        "carl",
        "--computer",
        "node7",
    ];
    let held = site.computer.running.json(&checkout);
    let (lease, proof) = (
        held["id"].as_str().unwrap(),
        held["proof"].as_str().unwrap(),
    );
    let named = ["--product", "solver", "--lease", lease];
    let shown = |proof| [("USHER_LEASE_PROOF", proof)];
    let guesses = [
        (&named[..], &[][..]),
        (&named[..], &shown(WRONG)[..]),
        (&named[..], &shown("")[..]),
        // The agent knows of which product the program is.
        (&named[2..], &[][..]),
    ];
    for (more, environment) in guesses {
        let refused = site.solve(BEN, more, environment);
        assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
        let said = said(&refused);
        assert!(said.contains("USHER_LEASE_PROOF"), "{said}");
    }
    // What only finds a lease in its environment asks for a seat of its own, and is refused.
    for proof in ["", WRONG] {
        let environment = [
            ("USHER_LEASE", lease),
            ("USHER_LEASE_PRODUCT", "solver"),
            ("USHER_LEASE_PROOF", proof),
        ];
        let refused = site.solve(BEN, &[], &environment);
        assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
        assert!(said(&refused).contains("asking for a seat of its own"));
    }
    for (more, environment) in [
        (&named[..], &shown(proof)[..]),
        (&named[2..], &shown(proof)[..]),
        (
            &[&named[..], &["--lease-proof", proof]].concat()[..],
            &[][..],
        ),
        // As mpirun and Slurm pass it on.
        (
            &[][..],
            &[
                ("USHER_LEASE", lease),
                ("USHER_LEASE_PRODUCT", "solver"),
                ("USHER_LEASE_PROOF", proof),
            ][..],
        ),
    ] {
        let joined = site.solve(BEN, more, environment);
        assert!(joined.status.success(), "{more:?}: {}", said(&joined));
        assert!(!said(&joined).contains("usher:"), "{}", said(&joined));
    }
    assert_eq!(site.computer.status()["in_use"], 1);
    site.is_joined(4);
    let why = site.computer.running.ok(&["why", lease]);
    assert!(why.contains("The lease was joined 4 times"), "{why}");
}

#[test]
fn of_two_accounts_of_a_computer_only_the_holder_joins_without_the_proof() {
    let Some(site) = Site::new() else {
        return;
    };
    let folder = Folder::new();
    let go = folder.path("go");
    let script = format!(
        "echo $USHER_LEASE_PROOF; while [ ! -e {} ]; do sleep 0.01; done",
        go.display()
    );
    let words = ["sh", "-c", &script];
    let mut holds = site.run(ANNA, &["--product", "solver"], &[], &words);
    let holder = holds.spawn().unwrap();
    let lease = wait_for("her lease", || {
        let leases = site.computer.running.json(&["leases"]);
        leases["items"][0]["id"].as_str().map(str::to_owned)
    });
    let named = ["--lease", &*lease];
    let own = site.solve(ANNA, &named, &[]);
    assert!(own.status.success(), "{}", said(&own));
    // While her covers stand, too.
    for proof in ["", WRONG] {
        let refused = site.solve(BEN, &named, &[("USHER_LEASE_PROOF", proof)]);
        assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    }
    site.is_joined(1);
    fs::write(&go, "").unwrap();
    let holder = finish(holder);
    let proof = stdout(&holder);
    assert_eq!(proof.trim().len(), 32, "{}", said(&holder));
    // With her lease, its proof has ended.
    let late = site.solve(BEN, &named, &[("USHER_LEASE_PROOF", proof.trim())]);
    assert_eq!(late.status.code(), Some(77), "{}", said(&late));
}
