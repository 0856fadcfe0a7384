//! The time since the last input of an X11 display, by the MIT-SCREEN-SAVER extension: keyboard and
//! pointer, whichever window they went to.
//!
//! The connection has a thread of its own: a display that hangs keeps nothing else waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;
use x11rb::connection::Connection;
use x11rb::protocol::screensaver::query_info;
use x11rb::rust_connection::RustConnection;

/// A call that waits for an answer.
type Waiting = oneshot::Sender<u64>;

/// Whether the thread runs. While a display hangs, the thread waits for it, and no second one is
/// started.
static IS_SERVED: AtomicBool = AtomicBool::new(false);

/// The display that `DISPLAY` names.
pub(super) struct Screen {
    ask: Sender<Waiting>,
}

impl Screen {
    /// `None` if no display answers, or if the thread of an earlier one still hangs.
    pub(super) async fn open() -> Option<Screen> {
        Screen::of(None).await
    }

    async fn of(name: Option<String>) -> Option<Screen> {
        if IS_SERVED.swap(true, Ordering::AcqRel) {
            return None;
        }
        let (ask, asked) = channel();
        let begun = std::thread::Builder::new()
            .name("x11".to_owned())
            .spawn(move || {
                serve(name.as_deref(), &asked);
                IS_SERVED.store(false, Ordering::Release);
            });
        if begun.is_err() {
            IS_SERVED.store(false, Ordering::Release);
            return None;
        }
        let screen = Screen { ask };
        tokio::time::timeout(super::PATIENCE, screen.idle_ms())
            .await
            .ok()??;
        Some(screen)
    }

    /// Milliseconds since the last input; `None` if the display is gone.
    pub(super) async fn idle_ms(&self) -> Option<u64> {
        let (waiting, answer) = oneshot::channel();
        self.ask.send(waiting).ok()?;
        answer.await.ok()
    }
}

/// Answers until nobody asks any more or the display does not answer.
fn serve(name: Option<&str>, asked: &Receiver<Waiting>) -> Option<()> {
    let (display, screen) = RustConnection::connect(name).ok()?;
    let root = display.setup().roots.get(screen)?.root;
    for waiting in asked {
        let told = query_info(&display, root).ok()?.reply().ok()?;
        // Who no longer waits misses nothing.
        let _ = waiting.send(told.ms_since_user_input.into());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;

    const LOOK: Duration = Duration::from_millis(2);
    const DEADLINE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_display_that_hangs_is_waited_for_by_one_thread_however_often_it_is_tried() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        // Display 0 is at port 6000.
        let number = silent.local_addr().unwrap().port() - 6_000;
        let open = || Screen::of(Some(format!("127.0.0.1:{number}")));
        let given_up = tokio::time::timeout(LOOK, open()).await;
        assert!(given_up.is_err());
        let (hung, _) = silent.accept().unwrap();
        assert!(open().await.is_none());
        silent.set_nonblocking(true).unwrap();
        silent.accept().unwrap_err();
        drop(hung);
        let begun = Instant::now();
        while IS_SERVED.load(Ordering::Acquire) {
            assert!(begun.elapsed() < DEADLINE, "it is still waited for");
            std::thread::yield_now();
        }
    }
}
