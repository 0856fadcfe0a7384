//! What is shown while a manager takes long for an answer.

use std::io::{self, IsTerminal as _, Write};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::time;

/// Nothing is shown of what takes no longer.
const SOON: Duration = Duration::from_secs(2);

/// Waits for `work`, of which `doing` says what the manager does. If it takes long and the standard error
/// is a terminal, that has a line which says so. `is_for_people`: what the command prints is.
pub(crate) async fn told<T>(work: impl Future<Output = T>, doing: &str, is_for_people: bool) -> T {
    match is_for_people && io::stderr().is_terminal() {
        true => shown(work, doing, SOON, &mut io::stderr()).await,
        false => work.await,
    }
}

/// Waits for `work`. If it takes longer than `soon`, a line on `terminal` says for how long it has been
/// waited for, anew each second; it is gone when the work is done.
async fn shown<T>(
    work: impl Future<Output = T>,
    doing: &str,
    soon: Duration,
    terminal: &mut impl Write,
) -> T {
    let began = Instant::now();
    let mut work = pin!(work);
    if let Ok(done) = timeout(soon, work.as_mut()).await {
        return done;
    }
    loop {
        let waited = time::span(began.elapsed().as_secs());
        // A terminal that takes nothing any more is no reason to stop.
        let _ = write!(
            terminal,
            "\r\x1b[Kusher: the manager {doing}, {waited} so far"
        );
        let _ = terminal.flush();
        if let Ok(done) = timeout(Duration::from_secs(1), work.as_mut()).await {
            let _ = write!(terminal, "\r\x1b[K");
            let _ = terminal.flush();
            return done;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_says_so_until_it_is_done() {
        let mut terminal = Vec::new();
        let millis = Duration::from_millis;
        let doing = "makes the report";
        let done = shown(async { 7 }, doing, millis(10_000), &mut terminal).await;
        assert_eq!((done, terminal.len()), (7, 0));
        let work = async {
            // tidy: sleep, in place of a manager that takes long
            sleep(millis(60)).await;
            7
        };
        assert_eq!(shown(work, doing, millis(5), &mut terminal).await, 7);
        assert_eq!(
            String::from_utf8(terminal).unwrap(),
            "\r\x1b[Kusher: the manager makes the report, 0 s so far\r\x1b[K"
        );
    }
}
