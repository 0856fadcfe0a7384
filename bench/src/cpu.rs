//! Processor time of a server, its children included, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Processor time that the process `pid` and all that descend from it have used, those that have
/// ended and were waited for included; none if there is no such process.
pub fn of_tree(pid: u32) -> Option<Duration> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut stats: BTreeMap<u32, Stat> = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Some(stat) = read(id) else { continue };
        children.entry(stat.parent).or_default().push(id);
        stats.insert(id, stat);
    }
    let mut ticks = stats.get(&pid)?.ended_children;
    let mut open = vec![pid];
    while let Some(id) = open.pop() {
        ticks += stats.get(&id).map_or(0, |stat| stat.own);
        open.extend(children.remove(&id).unwrap_or_default());
    }
    Some(from_ticks(ticks))
}

/// Processor time of this process.
pub fn own() -> Duration {
    read(std::process::id()).map_or(Duration::ZERO, |stat| from_ticks(stat.own))
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn read(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields after the name, which may hold spaces: state, ppid, …, utime is the 14th of all.
fn parse(line: &str) -> Option<Stat> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        ended_children: number(13)? + number(14)?,
    })
}

fn from_ticks(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_understood_whatever_the_name() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0";
        assert_eq!(
            parse(line),
            Some(Stat {
                parent: 3,
                own: 33,
                ended_children: 77
            })
        );
        assert_eq!(parse("7 (torn"), None);
    }

    #[test]
    fn work_shows_as_processor_time() {
        let before = of_tree(std::process::id()).unwrap();
        let mut sum = 0u64;
        while own() < before + Duration::from_millis(30) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(of_tree(std::process::id()).unwrap() > before);
    }

    #[test]
    fn there_is_no_figure_for_a_process_that_is_not() {
        assert_eq!(of_tree(u32::MAX), None);
    }
}
