//! What becomes of those who start an enforced program by another way: caught at the gate, tracked by
//! the agent, which records the session and that it has no seat, or neither (blind). Each test is a
//! row of the table in docs/gate.md, which this prints:
//! `cargo nextest run -p usher-tests a_gate_is_not_evaded --no-capture 2>&1 | grep '^|'`

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gated::{ANNA, BEN, Computer, end};
use crate::http::Http;
use crate::support::{DEADLINE, Ended, said, wait_for, wait_within};

/// What ends a command line whose program has been started.
const SECONDS: &str = "600";
/// What only leads to the start of the program.
const LEADS: &[&str] = &["setpriv", "unshare", "nsenter", "chroot", "python3"];

/// A change of a file is known to the agent by then, also on a busy machine.
const HEARD_WITHIN: Duration = Duration::from_secs(6);
/// So is a start that it sees, if that is not expected.
const KNOWN_WITHIN: Duration = Duration::from_secs(3);

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It failed before the first instruction.
    Caught,
    /// It ran, and is known to run without a seat.
    Tracked,
    /// It ran, and nobody knows.
    Blind,
}
use Outcome::{Blind, Caught, Tracked};

/// What the product's rule says of its program.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Path,
    Name,
    Contents,
    /// The path of a script.
    Script,
}

/// One way to start it. Shells run both commands, as root; `$P` is the place of the programs, and
/// `$BEN` has a command run as Ben, whom no seat is left for.
struct Way {
    /// As the table says it.
    how: &'static str,
    rule: Rule,
    before: &'static str,
    /// Becomes the program, with `600` as its argument.
    start: &'static str,
}

impl Way {
    #[track_caller]
    fn is(&self, expected: Outcome) {
        let Some(computer) = Computer::up() else {
            return;
        };
        // `solver` is the product's, `tool` is nobody's: both are of one size. Agents of other tests
        // see all starts of this computer, and know programs by their contents, too.
        let ours = std::process::id().to_le_bytes();
        for name in ["solver", "tool", "marker"] {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .open(computer.program(name))
                .unwrap();
            file.write_all(&[&ours, &name.as_bytes()[..1]].concat())
                .unwrap();
        }
        fs::rename(computer.program("solver"), computer.place.join(own_name())).unwrap();
        fs::write(computer.place.join("script"), SCRIPT).unwrap();
        let chmod = shell(&computer, "chmod 755 $P/script").ended();
        assert!(chmod.status.success(), "{}", said(&chmod));
        computer.running.ok(&[
            "product",
            "add",
            "marker",
            "--program",
            "name=marker",
            "--seats",
            "9",
        ]);
        enforce(&computer, &self.rule.of(&computer.place));
        computer.is_gated();

        let first = Command::new(self.rule.program(&computer.place))
            .arg(SECONDS)
            .uid(ANNA)
            .gid(ANNA)
            .spawn()
            .unwrap();
        // From here on nobody asks about it.
        let tool = shell(&computer, "exec $BEN $P/tool 0").ended();
        assert!(tool.status.success(), "{}", said(&tool));
        let before = shell(&computer, &named(self.before)).ended();
        assert!(before.status.success(), "{}", said(&before));
        // The agent hears of a change a moment later.
        let until = Instant::now() + HEARD_WITHIN;
        let outcome = loop {
            let start = shell(&computer, &named(self.start)).spawn().unwrap();
            let outcome = outcome(&computer, start, expected);
            if outcome == expected || Instant::now() > until {
                break outcome;
            }
        };
        end(first);

        let rule = self.rule.shown();
        println!(
            "\n| {} | `{rule}` | {} |",
            self.how,
            format!("{outcome:?}").to_lowercase()
        );
        assert_eq!(outcome, expected, "{}", self.how);
    }
}

/// Nothing that it starts is the product's, and it goes on until it is ended.
const SCRIPT: &str = "#!/bin/sh\nwhile :; do sleep 1; done\n";

/// The name of this test's own program: what is called so at another test's agent is of its product.
fn own_name() -> String {
    format!("solver{}", std::process::id())
}

/// A command of a way, with the program's own name.
fn named(command: &str) -> String {
    command.replace("solver", &own_name())
}

impl Rule {
    /// The program that it was made for.
    fn program(self, place: &Path) -> PathBuf {
        match self {
            Rule::Script => place.join("script"),
            _ => place.join(own_name()),
        }
    }

    fn of(self, place: &Path) -> String {
        let program = self.program(place);
        match self {
            Rule::Path | Rule::Script => format!("path={}", program.display()),
            Rule::Name => format!("name={}", own_name()),
            Rule::Contents => {
                let sum = Command::new("sha256sum")
                    .arg(program)
                    .stdout(Stdio::piped())
                    .ended();
                let sum = crate::support::stdout(&sum);
                format!("sha256={}", sum.split_whitespace().next().unwrap())
            }
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Rule::Path | Rule::Script => "path=",
            Rule::Name => "name=",
            Rule::Contents => "sha256=",
        }
    }
}

