//! The agent as `usher service install agent` installs it, with no more rights than its unit leaves
//! it, holds starts like one that may do everything: on a systemd of the test's own, and on file
//! systems of the test's own only.

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use usher_testing::control::Control;

use crate::gated::{ANNA, BEN};
use crate::installed::Installed;
use crate::support::{Ended, said, signal, stdout, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

const UNIT: &str = "usher-agent.service";
/// The file systems on which starts are held, in the box; the second is mounted later.
const PLACE: &str = "/run/place";
const LATER: &str = "/run/later";
/// No agent of these tests lives longer.
const ENDED_AFTER: Duration = Duration::from_secs(90);

/// A server and an agent, both installed, and one seat of `solver`, whose starts are held.
struct Held(Installed);

impl Drop for Held {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.journal());
        }
    }
}

impl Held {
    /// None, with a line that says so, if this may not be done.
    fn new() -> Option<Held> {
        let held = Held::installed("")?;
        held.is_gated(PLACE);
        Some(held)
    }

    /// The same with `more` in a drop-in of its unit, whether starts are held then or not.
    fn installed(more: &str) -> Option<Held> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: the gate needs root");
            return None;
        }
        let held = Held(Installed::new(|_| ()));
        held.place(PLACE);
        held.exec(&["mkdir", LATER]);
        held.install_agent(more);
        held.seats();
        Some(held)
    }

    fn exec(&self, words: &[&str]) -> String {
        let output = self.0.systemd.exec(words);
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        stdout(&output).trim().to_owned()
    }

    /// A file system in memory with a program on it.
    fn place(&self, at: &str) {
        let make = format!(
            "mkdir -p {at} && mount -t tmpfs -o mode=755 place {at} && cp /bin/sleep {at}/solver"
        );
        self.exec(&["sh", "-c", &make]);
    }

    fn install_agent(&self, more: &str) {
        let systemd = &self.0.systemd;
        let (units, data) = (systemd.units(), "/var/lib/usher-agent");
        let units = units.to_str().unwrap();
        let install = [PROGRAM, "service", "install", "agent", "--unit-dir", units];
        self.exec(&[&install[..], &["--server", &self.0.api]].concat());
        // Before its first start: it holds none on this computer's own file systems.
        let settings = systemd.path("usher.toml");
        let only = format!("gate-only = [\"{PLACE}\", \"{LATER}\"]\n");
        fs::write(&settings, only).unwrap();
        let drop_in = systemd.units().join(format!("{UNIT}.d"));
        fs::create_dir(&drop_in).unwrap();
        let setting = format!(
            "[Service]\nEnvironment=USHER_CONFIG={}\nStandardError=append:{}\n{more}\n",
            settings.display(),
            systemd.path("agent-log").display()
        );
        fs::write(drop_in.join("test.conf"), setting).unwrap();
        systemd.reload();
        let id = self.exec(&[PROGRAM, "agent", "--print-computer-id", "--data", data]);
        let token = self
            .0
            .json(&["token", "create", "--role", "agent", "--computer", &id]);
        let token = token["token"].as_str().unwrap();
        fs::write(systemd.inside(data).join("agent/agent.token"), token).unwrap();
        self.exec(&[PROGRAM, "service", "start", "agent"]);
        let agent = self.pid_of("usher");
        std::thread::spawn(move || {
            // tidy: sleep, the killer strikes when its time has come
            std::thread::sleep(ENDED_AFTER);
            signal(agent, Signal::SIGKILL);
        });
    }

    fn seats(&self) {
        let rules = [PLACE, LATER].map(|place| format!("path={place}/solver"));
        let add = [
            "product", "add", "solver", "--mode", "enforce", "--seats", "1",
        ];
        let rules = ["--program", &rules[0], "--program", &rules[1]];
        self.0.json(&[&add[..], &rules[..]].concat());
    }

    fn agent_status(&self) -> Value {
        let status = self.exec(&[
            PROGRAM,
            "agent",
            "status",
            "--json",
            "--agent-socket",
            "/run/usher/agent.sock",
        ]);
        serde_json::from_str(&status).unwrap()
    }

    fn is_gated(&self, place: &str) {
        wait_for(&format!("the gate to hold starts on {place}"), || {
            let status = self.agent_status();
            let marks = status["marks"].as_array()?.clone();
            let of_place = marks.iter().find(|mark| mark["path"] == place)?;
            assert!(
                of_place["why_not"].is_null(),
                "{status}\n{}",
                self.journal()
            );
            Some(())
        });
    }

    fn journal(&self) -> String {
        let log = fs::read_to_string(self.0.systemd.path("agent-log"));
        format!("{}{}", self.0.systemd.journal(), log.unwrap_or_default())
    }

    /// The pid, as the tests see it, of the agent, its gate or its guard.
    fn pid_of(&self, name: &str) -> u32 {
        let cgroups = ["system.slice/usher-agent.service", "usher-guard"];
        let inside = self.0.systemd.inside("/sys/fs/cgroup");
        let groups = cgroups.map(|group| inside.join(group).join("cgroup.procs"));
        let mut pids = groups.iter().flat_map(|group| {
            let pids = fs::read_to_string(group).unwrap_or_default();
            pids.lines()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<u32>>()
        });
        let is_it = |pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
        };
        pids.find(is_it)
            .unwrap_or_else(|| panic!("no {name}\n{}", self.journal()))
    }

    /// Starts `solver` as an account, on a terminal of its own, for so many seconds.
    fn start(&self, uid: u32, place: &str, seconds: &str) -> Output {
        let start =
            format!("setpriv --reuid {uid} --regid {uid} --clear-groups {place}/solver {seconds}");
        let on_terminal = [
            "script",
            "--quiet",
            "--return",
            "--command",
            &start,
            "/dev/null",
        ];
        self.0.systemd.command(&on_terminal).ended()
    }

    fn takes_the_seat(&self) {
        let start = format!(
            "setsid setpriv --reuid {ANNA} --regid {ANNA} --clear-groups {PLACE}/solver 80 \
             </dev/null >/dev/null 2>&1 &"
        );
        self.exec(&["sh", "-c", &start]);
        wait_for("the seat to be taken", || {
            let status = self.0.json(&["status"]);
            (status["products"][0]["in_use"] == 1).then_some(())
        });
    }
}

