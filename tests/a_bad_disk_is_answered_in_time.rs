//! A full disk is a refusal at once, a disk that hangs one within the request's deadline; an idle
//! server notices by itself that its disk is well again, and costs nothing until then.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::a_bad_disk_loses_no_answer::{connect, in_use, inside, product, server_on};
use crate::http::{Answer, Http, checkout};
use crate::support::{Folder, Running, usher, wait_for};

/// A refusal of a disk that answers comes within this time.
const AT_ONCE: Duration = Duration::from_secs(1);

fn asked(http: &mut Http, user: &str) -> Answer {
    http.ask("POST", "/v1/checkouts", Some(&checkout("tool", user)))
        .unwrap()
}

fn is_well(http: &mut Http) -> bool {
    http.ask("GET", "/v1/health", None).unwrap().status == 200
}

/// What a process has used of the processors.
fn used(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // utime and stime, in hundredths of a second.
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|it| it.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn costs_nothing(running: &Running) {
    let (begin, before) = (Instant::now(), used(running.child.id()));
    // tidy: sleep, what it does meanwhile, asked by nobody, is what is measured
    std::thread::sleep(Duration::from_secs(4));
    let (used, passed) = (used(running.child.id()) - before, begin.elapsed());
    assert!(used < passed / 10, "{used:?} of a processor in {passed:?}");
}

#[test]
fn an_idle_server_on_a_full_disk_costs_nothing_and_notices_by_itself_when_there_is_room() {
    let folder = Folder::new();
    let running = server_on(&folder, "mount -t tmpfs -o size=4m tmpfs \"$DIR\"");
    let mut http = connect(&running, &folder);
    product(&mut http, 100_000);
    // The tables hold everything then: what is left to do is what the disk refuses.
    assert_eq!(http.ask("GET", "/v1/leases", None).unwrap().status, 200);
    let ballast = inside(&running, &folder, "ballast");
    drop(std::fs::write(&ballast, vec![1_u8; 8 << 20]));
    wait_for("a refusal", || {
        (asked(&mut http, "ada").status == 503).then_some(())
    });
    let quickest = (0..5).map(|_| {
        let begin = Instant::now();
        let refused = asked(&mut http, "ada");
        assert_eq!(refused.body["code"], "storage_failed", "{refused:?}");
        begin.elapsed()
    });
    assert!(quickest.min().unwrap() < AT_ONCE);
    assert!(!is_well(&mut http));
    costs_nothing(&running);
    std::fs::remove_file(&ballast).unwrap();
    wait_for("health to be well, though nobody asks for anything", || {
        is_well(&mut http).then_some(())
    });
    assert_eq!(asked(&mut http, "ada").status, 201);
}

/// Holds up fdatasync and fsync while a file is there, and fails them while another is.
const HANGS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int fails(void) { const char *f = getenv("FAULT"); errno = EIO; return f && access(f, F_OK) == 0; }
static void hang(void) { const char *f = getenv("HANG"); while (f && access(f, F_OK) == 0) usleep(5000); }
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    hang();
    return fails() ? -1 : real(fd);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    hang();
    return fails() ? -1 : real(fd);
}
"#;

/// A server whose disk hangs while a file is there; that file.
fn server_that_can_hang(folder: &Folder) -> (Running, PathBuf) {
    let (source, library) = (folder.path("hangs.c"), folder.path("hangs.so"));
    std::fs::write(&source, HANGS).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success());
    let hang = folder.path("hang");
    let running = Running::start(
        usher()
            .args(["server", "--listen", "127.0.0.1:0"])
            .env("LD_PRELOAD", &library)
            .env("HANG", &hang)
            .env("FAULT", folder.path("fault")),
        &folder.path("data"),
    );
    (running, hang)
}

#[test]
fn what_was_not_handed_to_a_disk_that_hangs_is_refused_as_busy_and_never_done() {
    let folder = Folder::new();
    let (running, hang) = server_that_can_hang(&folder);
    let token = std::fs::read_to_string(folder.path("data/admin.token")).unwrap();
    let connect = || Http::connect(&running.api, token.trim()).unwrap();
    let mut http = connect();
    product(&mut http, 10);
    std::fs::write(&hang, "").unwrap();
    std::thread::scope(|scope| {
        let mut first = connect();
        let first = scope.spawn(move || asked(&mut first, "ada"));
        wait_for("health to say that the disk hangs", || {
            (!is_well(&mut http)).then_some(())
        });
        let second = asked(&mut http, "bob");
        assert_eq!(
            (second.status, &second.body["code"]),
            (503, &"busy".into()),
            "{second:?}"
        );
        assert!(!first.is_finished(), "an answer came before it was durable");
        std::fs::remove_file(&hang).unwrap();
        assert_eq!(first.join().unwrap().status, 201);
    });
    wait_for("health to be well", || is_well(&mut http).then_some(()));
    assert_eq!(in_use(&mut http), 1, "bob's was never done");
    assert_eq!(asked(&mut http, "bob").status, 201);
}

#[test]
fn an_idle_server_whose_disk_fails_costs_nothing_and_notices_by_itself_when_it_is_well() {
    let folder = Folder::new();
    let (running, _) = server_that_can_hang(&folder);
    let token = std::fs::read_to_string(folder.path("data/admin.token")).unwrap();
    let mut http = Http::connect(&running.api, token.trim()).unwrap();
    product(&mut http, 10);
    let fault = folder.path("fault");
    std::fs::write(&fault, "").unwrap();
    assert_eq!(asked(&mut http, "ada").body["code"], "outcome_unknown");
    costs_nothing(&running);
    assert!(!is_well(&mut http));
    std::fs::remove_file(&fault).unwrap();
    wait_for("health to be well, though nobody asks for anything", || {
        is_well(&mut http).then_some(())
    });
    assert_eq!(asked(&mut http, "bob").status, 201);
}
