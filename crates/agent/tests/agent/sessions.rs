//! Programs run, sessions are told: who, what, how long, with which seat.

use std::process::Command;
use std::time::Duration;

use crate::support::*;

#[test]
fn a_program_is_a_session_with_a_seat_from_its_start_to_its_end() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("one")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("one")));
    let running = Running::lasting(&program);
    server.seated(1);
    wait_for("its lease at the agent", || {
        (agent.status().leases.len() == 1).then_some(())
    });
    // tidy: sleep, a session of more than a second is what is measured
    std::thread::sleep(Duration::from_millis(1100));
    running.end();
    let session = &server.finished("app", 1)[0];
    server.seated(0);
    assert_eq!(session["program"], own("one"));
    assert_eq!(session["lease"], "L1");
    assert_eq!(session["subject"]["name"], "root");
    let lasted = milliseconds(session, "ended_at") - milliseconds(session, "started_at");
    assert!((1000..10_000).contains(&lasted), "{lasted} ms");
    assert_eq!(session["duration_seconds"], lasted / 1000);
    assert_eq!(server.book().count("checkout"), 1);
    assert_eq!(server.book().count("checkin"), 1);
}

#[test]
fn a_program_without_a_free_seat_runs_on_unseated() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 0, &[&*named("unseated")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("unseated")));
    let mut running = Running::lasting(&program);
    wait_for("an unseated session", || {
        (server.book().unseated.len() == 1).then_some(())
    });
    assert!(running.0.try_wait().unwrap().is_none());
    running.end();
    let session = &server.finished("app", 1)[0];
    assert!(session.get("lease").is_none_or(serde_json::Value::is_null));
}

#[test]
fn a_program_that_lives_a_millisecond_is_seen_whole() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("short")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("short")));
    for _ in 0..20 {
        run(Command::new(&program).arg("0.001"));
    }
    let told = || server.book().finished("app").len();
    // On a computer that has far more to do than it can, some may be gone before the look.
    wait_for("twenty sessions, or a word on each of the rest", || {
        (told() == 20 || accounts_for(&agent, 20 - told() as u64)).then_some(())
    });
}

#[test]
fn a_script_that_starts_a_loader_that_starts_the_program_is_one_session() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let opt = folder.path().join("suite");
    let rule = format!("path={}/**", opt.display());
    let server = Server::with(&[("suite", 5, &[rule.as_str()])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&opt.join("bin/main"));
    let loader = std::fs::canonicalize("/lib64/ld-linux-x86-64.so.2").unwrap();
    let launcher = opt.join("launch");
    let script = format!(
        "#!/bin/sh\n{} 0.1\n{} {} 0.2 &\n{} {} 0.2\nwait\n",
        program.display(),
        loader.display(),
        program.display(),
        loader.display(),
        program.display()
    );
    std::fs::write(&launcher, script).unwrap();
    make_executable(&launcher);
    run(&mut Command::new(&launcher));
    let sessions = server.finished("suite", 1);
    server.seated(0);
    assert_eq!(sessions[0]["program"], "launch");
    assert_eq!(server.book().finished("suite").len(), 1);
    assert!(server.book().count("checkout") <= 1);
}

#[test]
fn exec_into_another_image_goes_on_with_the_session() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let launcher = folder.path().join(own("launcher"));
    let rule = format!("path={}", launcher.display());
    let server = Server::with(&[("app", 1, &[rule.as_str()])]);
    let _agent = Agent::start(&server, folder.path());
    std::fs::write(&launcher, "#!/bin/sh\nexec /bin/sleep 0.5\n").unwrap();
    make_executable(&launcher);
    run(&mut Command::new(&launcher));
    let session = &server.finished("app", 1)[0];
    let lasted = milliseconds(session, "ended_at") - milliseconds(session, "started_at");
    assert!(
        lasted >= 400,
        "it ended with the launcher, after {lasted} ms"
    );
}

#[test]
fn helpers_take_no_seat_and_are_counted() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[(
        "app",
        5,
        &[
            &*named("main"),
            &*format!("{},role=helper", named("helper")),
        ],
    )]);
    let _agent = Agent::start(&server, folder.path());
    let main = sleeper(&folder.path().join(own("main")));
    let helper = sleeper(&folder.path().join(own("helper")));
    let helping = Running::lasting(&helper);
    run(Command::new(&main).arg("0.05"));
    server.finished("app", 1);
    assert_eq!(server.book().finished("app").len(), 1);
    let (asked, given_back) = {
        let book = server.book();
        (book.count("checkout"), book.count("checkin"))
    };
    assert_eq!(asked, given_back);
    wait_for("the helper to be counted", || {
        (server.book().starts(&own("helper")) == 1).then_some(())
    });
    helping.end();
}

