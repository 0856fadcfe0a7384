//! A full, read-only, failing or hanging disk: a clear refusal, no lost answer, recovery.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use usher_testing::{surroundings, undo};

use crate::http::{Http, checkout};
use crate::support::{DEADLINE, Folder, Running, program, stderr, usher, wait_for};

/// A server whose data directory is a file system of its own, in a mount namespace of its own:
/// `mount` makes it at `$DIR`. Nothing is left behind when the server ends.
pub(crate) fn server_on(folder: &Folder, mount: &str) -> Running {
    let dir = folder.path("disk");
    std::fs::create_dir_all(&dir).unwrap();
    let script = format!(
        "mount --make-rprivate / && {mount} && exec \"$USHER\" server --listen 127.0.0.1:0 \"$@\""
    );
    let mut command = surroundings::command("unshare");
    command
        .args(["--mount", "sh", "-c", &script, "sh"])
        .env("DIR", &dir)
        .env("USHER", program());
    Running::start(&mut command, &dir.join("data"))
}

/// A path of that file system as seen from outside.
pub(crate) fn inside(running: &Running, folder: &Folder, name: &str) -> PathBuf {
    let dir = folder.path("disk");
    Path::new("/proc")
        .join(running.child.id().to_string())
        .join("root")
        .join(dir.strip_prefix("/").unwrap())
        .join(name)
}

pub(crate) fn connect(running: &Running, folder: &Folder) -> Http {
    let token = std::fs::read_to_string(inside(running, folder, "data/admin.token")).unwrap();
    Http::connect(&running.api, token.trim()).unwrap()
}

pub(crate) fn product(http: &mut Http, seats: u32) {
    let product = serde_json::json!({"id": "tool"});
    assert_eq!(
        http.ask("POST", "/v1/products", Some(&product))
            .unwrap()
            .status,
        201
    );
    let owned = serde_json::json!({"product": "tool", "seats": seats});
    assert_eq!(
        http.ask("POST", "/v1/entitlements", Some(&owned))
            .unwrap()
            .status,
        201
    );
}

pub(crate) fn in_use(http: &mut Http) -> u64 {
    let status = http.ask("GET", "/v1/status", None).unwrap().body;
    status["products"][0]["in_use"].as_u64().unwrap()
}

fn state(http: &mut Http) -> Value {
    http.ask("GET", "/v1/status", None).unwrap().body["server"]["state"].clone()
}

#[test]
fn a_full_disk_is_a_clear_refusal_and_serving_goes_on_when_there_is_room() {
    let folder = Folder::new();
    let running = server_on(&folder, "mount -t tmpfs -o size=4m tmpfs \"$DIR\"");
    let mut http = connect(&running, &folder);
    product(&mut http, 100_000);
    let ballast = inside(&running, &folder, "ballast");
    let mut granted = 0_u64;
    // Fill what is left: writing stops when there is no more room.
    drop(std::fs::write(&ballast, vec![1_u8; 8 << 20]));
    let end = Instant::now() + DEADLINE;
    let refusal = loop {
        assert!(Instant::now() < end, "the disk never filled");
        let answer = http
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
            .unwrap();
        match answer.status {
            201 => granted += 1,
            503 => break answer,
            _ => panic!("{answer:?}"),
        }
    };
    assert_eq!(refusal.body["code"], "storage_failed", "{refusal:?}");
    assert!(
        refusal.body["detail"].as_str().unwrap().contains("full"),
        "{refusal:?}"
    );
    assert_eq!(state(&mut http), "degraded");
    assert_eq!(
        in_use(&mut http),
        granted,
        "what was refused is not counted"
    );
    std::fs::remove_file(&ballast).unwrap();
    wait_for("a grant where there is room again", || {
        let answer = http
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
            .unwrap();
        (answer.status == 201).then_some(())
    });
    assert_eq!(state(&mut http), "running");
    assert_eq!(in_use(&mut http), granted + 1);
}

#[test]
fn a_pause_on_a_full_disk_is_kept_when_there_is_room_and_ends_no_process() {
    let folder = Folder::new();
    let mut running = server_on(&folder, "mount -t tmpfs -o size=4m tmpfs \"$DIR\"");
    let mut http = connect(&running, &folder);
    product(&mut http, 100_000);
    let ballast = inside(&running, &folder, "ballast");
    drop(std::fs::write(&ballast, vec![1_u8; 8 << 20]));
    let mut refusal = |code: &str| {
        wait_for(code, || {
            let asked = checkout("tool", "ada");
            let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
            (answer.body["code"] == code).then_some(())
        });
    };
    refusal("storage_failed");
    let mut other = connect(&running, &folder);
    let mut steer = |control: &str, state: &str| {
        let body = serde_json::json!({ "control": control });
        let told = other.ask("POST", "/v1/service/controls", Some(&body));
        assert_eq!(told.unwrap().status, 200);
        wait_for(state, || {
            let seen = other.ask("GET", "/v1/service", None).unwrap();
            (seen.body["state"] == state).then_some(())
        });
    };
    steer("pause", "paused");
    std::fs::remove_file(&ballast).unwrap();
    // Nobody says it again.
    refusal("service_paused");
    steer("continue", "running");
    let asked = checkout("tool", "ada");
    let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(running.child.try_wait().unwrap(), None);
}