/// By the API: the command line would look at all programs of this computer first, for their
/// contents too.
fn enforce(computer: &Computer, rule: &str) {
    let token = fs::read_to_string(computer.running.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&computer.running.api, token.trim()).unwrap();
    let body = json!({ "id": "solver", "mode": "enforce", "programs": [rule] });
    let made = http.ask("POST", "/v1/products", Some(&body)).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    computer
        .running
        .ok(&["entitlement", "add", "solver", "--seats", "1"]);
}

fn shell(computer: &Computer, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env("P", &computer.place)
        .env(
            "BEN",
            format!("setpriv --reuid {BEN} --regid {BEN} --clear-groups --"),
        )
        .current_dir(&computer.place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

/// What is expected to be known is waited for, as its contents are read first.
fn outcome(computer: &Computer, mut child: Child, expected: Outcome) -> Outcome {
    let is_caught = wait_for("the start to run or to fail", || {
        if child.try_wait().unwrap().is_some() {
            return Some(true);
        }
        is_started(child.id()).then_some(false)
    });
    if is_caught {
        let mut said = String::new();
        child.stderr.unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("Operation not permitted"), "{said}");
        return Caught;
    }
    // What was started before it is known before it.
    let marker = Command::new(computer.program("marker"))
        .arg(SECONDS)
        .spawn()
        .unwrap();
    // Where contents count, those of all that starts on a busy computer are read before.
    wait_within(3 * DEADLINE, "the marker to be known", || {
        (product(computer, "marker")["in_use"] == 1).then_some(())
    });
    let patience = match expected {
        Tracked => DEADLINE,
        Caught | Blind => KNOWN_WITHIN,
    };
    let is_known = is_within(patience, || product(computer, "solver")["unseated"] == 1);
    end(marker);
    end(child);
    if is_known { Tracked } else { Blind }
}

/// Whether it comes true in that time.
fn is_within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        // tidy: sleep, this is how a condition is waited for
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn is_started(pid: u32) -> bool {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = line.trim_end_matches('\0').split('\0');
    let program = words.next().unwrap_or_default();
    let is_lead = LEADS.iter().any(|lead| program.ends_with(lead));
    !is_lead && words.next_back() == Some(SECONDS)
}

fn product(computer: &Computer, id: &str) -> Value {
    let status = computer.running.json(&["status"]);
    let products = status["products"].as_array().unwrap();
    products
        .iter()
        .find(|product| product["id"] == id)
        .unwrap()
        .clone()
}

macro_rules! ways {
    ($($name:ident: $how:literal, $rule:expr, $before:literal, $start:literal => $outcome:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let way = Way { how: $how, rule: $rule, before: $before, start: $start };
                way.is($outcome);
            }
        )*
    };
}

