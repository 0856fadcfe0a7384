//! Lines for people on standard error, written by a thread that nobody waits for.
//!
//! A role's standard error may be a full disk, a pipe whose reader has ended, or a terminal that
//! was stopped. [`line()`] only puts a line into a queue of [`LIMIT_BYTES`]; if the queue is full or
//! the write fails, the line is lost and counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::{catch, plant};

/// Bytes that may wait to be written.
pub const LIMIT_BYTES: usize = 1024 * 1024;

/// Writes one line. Never blocks, fails or panics.
pub fn line(text: &str) {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    process_log().push(bytes);
}

/// Lines of this process that could not be written.
pub fn lost_lines() -> u64 {
    PROCESS.get().map_or(0, |log| lock(&log.queue).lost)
}

/// Waits until the queue is written, for `at_most`.
pub fn flush(at_most: Duration) {
    if let Some(log) = PROCESS.get() {
        log.flush(at_most);
    }
}

/// A writer for a log library: each call of `write` is one line or more, whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        process_log().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static PROCESS: OnceLock<Arc<Log>> = OnceLock::new();

fn process_log() -> &'static Arc<Log> {
    PROCESS.get_or_init(|| Log::start(|bytes| io::stderr().write_all(bytes)))
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    is_writing: bool,
    lost: u64,
    /// Up to which count of lost lines the log itself says so.
    lost_said: u64,
    /// No thread could be started: whoever logs writes.
    has_no_thread: bool,
}

struct Log {
    queue: Mutex<Queue>,
    came: Condvar,
    written: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    fn start(mut write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) -> Arc<Log> {
        let log = Arc::new(Log {
            queue: Mutex::default(),
            came: Condvar::new(),
            written: Condvar::new(),
        });
        let own = log.clone();
        let thread = std::thread::Builder::new().name("usher-says".to_owned());
        let says = move || {
            // A panic loses the line that is being written; the next one is written again.
            while catch("the log", || own.write_out(&mut write)).is_err() {
                lock(&own.queue).lost += 1;
            }
        };
        if thread.spawn(says).is_err() {
            lock(&log.queue).has_no_thread = true;
        }
        log
    }

    fn push(&self, line: Vec<u8>) {
        let mut queue = lock(&self.queue);
        if queue.has_no_thread {
            drop(queue);
            if io::stderr().write_all(&line).is_err() {
                lock(&self.queue).lost += 1;
            }
            return;
        }
        if queue.bytes + line.len() > LIMIT_BYTES {
            queue.lost += 1;
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        self.came.notify_one();
    }

    /// Writes what comes, for as long as the process lives.
    fn write_out(&self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) {
        let mut queue = lock(&self.queue);
        loop {
            let Some(line) = queue.lines.pop_front() else {
                queue.is_writing = false;
                self.written.notify_all();
                queue = self
                    .came
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            queue.bytes -= line.len();
            queue.is_writing = true;
            let unsaid = queue.lost - queue.lost_said;
            drop(queue);
            plant::thread();
            let is_said = unsaid == 0 || write(lost(unsaid).as_bytes()).is_ok();
            let is_written = write(&line).is_ok();
            queue = lock(&self.queue);
            if is_said {
                queue.lost_said += unsaid;
            }
            queue.lost += u64::from(!is_written);
        }
    }

    fn flush(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let mut queue = lock(&self.queue);
        while !queue.has_no_thread && (queue.is_writing || !queue.lines.is_empty()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self
                .written
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

fn lost(lines: u64) -> String {
    format!("usher: {lines} lines of the log could not be written before this one\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn lines_that_could_not_be_written_are_counted_and_the_next_that_can_says_so() {
        let (tell, told) = mpsc::channel();
        let fails = Arc::new(AtomicBool::new(true));
        let failing = fails.clone();
        let log = Log::start(move |bytes| match failing.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => {
                tell.send(text(bytes)).unwrap();
                Ok(())
            }
        });
        log.push(b"one\n".to_vec());
        log.push(b"two\n".to_vec());
        log.flush(DEADLINE);
        assert_eq!(lock(&log.queue).lost, 2);
        fails.store(false, Ordering::SeqCst);
        log.push(b"three\n".to_vec());
        log.push(b"four\n".to_vec());
        log.flush(DEADLINE);
        let told: Vec<String> = told.try_iter().collect();
        assert_eq!(told, [&lost(2), "three\n", "four\n"]);
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_the_queue_is_bounded() {
        let (release, hold) = mpsc::channel::<()>();
        let log = Log::start(move |_| {
            // It ends when the test does.
            let _ = hold.recv();
            Ok(())
        });
        let line = vec![b'x'; LIMIT_BYTES / 4];
        for _ in 0..8 {
            log.push(line.clone());
        }
        log.flush(Duration::from_millis(1));
        let queue = lock(&log.queue);
        assert!(
            queue.bytes <= LIMIT_BYTES && queue.lost >= 3,
            "{}",
            queue.lost
        );
        drop(queue);
        drop(release);
    }
}
