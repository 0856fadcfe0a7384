//! Which program is it? Renamed, linked, moved, replaced, deleted, oddly named, in namespaces.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::support::*;

/// An agent that knows one product by `rule`, and its server.
fn tracking(folder: &Path, rule: &str) -> (Server, Agent) {
    let server = Server::with(&[("app", 9, &[rule])]);
    let agent = Agent::start(&server, folder);
    (server, agent)
}

#[test]
fn a_file_named_by_path_is_that_file_wherever_it_is_moved_or_linked() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join("opt").join(own("path")));
    let (server, _agent) = tracking(folder.path(), &format!("path={}", program.display()));
    let linked = folder.path().join("linked");
    std::fs::hard_link(&program, &linked).unwrap();
    run(Command::new(&linked).arg("0.2"));
    server.finished("app", 1);
    let moved = folder.path().join("moved");
    std::fs::rename(&program, &moved).unwrap();
    run(Command::new(&moved).arg("0.2"));
    let sessions = server.finished("app", 2);
    assert_eq!(sessions[1]["program"], "moved");
}

#[test]
fn a_copy_is_known_by_its_hash_but_not_by_the_path_of_the_original() {
    if !privileged() {
        return;
    }
    use sha2::{Digest, Sha256};
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read("/bin/sleep").unwrap();
    bytes.extend_from_slice(b"made unlike any other for this test");
    let digest = Sha256::digest(&bytes);
    let hash: String = data_encoding::HEXLOWER.encode(&digest);
    let original = folder.path().join(own("original"));
    let copy = folder.path().join(own("copy"));
    std::fs::write(&original, &bytes).unwrap();
    std::fs::write(&copy, &bytes).unwrap();
    make_executable(&original);
    make_executable(&copy);
    let by_hash = format!("sha256={hash}");
    let by_path = format!("path={}", original.display());
    let server = Server::with(&[("hashed", 9, &[&by_hash]), ("placed", 9, &[&by_path])]);
    let _agent = Agent::start(&server, folder.path());
    run(Command::new(&copy).arg("0.2"));
    run(Command::new(&original).arg("0.2"));
    server.finished("hashed", 1);
    server.finished("placed", 1);
    assert_eq!(server.book().finished("hashed").len(), 1);
}

#[test]
fn a_program_that_is_replaced_while_it_runs_stays_what_it_was() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join(own("replaced")));
    let (server, _agent) = tracking(folder.path(), &named("replaced"));
    let running = Running::lasting(&program);
    server.seated(1);
    let new = folder.path().join("new");
    std::fs::copy("/bin/true", &new).unwrap();
    std::fs::rename(&new, &program).unwrap();
    run(&mut Command::new(&program));
    running.end();
    let sessions = server.finished("app", 1);
    assert_eq!(sessions.len(), 1, "the new file is the same product in use");
}

#[test]
fn a_deleted_program_is_known_by_the_name_it_had() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join(own("deleted")));
    let server = Server::with(&[]);
    let running = Running::lasting(&program);
    std::fs::remove_file(&program).unwrap();
    let agent = Agent::start(&server, folder.path());
    server.set_products(&[("app", 1, &[&*named("deleted")])]);
    agent.refresh();
    server.seated(1);
    running.end();
    assert_eq!(server.finished("app", 1)[0]["program"], own("deleted"));
}

#[test]
fn a_file_that_is_really_called_deleted_keeps_its_name() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join(own("odd (deleted)")));
    let (server, _agent) = tracking(folder.path(), &named("odd (deleted)"));
    run(Command::new(&program).arg("0.2"));
    server.finished("app", 1);
}

#[test]
fn names_with_spaces_newlines_and_no_utf8_are_matched_and_shown() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let odd = [own("odd \n").as_bytes(), b"\xff) 1 2"].concat();
    let program = sleeper(&folder.path().join(OsStr::from_bytes(&odd)));
    let (server, _agent) = tracking(folder.path(), &named("odd *1 2"));
    run(Command::new(&program).arg("0.2"));
    let name = server.finished("app", 1)[0]["program"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(name, own("odd \u{fffd}\u{fffd}) 1 2"));
}

#[test]
fn a_program_in_memory_is_not_what_it_calls_itself_but_what_its_hash_says() {
    if !privileged() {
        return;
    }
    use sha2::{Digest, Sha256};
    use std::io::Write;
    use std::os::fd::AsRawFd;
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read("/bin/sleep").unwrap();
    bytes.extend_from_slice(b"in memory only");
    let digest = Sha256::digest(&bytes);
    let hash: String = data_encoding::HEXLOWER.encode(&digest);
    let rule = format!("sha256={hash}");
    let server = Server::with(&[("named", 9, &[&*named("memory")]), ("hashed", 9, &[&rule])]);
    let _agent = Agent::start(&server, folder.path());
    // Not closed on exec: the child opens it by its number.
    let flags = rustix::fs::MemfdFlags::empty();
    let memory = rustix::fs::memfd_create(own("memory"), flags).unwrap();
    let mut memory = std::fs::File::from(memory);
    memory.write_all(&bytes).unwrap();
    let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
    let read_only = std::fs::File::open(&path).unwrap();
    drop(memory);
    let path = format!("/proc/{}/fd/{}", std::process::id(), read_only.as_raw_fd());
    run(Command::new(path).arg("0.05"));
    let session = &server.finished("hashed", 1)[0];
    assert_eq!(session["program"], format!("memfd:{}", own("memory")));
    assert!(server.book().finished("named").is_empty());
}

