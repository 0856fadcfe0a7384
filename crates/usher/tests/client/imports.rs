//! `usher import` against a made-up manager.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::io::Write;

use crate::support::{Ended, Folder, finish, stderr, stdout, usher};

const LOG: &str = "\
 8:00:00 (lmgrd) TIMESTAMP 11/30/2026
 8:00:01 (MLM) OUT: \"Simulink\" ann@pc1
 8:30:00 (MLM) IN: \"Simulink\" ann@pc1
 8:40:00 (MLM) FROB: \"Simulink\" ann@pc1 kim
";

/// What the manager has.
#[derive(Default)]
struct World {
    keys: BTreeSet<String>,
    /// Of the import that is open.
    counts: (u64, u64),
    bodies: u64,
    sources: Vec<String>,
    removed: Vec<String>,
    /// Bodies of rows are refused.
    refuses: bool,
}

type Shared = Arc<Mutex<World>>;

struct Manager {
    world: Shared,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Manager {
    fn new() -> Manager {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let world = Shared::default();
        let router = Router::new()
            .route("/v1/imports", get(list).post(create))
            .route("/v1/imports/{id}", axum::routing::delete(remove))
            .route("/v1/imports/{id}/rows", post(rows))
            .route("/v1/imports/{id}/finish", post(done))
            .with_state(world.clone());
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Manager {
            world,
            url,
            _runtime: runtime,
        }
    }
}

async fn create(State(world): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut world = world.lock().unwrap();
    world
        .sources
        .push(body["source"].as_str().unwrap().to_owned());
    (world.counts, world.bodies) = ((0, 0), 0);
    let id = format!("I{}", world.sources.len());
    (StatusCode::CREATED, Json(json!({"id": id})))
}

async fn rows(State(world): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut world = world.lock().unwrap();
    if world.refuses {
        let problem = json!({"type": "about:blank", "title": "x", "status": 409,
            "code": "conflict", "detail": "the site is full"});
        return (StatusCode::CONFLICT, Json(problem));
    }
    world.bodies += 1;
    assert_eq!(body["number"], world.bodies);
    for row in body["rows"].as_array().unwrap() {
        match world.keys.insert(row["key"].as_str().unwrap().to_owned()) {
            true => world.counts.0 += 1,
            false => world.counts.1 += 1,
        }
    }
    let next = json!({"next_number": world.bodies + 1});
    (StatusCode::OK, Json(next))
}

async fn done(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Json<Value> {
    let world = world.lock().unwrap();
    assert_eq!(body["bodies"], world.bodies);
    let mut answer = body["summary"].clone();
    answer["id"] = json!(id);
    answer["added"] = json!(world.counts.0);
    answer["already_there"] = json!(world.counts.1);
    answer["completed"] = json!(0);
    Json(answer)
}

async fn list() -> Json<Value> {
    let item = json!({"id": "I1", "kind": "flexnet-log", "source": "lic1", "time_zone": null,
        "created_at": "2026-11-30T18:00:00Z", "finished_at": null, "next_number": 2, "rows": 7});
    Json(json!({"items": [item], "next": null}))
}

async fn remove(State(world): State<Shared>, Path(id): Path<String>) -> StatusCode {
    world.lock().unwrap().removed.push(id);
    StatusCode::NO_CONTENT
}

fn written(folder: &Folder, name: &str, text: &str) -> String {
    let path = folder.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_dry_run_needs_no_manager_and_prints_the_answer() {
    let folder = Folder::new();
    let file = written(&folder, "debug.log", LOG);
    let output = usher(&folder)
        .args(["import", "flexnet-log", &file, "--dry-run", "--json"])
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&answer["lines"], &answer["understood"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(answer["kind"], "flexnet-log");
    assert_eq!(answer["features"][0]["product"], "MLM:Simulink");
    assert_eq!(answer["features"][0]["peak"]["lines"], 1);
    assert!(answer["added"].is_null() && answer["id"].is_null());
    let output = usher(&folder)
        .args(["import", "flexnet-log", &file, "--dry-run"])
        .ended();
    assert!(
        stdout(&output).contains("3 of 4 lines understood."),
        "{output:?}"
    );
}

#[test]
fn the_same_file_again_adds_nothing_and_a_grown_one_what_is_new() {
    let folder = Folder::new();
    let manager = Manager::new();
    let import = |name: &str, text: &str| {
        let file = written(&folder, name, text);
        let output = usher(&folder)
            .args(["import", "flexnet-log", &file, "--source", "lic1", "--json"])
            .args(["--manager", &manager.url, "--token", "t"])
            .ended();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (answer["added"].clone(), answer["already_there"].clone())
    };
    assert_eq!(import("debug.log", LOG), (json!(1), json!(0)));
    assert_eq!(import("debug.log", LOG), (json!(0), json!(1)));
    let grown = format!("{LOG} 9:00:00 (MLM) OUT: \"Simulink\" bob@pc2\n");
    assert_eq!(import("debug.log", &grown), (json!(1), json!(1)));
    assert_eq!(manager.world.lock().unwrap().sources, ["lic1"; 3]);
}

#[test]
fn standard_input_is_read_and_its_kind_names_its_source() {
    let folder = Folder::new();
    let manager = Manager::new();
    let mut child = usher(&folder)
        .args([
            "import",
            "slurm",
            "-",
            "--manager",
            &manager.url,
            "--token",
            "t",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(b"LicenseName=cad@lic1\n    Total=5 Used=2 Free=3 Reserved=0 Remote=yes\n")
        .unwrap();
    drop(input);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("Import I1: 1 row new."),
        "{output:?}"
    );
    assert_eq!(manager.world.lock().unwrap().sources, ["slurm"]);
}

#[test]
fn what_is_not_understood_at_all_is_not_taken_in_and_says_what_it_looks_like() {
    let folder = Folder::new();
    let manager = Manager::new();
    let file = written(&folder, "a", "LicenseName=cad Total=5\n\n");
    let output = usher(&folder)
        .args([
            "import",
            "flexnet-log",
            &file,
            "--manager",
            &manager.url,
            "--token",
            "t",
        ])
        .ended();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("nothing in") && said.contains("It looks like slurm"),
        "{said}"
    );
    assert_eq!(manager.world.lock().unwrap().sources, Vec::<String>::new());
}

#[test]
fn a_manager_that_refuses_rows_has_the_import_taken_out_again() {
    let folder = Folder::new();
    let manager = Manager::new();
    manager.world.lock().unwrap().refuses = true;
    let file = written(&folder, "debug.log", LOG);
    let output = usher(&folder)
        .args([
            "import",
            "flexnet-log",
            &file,
            "--manager",
            &manager.url,
            "--token",
            "t",
        ])
        .ended();
    assert_ne!(output.status.code(), Some(0));
    assert!(
        stderr(&output).contains("taken out again"),
        "{}",
        stderr(&output)
    );
    assert_eq!(manager.world.lock().unwrap().removed, ["I1"]);
}

#[test]
fn what_has_no_effect_or_cannot_be_read_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let file = written(&folder, "a", LOG);
    let not_there = folder.path("b");
    let not_there = not_there.to_str().unwrap();
    let asks: [(&[&str], &str); 7] = [
        (
            &["import", "lmstat", &file, "--licence", &file],
            "no effect",
        ),
        (&["import", "lmstat", &file, "--day-first"], "no effect"),
        (&["import", "flexnet-log", not_there], "cannot read"),
        (&["import", "flexnet-log", "-", "-"], "once only"),
        (
            &["import", "flexnet-log", &file, "--map", &file],
            "is no map",
        ),
        (
            &["import", "flexnet-log", &file, "--time-zone", "Mars"],
            "time zone",
        ),
        (&["import", "frob", &file], "frob"),
    ];
    for (ask, said) in asks {
        let output = usher(&folder).args(ask).arg("--dry-run").ended();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{ask:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{ask:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn imports_are_listed_and_taken_out() {
    let folder = Folder::new();
    let manager = Manager::new();
    let output = usher(&folder)
        .args(["import", "list", "--manager", &manager.url, "--token", "t"])
        .ended();
    let table = stdout(&output);
    assert!(table.contains("I1  flexnet-log  lic1"), "{output:?}");
    assert!(table.contains("not finished"), "{table}");
    let output = usher(&folder)
        .args([
            "import",
            "remove",
            "I1",
            "--manager",
            &manager.url,
            "--token",
            "t",
        ])
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(manager.world.lock().unwrap().removed, ["I1"]);
}