#[test]
fn a_read_only_disk_is_refused_at_the_start_with_what_was_tried() {
    let folder = Folder::new();
    let dir = folder.path("disk");
    std::fs::create_dir_all(&dir).unwrap();
    let script = "mount --make-rprivate / && mount -t tmpfs -o ro tmpfs \"$DIR\" && \
                  exec \"$USHER\" server --listen 127.0.0.1:0 --data \"$DIR/data\"";
    let output = surroundings::command("unshare")
        .args(["--mount", "sh", "-c", script])
        .env("DIR", &dir)
        .env("USHER", program())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("data directory") && said.contains("Read-only"),
        "{said}"
    );
}

#[test]
fn a_disk_that_hangs_is_named_by_health_and_nothing_is_answered_that_is_not_durable() {
    let folder = Folder::new();
    let image = folder.path("image");
    std::fs::File::create(&image)
        .unwrap()
        .set_len(64 << 20)
        .unwrap();
    let made = Command::new("mkfs.ext4")
        .arg("-qF")
        .arg(&image)
        .status()
        .unwrap();
    assert!(made.success());
    let running = server_on(
        &folder,
        &format!("mount -o loop \"{}\" \"$DIR\"", image.display()),
    );
    let mut http = connect(&running, &folder);
    product(&mut http, 10);
    let disk = inside(&running, &folder, "");
    let frozen = undo::freeze(&disk).unwrap();
    let (api, token) = (
        running.api.clone(),
        std::fs::read_to_string(inside(&running, &folder, "data/admin.token")).unwrap(),
    );
    let asked = std::thread::spawn(move || {
        let mut http = Http::connect(&api, token.trim()).unwrap();
        let begin = Instant::now();
        let answer = http
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
            .unwrap();
        (begin.elapsed(), answer)
    });
    let mut health = Http::connect(&running.api, "none").unwrap();
    let unable = wait_for("health to say so", || {
        let answer = health.ask("GET", "/v1/health", None).unwrap();
        (answer.status == 503).then_some(answer)
    });
    assert!(
        unable.body["why"].as_str().unwrap().contains("disk"),
        "{unable:?}"
    );
    // Health has answered all the same.
    assert!(!asked.is_finished(), "an answer came before it was durable");
    drop(frozen);
    let (waited, answer) = asked.join().unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(waited > Duration::from_secs(1));
    wait_for("health to be well", || {
        (health.ask("GET", "/v1/health", None).unwrap().status == 200).then_some(())
    });
    assert_eq!(in_use(&mut http), 1);
}

/// Fails fdatasync and fsync of the store while a file is there.
const FAULTS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int failing(void) { const char *f = getenv("FAULT"); return f && access(f, F_OK) == 0; }
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    if (failing()) { errno = EIO; return -1; }
    return real(fd);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    if (failing()) { errno = EIO; return -1; }
    return real(fd);
}
"#;

#[test]
fn an_io_error_while_committing_is_an_unknown_outcome_and_the_file_decides() {
    let folder = Folder::new();
    let (source, library) = (folder.path("faults.c"), folder.path("faults.so"));
    std::fs::write(&source, FAULTS).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(built.success());
    let fault = folder.path("fault");
    let data = folder.path("data");
    let running = Running::start(
        usher()
            .args(["server", "--listen", "127.0.0.1:0"])
            .env("LD_PRELOAD", &library)
            .env("FAULT", &fault),
        &data,
    );
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let mut http = Http::connect(&running.api, token.trim()).unwrap();
    product(&mut http, 10);
    let first = http
        .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
        .unwrap();
    assert_eq!(first.status, 201);
    std::fs::write(&fault, "").unwrap();
    let unknown = http
        .ask("POST", "/v1/checkouts", Some(&checkout("tool", "bob")))
        .unwrap();
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (503, &"outcome_unknown".into())
    );
    std::fs::remove_file(&fault).unwrap();
    let after = wait_for("a grant when the disk is well", || {
        let answer = http
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "cyd")))
            .unwrap();
        (answer.status == 201).then_some(answer)
    });
    // Whatever became of bob's, the count is that of the leases, and the answered ones are there.
    let list = |http: &mut Http| {
        let leases = http.ask("GET", "/v1/leases", None).unwrap().body;
        let items = leases["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|lease| lease["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let leases = list(&mut http);
    for answer in [&first, &after] {
        let id = answer.body["lease"]["id"].as_str().unwrap().to_owned();
        assert!(leases.contains(&id), "{id} is lost: {leases:?}");
    }
    assert_eq!(in_use(&mut http), leases.len() as u64);
    // What it says is what is on the disk: a kill changes nothing.
    drop(running);
    let again = Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), &data);
    let mut http = Http::connect(&again.api, token.trim()).unwrap();
    assert_eq!(list(&mut http), leases);
}
