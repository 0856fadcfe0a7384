//! For how long programs of no product ran on this computer: their runs are added up so that time
//! in which several processes of a program ran counts once. It is not counted per user.
//!
//! Time is counted in windows, from one look at the running programs to the next. Runs that end
//! within a window are added as they end; the look finds those that go on. All times are
//! milliseconds that the computer was awake since its boot.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// How many programs a window has; the time of others is not known.
const PROGRAMS_LIMIT: usize = 4_096;
/// How many ended runs a window has; the time of others is not known.
const RUNS_LIMIT: usize = 16_384;

/// By program: the new seconds that it ran.
pub(super) type Seconds = Vec<(Arc<str>, u64)>;

/// The runs of a window.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// When the window began.
    from_ms: u64,
    programs: FxHashMap<Arc<str>, Program>,
    runs: usize,
}

/// What is known of a program.
#[derive(Debug, Default)]
struct Program {
    /// From when to when it ran.
    runs: Vec<(u64, u64)>,
    /// The sum of the runs of which only the length is known.
    short_ns: u64,
    /// What of this window was reported already.
    told_ms: u64,
    /// The rest that is left over because reports are in whole seconds.
    rest_ms: u64,
}

impl Times {
    /// The first window begins now.
    pub(super) fn new(now_ms: u64) -> Self {
        Times {
            from_ms: now_ms,
            ..Times::default()
        }
    }

    /// A run has ended.
    pub(super) fn ended(&mut self, name: &Arc<str>, from_ms: u64, to_ms: u64) {
        if to_ms <= self.from_ms || from_ms >= to_ms || self.runs >= RUNS_LIMIT {
            return;
        }
        if let Some(program) = self.of(name) {
            program.runs.push((from_ms, to_ms));
            self.runs += 1;
        }
    }

    /// Runs have ended, each shorter than a second, that took `short_ns` together.
    pub(super) fn ended_shortly(&mut self, name: &Arc<str>, short_ns: u64) {
        if short_ns == 0 {
            return;
        }
        if let Some(program) = self.of(name) {
            program.short_ns = program.short_ns.saturating_add(short_ns);
        }
    }

    fn of(&mut self, name: &Arc<str>) -> Option<&mut Program> {
        let has_room = self.programs.len() < PROGRAMS_LIMIT || self.programs.contains_key(name);
        has_room.then(|| self.programs.entry(name.clone()).or_default())
    }

    /// The new seconds until `now_ms`, with the programs that still run and since when; the next
    /// window begins.
    pub(super) fn look(&mut self, now_ms: u64, open: &[(Arc<str>, u64)]) -> Seconds {
        for (name, since_ms) in open {
            if let Some(program) = self.of(name) {
                program.runs.push((*since_ms, now_ms));
            }
        }
        let seconds = self.so_far(now_ms);
        self.from_ms = self.from_ms.max(now_ms);
        let from_ms = self.from_ms;
        // Parts of a second are worth no room that others need.
        let has_room = self.programs.len() < PROGRAMS_LIMIT / 2;
        self.programs.retain(|_, program| {
            program.runs.retain(|(_, to_ms)| *to_ms > from_ms);
            program.short_ns = 0;
            program.told_ms = 0;
            program.rest_ms > 0 && has_room || !program.runs.is_empty()
        });
        self.runs = self.programs.values().map(|it| it.runs.len()).sum();
        seconds
    }

    /// The new seconds of the runs that have ended by `now_ms`.
    pub(super) fn so_far(&mut self, now_ms: u64) -> Seconds {
        let from_ms = self.from_ms;
        let mut seconds = Vec::new();
        for (name, program) in &mut self.programs {
            let short_ms = program.short_ns / 1_000_000;
            let ran_ms = covered(&mut program.runs, from_ms, now_ms) + short_ms;
            let ran_ms = ran_ms.min(now_ms.saturating_sub(from_ms));
            let new_ms = program.rest_ms + ran_ms.saturating_sub(program.told_ms);
            program.told_ms = program.told_ms.max(ran_ms);
            program.rest_ms = new_ms % 1_000;
            if new_ms >= 1_000 {
                seconds.push((name.clone(), new_ms / 1_000));
            }
        }
        seconds
    }
}

