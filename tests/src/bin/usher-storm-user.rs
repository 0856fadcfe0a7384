//! One user of a storm: starts programs one after another as it is told, and tells what it saw.
//!
//! A process of its own, and only its first thread starts programs: of two threads that start
//! programs at once, each may have to wait for the other's to be let run, since a child has the ends
//! of all pipes until it runs.
//!
//! Each line that it reads is `FILE SECONDS KILL_AFTER_MS`, the last 0 if the program ends by
//! itself. Each line that it writes is `NUMBER BEGAN_MS TOOK_US ERRNO ENDED_MS`: which line it is
//! of, times since 1970, and 0 if there is nothing to tell.

#![forbid(unsafe_code)]

use std::io::{BufRead, Error, ErrorKind, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() -> std::io::Result<()> {
    let mut running = Vec::new();
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let &[file, seconds, kill_after_ms] = words.as_slice() else {
            return Err(Error::new(ErrorKind::InvalidInput, line));
        };
        let kill_after_ms: u64 = kill_after_ms.parse().map_err(Error::other)?;
        let (began_ms, began) = (now_ms(), Instant::now());
        let spawned = Command::new(file)
            .arg(seconds)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let took_us = began.elapsed().as_micros();
        running.push(std::thread::spawn(move || -> std::io::Result<()> {
            let (errno, ended_ms) = match spawned {
                Ok(child) => (0, end(child, Duration::from_millis(kill_after_ms))?),
                Err(error) => (error.raw_os_error().unwrap_or(-1), 0),
            };
            let line = format!("{number} {began_ms} {took_us} {errno} {ended_ms}\n");
            std::io::stdout().lock().write_all(line.as_bytes())
        }));
    }
    running.into_iter().try_for_each(|one| {
        one.join()
            .map_err(|_| Error::other("a thread has failed"))?
    })
}

/// Waits for its end, or brings it about; when it came.
fn end(mut child: Child, kill_after: Duration) -> std::io::Result<u128> {
    if !kill_after.is_zero() {
        // tidy: sleep, the program lives so long
        std::thread::sleep(kill_after);
        child.kill()?;
    }
    child.wait()?;
    Ok(now_ms())
}

fn now_ms() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis())
}
