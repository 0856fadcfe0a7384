//! The time since the last input of an X11 display, by the MIT-SCREEN-SAVER extension: keyboard and
//! pointer, whichever window they went to.
//!
//! The connection has a thread of its own: a display that hangs keeps nothing else waiting.

use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;
use x11rb::connection::Connection;
use x11rb::protocol::screensaver::query_info;
use x11rb::rust_connection::RustConnection;

/// Who waits for an answer.
type Waiting = oneshot::Sender<u64>;

/// The display that `DISPLAY` names.
pub(super) struct Screen {
    ask: Sender<Waiting>,
}

impl Screen {
    /// None where there is none that tells.
    pub(super) async fn open() -> Option<Screen> {
        let (ask, asked) = channel();
        std::thread::Builder::new()
            .name("x11".to_owned())
            .spawn(move || serve(&asked))
            .ok()?;
        let screen = Screen { ask };
        tokio::time::timeout(super::PATIENCE, screen.idle_ms())
            .await
            .ok()??;
        Some(screen)
    }

    /// Milliseconds since the last input; none where the display is gone.
    pub(super) async fn idle_ms(&self) -> Option<u64> {
        let (waiting, answer) = oneshot::channel();
        self.ask.send(waiting).ok()?;
        answer.await.ok()
    }
}

/// Answers until nobody asks any more or the display does not answer.
fn serve(asked: &Receiver<Waiting>) -> Option<()> {
    let (display, screen) = RustConnection::connect(None).ok()?;
    let root = display.setup().roots.get(screen)?.root;
    for waiting in asked {
        let told = query_info(&display, root).ok()?.reply().ok()?;
        // Who no longer waits misses nothing.
        let _ = waiting.send(told.ms_since_user_input.into());
    }
    Some(())
}
