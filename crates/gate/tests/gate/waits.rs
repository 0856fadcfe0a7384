//! Starts, how long each waited, and the table that this makes.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use usher_gate::Options;

use crate::support::Place;

/// One start: how long until it ran or was refused, and the error if it was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) took: Duration,
    pub(crate) outcome: Result<(), i32>,
}

/// Starts a program and waits for its end.
pub(crate) fn start(program: &Path) -> Start {
    let begun = Instant::now();
    let spawned = Command::new(program).spawn();
    let took = begun.elapsed();
    let outcome = match spawned {
        Ok(mut child) => {
            assert!(child.wait().unwrap().success());
            Ok(())
        }
        Err(error) => Err(error.raw_os_error().unwrap()),
    };
    Start { took, outcome }
}

/// So many starts at once, each on a thread of its own.
pub(crate) struct Pending(Vec<JoinHandle<Start>>);

impl Pending {
    pub(crate) fn begin(program: &Path, count: usize) -> Self {
        let begin = |_| {
            let program = program.to_owned();
            std::thread::spawn(move || start(&program))
        };
        Self((0..count).map(begin).collect())
    }

    /// So many have run or were refused.
    pub(crate) fn ended(&self) -> usize {
        self.0.iter().filter(|one| one.is_finished()).count()
    }

    pub(crate) fn end(self) -> Vec<Start> {
        self.0.into_iter().map(|one| one.join().unwrap()).collect()
    }
}

/// Starts one after another on several threads, until it is told to stop.
pub(crate) struct Stream {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Start>>>,
}

impl Stream {
    /// Each thread begins a start every `every`, or when the one before has ended.
    pub(crate) fn begin(program: &Path, threads: usize, every: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let begin = |_| {
            let (program, stop) = (program.to_owned(), stop.clone());
            std::thread::spawn(move || starts_until(&stop, &program, every))
        };
        let threads = (0..threads).map(begin).collect();
        Self { stop, threads }
    }

    pub(crate) fn end(self) -> Vec<Start> {
        self.stop.store(true, Ordering::Relaxed);
        let joined = self.threads.into_iter();
        joined.flat_map(|thread| thread.join().unwrap()).collect()
    }
}

fn starts_until(stop: &AtomicBool, program: &Path, every: Duration) -> Vec<Start> {
    let mut starts = Vec::new();
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        starts.push(start(program));
        next += every;
        let left = next.saturating_duration_since(Instant::now());
        // tidy: sleep, the pace of the starts
        std::thread::sleep(left);
    }
    starts
}

/// None waited longer than it may, beyond what starts take on this computer at this moment; prints
/// the row of the table.
#[track_caller]
pub(crate) fn none_waited_longer(place: &Place, case: &str, may_wait: Duration, starts: &[Start]) {
    let longest = starts.iter().map(|start| start.took).max().unwrap();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let control = place.control.longest();
    println!(
        "| {case} | {} | {:.1} ms | {:.1} ms | {} ms | {:.1} ms |",
        starts.len(),
        ms(median(starts)),
        ms(longest),
        may_wait.as_millis(),
        ms(control),
    );
    let bound = place.control.bound(may_wait);
    assert!(
        longest <= bound,
        "{case}: {longest:?} is more than {bound:?}; without a gate {control:?}"
    );
}

/// They were not even asked about, or answered at once: as a rule none waited like a start whose
/// partner is silent.
#[track_caller]
pub(crate) fn went_at_once(place: &Place, case: &str, starts: &[Start]) {
    none_waited_longer(place, case, Duration::ZERO, starts);
    let (median, control) = (median(starts), place.control.median());
    assert!(
        median < control + Options::default().first_word / 2,
        "{case}: {median:?}; without a gate {control:?}"
    );
}

pub(crate) fn median(starts: &[Start]) -> Duration {
    let mut took: Vec<Duration> = starts.iter().map(|start| start.took).collect();
    took.sort();
    took[took.len() / 2]
}

#[track_caller]
pub(crate) fn all_ran(starts: &[Start]) {
    let refused: Vec<_> = starts
        .iter()
        .filter(|start| start.outcome.is_err())
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}
