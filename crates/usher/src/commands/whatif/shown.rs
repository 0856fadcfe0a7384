//! The answer of a what-if, for people: a table with a plot, the advice, what was assumed.

use usher_api::{WhatIf, WhatIfResult};

use crate::failure::Failure;
use crate::output::{self, Table, Tone, counted, tame, toned};
use crate::time;

/// The longest bar, in characters.
const BAR: usize = 30;

/// Prints the answer as tables.
pub(super) fn print(answer: &WhatIf) -> Result<(), Failure> {
    output::print(&text(answer))
}

fn text(answer: &WhatIf) -> String {
    let mut text = format!(
        "{} from {} to {}: {}{}\n\n",
        tame(&answer.product),
        time::local(answer.from),
        time::local(answer.to),
        counted(answer.asks, "ask"),
        match answer.unknown_lengths {
            0 => String::new(),
            unknown => format!(
                ", {unknown} of unknown length ({} from seed {})",
                counted(u64::from(answer.draws), "draw"),
                answer.seed
            ),
        }
    );
    text += &table(answer).text();
    text.push('\n');
    if let Some(level) = &answer.service_level {
        text += &match answer.smallest_for_service_level {
            Some(seats) => format!(
                "The smallest of these that keeps {}: {}.\n",
                tame(level),
                counted(u64::from(seats), "seat")
            ),
            None => format!("None of these keeps {}.\n", tame(level)),
        };
    }
    text += &format!("{}\n", tame(&answer.advice));
    if !answer.assumptions.is_empty() {
        text += &format!("\n{}\n", toned(Tone::Strong, "Assumed:"));
        for assumption in &answer.assumptions {
            text += &format!("  {}\n", tame(assumption));
        }
    }
    text
}

fn table(answer: &WhatIf) -> Table {
    let is_drawn = answer.draws > 1;
    let has_waits = answer.results.iter().any(|result| result.waited > 0);
    let mut headings = vec![">SEATS", ">GRANTED", ">DENIED", ">SHARE"];
    if is_drawn {
        headings.push("RANGE");
    }
    if has_waits {
        headings.extend([">WAITED", ">HALF WITHIN", ">95 % WITHIN", ">LONGEST"]);
    }
    headings.extend([">PEAK", "DENIED"]);
    let mut table = Table::new(&headings);
    let shares = answer.results.iter().map(|result| result.denied_share);
    let most = shares.fold(0.0, f64::max);
    for result in &answer.results {
        let mut cells = vec![
            result.seats.to_string(),
            result.granted.to_string(),
            result.denied.to_string(),
            percent(result.denied_share),
        ];
        if is_drawn {
            cells.push(range(result));
        }
        if has_waits {
            cells.push(result.waited.to_string());
            cells.push(span(result.wait_p50_seconds));
            cells.push(span(result.wait_p95_seconds));
            cells.push(span(result.wait_longest_seconds));
        }
        cells.push(result.peak.to_string());
        cells.push(bar(result.denied_share, most));
        table.row(cells);
    }
    table
}

fn range(result: &WhatIfResult) -> String {
    format!(
        "{} to {}",
        percent(result.range.low),
        percent(result.range.high)
    )
}

/// A share with one decimal. What is above none is never shown as none.
fn percent(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 0.001 => "<0.1 %".to_owned(),
        share => format!("{:.1} %", share * 100.0),
    }
}

/// A wait, or a dash if nobody waited.
fn span(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds < 10.0 => format!("{seconds:.1} s"),
        Some(seconds) => time::span(seconds.round() as u64),
    }
}

/// A bar for a share: the most has the longest, and what is above none has some.
fn bar(share: f64, most: f64) -> String {
    if share <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let length = (share / most * BAR as f64).round() as usize;
    "#".repeat(length.clamp(1, BAR))
}

#[cfg(test)]
mod tests {
    use usher_api::{OnFull, ShareRange};

    use super::*;

    fn result(seats: u32, denied: u64, waited: u64) -> WhatIfResult {
        let denied_share = denied as f64 / 40.0;
        let wait = (waited > 0).then_some(90.0);
        WhatIfResult {
            seats,
            granted: 40 - denied,
            denied,
            denied_share,
            range: ShareRange {
                low: 0.0,
                high: denied_share,
            },
            waited,
            wait_p50_seconds: wait,
            wait_p95_seconds: wait,
            wait_longest_seconds: wait,
            peak: seats.into(),
            in_time: 40 - denied,
        }
    }

    fn answer(results: Vec<WhatIfResult>, draws: u32) -> WhatIf {
        WhatIf {
            product: "cad".to_owned(),
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            to: "2026-02-01T00:00:00Z".parse().unwrap(),
            on_full: OnFull::AsRecorded,
            service_level: Some("95% within 5m".to_owned()),
            asks: 40,
            unknown_lengths: u64::from(draws - 1),
            draws,
            seed: 7,
            fit: true,
            why: None,
            results,
            smallest_for_service_level: Some(3),
            seats_today: Some(5),
            advice: "Keep 3 seats of cad.".to_owned(),
            assumptions: vec!["People ask when they asked.".to_owned()],
        }
    }

    #[test]
    fn a_table_has_a_bar_for_each_share_and_the_advice_stands_below() {
        let results = vec![result(1, 20, 0), result(2, 5, 0), result(3, 0, 0)];
        let shown = text(&answer(results, 1));
        let (head, rest) = shown.split_once("\n\n").unwrap();
        assert!(head.ends_with(": 40 asks"), "{head}");
        insta::assert_snapshot!(rest, @r"
        SEATS  GRANTED  DENIED   SHARE  PEAK  DENIED
            1       20      20  50.0 %     1  ##############################
            2       35       5  12.5 %     2  ########
            3       40       0   0.0 %     3

        The smallest of these that keeps 95% within 5m: 3 seats.
        Keep 3 seats of cad.

        Assumed:
          People ask when they asked.
        ");
    }

    #[test]
    fn ranges_and_waits_are_shown_if_there_are_any() {
        let results = vec![result(1, 20, 4), result(2, 0, 0)];
        let mut drawn = answer(results, 20);
        drawn.smallest_for_service_level = None;
        let shown = text(&drawn);
        assert!(
            shown.contains(": 40 asks, 19 of unknown length (20 draws from seed 7)\n"),
            "{shown}"
        );
        assert!(shown.contains("0.0 % to 50.0 %"), "{shown}");
        assert!(shown.contains("1 min 30 s"), "{shown}");
        assert!(
            shown.contains("None of these keeps 95% within 5m.\n"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_above_none_is_never_shown_as_none() {
        assert_eq!(
            (percent(0.0), percent(0.000_2)),
            ("0.0 %".into(), "<0.1 %".into())
        );
        assert_eq!((bar(0.000_1, 1.0).len(), bar(1.0, 1.0).len()), (1, BAR));
        assert_eq!(bar(0.0, 0.0), "");
        assert_eq!((span(None), span(Some(0.26))), ("-".into(), "0.3 s".into()));
    }
}
