//! When nobody looked: an agent was silent, or a log has a gap.

/// Stretches of time that were not observed, in order and apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps(Vec<(i64, i64)>);

impl Gaps {
    /// Of stretches in any order that may overlap: from, included, to, not included, in Unix
    /// milliseconds.
    pub fn of(mut stretches: Vec<(i64, i64)>) -> Gaps {
        stretches.retain(|(from_ms, to_ms)| from_ms < to_ms);
        stretches.sort_unstable();
        let mut gaps: Vec<(i64, i64)> = Vec::new();
        for (from_ms, to_ms) in stretches {
            match gaps.last_mut() {
                Some(last) if from_ms <= last.1 => last.1 = last.1.max(to_ms),
                _ => gaps.push((from_ms, to_ms)),
            }
        }
        Gaps(gaps)
    }

    /// How many milliseconds of `from_ms` to `to_ms` were not observed.
    pub fn unobserved_ms(&self, from_ms: i64, to_ms: i64) -> u64 {
        let first = self.0.partition_point(|gap| gap.1 <= from_ms);
        let within = self.0[first..].iter().take_while(|gap| gap.0 < to_ms);
        let cut = within.map(|gap| (gap.0.max(from_ms), gap.1.min(to_ms)));
        let long = cut.filter(|(from_ms, to_ms)| from_ms < to_ms);
        let lengths = long.map(|(from_ms, to_ms)| to_ms.abs_diff(from_ms));
        lengths.fold(0, u64::saturating_add)
    }

    /// How many milliseconds of `from_ms` to `to_ms` were observed.
    pub fn observed_ms(&self, from_ms: i64, to_ms: i64) -> u64 {
        match from_ms < to_ms {
            true => to_ms
                .abs_diff(from_ms)
                .saturating_sub(self.unobserved_ms(from_ms, to_ms)),
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_observed_twice_counts_once() {
        let gaps = Gaps::of(vec![(50, 70), (10, 20), (15, 30), (30, 31), (9, 3)]);
        assert_eq!(gaps.0, [(10, 31), (50, 70)]);
        assert_eq!(gaps.unobserved_ms(0, 100), 41);
        assert_eq!(gaps.unobserved_ms(20, 60), 21);
        assert_eq!(gaps.observed_ms(20, 60), 19);
        assert_eq!(gaps.unobserved_ms(31, 50), 0);
        assert_eq!(gaps.unobserved_ms(12, 14), 2);
        assert_eq!(gaps.observed_ms(14, 12), 0);
    }
}
