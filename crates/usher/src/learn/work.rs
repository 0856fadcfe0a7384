//! The processor time that a thread or a process has taken so far.

use std::time::Duration;

/// One unit of `stat` (`USER_HZ`, which Linux fixes for programs).
const TICK: Duration = Duration::from_millis(10);

/// Of one thread; `None` if it is gone.
pub(super) fn of_thread(thread: i32) -> Option<Duration> {
    let folder = format!("/proc/{thread}/task/{thread}");
    let exact = std::fs::read_to_string(format!("{folder}/schedstat")).ok();
    let nanoseconds = exact.and_then(|text| text.split(' ').next()?.parse().ok());
    match nanoseconds {
        Some(nanoseconds) => Some(Duration::from_nanos(nanoseconds)),
        // Not every kernel keeps that.
        None => ticks(&format!("{folder}/stat")),
    }
}

/// Of all threads of a process; `None` if it is gone.
pub(super) fn of_process(process: i32) -> Option<Duration> {
    ticks(&format!("/proc/{process}/stat"))
}

fn ticks(file: &str) -> Option<Duration> {
    let text = std::fs::read_to_string(file).ok()?;
    // The name may hold spaces and brackets.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (next()?.saturating_add(next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_has_worked_is_counted() {
        let own = i32::try_from(std::process::id()).unwrap();
        let begun = std::time::Instant::now();
        let worked = || of_process(own).unwrap();
        while worked() < Duration::from_millis(30) && begun.elapsed() < Duration::from_secs(60) {}
        assert!(worked() >= Duration::from_millis(30));
        assert!(of_thread(own).is_some());
        assert_eq!(of_process(i32::MAX), None);
    }
}
