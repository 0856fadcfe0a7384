//! When a server has nothing left to do. It answers first and puts what it answered into its tables
//! later, so that what is measured next would be measured beside that.

use std::thread::sleep;
use std::time::{Duration, Instant};

use usher_bench::cpu;

/// A server rests if it hardly ran for that long.
const LOOK: Duration = Duration::from_millis(200);
/// Processor time that an idle server may use meanwhile: two ticks of the clock.
const IDLE: Duration = Duration::from_millis(20);
/// A server that does not come to rest is broken.
const LIMIT: Duration = Duration::from_secs(120);

/// Waits until the server rests, and tells how much processor time it had used by then.
pub(crate) fn wait(pid: u32) -> Result<Duration, String> {
    let started = Instant::now();
    let used = || cpu::of_tree(pid).ok_or_else(|| format!("the server (process {pid}) ended"));
    let mut before = used()?;
    while started.elapsed() < LIMIT {
        sleep(LOOK);
        let now = used()?;
        if now.saturating_sub(before) <= IDLE {
            return Ok(now);
        }
        before = now;
    }
    let limit = LIMIT.as_secs();
    Err(format!(
        "the server (process {pid}) did not come to rest within {limit} s of the load"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_that_works_is_waited_for_until_it_no_longer_does() {
        let mut busy = Command::new("sh")
            .args([
                "-c",
                "n=0; while [ $n -lt 300000 ]; do n=$((n+1)); done; exec sleep 60",
            ])
            .spawn()
            .unwrap();
        let used = wait(busy.id()).unwrap();
        assert!(used > IDLE, "{used:?}");
        busy.kill().unwrap();
        busy.wait().unwrap();
        assert!(wait(u32::MAX).unwrap_err().contains("ended"));
    }
}
