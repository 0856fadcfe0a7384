//! Which of the three is killed next, and when.

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    /// The metering server.
    Server,
    /// The manager that collects from it.
    Manager,
    /// The PostgreSQL of the site.
    Database,
}

/// Kills in an order that a seed decides, at equal steps of what is collected.
#[derive(Debug)]
pub(super) struct Kills {
    left: Vec<Victim>,
    all: usize,
}

impl Kills {
    /// So many of each.
    pub(super) fn new(each: usize, seed: u64) -> Kills {
        let victims = [Victim::Server, Victim::Manager, Victim::Database];
        let mut left: Vec<Victim> = victims.iter().flat_map(|it| vec![*it; each]).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut left);
        let all = left.len();
        Kills { left, all }
    }

    /// Who is killed now that so much of it is collected, from 0 to 1; none: nobody yet.
    pub(super) fn due(&mut self, collected: f64) -> Option<Victim> {
        let done = self.all - self.left.len();
        let at = (done as f64 + 0.5) / self.all as f64;
        if collected < at {
            return None;
        }
        self.left.pop()
    }

    /// How many were killed.
    pub(super) fn done(&self) -> usize {
        self.all - self.left.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_killed_as_often_as_the_others_before_all_is_collected() {
        let mut kills = Kills::new(4, 7);
        assert_eq!(kills.due(0.0), None);
        let mut killed = Vec::new();
        for step in 0..=1_000 {
            killed.extend(kills.due(f64::from(step) / 1_000.0));
        }
        for victim in [Victim::Server, Victim::Manager, Victim::Database] {
            assert_eq!(killed.iter().filter(|it| **it == victim).count(), 4);
        }
        assert_eq!(kills.done(), 12);
        assert!(killed.windows(2).any(|two| two[0] != two[1]));
    }
}
