//! Twenty accounts that start programs at random, and what each of them saw.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::dice::Dice;
use super::products::{PRODUCTS, Product};

pub(crate) const USERS: u32 = 20;
const FIRST_UID: u32 = 12_101;
/// What starts programs for a user.
const STARTER: &str = "usher-storm-user";
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
    fs::copy(env!("CARGO_BIN_EXE_usher-storm-user"), place.join(STARTER)).unwrap();
    let begun = AtomicUsize::new(0);
    let starts = Mutex::new(Vec::new());
    let users: Vec<User<'_>> = (0..USERS)
        .map(|number| User::new(FIRST_UID + number, dice.child(u64::from(number)), place))
        .collect();
    std::thread::scope(|scope| {
        for user in users {
            let (begun, starts) = (&begun, &starts);
            scope.spawn(move || {
                let mine = user.start_programs(begun, count);
                starts.lock().unwrap().extend(mine);
            });
        }
    });
    let mut starts = starts.into_inner().unwrap();
    starts.sort_by_key(|start| start.began_ms);
    starts
}

struct User<'a> {
    uid: u32,
    dice: Dice,
    place: &'a Path,
    /// Starts programs for us, under that account.
    process: Child,
    /// What it was told to start.
    told: Vec<(usize, bool)>,
}

impl<'a> User<'a> {
    fn new(uid: u32, dice: Dice, place: &'a Path) -> User<'a> {
        let process = Command::new(place.join(STARTER))
            .uid(uid)
            .gid(uid)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        User {
            uid,
            dice,
            place,
            process,
            told: Vec::new(),
        }
    }

    fn start_programs(mut self, begun: &AtomicUsize, count: usize) -> Vec<Start> {
        while begun.fetch_add(1, Ordering::Relaxed) < count {
            // tidy: sleep, people pause between two programs
            std::thread::sleep(self.dice.millis(PAUSE_MS));
            self.start();
        }
        let output = self.process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let saw: Vec<Start> = lines
            .lines()
            .map(|line| seen(self.uid, &self.told, line))
            .collect();
        assert_eq!(saw.len(), self.told.len());
        saw
    }

    fn start(&mut self) {
        let product = self.dice.below(PRODUCTS.len() as u64) as usize;
        let second = PRODUCTS[product].has_second() && self.dice.one_in(3);
        let lives = self.lifetime();
        let is_killed = self.dice.one_in(8);
        let (sleeps, kill_after_ms) = match is_killed {
            true => (lives * 10, lives.as_millis()),
            false => (lives, 0),
        };
        let file = PRODUCTS[product].file(self.place, second);
        let line = format!(
            "{} {:.3} {kill_after_ms}\n",
            file.display(),
            sleeps.as_secs_f64()
        );
        let to = self.process.stdin.as_mut().unwrap();
        to.write_all(line.as_bytes()).unwrap();
        self.told.push((product, second));
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

/// What one of its lines says.
fn seen(uid: u32, told: &[(usize, bool)], line: &str) -> Start {
    let numbers: Vec<i64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
    let &[number, began_ms, took_us, errno, ended_ms] = numbers.as_slice() else {
        panic!("{line:?}");
    };
    let (product, second) = told[number as usize];
    Start {
        user: uid,
        product,
        second,
        began_ms,
        took: Duration::from_micros(took_us.cast_unsigned()),
        outcome: match errno as i32 {
            0 => Outcome::Ran { ended_ms },
            nix::libc::EPERM => Outcome::Refused,
            errno => Outcome::Failed(errno),
        },
    }
}
