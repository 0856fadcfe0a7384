//! While policies change one after another and packages are installed, enforcement goes on: what is
//! nobody's runs, what has no seat is refused, and nobody waits.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher_testing::control::Control;

use crate::a_package_is_enforced_once_it_is_installed::{DPKG, Packages};
use crate::gated::{ANNA, BEN, Computer, end};
use crate::http::Http;
use crate::support::wait_for;

const CHANGES: u32 = 75;
const PACKAGES: u32 = 20;
/// So many starts at least from one change to the next: of what is nobody's, and of the product's.
const BETWEEN: (usize, usize) = (20, 1);
/// The gate waits so long for the agent's first word: what is nobody's gets no other.
pub(crate) const FIRST_WORD: Duration = Duration::from_millis(50);
/// The agent waits so long for a seat beyond that, if the server answered last.
pub(crate) const SEAT: Duration = Duration::from_secs(2);

/// Starts of one program, one after another, until all is over.
pub(crate) struct Starts {
    program: PathBuf,
    /// The error of each is to be this; none: it is to run.
    expected: Option<i32>,
    took: Mutex<Vec<Duration>>,
    wrong: Mutex<Vec<String>>,
}

impl Starts {
    pub(crate) fn of(program: PathBuf, expected: Option<i32>) -> Starts {
        Starts {
            program,
            expected,
            took: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    pub(crate) fn go_on(&self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let mut start = Command::new(&self.program);
            let started = start.arg("0").uid(BEN).gid(BEN).spawn();
            let took = began.elapsed();
            let came = match started {
                Ok(mut child) => {
                    child.wait().unwrap();
                    None
                }
                Err(error) => Some(error.raw_os_error().unwrap()),
            };
            if came != self.expected {
                let wrong = format!("{came:?} after {took:?}");
                let mut all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(wrong);
            }
            let mut all = self.took.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(took);
        }
    }

    fn count(&self) -> usize {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        took.len()
    }

    /// All went as they are to, and none waited longer than it may.
    pub(crate) fn judge(&self, name: &str, may_wait: Duration, control: &Control) {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = took.iter().max().unwrap();
        println!("{} starts of {name}, the longest {longest:.1?}", took.len());
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let bound = control.bound(may_wait);
        assert!(*longest < bound, "{name}: {longest:?} of {bound:?}");
    }
}

/// A product of which Anna has the only seat; without an answer it is refused. The second rule comes
/// and goes with each change.
fn product(place: &Path, change: u32) -> Value {
    let rule = |name: &str| format!("path={}", place.join(name).display());
    let mut programs = vec![rule("solver")];
    programs.extend((change % 2 == 1).then(|| rule("another")));
    json!({
        "id": "solver",
        "mode": "enforce",
        "on_unreachable": "refuse",
        "programs": programs,
    })
}

#[test]
fn what_is_nobodys_runs_and_what_has_no_seat_is_refused_during_75_changes_and_20_installations() {
    if !Path::new(DPKG).is_dir() {
        eprintln!("skipped: there is no dpkg here");
        return;
    }
    let mut packages = None;
    let with_packages = |place: &Path| {
        packages = Some(Packages::none());
        place.to_owned()
    };
    let Some(computer) = Computer::holding(with_packages) else {
        return;
    };
    let mut packages = packages.unwrap();
    let token = std::fs::read_to_string(computer.running.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&computer.running.api, token.trim()).unwrap();
    let mut ask = |method: &str, path: &str, body: &Value, status: u16| {
        let answer = http.ask(method, path, Some(body)).unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    };
    ask("POST", "/v1/products", &product(&computer.place, 0), 201);
    let one = json!({ "product": "solver", "seats": 1 });
    ask("POST", "/v1/entitlements", &one, 201);
    let solver = computer.program("solver");
    computer.is_gated();
    // What is copied while others fork is busy for as long as a fork has it open: a package's files
    // are there before, and take their place in one step, as dpkg has it.
    let unpacked: Vec<_> = (0..PACKAGES)
        .map(|number| computer.program(&format!("unpacked-{number}")))
        .collect();
    let first = computer.start(ANNA, "600").unwrap();
    wait_for("the seat to be Anna's", || computer.start(BEN, "0").err());

    let nobodys = Starts::of(computer.program("nobodys"), None);
    let enforced = Starts::of(solver, Some(nix::libc::EPERM));
    let control = Control::begin().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Ends the starts also when something here is wrong.
        let _end = EndOf(&is_over);
        scope.spawn(|| nobodys.go_on(&is_over));
        scope.spawn(|| enforced.go_on(&is_over));
        let more = || {
            let (from, refused_from) = (nobodys.count(), enforced.count());
            wait_for("more starts", || {
                let are_more = nobodys.count() >= from + BETWEEN.0
                    && enforced.count() >= refused_from + BETWEEN.1;
                are_more.then_some(())
            });
        };
        for change in 1..=CHANGES {
            let body = product(&computer.place, change);
            ask("PUT", "/v1/products/solver", &body, 200);
            more();
        }
        for (number, unpacked) in unpacked.iter().enumerate() {
            let name = format!("package-{number}");
            let file = computer.place.join(&name);
            std::fs::rename(unpacked, &file).unwrap();
            packages.installs(&name, &file);
            let installed = Command::new(&file).arg("0").status().unwrap();
            assert!(installed.success());
            more();
        }
    });
    nobodys.judge("what is nobody's", FIRST_WORD, &control);
    enforced.judge("what has no seat", FIRST_WORD + SEAT, &control);
    end(first);
}

/// Says that all is over once it is dropped.
pub(crate) struct EndOf<'a>(pub(crate) &'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