fn is_refused(output: &Output) -> bool {
    !output.status.success() && said(output).contains("Operation not permitted")
}

#[test]
fn who_finds_no_seat_is_refused_and_reads_why_on_his_terminal() {
    let Some(held) = Held::new() else {
        return;
    };
    held.takes_the_seat();
    let second = held.start(BEN, PLACE, "0");
    assert!(is_refused(&second), "{}\n{}", said(&second), held.journal());
    assert!(
        said(&second).contains("usher: solver was not started: "),
        "{}\n{}",
        said(&second),
        held.journal()
    );
    // What is mounted later is held, too.
    held.place(LATER);
    held.is_gated(LATER);
    let second = held.start(BEN, LATER, "0");
    assert!(is_refused(&second), "{}", said(&second));
}

#[test]
fn who_freezes_the_service_freezes_no_start() {
    let Some(held) = Held::new() else {
        return;
    };
    let group = fs::read_to_string(format!("/proc/{}/cgroup", held.pid_of("usher-guard")));
    assert!(group.unwrap().contains("/usher-guard"));
    // What `systemctl freeze` does.
    let group = "/sys/fs/cgroup/system.slice/usher-agent.service/cgroup.freeze";
    let group = held.0.systemd.inside(group);
    let control = Control::begin().unwrap();
    fs::write(&group, "1").unwrap();
    let began = Instant::now();
    let started = held.start(ANNA, PLACE, "0");
    assert!(started.status.success(), "{}", said(&started));
    // What the guard takes to notice, and two starts more in the box.
    let (waited, bound) = (began.elapsed(), control.bound(Duration::from_millis(400)));
    assert!(
        waited < bound + Duration::from_secs(2),
        "{waited:?} of {bound:?}"
    );
    fs::write(&group, "0").unwrap();
    held.is_gated(PLACE);
}