ways! {
    a_start_of_the_program_itself_is_caught:
        "started as it is", Rule::Path, "", "exec $BEN $P/solver 600" => Caught;
    a_renamed_program_is_caught:
        "renamed", Rule::Path, "mv $P/solver $P/other", "exec $BEN $P/other 600" => Caught;
    a_file_that_is_renamed_to_the_products_name_is_caught:
        "another file, run before, renamed to its name", Rule::Name,
        "mkdir $P/d; mv $P/tool $P/d/solver", "exec $BEN $P/d/solver 600" => Caught;
    a_copy_is_another_file_to_a_rule_of_its_path:
        "copied", Rule::Path, "cp $P/solver $P/copy", "exec $BEN $P/copy 600" => Blind;
    a_copy_of_the_same_name_is_caught_by_its_name:
        "copied, under its own name", Rule::Name,
        "mkdir $P/d; cp $P/solver $P/d", "exec $BEN $P/d/solver 600" => Caught;
    a_copy_is_caught_by_its_contents:
        "copied", Rule::Contents, "cp $P/solver $P/copy", "exec $BEN $P/copy 600" => Caught;
    a_hard_link_is_caught:
        "hard link", Rule::Path, "ln $P/solver $P/link", "exec $BEN $P/link 600" => Caught;
    a_hard_link_that_gives_a_file_the_products_name_is_caught:
        "another file, run before, linked to its name", Rule::Name,
        "mkdir $P/d; ln $P/tool $P/d/solver", "exec $BEN $P/d/solver 600" => Caught;
    a_symbolic_link_is_caught:
        "symbolic link", Rule::Path, "ln -s solver $P/link", "exec $BEN $P/link 600" => Caught;
    a_program_that_is_replaced_while_it_runs_is_caught:
        "replaced while it runs", Rule::Path,
        "mv $P/tool $P/solver", "exec $BEN $P/solver 600" => Caught;
    a_file_that_is_written_over_with_the_program_is_caught:
        "another file, run before, written over with it", Rule::Contents,
        "cat $P/solver > $P/tool", "exec $BEN $P/tool 600" => Caught;
    a_file_that_becomes_the_program_through_a_mapping_is_caught:
        "another file, run before, changed through a shared mapping", Rule::Contents,
        "python3 -c 'import mmap; f = open(\"tool\", \"r+b\"); m = mmap.mmap(f.fileno(), 0); m[-1] = ord(\"s\"); m.close()'",
        "exec $BEN $P/tool 600" => Caught;
    a_user_namespace_does_not_help:
        "user namespace", Rule::Path, "", "exec $BEN unshare -Ur $P/solver 600" => Caught;
    a_mount_namespace_does_not_help:
        "mount namespace, mounted to another path", Rule::Path, "touch $P/other",
        "exec unshare -m sh -c 'mount --bind $P/solver $P/other && exec $BEN $P/other 600'" => Caught;
    a_loader_is_not_held_and_what_it_loads_is_tracked:
        "`ld.so PROGRAM`", Rule::Path, "", "exec $BEN $(ldd tool | grep -o '/[^ ]*ld-linux[^ ]*') $P/solver 600" => Tracked;
    a_program_in_memory_is_tracked_by_its_contents:
        "from a memfd", Rule::Contents, "", "exec python3 -c 'import os; m = os.memfd_create(\"x\"); os.write(m, open(\"solver\", \"rb\").read()); os.setgid(12002); os.setuid(12002); os.execve(m, [\"x\", \"600\"], {})'" => Tracked;
    a_program_in_memory_is_not_known_by_its_path:
        "from a memfd", Rule::Path, "", "exec python3 -c 'import os; m = os.memfd_create(\"x\"); os.write(m, open(\"solver\", \"rb\").read()); os.setgid(12002); os.setuid(12002); os.execve(m, [\"x\", \"600\"], {})'" => Blind;
    a_script_is_caught:
        "a script by its `#!`", Rule::Script, "", "exec $BEN $P/script 600" => Caught;
    a_script_that_an_interpreter_is_given_is_tracked:
        "an interpreter with the script as its argument", Rule::Script, "",
        "exec $BEN sh $P/script 600" => Tracked;
    a_copy_in_another_root_is_caught_by_its_name:
        "in a container: mount namespace, root folder and copy of its own", Rule::Name,
        "for f in $(ldd tool | grep -o '/[^ ]*'); do mkdir -p root$(dirname $f); cp $f root$f; done; cp solver root",
        "exec unshare -m chroot --userspec=12002:12002 $P/root /solver 600" => Caught;
    a_copy_behind_a_pivoted_root_is_caught_by_its_name:
        "in a container with a root of its own by `pivot_root`", Rule::Name,
        "for f in $(ldd tool | grep -o '/[^ ]*'); do mkdir -p root$(dirname $f); cp $f root$f; done; mkdir root/old; cp solver root",
        "exec unshare -m sh -c 'mount --bind root root && cd root && pivot_root . old && exec /old/usr/sbin/chroot --userspec=12002:12002 / /solver 600'" => Caught;
    a_deleted_program_is_caught:
        "deleted, started by `/proc/self/fd`", Rule::Path, "",
        "exec 9< $P/solver; rm $P/solver; exec $BEN /proc/self/fd/9 600" => Caught;
}

#[test]
fn a_file_system_of_another_namespace_is_held_too() {
    let mut holder = None;
    let computer = Computer::holding(|place| {
        let script =
            named("mount -t tmpfs other $P && cp /bin/sleep $P/solver && echo && exec sleep 600");
        let mut started = Command::new("unshare")
            .args(["-m", "sh", "-c", &script])
            .env("P", place)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        started
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut line)
            .unwrap();
        let other = format!("/proc/{}/root{}", started.id(), place.display());
        holder = Some(started);
        PathBuf::from(other)
    });
    let (Some(computer), Some(holder)) = (computer, holder) else {
        return;
    };
    let marker = [
        "product",
        "add",
        "marker",
        "--program",
        "name=marker",
        "--seats",
        "9",
    ];
    computer.running.ok(&marker);
    enforce(&computer, &Rule::Name.of(&computer.place));
    let own = computer.place.join(own_name());
    fs::rename(computer.program("solver"), &own).unwrap();
    let mut first = Command::new(own);
    let first = first.arg(SECONDS).uid(ANNA).gid(ANNA).spawn().unwrap();
    wait_for("the seat to be taken", || {
        (product(&computer, "solver")["in_use"] == 1).then_some(())
    });
    // The mounts of other namespaces are looked at every few seconds: until then starts there are
    // tracked only.
    let start = named("$BEN $P/solver 600");
    let start = format!("exec nsenter -m -t {} {start}", holder.id());
    wait_for("the gate to refuse", || {
        let child = shell(&computer, &start).spawn().unwrap();
        (outcome(&computer, child, Caught) == Caught).then_some(())
    });
    println!("\n| a file system that only another namespace has, 5 s after | `name=` | caught |");
    end(first);
    end(holder);
}