/// For how long at least one of these runs lasted within a window.
fn covered(runs: &mut [(u64, u64)], from_ms: u64, to_ms: u64) -> u64 {
    runs.sort_unstable();
    let (mut length, mut up_to) = (0, from_ms);
    for (begin, end) in runs.iter() {
        let (begin, end) = ((*begin).max(up_to), (*end).min(to_ms));
        if end > begin {
            length += end - begin;
            up_to = end;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cad() -> Arc<str> {
        "cad".into()
    }

    fn told(seconds: Seconds) -> u64 {
        seconds.into_iter().map(|(_, seconds)| seconds).sum()
    }

    #[test]
    fn what_starts_and_ends_between_two_looks_counts_from_its_start_to_its_end() {
        let mut times = Times::new(0);
        times.ended(&cad(), 10_000, 12_300);
        assert_eq!(times.so_far(15_000), [(cad(), 2)]);
        assert_eq!(times.so_far(30_000), [], "it is told once");
        times.ended(&cad(), 31_000, 31_800);
        assert_eq!(told(times.so_far(45_000)), 1, "0.3 s and 0.8 s");
        assert_eq!(times.look(60_000, &[]), []);
        // Each of many short ones counts.
        for _ in 0..9 {
            times.ended_shortly(&cad(), 100_000_000);
        }
        assert_eq!(told(times.look(120_000, &[])), 1, "with 0.1 s of before");
        assert_eq!(times.look(180_000, &[]), []);
    }

    #[test]
    fn time_in_which_several_of_a_program_run_counts_once() {
        let mut times = Times::new(0);
        times.ended(&cad(), 50_000, 60_000);
        times.ended(&cad(), 55_000, 65_000);
        assert_eq!(told(times.so_far(65_000)), 15);
        // One that ran all the while is found only now.
        assert_eq!(told(times.look(70_000, &[(cad(), 0), (cad(), 30_000)])), 55);
        assert_eq!(told(times.look(130_000, &[(cad(), 0)])), 60);
        // It ends: what was counted of it is not counted again.
        times.ended(&cad(), 0, 131_500);
        assert_eq!(told(times.so_far(140_000)), 1);
        // Short ones at the same time are no more than the time that there was.
        times.ended_shortly(&cad(), 500_000_000_000);
        assert_eq!(
            told(times.look(140_000, &[])),
            9,
            "10 s in all, less 1 s that is told"
        );
    }

    #[test]
    fn what_ended_after_the_look_that_did_not_find_it_counts_in_the_next_window() {
        let mut times = Times::new(0);
        times.ended(&cad(), 58_000, 61_000);
        assert_eq!(told(times.look(60_000, &[])), 2);
        assert_eq!(told(times.so_far(75_000)), 1);
        times.ended(&cad(), 1_000, 60_000);
        assert_eq!(told(times.so_far(75_000)), 0, "that window is over");
    }

    #[test]
    fn programs_and_runs_without_end_are_remembered_up_to_a_bound() {
        let mut times = Times::new(0);
        for number in 0..PROGRAMS_LIMIT + 5 {
            times.ended(&number.to_string().into(), 0, 1_999);
        }
        assert_eq!(times.programs.len(), PROGRAMS_LIMIT);
        for _ in 0..RUNS_LIMIT {
            times.ended(&"0".into(), 0, 1_999);
        }
        assert_eq!(times.runs, RUNS_LIMIT);
        assert_eq!(times.look(2_000, &[]).len(), PROGRAMS_LIMIT);
        assert_eq!((times.runs, times.programs.len()), (0, 0));
    }
}
