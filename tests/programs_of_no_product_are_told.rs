//! A program that no product's rule names is told of as people know it: for how long it ran, and
//! what desktops call it, also if it starts and ends between two looks of the agent.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Folder, Running, usher, wait_within};

/// Agents look once a minute which programs run: what runs at two looks is told of soon after.
const TWO_LOOKS: Duration = Duration::from_secs(180);

#[test]
fn a_program_that_starts_and_ends_between_two_looks_is_listed_with_its_time_and_name() {
    let folder = Folder::new();
    let program = folder.path(&format!("sketching-{}", std::process::id()));
    fs::copy("/bin/sleep", &program).unwrap();
    fs::create_dir_all(folder.path("share/applications")).unwrap();
    let entry = format!(
        "[Desktop Entry]\nType=Application\nName=Sketching\nExec=\"{}\" %F\n",
        program.display()
    );
    fs::write(folder.path("share/applications/sketching.desktop"), entry).unwrap();
    let mut up = usher();
    up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
        .arg("--agent-socket")
        .arg(folder.path("agent.sock"))
        .env("XDG_DATA_DIRS", folder.path("share"));
    let running = Running::start(&mut up, &folder.path("data"));
    let ended = Command::new(&program).arg("3").status().unwrap();
    assert!(ended.success());
    let name = program.file_name().unwrap().to_str().unwrap();
    let found = wait_within(Duration::from_secs(60), "the program to be told of", || {
        let programs = running.json(&["usage", "programs", "--limit", "0"]);
        let mut programs = programs["items"].as_array().unwrap().iter();
        let found = programs.find(|it| it["program"] == name);
        found.filter(|it| it["run_seconds"] != 0).cloned()
    });
    assert_eq!(found["starts"], 1, "{found}");
    assert!(found["run_seconds"].as_u64() >= Some(2), "{found}");
    assert_eq!(found["desktop_name"], "Sketching", "{found}");
}

#[test]
fn a_program_that_runs_for_a_minute_is_listed_with_its_time_and_the_name_of_its_desktop_entry() {
    let folder = Folder::new();
    let program = folder.path(&format!("drawing-{}", std::process::id()));
    fs::copy("/bin/sleep", &program).unwrap();
    fs::create_dir_all(folder.path("share/applications")).unwrap();
    let entry = format!(
        "[Desktop Entry]\nType=Application\nName=Technical Drawing\nExec=\"{}\" %F\n",
        program.display()
    );
    fs::write(folder.path("share/applications/drawing.desktop"), entry).unwrap();
    let mut draws = Command::new(&program)
        .arg("600")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut up = usher();
    up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
        .arg("--agent-socket")
        .arg(folder.path("agent.sock"))
        .env("XDG_DATA_DIRS", folder.path("share"));
    let running = Running::start(&mut up, &folder.path("data"));
    let name = program.file_name().unwrap().to_str().unwrap();
    let found = wait_within(TWO_LOOKS, "the program to be told of", || {
        let programs = running.json(&["usage", "programs", "--limit", "0"]);
        let mut programs = programs["items"].as_array().unwrap().iter();
        let found = programs.find(|it| it["program"] == name);
        found.filter(|it| it["run_seconds"] != 0).cloned()
    });
    draws.kill().unwrap();
    draws.wait().unwrap();
    let seconds = found["run_seconds"].as_u64().unwrap();
    assert!((30..=180).contains(&seconds), "{found}");
    assert_eq!(found["desktop_name"], "Technical Drawing", "{found}");
    assert_eq!(found["computers"], 1, "{found}");
    let table = running.ok(&["usage", "programs", "--limit", "0"]);
    let row = table.lines().find(|line| line.contains(name)).unwrap();
    assert!(row.contains("Technical Drawing"), "{table}");
}