impl Held {
    /// What `usher doctor` finds of the gate.
    fn diagnosis(&self) -> Value {
        let doctor = [PROGRAM, "doctor", "--json", "--agent-socket"];
        let output = self
            .0
            .systemd
            .exec(&[&doctor[..], &["/run/usher/agent.sock"]].concat());
        let findings: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let mut findings = findings.as_array().unwrap().iter();
        let of_gate = findings.find(|finding| finding["what"] == "gate");
        of_gate
            .unwrap_or_else(|| panic!("{}", said(&output)))
            .clone()
    }

    fn tells(&self, what: impl Fn(&Value) -> bool) -> Value {
        wait_for("the agent to tell of its gate", || {
            let gate = self.agent_status()["gate"].clone();
            what(&gate).then_some(gate)
        })
    }
}

#[test]
fn how_the_gate_is_is_told() {
    let Some(held) = Held::new() else {
        return;
    };
    let gate = held.tells(|gate| gate["serving"] == true && gate["file_systems"] != 0);
    assert_eq!(gate["guard_stands_apart"], true, "{gate}");
    assert_eq!(held.diagnosis()["verdict"], "ok");
}

#[test]
fn a_gate_that_lacks_its_rights_is_told_here_and_on_the_server() {
    let Some(held) = Held::installed("CapabilityBoundingSet=~CAP_IPC_LOCK") else {
        return;
    };
    let gate = held.tells(|gate| gate["why_not"].is_string());
    assert_eq!(gate["serving"], false, "{gate}");
    assert!(gate["why_not"].as_str().unwrap().contains("CAP_IPC_LOCK"));
    let found = held.diagnosis();
    assert_eq!(found["verdict"], "fail", "{found}");
    wait_for("the server to hear of it", || {
        let status = held.0.json(&["status"]);
        let why = status["computers"][0]["enforcement_off"].as_str()?;
        why.starts_with("no gate serves: ").then_some(())
    });
}

#[test]
fn a_guard_that_could_not_leave_its_group_is_told_with_what_to_do() {
    let Some(held) = Held::installed("ProtectControlGroups=yes") else {
        return;
    };
    held.is_gated(PLACE);
    let gate = held.tells(|gate| gate["serving"] == true);
    assert_eq!(gate["guard_stands_apart"], false, "{gate}");
    let found = held.diagnosis();
    assert_eq!(found["verdict"], "warn", "{found}");
    assert!(found["next"].as_str().unwrap().contains("/sys/fs/cgroup"));
}

#[test]
fn gate_and_guard_have_their_memory_locked_and_go_first() {
    let Some(held) = Held::new() else {
        return;
    };
    for name in ["usher-gate", "usher-guard"] {
        let pid = held.pid_of(name);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
        let locked = locked.unwrap().trim().trim_end_matches(" kB");
        assert!(locked.parse::<u64>().unwrap() > 1_000, "{name}: {status}");
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let behind_name = stat.rsplit_once(") ").unwrap().1;
        // proc(5): policy is field 41 of all, the first behind the name is field 3.
        let policy = behind_name.split(' ').nth(41 - 3).unwrap();
        assert_eq!(policy, nix::libc::SCHED_FIFO.to_string(), "{name}");
    }
}

#[test]
fn a_refused_user_at_a_console_can_be_told_by_what_the_unit_leaves_the_agent() {
    let console = "/dev/tty1";
    if fs::OpenOptions::new().write(true).open(console).is_err() {
        eprintln!("skipped: there is no console here");
        return;
    }
    let systemd = SystemdBox::start();
    let units = systemd.units();
    let install = [PROGRAM, "service", "install", "agent", "--unit-dir"];
    let installed = systemd.exec(&[&install[..], &[units.to_str().unwrap()]].concat());
    assert!(installed.status.success(), "{}", said(&installed));
    // The same rights for somebody who only opens a console, on a systemd whose ProtectClock= means
    // this, as it does on most computers.
    let unit = fs::read_to_string(units.join(UNIT)).unwrap();
    let (before, _) = unit.split_once("Type=notify").unwrap();
    let rights = unit.split_once("RestartPreventExitStatus=2").unwrap().1;
    let open = format!("Type=oneshot\nExecStart=sh -c ': >> {console}'\nDeviceAllow=char-rtc r\n");
    systemd.write_unit("console.service", &format!("{before}{open}{rights}"));
    systemd.ok(&["start", "console.service"]);
}
