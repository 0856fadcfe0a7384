//! Threads and tasks that other work waits for: a panic in one ends the process.
//!
//! It ends before the thread unwinds: what unwinding drops, such as the end of a channel, would tell
//! others that all was done.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::catch::{happened, said, wall_ms};
use crate::ended::{self, Ended};
use crate::owner::{self, Name, with};
use crate::request::RequestId;
use crate::{log, plant};

/// The exit code of a process that a panic ended.
pub const EXIT_PANIC: u8 = 72;
/// How long the end waits for its record and for the log: their disk may hang.
const LAST_WORDS: Duration = Duration::from_millis(500);

struct Role {
    version: &'static str,
    file: PathBuf,
}

static ROLE: OnceLock<Role> = OnceLock::new();

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a loop of tasks on a thread of [`spawn`]: each task says itself what a panic ends.
pub fn tasks<T>(run: impl FnOnce() -> T) -> T {
    with(None, run)
}

/// Has panics of this process written to its log, and the one that ends it to a file in `data`.
/// To be called once, when a role begins.
pub fn install(role: &str, version: &'static str, data: &Path) {
    let file = ended::file(data, role);
    if ROLE.set(Role { version, file }).is_ok() {
        std::panic::set_hook(Box::new(write_down));
    }
}

fn write_down(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let place = panic
        .location()
        .map_or_else(String::new, |place| format!(" at {place}"));
    let name = thread.name().unwrap_or("without a name");
    let said = said(panic.payload());
    let request = RequestId::current().map_or_else(String::new, |id| format!(" request_id={id}"));
    log::line(&format!(
        "usher: thread {name} has panicked{place}: {said}{request}"
    ));
    happened(name, said);
    if let Some(name) = owner::take() {
        end(&name, said, &place);
    }
    // A thread that is just ending has no place for it any more.
    let _ = PLACE.try_with(|kept| kept.borrow_mut().clone_from(&place));
}

/// Starts a thread that other work waits for.
///
/// # Errors
/// The system has no thread to give.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let own = Name::from(name);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || guarded(&own.clone(), || with(Some(own), work)))
}

/// Starts a thread that does a part of its starter's work, and ends before that: the starter joins it,
/// and goes on with its panic (`resume_unwind`). None if the system has no thread to give.
pub fn beside<'scope, 'env, T: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, work).ok()
}

/// Does the work of a role's first thread.
pub fn main<T>(work: impl FnOnce() -> T) -> T {
    guarded("main", work)
}

fn guarded<T>(name: &str, work: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done,
        Err(panic) => unwound(name, panic.as_ref()),
    }
}

/// Does a part of what [`crate::catch`] handles, a panic in which ends the process all the same: others use
/// what it changes.
pub fn vital<T>(name: &str, work: impl FnOnce() -> T) -> T {
    guarded(name, || with(Some(Name::from(name)), work))
}

/// A task that other work waits for.
pub async fn task<F: Future>(name: &'static str, work: F) -> F::Output {
    let mut work = pin!(work);
    let own = Name::from(name);
    poll_fn(|cx| {
        let poll = || {
            plant::here(name);
            work.as_mut().poll(cx)
        };
        match catch_unwind(AssertUnwindSafe(|| with(Some(own.clone()), poll))) {
            Ok(polled) => polled,
            Err(panic) => unwound(name, panic.as_ref()),
        }
    })
    .await
}

/// Ends the process for a panic that has unwound.
fn unwound(name: &str, panic: &(dyn Any + Send)) -> ! {
    let place = PLACE.try_with(|place| place.borrow().clone());
    end(name, said(panic), &place.unwrap_or_default())
}

/// Ends the process: says why, and keeps it for the next start.
fn end(name: &str, said: &str, place: &str) -> ! {
    let what = ended::cut(&format!("{said}{place}"));
    log::line(&format!(
        "usher: {name} has panicked, and others wait for it: this process ends, so that it is \
         restarted ({what})"
    ));
    if let Some(role) = ROLE.get() {
        let ended = Ended {
            at_ms: wall_ms(),
            thread: name.to_owned(),
            what,
            version: role.version.to_owned(),
        };
        let (done, is_done) = channel();
        let kept = std::thread::Builder::new().spawn(move || {
            let kept = ended::keep(&role.file, &ended);
            // If this comes too late, the waiting thread has ended the process.
            let _ = done.send(kept.err());
        });
        if kept.is_ok()
            && let Ok(Some(error)) = is_done.recv_timeout(LAST_WORDS)
        {
            let file = role.file.display();
            log::line(&format!(
                "usher: cannot write the reason to {file}: {error}"
            ));
        }
    }
    log::flush(LAST_WORDS);
    // Neither handlers nor destructors run: they may wait for what has just ended.
    signal_hook::low_level::exit(EXIT_PANIC.into())
}
