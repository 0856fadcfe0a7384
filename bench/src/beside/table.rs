//! The tables: medians over rounds, ratios within rounds, written at the mark in a document.

use std::fmt::Write as _;
use std::time::Duration;

use crate::figures::median;
use usher_bench::load::LoadReport;

/// One contender's reports, a round each.
#[derive(Debug)]
pub(super) struct Row {
    name: String,
    pub(super) reports: Vec<LoadReport>,
}

impl Row {
    pub(super) fn new(name: &str) -> Self {
        Row {
            name: name.to_owned(),
            reports: Vec::new(),
        }
    }

    fn median(&self, figure: impl Fn(&LoadReport) -> f64) -> f64 {
        median(&self.reports.iter().map(figure).collect::<Vec<_>>())
    }

    /// The median of the ratios to what another reached in the same round.
    fn ratio(&self, other: &Row) -> f64 {
        let rounds = self.reports.iter().zip(&other.reports);
        let ratios =
            rounds.map(|(mine, theirs)| mine.requests_per_second / theirs.requests_per_second);
        median(&ratios.collect::<Vec<_>>())
    }
}

/// The table of one number of connections. The first two rows are the no-op server's, for pairs and
/// for checkouts alone; each other row is held against the one of its kind.
pub(super) fn markdown(connections: usize, rows: &[Row]) -> String {
    let mut text = format!(
        "### {connections} connections\n\n\
         | | requests/s | of the no-op | checkouts/s | p50 ms | p99 ms | p99.9 ms | server CPU µs a request |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let ratio = match measure_of(row, rows) {
            Some(noop) => format!("{:.2}", row.ratio(noop)),
            None => "·".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {ratio} | {} | {:.2} | {:.2} | {:.2} | {:.1} |",
            row.name,
            grouped(row.median(|report| report.requests_per_second)),
            grouped(row.median(|report| report.checkouts_per_second)),
            row.median(|report| report.p50_ms),
            row.median(|report| report.p99_ms),
            row.median(|report| report.p999_ms),
            row.median(|report| report.server_cpu_us_per_request.unwrap_or(f64::NAN)),
        );
    }
    if let Some(noop) = rows.first() {
        let own = noop.median(|report| report.client_cpu_us_per_request);
        let _ = writeln!(
            text,
            "\nThe generator itself takes {own:.1} µs a request of the no-op's, on the same cores."
        );
    }
    for row in rows.iter().filter(|row| is_agents(row)) {
        let decisions = grouped(row.median(|report| report.decisions_per_second));
        let _ = writeln!(text, "\n{}: {decisions} durable decisions/s.", row.name);
    }
    text
}

/// An agent's exchange is another request than the no-op's: no ratio.
fn is_agents(row: &Row) -> bool {
    row.name.contains("agents'")
}

fn measure_of<'a>(row: &Row, rows: &'a [Row]) -> Option<&'a Row> {
    if is_agents(row) {
        return None;
    }
    rows.get(usize::from(row.name.contains("checkout alone")))
}

/// A whole number, in groups of three digits.
pub(crate) fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// All tables, and what they were measured on.
pub(super) fn document(
    facts: &str,
    rounds: usize,
    duration: Duration,
    tables: &[String],
) -> String {
    let seconds = duration.as_secs_f64();
    format!(
        "{facts} Medians of {rounds} rounds, {seconds} s each.\n\n{}",
        tables.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_bench::engine::Tally;

    fn row(name: &str, rates: &[f64]) -> Row {
        let mut row = Row::new(name);
        for rate in rates {
            let mut report = LoadReport::of(&Tally::default(), 64, 1);
            report.requests_per_second = *rate;
            report.server_cpu_us_per_request = Some(8.0);
            report.client_cpu_us_per_request = 3.0;
            row.reports.push(report);
        }
        row
    }

    #[test]
    fn a_ratio_is_of_the_same_round_and_the_median_of_rounds() {
        let noop = row("no-op", &[100.0, 200.0, 400.0]);
        let usher = row("usher", &[70.0, 120.0, 320.0]);
        assert_eq!(usher.ratio(&noop), 0.7);
        assert_eq!(median(&[1.0, 9.0]), 5.0);
    }

    #[test]
    fn each_row_is_held_against_the_no_op_of_its_kind() {
        let rows = [
            row("no-op server, checkout and checkin", &[100.0]),
            row("no-op server, checkout alone", &[50.0]),
            row("Usher, checkout and checkin, one hot product", &[70.0]),
            row("Usher, checkout alone, one hot product", &[40.0]),
            row("Usher, agents' exchanges of 100 items", &[2.0]),
        ];
        let table = markdown(64, &rows);
        assert!(
            table.contains("| Usher, checkout and checkin, one hot product | 70 | 0.70 |"),
            "{table}"
        );
        assert!(
            table.contains("| Usher, checkout alone, one hot product | 40 | 0.80 |"),
            "{table}"
        );
        assert!(table.contains("takes 3.0 µs a request"), "{table}");
        assert!(
            table.contains("| Usher, agents' exchanges of 100 items | 2 | · |"),
            "{table}"
        );
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(grouped(1234567.4), "1,234,567");
        assert_eq!(grouped(999.0), "999");
    }
}
