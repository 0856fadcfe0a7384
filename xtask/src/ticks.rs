//! Processor time as Linux counts it: of this process's children, and of the whole computer.

use std::fs;

/// Processor time since the computer's start, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ticks {
    /// Of children of this process that have ended and were waited for, with theirs in turn.
    pub(crate) children_s: f64,
    /// Of everything on all processors, without idling and waiting for a disk.
    pub(crate) all_s: f64,
}

impl Ticks {
    /// As they are now.
    pub(crate) fn now() -> Result<Ticks, String> {
        let read = |file: &str| {
            fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))
        };
        let (own, all) = (read("/proc/self/stat")?, read("/proc/stat")?);
        let second = rustix::param::clock_ticks_per_second() as f64;
        let ticks = children_of(&own).zip(busy(&all));
        let (children, all) = ticks
            .ok_or("/proc/self/stat and /proc/stat do not say how much processor time was used")?;
        Ok(Ticks {
            children_s: children as f64 / second,
            all_s: all as f64 / second,
        })
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Ticks) -> Ticks {
        Ticks {
            children_s: self.children_s - before.children_s,
            all_s: self.all_s - before.all_s,
        }
    }

    /// All but the children's: the work of others, and this process's own, which only waits.
    pub(crate) fn others_s(self) -> f64 {
        (self.all_s - self.children_s).max(0.0)
    }
}

/// `cutime` and `cstime` of /proc/PID/stat, in ticks.
fn children_of(stat: &str) -> Option<u64> {
    // The program's name is in brackets, and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// All but `idle` and `iowait` of the first line of /proc/stat, in ticks. What guests use is in
/// `user` already.
fn busy(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    let [user, nice, system, _idle, _iowait, interrupts, soft, stolen] = fields[..] else {
        return None;
    };
    Some(user + nice + system + interrupts + soft + stolen)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_times_are_found_behind_a_name_that_holds_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 10 20 0 0 30 40 500 600 20 0 1 0 77 88 99\n";
        assert_eq!(children_of(stat), Some(1100));
        assert_eq!(children_of("7 (a"), None);
        let all = "cpu  10 20 30 1000 2000 1 2 3 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n";
        assert_eq!(busy(all), Some(66));
        assert_eq!(busy("cpu  10 20\n"), None);
    }

    #[test]
    fn what_a_child_has_used_is_counted_when_it_has_ended() {
        let before = Ticks::now().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let used = loop {
            let count = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done";
            assert!(
                Command::new("sh")
                    .args(["-c", count])
                    .status()
                    .unwrap()
                    .success()
            );
            let used = Ticks::now().unwrap().since(before);
            if used.children_s > 0.05 || Instant::now() > until {
                break used;
            }
        };
        assert!(used.children_s > 0.05, "{used:?}");
        assert!(used.all_s > 0.0, "{used:?}");
    }
}