#[test]
fn users_are_counted_apart_and_a_change_of_account_is_recorded() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 5, &[&*named("users")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("users")));
    let one = Running::lasting(&program);
    let other = Running::lasting_as(&program, 1234);
    server.seated(2);
    one.end();
    other.end();
    let sessions = server.finished("app", 2);
    let mut ids: Vec<&str> = sessions
        .iter()
        .map(|s| s["subject"]["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["0", "1234"]);
    let computer = server.book().computers[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        sessions[0]["subject"]["authority"],
        format!("computer:{computer}")
    );
}

#[test]
fn the_login_uid_is_counted_where_it_is_set() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 5, &[&*named("login")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("login")));
    // As sshd sets it for a login of 1234, and sudo leaves it.
    let script = format!(
        "echo 1234 > /proc/self/loginuid && exec {} 0.1",
        program.display()
    );
    let set = Command::new("/bin/sh")
        .args(["-c", &script])
        .status()
        .unwrap();
    if !set.success() {
        eprintln!("skipped: the login uid cannot be set here");
        return;
    }
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["subject"]["id"], "1234");
    assert_eq!(session["real_subject"]["id"], "0");
}

#[test]
fn su_counts_the_account_that_the_program_runs_as_when_nobody_logged_in() {
    if !privileged() || !there("/usr/bin/su") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 5, &[&*named("su")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("su")));
    let command = format!("{} 0.1", program.display());
    run(Command::new("/usr/bin/su").args(["-s", "/bin/sh", "-c", &command, "nobody"]));
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["subject"]["name"], "nobody");
}

#[test]
fn sudo_counts_who_logged_in_and_records_whom_the_program_runs_as() {
    if !privileged() || !there("/usr/bin/sudo") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 5, &[&*named("sudo")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("sudo")));
    let script = format!(
        "echo 1234 > /proc/self/loginuid && exec /usr/bin/sudo -n -u nobody {} 0.1",
        program.display()
    );
    run(Command::new("/bin/sh").args(["-c", &script]));
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["subject"]["id"], "1234", "{session}");
    assert_eq!(session["real_subject"]["name"], "nobody", "{session}");
}

#[test]
fn a_job_of_cron_is_counted_for_its_account() {
    if !privileged() || !there("/usr/sbin/cron") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 5, &[&*named("cron")])]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("cron")));
    let job = format!("@reboot nobody {} 0.1\n", program.display());
    let table = folder.path().join("job");
    std::fs::write(&table, job).unwrap();
    // A cron of its own: it sees this one job and nothing of the computer's. As it begins with an
    // empty /run, it takes this for a boot.
    let script = format!(
        "mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron && \
         mount -t tmpfs none /etc/cron.d && mkdir /var/spool/cron/crontabs && \
         cp {} /etc/cron.d/job && mount --bind /dev/null /etc/crontab && exec /usr/sbin/cron -f",
        table.display()
    );
    let mut cron = Command::new("/usr/bin/unshare");
    cron.args(["--mount", "--kill-child=TERM", "/bin/sh", "-c", &script]);
    let _cron = EndsWithTest::start(&mut cron);
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["subject"]["name"], "nobody", "{session}");
}

#[test]
fn programs_that_run_already_are_taken_over_when_their_product_appears() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[]);
    let program = sleeper(&folder.path().join(own("before")));
    let running = Running::lasting(&program);
    // tidy: sleep, a session of more than a second is what is measured
    std::thread::sleep(Duration::from_millis(1200));
    let agent = Agent::start(&server, folder.path());
    server.set_products(&[("app", 1, &[&*named("before")])]);
    agent.refresh();
    server.seated(1);
    running.end();
    let session = &server.finished("app", 1)[0];
    assert!(
        session["duration_seconds"].as_u64().unwrap() >= 1,
        "{session}"
    );
}

#[test]
fn a_product_that_is_removed_ends_nothing_and_what_runs_is_one_session_to_its_end() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("removed")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("removed")));
    let mut running = Running::lasting(&program);
    server.seated(1);
    server.set_products(&[]);
    agent.refresh();
    // What starts now is of no product.
    run(Command::new(&program).arg("0.01"));
    assert!(running.0.try_wait().unwrap().is_none());
    server.seated(1);
    server.set_products(&[("app", 1, &[&*named("removed")])]);
    agent.refresh();
    server.seated(1);
    running.end();
    server.seated(0);
    assert_eq!(server.finished("app", 1).len(), 1);
}

