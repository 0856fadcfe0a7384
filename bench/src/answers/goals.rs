//! Figures beside their goals, as a table that says of each whether it is reached.

use crate::beside::table::grouped;

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
    /// It is only told.
    None,
}

/// What a figure was.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Measured {
    /// So much.
    Is(f64),
    /// It was not measured, and why.
    Not(String),
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Sessions in a second.
    SessionsPerSecond,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes, told in MiB.
    Mib,
    /// A share of something else.
    Ratio,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    what: String,
    goal: Goal,
    measured: Measured,
    unit: Unit,
}

impl Figure {
    /// `what` was measured.
    pub(super) fn new(what: impl Into<String>, goal: Goal, measured: f64, unit: Unit) -> Figure {
        Figure {
            what: what.into(),
            goal,
            measured: Measured::Is(measured),
            unit,
        }
    }

    /// `what` could not be measured.
    pub(super) fn missing(what: impl Into<String>, goal: Goal, why: &str, unit: Unit) -> Figure {
        Figure {
            what: what.into(),
            goal,
            measured: Measured::Not(why.to_owned()),
            unit,
        }
    }

    /// Whether the goal is reached; true if there is none. What was not measured reaches nothing.
    fn is_reached(&self) -> bool {
        match (self.goal, &self.measured) {
            (Goal::None, _) => true,
            (_, Measured::Not(_)) => false,
            (Goal::AtLeast(goal), Measured::Is(is)) => *is >= goal,
            (Goal::AtMost(goal), Measured::Is(is)) => *is <= goal,
        }
    }

    fn row(&self) -> String {
        let goal = match self.goal {
            Goal::AtLeast(goal) => format!("at least {}", self.unit.shown(goal)),
            Goal::AtMost(goal) => format!("at most {}", self.unit.shown(goal)),
            Goal::None => String::new(),
        };
        let (measured, reached) = match &self.measured {
            Measured::Not(why) => (format!("not measured: {}", cell(why)), "not measured"),
            Measured::Is(is) => {
                let reached = match (self.goal, self.is_reached()) {
                    (Goal::None, _) => "",
                    (_, true) => "yes",
                    (_, false) => "no",
                };
                (self.unit.shown(*is), reached)
            }
        };
        format!("| {} | {goal} | {measured} | {reached} |\n", self.what)
    }
}

impl Unit {
    fn shown(self, figure: f64) -> String {
        match self {
            Unit::SessionsPerSecond => format!("{} sessions/s", grouped(figure)),
            Unit::Seconds if figure < 1.0 => format!("{figure:.3} s"),
            Unit::Seconds => format!("{figure:.2} s"),
            Unit::Bytes => format!("{} bytes", grouped(figure)),
            Unit::Mib => format!("{} MiB", grouped(figure / (1 << 20) as f64)),
            Unit::Ratio => format!("{figure:.2}"),
        }
    }
}

/// A text that neither ends a cell nor its row.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "/")
}

/// The table of all figures.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut table = "| | goal | measured | reached |\n|---|--:|--:|---|\n".to_owned();
    table.extend(figures.iter().map(Figure::row));
    table
}

/// If `hold`, an error that names the figures whose goals are not reached.
pub(super) fn held(hold: bool, figures: &[Figure]) -> Result<(), String> {
    let missed = figures.iter().filter(|figure| !figure.is_reached());
    let missed: Vec<&str> = missed.map(|figure| &*figure.what).collect();
    match hold && !missed.is_empty() {
        true => Err(format!("goals are not reached: {}", missed.join("; "))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> [Figure; 5] {
        let rate = |goal| Figure::new("rate", goal, 119_999.6, Unit::SessionsPerSecond);
        [
            rate(Goal::AtLeast(120_000.0)),
            rate(Goal::None),
            Figure::new("time", Goal::AtMost(0.5), 0.5, Unit::Seconds),
            Figure::new("memory", Goal::AtMost(0.3), 0.31, Unit::Ratio),
            Figure::missing("peer", Goal::AtMost(0.5), "no |\npip", Unit::Ratio),
        ]
    }

    #[test]
    fn each_figure_stands_beside_its_goal() {
        let table = table(&figures());
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| rate | at least 120,000 sessions/s | 120,000 sessions/s | no |",
                "| rate |  | 120,000 sessions/s |  |",
                "| time | at most 0.500 s | 0.500 s | yes |",
                "| memory | at most 0.30 | 0.31 | no |",
                "| peer | at most 0.50 | not measured: no / pip | not measured |",
            ]
        );
    }

    #[test]
    fn what_is_not_reached_or_not_measured_fails_only_a_run_that_holds_them() {
        let why = held(true, &figures()).unwrap_err();
        assert_eq!(why, "goals are not reached: rate; memory; peer");
        assert_eq!(held(false, &figures()), Ok(()));
        assert_eq!(held(true, &figures()[1..3]), Ok(()));
    }
}
