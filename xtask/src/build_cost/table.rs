//! What builds took, as a table of a document.

use std::fs;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- build: begin -->";
const END: &str = "<!-- build: end -->";
/// From this share of all processors on, others make a build take longer.
pub(super) const BUSY_SHARE: f64 = 0.05;

/// What one build took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    pub(super) wall_s: f64,
    pub(super) processor_s: f64,
    /// The processor time of others meanwhile.
    pub(super) others_s: f64,
    pub(super) bytes: u64,
    /// The program's size without symbols; none if there is no `strip`.
    pub(super) stripped: Option<u64>,
}

/// A tree and what its builds took.
pub(super) struct Tree {
    pub(super) name: String,
    pub(super) source: PathBuf,
    pub(super) profile: String,
    pub(super) costs: Vec<Cost>,
}

impl Tree {
    pub(super) fn new(name: String, source: PathBuf, profile: &str) -> Tree {
        Tree {
            name,
            source,
            profile: profile.to_owned(),
            costs: Vec::new(),
        }
    }

    fn median(&self, figure: fn(&Cost) -> f64) -> f64 {
        median(self.costs.iter().map(figure).collect())
    }
}

/// The middle of the figures, or of the two in the middle; not a number if there are none.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[half],
        _ => (figures[half - 1] + figures[half]) / 2.0,
    }
}

/// The table, with its ratios if a commit was built in alternation.
pub(super) fn of(trees: &[Tree], cores: usize, facts: &str) -> String {
    let rounds = trees.first().map_or(0, |tree| tree.costs.len());
    let mut text = format!(
        "{facts}: {cores} processors; rounds: {rounds}.\n\n\
         | | s | processor s | of others meanwhile | bytes | stripped |\n|---|--:|--:|--:|--:|--:|\n"
    );
    let size = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    for tree in trees {
        let stripped = tree
            .costs
            .last()
            .and_then(|cost| cost.stripped)
            .map_or_else(|| "·".to_owned(), |bytes| size(bytes as f64));
        text += &format!(
            "| {} | {:.0} | {:.0} | {:.0} | {} | {stripped} |\n",
            tree.name,
            tree.median(|cost| cost.wall_s),
            tree.median(|cost| cost.processor_s),
            tree.median(|cost| cost.others_s),
            size(tree.median(|cost| cost.bytes as f64)),
        );
    }
    if let [before, now] = trees {
        let ratio = |figure: fn(&Cost) -> f64| {
            let rounds = before.costs.iter().zip(&now.costs);
            median(
                rounds
                    .map(|(before, now)| figure(now) / figure(before))
                    .collect(),
            )
        };
        text += &format!(
            "| ratio, round by round | {:.2} | {:.2} | | {:.2} | |\n",
            ratio(|cost| cost.wall_s),
            ratio(|cost| cost.processor_s),
            ratio(|cost| cost.bytes as f64),
        );
    }
    let share = |cost: &Cost| cost.others_s / cost.wall_s / cores as f64;
    let busiest = trees.iter().flat_map(|tree| tree.costs.iter().map(share));
    let busiest = busiest.fold(0.0, f64::max);
    if busiest > BUSY_SHARE {
        text += &format!(
            "\nOther work used up to {:.0} % of the processors meanwhile: the ratio of processor \
             times counts, and the seconds are more than on an idle computer.\n",
            busiest * 100.0
        );
    }
    text
}

/// Puts the table between its marks.
pub(super) fn write(document: &Path, table: &str) -> Result<(), String> {
    let failed = |error| format!("cannot write {}: {error}", document.display());
    let old = fs::read_to_string(document).map_err(failed)?;
    let new = between_marks(&old, table)
        .ok_or_else(|| format!("{} has no place marked {BEGIN}", document.display()))?;
    fs::write(document, new).map_err(failed)
}

fn between_marks(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str, costs: &[(f64, f64, f64)]) -> Tree {
        let cost = |&(wall_s, processor_s, others_s): &(f64, f64, f64)| Cost {
            wall_s,
            processor_s,
            others_s,
            bytes: 30_000_000,
            stripped: None,
        };
        Tree {
            costs: costs.iter().map(cost).collect(),
            ..Tree::new(name.to_owned(), PathBuf::new(), "release")
        }
    }

    #[test]
    fn ratios_are_of_the_same_round_and_other_work_is_told() {
        // The computer becomes slower after the first round.
        let before = tree("before", &[(100.0, 200.0, 1.0), (400.0, 300.0, 1.0)]);
        let now = tree("now", &[(50.0, 100.0, 1.0), (200.0, 150.0, 1.0)]);
        let told = of(&[before, now], 2, "today");
        assert!(
            told.contains("| ratio, round by round | 0.50 | 0.50 | | 1.00 | |"),
            "{told}"
        );
        assert!(!told.contains("Other work"), "{told}");
        let busy = of(&[tree("now", &[(100.0, 100.0, 50.0)])], 2, "today");
        assert!(
            busy.contains("Other work used up to 25 % of the processors"),
            "{busy}"
        );
    }

    #[test]
    fn the_table_replaces_what_stands_between_its_marks() {
        let document = format!("# A\n{BEGIN}\nold\n{END}\nrest\n");
        let new = between_marks(&document, "new").unwrap();
        assert_eq!(new, format!("# A\n{BEGIN}\n\nnew\n{END}\nrest\n"));
        assert_eq!(between_marks("# A\n", "new"), None);
    }
}
