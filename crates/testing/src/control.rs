//! A control: starts that nobody holds, for as long as those that are judged.
//!
//! How long a start takes says little on a computer with more to do than it can. A start that a test
//! judges may take what it may wait, and beyond that a multiple of what the worst start of the
//! control took meanwhile.

use std::io;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the control starts. Nobody may hold starts on its file system.
const PROGRAM: &str = "/bin/true";
const EVERY: Duration = Duration::from_millis(20);
/// A start that is asked about waits for its turn on a processor this many times as often.
const TURNS: u32 = 10;
/// What every start may take beyond its wait.
const AT_LEAST: Duration = Duration::from_secs(1);

/// Starts one program after another until it is dropped.
#[derive(Debug)]
pub struct Control {
    stop: Arc<AtomicBool>,
    took: Arc<Mutex<Vec<Duration>>>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Begins the starts.
    ///
    /// # Errors
    /// The program cannot be started at all.
    pub fn begin() -> io::Result<Control> {
        let (stop, took) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let first = start()?;
        let mut control = Control {
            stop,
            took,
            thread: None,
        };
        control.add(first);
        control.thread = Some(control.starting());
        Ok(control)
    }

    fn starting(&self) -> JoinHandle<()> {
        let (stop, took) = (self.stop.clone(), self.took.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Ok(one) = start() {
                    took.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(one);
                }
                thread::sleep(EVERY);
            }
        })
    }

    fn add(&self, one: Duration) {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        took.push(one);
    }

    /// The longest that a start may take which may wait for `wait`.
    #[must_use]
    pub fn bound(&self, wait: Duration) -> Duration {
        wait + (self.longest() * TURNS).max(AT_LEAST)
    }

    /// The longest that a start of the control has taken so far.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        took.iter().max().copied().unwrap_or_default()
    }

    /// Half of the control's starts took no longer.
    #[must_use]
    pub fn median(&self) -> Duration {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted = took.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn start() -> io::Result<Duration> {
    let began = Instant::now();
    let mut child = Command::new(PROGRAM).stdout(Stdio::null()).spawn()?;
    let took = began.elapsed();
    child.wait()?;
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_may_take_its_wait_and_a_multiple_of_what_the_control_took() {
        let control = Control::begin().unwrap();
        assert!(control.median() <= control.longest());
        let wait = Duration::from_millis(50);
        assert!(control.bound(wait) >= wait + AT_LEAST);
        control.add(Duration::from_secs(3));
        assert_eq!(control.bound(wait), wait + Duration::from_secs(30));
    }
}
