//! Twenty accounts that start programs at random, and what each of them saw.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::now_ms;
use super::products::{PRODUCTS, Product};

pub(crate) const USERS: u32 = 20;
const FIRST_UID: u32 = 12_101;
/// Between two starts of one user, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 20..900;

/// One start, as who started it saw it.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) user: u32,
    /// Its place in [`PRODUCTS`].
    pub(crate) product: usize,
    /// Of the program whose rule comes and goes.
    pub(crate) second: bool,
    /// When it was begun.
    pub(crate) began_ms: i64,
    /// Until it ran or had failed.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ran {
        ended_ms: i64,
    },
    Refused,
    /// With another error than EPERM.
    Failed(i32),
}

impl Start {
    /// When it ran, or had failed.
    pub(crate) fn decided_ms(&self) -> i64 {
        self.began_ms + i64::try_from(self.took.as_millis()).unwrap()
    }

    pub(crate) fn product(&self) -> &'static Product {
        &PRODUCTS[self.product]
    }
}

/// Has all users start programs, `count` in all, and waits until they have ended.
pub(crate) fn start_programs(place: &Path, dice: &Dice, count: usize) -> Vec<Start> {
    let begun = AtomicUsize::new(0);
    let starts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..USERS {
            let (begun, starts) = (&begun, &starts);
            let dice = dice.child(u64::from(number));
            scope.spawn(move || {
                let mine = User { number, dice }.start_programs(place, begun, count);
                starts.lock().unwrap().extend(mine);
            });
        }
    });
    let mut starts = starts.into_inner().unwrap();
    starts.sort_by_key(|start| start.began_ms);
    starts
}

struct User {
    number: u32,
    dice: Dice,
}

impl User {
    fn start_programs(mut self, place: &Path, begun: &AtomicUsize, count: usize) -> Vec<Start> {
        let mut running: Vec<JoinHandle<Start>> = Vec::new();
        while begun.fetch_add(1, Ordering::Relaxed) < count {
            // tidy: sleep, people pause between two programs
            std::thread::sleep(self.dice.millis(PAUSE_MS));
            running.push(self.start(place));
        }
        let ended = running.into_iter();
        ended.map(|start| start.join().unwrap()).collect()
    }

    /// Starts one, and has another thread wait for its end.
    fn start(&mut self, place: &Path) -> JoinHandle<Start> {
        let product = self.dice.below(PRODUCTS.len() as u64) as usize;
        let second = PRODUCTS[product].has_second() && self.dice.one_in(3);
        let lives = self.lifetime();
        let is_killed = self.dice.one_in(8);
        let sleeps = if is_killed { lives * 10 } else { lives };
        let uid = FIRST_UID + self.number;
        let mut command = Command::new(PRODUCTS[product].file(place, second));
        command
            .arg(format!("{:.3}", sleeps.as_secs_f64()))
            .uid(uid)
            .gid(uid)
            .stdin(Stdio::null());
        let (began_ms, began) = (now_ms(), Instant::now());
        let spawned = command.spawn();
        let mut start = Start {
            user: uid,
            product,
            second,
            began_ms,
            took: began.elapsed(),
            outcome: Outcome::Refused,
        };
        std::thread::spawn(move || {
            start.outcome = match spawned {
                Ok(child) => ran(child, is_killed.then_some(lives)),
                Err(error) if error.raw_os_error() == Some(nix::libc::EPERM) => Outcome::Refused,
                Err(error) => Outcome::Failed(error.raw_os_error().unwrap_or(0)),
            };
            start
        })
    }

    /// Most programs are short, some go on for seconds.
    fn lifetime(&mut self) -> Duration {
        match self.dice.below(10) {
            0..=2 => self.dice.millis(1..80),
            3..=7 => self.dice.millis(80..1_500),
            _ => self.dice.millis(1_500..7_000),
        }
    }
}

fn ran(mut child: Child, killed_after: Option<Duration>) -> Outcome {
    if let Some(after) = killed_after {
        // tidy: sleep, the program lives so long
        std::thread::sleep(after);
        child.kill().unwrap();
    }
    child.wait().unwrap();
    Outcome::Ran { ended_ms: now_ms() }
}
