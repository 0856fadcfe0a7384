//! A program that no product's rule names is told of as people know it: for how long it ran, and
//! what desktops call it, also if it starts and ends between two looks of the agent.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Folder, Running, usher, wait_within};

/// Agents look once a minute which programs run: what runs at two looks is told of soon after.
const TWO_LOOKS: Duration = Duration::from_secs(180);

/// A program that desktops call by a name.
struct Known {
    folder: Folder,
    program: PathBuf,
}

impl Known {
    fn as_on_desktops(file: &str, name: &str) -> Known {
        let folder = Folder::new();
        let program = folder.path(&format!("{file}-{}", std::process::id()));
        fs::copy("/bin/sleep", &program).unwrap();
        fs::create_dir_all(folder.path("share/applications")).unwrap();
        let entry = format!(
            "[Desktop Entry]\nType=Application\nName={name}\nExec=\"{}\" %F\n",
            program.display()
        );
        fs::write(folder.path("share/applications/known.desktop"), entry).unwrap();
        Known { folder, program }
    }

    fn name(&self) -> &str {
        self.program.file_name().unwrap().to_str().unwrap()
    }

    /// A server and an agent that know what desktops call it.
    fn up(&self) -> Running {
        let mut up = usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .arg("--agent-socket")
            .arg(self.folder.path("agent.sock"))
            .env("XDG_DATA_DIRS", self.folder.path("share"));
        Running::start(&mut up, &self.folder.path("data"))
    }

    /// What is told of it once it is known to have run for so many seconds.
    fn told(&self, running: &Running, seconds: u64, within: Duration) -> Value {
        wait_within(within, "the program to be told of", || {
            let programs = running.json(&["usage", "programs", "--limit", "0"]);
            let mut programs = programs["items"].as_array().unwrap().iter();
            let found = programs.find(|it| it["program"] == self.name());
            let found = found.filter(|it| it["run_seconds"].as_u64() >= Some(seconds));
            found.cloned()
        })
    }
}

#[test]
fn a_program_that_starts_and_ends_between_two_looks_is_listed_with_its_time_and_name() {
    let known = Known::as_on_desktops("sketching", "Sketching");
    let running = known.up();
    let ended = Command::new(&known.program).arg("3").status().unwrap();
    assert!(ended.success());
    let found = known.told(&running, 2, Duration::from_secs(60));
    assert_eq!(found["starts"], 1, "{found}");
    assert_eq!(found["desktop_name"], "Sketching", "{found}");
}

#[test]
fn a_program_that_runs_for_a_minute_is_listed_with_its_time_and_the_name_of_its_desktop_entry() {
    let known = Known::as_on_desktops("drawing", "Technical Drawing");
    let began = Instant::now();
    let mut draws = Command::new(&known.program)
        .arg("600")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let running = known.up();
    // The first look may come a second or two after the agent's start, and tells of those.
    let found = known.told(&running, 30, TWO_LOOKS);
    draws.kill().unwrap();
    draws.wait().unwrap();
    let seconds = found["run_seconds"].as_u64().unwrap();
    assert!(seconds <= began.elapsed().as_secs() + 1, "{found}");
    assert_eq!(found["desktop_name"], "Technical Drawing", "{found}");
    assert_eq!(found["computers"], 1, "{found}");
    let table = running.ok(&["usage", "programs", "--limit", "0"]);
    let row = table
        .lines()
        .find(|line| line.contains(known.name()))
        .unwrap();
    assert!(row.contains("Technical Drawing"), "{table}");
}