#[test]
fn programs_of_no_product_are_counted_by_name_without_person_or_path() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[]);
    let _agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("nobodys")));
    for _ in 0..7 {
        run(Command::new(&program).arg("0.01"));
    }
    wait_for("its starts", || {
        (server.book().starts(&own("nobodys")) == 7).then_some(())
    });
    let told = server
        .book()
        .applied
        .iter()
        .map(ToString::to_string)
        .collect::<String>();
    assert!(!told.contains(&format!("/{}", own("nobodys"))));
    assert!(!told.contains("subject"));
}

/// A program of no product, which desktops call by a name, before an agent.
struct BetweenLooks {
    server: Server,
    name: String,
    program: std::path::PathBuf,
    folder: tempfile::TempDir,
}

impl BetweenLooks {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = own("between-looks");
        let program = sleeper(&folder.path().join(&name));
        let entries = folder.path().join("share/applications");
        std::fs::create_dir_all(&entries).unwrap();
        let entry = format!(
            "[Desktop Entry]\nType=Application\nName=Between Looks\nExec={}\n",
            program.display()
        );
        std::fs::write(entries.join("it.desktop"), entry).unwrap();
        BetweenLooks {
            server: Server::with(&[]),
            name,
            program,
            folder,
        }
    }

    /// It is run twice, and told of, for so many seconds at least and no more than it ran.
    fn is_told(&self, watching: Option<usher_api::Watching>, at_least: u64) {
        let _agent = Agent::start_with(&self.server, self.folder.path(), watching);
        let began = std::time::Instant::now();
        for _ in 0..2 {
            run(Command::new(&self.program).arg("2.2"));
        }
        let ran = began.elapsed();
        let seconds = wait_for("its starts, its time and its name", || {
            let book = self.server.book();
            let mut told = book.told(&self.name);
            let is_named = told.any(|count| count["desktop_name"] == "Between Looks");
            let seconds = book.run_seconds(&self.name);
            let is_told = book.starts(&self.name) == 2 && seconds >= at_least;
            (is_named && is_told).then_some(seconds)
        });
        assert!(seconds <= ran.as_secs(), "{seconds} s of {ran:?}");
    }
}

#[test]
fn a_program_of_no_product_is_told_with_its_time_and_name_also_between_two_looks() {
    if !privileged() {
        return;
    }
    // The first start is told of, the second may be counted by the kernel.
    BetweenLooks::new().is_told(crate::WATCHING, 4);
}

#[test]
fn without_kernel_events_the_time_of_a_program_of_no_product_is_told_to_the_second() {
    BetweenLooks::new().is_told(Some(usher_api::Watching::Polling), 2);
}

#[test]
fn without_kernel_events_programs_are_still_found_and_it_is_said_what_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(&[("app", 1, &[&*named("polled")])]);
    let agent = Agent::start_with(&server, folder.path(), Some(usher_api::Watching::Polling));
    let program = sleeper(&folder.path().join(own("polled")));
    let running = Running::lasting(&program);
    server.seated(1);
    running.end();
    server.finished("app", 1);
    let status = agent.status();
    assert_eq!(status.watching, usher_api::Watching::Polling);
    assert!(
        status
            .can_miss
            .iter()
            .any(|words| words.contains("between two looks"))
    );
}

#[test]
fn a_process_whose_first_thread_ends_early_is_in_use_until_its_last_thread_ends() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join(own("threads"));
    let rule = format!("path={}", script.display());
    let server = Server::with(&[("app", 1, &[rule.as_str()])]);
    let _agent = Agent::start(&server, folder.path());
    let python = "#!/usr/bin/python3\nimport threading, time, ctypes\n\
                  threading.Thread(target=lambda: time.sleep(0.6)).start()\n\
                  ctypes.CDLL(None).pthread_exit(None)\n";
    std::fs::write(&script, python).unwrap();
    make_executable(&script);
    if !Command::new(&script)
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: no Python that ends its first thread");
        return;
    }
    let session = &server.finished("app", 1)[0];
    let lasted = milliseconds(session, "ended_at") - milliseconds(session, "started_at");
    assert!(
        lasted >= 500,
        "it ended with its first thread, after {lasted} ms"
    );
}