#[test]
fn a_script_is_known_by_its_own_name_however_it_is_started() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join(own("script"));
    let (server, _agent) = tracking(folder.path(), &named("script"));
    for line in ["#!/bin/sh", "#!/bin/sh -e", "#!/usr/bin/env sh"] {
        let before = server.book().finished("app").len();
        std::fs::write(&script, format!("{line}\nsleep 0.05\n")).unwrap();
        make_executable(&script);
        run(&mut Command::new(&script));
        server.finished("app", before + 1);
    }
    run(Command::new("sh")
        .arg(own("script"))
        .current_dir(folder.path()));
    server.finished("app", 4);
}

#[test]
fn arguments_alone_make_no_program() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join(own("claimed"));
    std::fs::write(&script, "#!/usr/bin/perl\n").unwrap();
    make_executable(&script);
    let witness = sleeper(&folder.path().join(own("witness")));
    let server = Server::with(&[
        ("app", 9, &[&*named("claimed")]),
        ("witness", 9, &[&*named("witness")]),
    ]);
    let _agent = Agent::start(&server, folder.path());
    // A shell that is given the path of a Perl script, and one that has it as a mere argument.
    let _ = Command::new("/bin/sh").arg(&script).status().unwrap();
    run(Command::new("/bin/sh")
        .args(["-c", "sleep 0.02"])
        .arg(&script));
    run(Command::new("/bin/sleep").arg("0.2").env("_", &script));
    run(Command::new(&witness).arg("0.2"));
    server.finished("witness", 1);
    assert!(server.book().finished("app").is_empty());
}

#[test]
fn what_the_loader_is_told_to_run_is_the_program() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join(own("loaded")));
    let (server, _agent) = tracking(folder.path(), &named("loaded"));
    let loader = std::fs::canonicalize("/lib64/ld-linux-x86-64.so.2").unwrap();
    run(Command::new(&loader)
        .args(["--library-path", "/lib"])
        .arg(&program)
        .arg("0.05"));
    run(Command::new(&loader)
        .arg(format!("./{}", own("loaded")))
        .arg("0.05")
        .current_dir(folder.path()));
    let sessions = server.finished("app", 2);
    assert_eq!(sessions[0]["program"], own("loaded"));
}

#[test]
fn a_packaged_program_has_its_packages_version() {
    if !privileged() || !Path::new("/var/lib/dpkg/status").exists() {
        eprintln!("skipped: no dpkg here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Perl is a program of its own package; nothing else here starts it with this rule's version.
    let (server, _agent) = tracking(folder.path(), "package=perl-base,version=5");
    run(Command::new("/usr/bin/perl").args(["-e", "select(undef,undef,undef,0.05)"]));
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["program"], "perl");
    assert!(
        session["version"].as_str().unwrap().starts_with("5."),
        "{session}"
    );
}

#[test]
fn programs_in_mount_pid_and_user_namespaces_are_seen() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join(own("namespace")));
    let (server, _agent) = tracking(folder.path(), &named("namespace"));
    let cases: [&[&str]; 3] = [&["-m"], &["-p", "-f", "--mount-proc"], &["-U", "-r"]];
    for (done, flags) in cases.into_iter().enumerate() {
        let possible = Command::new("unshare")
            .args(flags)
            .arg("/bin/true")
            .status();
        if !possible.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no unshare {flags:?} here");
            return;
        }
        run(Command::new("unshare")
            .args(flags)
            .arg(&program)
            .arg("0.05"));
        let sessions = server.finished("app", done + 1);
        assert_eq!(sessions[done]["subject"]["id"], "0", "{flags:?}");
    }
}

#[test]
fn a_program_in_a_chroot_is_known_by_its_path_there_and_by_its_path_here() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("root");
    let inside = format!("/opt/{}/tool", own("chroot"));
    let here = root.join(inside.trim_start_matches('/'));
    std::fs::create_dir_all(here.parent().unwrap()).unwrap();
    std::fs::create_dir(root.join("usr")).unwrap();
    for name in ["lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
    sleeper(&here);
    let script = "mount --bind /usr \"$1/usr\" && exec chroot \"$1\" \"$2\" 0.2";
    let starts = || {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, "sh"]);
        command.arg(&root).arg(&inside).status()
    };
    if !starts().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no chroot with this computer's /usr here");
        return;
    }
    for (number, path) in [inside.clone(), here.display().to_string()]
        .iter()
        .enumerate()
    {
        let data = folder.path().join(number.to_string());
        std::fs::create_dir(&data).unwrap();
        let (server, _agent) = tracking(&data, &format!("path={path}"));
        assert!(starts().unwrap().success());
        let sessions = server.finished("app", 1);
        assert_eq!(sessions[0]["program"], "tool", "{path}");
    }
}

#[test]
fn a_link_that_was_nobodys_is_a_products_once_the_file_is_known_by_a_path() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = sleeper(&folder.path().join("opt").join(own("inside")));
    let link = folder.path().join(own("outside"));
    std::fs::hard_link(&program, &link).unwrap();
    let rule = format!("path={}/opt/**", folder.path().display());
    let (server, agent) = tracking(folder.path(), &rule);
    for _ in 0..3 {
        run(Command::new(&link).arg("0.2"));
    }
    wait_for("the link's starts to be counted", || {
        (server.book().starts(&own("outside")) == 3).then_some(())
    });
    run(Command::new(&program).arg("0.2"));
    server.finished("app", 1);
    run(Command::new(&link).arg("0.2"));
    let sessions = server.finished("app", 2);
    assert_eq!(sessions[1]["program"], own("outside"));
    drop(agent);
}
