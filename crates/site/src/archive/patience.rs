//! A thread for files: whoever needs them waits for a bounded time.
//!
//! A folder on another computer can hang for as long as that one is away. What hangs in it is this thread
//! alone, and until it is back whoever asks is told so at once.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For how long an answer waits for the folder.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How many may wait for the thread.
const WAITING: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// Since when the thread is at its present job; none: it waits for one.
type Since = Arc<Mutex<Option<Instant>>>;

/// The thread. It ends when this is dropped and its present job is over; nobody waits for that.
#[derive(Debug)]
pub(super) struct FileThread {
    jobs: SyncSender<Job>,
    since: Since,
    patience: Duration,
}

impl FileThread {
    /// Starts it.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn start(patience: Duration) -> io::Result<FileThread> {
        let (jobs, taken) = sync_channel(WAITING);
        let since = Since::default();
        let works = since.clone();
        usher_vital::spawn("archive", move || work(&taken, &works))?;
        Ok(FileThread {
            jobs,
            since,
            patience,
        })
    }

    /// What `job` answers.
    ///
    /// # Errors
    /// Why there is no answer: the folder hangs, too many wait for it, or the job panicked.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let hangs = || format!("the folder has not answered for {:?}", self.patience);
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| since.elapsed() >= self.patience) {
            return Err(hangs());
        }
        let (tell, told) = sync_channel(1);
        let job = move || {
            let done = usher_vital::catch("reading a file of the archive", job);
            let fault =
                |_| Err("a fault of Usher, which its log has, while it was read".to_owned());
            // Whoever asked may have gone on.
            let _ = tell.send(done.unwrap_or_else(fault));
        };
        if self.jobs.try_send(Box::new(job)).is_err() {
            return Err(format!("{WAITING} others wait for the folder already"));
        }
        told.recv_timeout(self.patience)
            .unwrap_or_else(|error| match error {
                RecvTimeoutError::Timeout => Err(hangs()),
                RecvTimeoutError::Disconnected => Err("its thread has ended".to_owned()),
            })
    }
}

fn work(jobs: &Receiver<Job>, since: &Since) {
    let now_at = |job| *since.lock().unwrap_or_else(PoisonError::into_inner) = job;
    loop {
        usher_vital::plant::thread();
        let Ok(job) = jobs.recv() else {
            return;
        };
        now_at(Some(Instant::now()));
        job();
        now_at(None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_folder_that_hangs_is_waited_for_once_and_used_again_when_it_is_back() {
        let thread = FileThread::start(Duration::from_millis(50)).unwrap();
        assert_eq!(thread.ask(|| Ok(1)), Ok(1));
        let (is_back, hangs) = channel::<()>();
        let said = thread.ask(move || {
            let _ = hangs.recv();
            Ok(2)
        });
        let hangs = Err("the folder has not answered for 50ms".to_owned());
        assert_eq!(said, hangs);
        // Those that ask while it hangs do not wait, but for one that asks just before that is clear.
        let asked = Instant::now();
        for _ in 0..200 {
            assert_eq!(thread.ask(|| Ok(3)), hangs);
        }
        assert!(asked.elapsed() < 100 * Duration::from_millis(50));
        is_back.send(()).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while thread.ask(|| Ok(4)) != Ok(4) {
            assert!(Instant::now() < until, "it is not used again");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_file_that_makes_its_reader_panic_is_not_read_and_the_next_one_is() {
        let thread = FileThread::start(PATIENCE).unwrap();
        let said = thread.ask(|| -> Result<u8, String> { panic!("planted by a test") });
        assert!(said.unwrap_err().contains("a fault of Usher"));
        assert_eq!(thread.ask(|| Ok(5)), Ok(5));
    }
}
