//! `usher product learn`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::Value;
use usher_testing::windows::{Program, Version};

use crate::support::{Ended, Folder, exists, finish, signal, stderr, stdout, usher, wait_for};

/// A launcher script that starts a helper twice, and a program that runs for a while.
fn product(folder: &Folder) -> PathBuf {
    let start = folder.path("start");
    fs::copy("/bin/sleep", folder.path("main program")).unwrap();
    fs::copy("/bin/true", folder.path("helper")).unwrap();
    let script =
        "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n./helper; ./helper\n'./main program' 0.3\nexit 4\n";
    fs::write(&start, script).unwrap();
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755)).unwrap();
    start
}

fn starts_of(answer: &Value, name: &str) -> u64 {
    let programs = answer["programs"].as_array().unwrap();
    let is_it = |program: &&Value| {
        let file = program
            .get("script")
            .unwrap_or(&program["path"])
            .as_str()
            .unwrap();
        file.ends_with(&format!("/{name}"))
    };
    programs
        .iter()
        .filter(is_it)
        .map(|program| program["starts"].as_u64().unwrap())
        .sum()
}

#[test]
fn every_start_of_the_tree_is_seen_and_rules_are_proposed() {
    let folder = Folder::new();
    let output = usher(&folder)
        .args(["product", "learn", "cad", "--seats", "2", "--json", "--"])
        .arg(product(&folder))
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(starts_of(&answer, "helper"), 2, "{answer}");
    assert_eq!(starts_of(&answer, "main program"), 1);
    assert_eq!(starts_of(&answer, "start"), 1);
    assert_eq!(answer["exit_code"], 4);
    let folder_name = fs::canonicalize(folder.path("")).unwrap();
    let at = |name: &str| format!("path={}/{name}", folder_name.display());
    assert_eq!(
        answer["rules"],
        serde_json::json!([
            at("main program"),
            at("start") + ",role=helper",
            at("helper") + ",role=helper"
        ])
    );
    let command = answer["command"].as_str().unwrap();
    assert!(
        command.contains(&format!("--program '{}'", at("main program"))),
        "{command}"
    );
    assert!(command.ends_with("--seats 2"), "{command}");
}

#[test]
fn where_tracing_is_forbidden_the_tree_is_looked_at_and_that_is_said() {
    let folder = Folder::new();
    // A process has one tracer: the outer run is that of the inner run's command.
    let output = usher(&folder)
        .args([
            "product",
            "learn",
            "outer",
            "--",
            env!("CARGO_BIN_EXE_usher"),
        ])
        .args(["product", "learn", "inner", "--json", "--"])
        .arg(product(&folder))
        .ended();
    let text = stdout(&output);
    let end = text.find("\n}\n").unwrap() + 3;
    let inner: Value = serde_json::from_str(&text[..end]).unwrap();
    assert_eq!(starts_of(&inner, "main program"), 1, "{inner}");
    assert_eq!(inner["exit_code"], 4);
    assert!(
        inner["warnings"]
            .to_string()
            .contains("tracing is not allowed here"),
        "{inner}"
    );
}

#[test]
fn a_signal_reaches_the_command_that_is_watched() {
    let folder = Folder::new();
    let ready = folder.path("ready");
    let script = format!(
        "trap 'exit 5' TERM; touch {}; while :; do sleep 0.01; done",
        ready.display()
    );
    let child = usher(&folder)
        .args(["product", "learn", "x", "--json", "--", "sh", "-c", &script])
        .spawn()
        .unwrap();
    wait_for("the command", || exists(&ready));
    signal(child.id(), Signal::SIGTERM);
    let output = finish(child);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["exit_code"], 5, "{answer}");
}

fn learned(folder: &Folder, words: &[&str]) -> Value {
    let output = usher(folder)
        .args(["product", "learn", "x", "--json", "--"])
        .args(words)
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A copy of a program under another name, by the path that the kernel tells.
fn copied(folder: &Folder, from: &str, name: &str) -> String {
    let file = folder.path(name);
    fs::copy(from, &file).unwrap();
    fs::canonicalize(file).unwrap().display().to_string()
}

/// As Chromium's zygotes do.
#[test]
fn what_starts_itself_by_its_link_in_proc_is_seen_as_itself() {
    let folder = Folder::new();
    let zygote = copied(&folder, "/bin/dash", "zygote");
    let again = "/proc/self/exe -c :; /proc/thread-self/exe -c :; :";
    let answer = learned(&folder, &[&zygote, "-c", again]);
    assert_eq!(starts_of(&answer, "zygote"), 3, "{answer}");
    assert_eq!(answer["programs"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(
        answer["rules"],
        serde_json::json!([format!("path={zygote}")])
    );
}

/// As LibreOffice's launcher does.
#[test]
fn a_launcher_that_stays_until_after_the_end_is_a_helper_of_what_works() {
    let folder = Folder::new();
    let launch = copied(&folder, "/bin/dash", "launch");
    let works = copied(&folder, "/bin/dash", "works");
    let count = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done";
    let script = format!("{works} -c '{count}'; sleep 0.1; :");
    let answer = learned(&folder, &[&launch, "-c", &script]);
    assert_eq!(
        answer["rules"],
        serde_json::json!([
            format!("path={works}"),
            format!("path={launch},role=helper")
        ]),
        "{answer}"
    );
}

#[test]
fn a_program_of_windows_is_proposed_by_its_original_name() {
    let folder = Folder::new();
    let wine = copied(&folder, "/bin/true", "wine64");
    copied(&folder, "/bin/true", "wineserver64");
    let version = Version::english(&[("OriginalFilename", "Solver.exe")]);
    let drive = folder.path("prefix/drive_c");
    fs::create_dir_all(drive.join("Solver")).unwrap();
    fs::create_dir(folder.path("prefix/dosdevices")).unwrap();
    std::os::unix::fs::symlink("../drive_c", folder.path("prefix/dosdevices/c:")).unwrap();
    fs::write(
        drive.join("Solver/solve.exe"),
        Program::of(&version).bytes(),
    )
    .unwrap();
    let none = Version::english(&[("OriginalFilename", "")]);
    fs::write(drive.join("Solver/view.exe"), Program::of(&none).bytes()).unwrap();
    let script = format!(
        "export WINEPREFIX={}; {wine} 'C:\\Solver\\solve.exe' -x; {wine} 'Z:{}'; {wine}server64",
        folder.path("prefix").display(),
        drive.join("Solver/view.exe").display(),
    );
    let answer = learned(
        &folder,
        &["sh", "-c", &script.replace("wine64server", "wineserver")],
    );
    assert_eq!(
        answer["rules"],
        serde_json::json!([
            "path=**/drive_c/Solver/view.exe",
            "original-name=Solver.exe,role=helper"
        ]),
        "{answer}"
    );
}
