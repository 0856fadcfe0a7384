//! `waits`: how long people waited for seats, and what became of it.

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, Report, ReportName, SiteUsage};

use crate::asked::{Asked, Told};
use crate::cells::{self, Figure};
use crate::draft::{Draft, Of, Table};
use crate::gathered::Figures;
use crate::plots;
use crate::words::{counted, duration, minute};

/// What `waits` is made from.
#[derive(Debug, Clone)]
pub struct WaitsInput {
    /// The figures of the products.
    pub figures: Figures,
    /// Waits by how they ended.
    pub outcomes: Told<Vec<OutcomeCount>>,
}

/// Waits for a product that ended in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeCount {
    /// Product id.
    pub product: String,
    /// How they ended, in the word of the API: `granted`, `gave_up`, `timed_out`, `denied`, …
    pub outcome: String,
    /// Waits.
    pub waits: u64,
    /// How long they lasted together.
    pub waited_seconds: f64,
}

const WAITS: [Of; 7] = [
    ("product", "Product", Text),
    ("counted", "Counted", State),
    ("waits", "Waits", Count),
    ("wait_p50_seconds", "p50", Seconds),
    ("wait_p95_seconds", "p95", Seconds),
    ("wait_longest_seconds", "Longest", Seconds),
    ("unobserved_seconds", "Not observed", Seconds),
];

/// Waits for seats: how many, how long, and how they ended.
pub fn waits(asked: &Asked, input: WaitsInput) -> Report {
    let mut draft = Draft::new(ReportName::Waits, "Waits");
    let Figures { whole, by_time } = input.figures;
    let mut table = Table::new("products", "By product", &WAITS);
    for item in &whole {
        table.row(row(asked, item));
    }
    let bars = whole.iter().map(|it| {
        let length = it.waits.p95_seconds;
        plots::bar(plots::name_of(it), "95 % waited no longer", length)
    });
    let plot = plots::bars("seconds", bars.collect());
    draft.add(table, in_all(&whole), plot);
    if asked.parameters.grain.is_some() {
        let mut columns = vec![("from", "From", Time), ("to", "To", Time)];
        columns.extend(WAITS);
        let mut table = Table::new("over_time", "Over time", &columns);
        for item in &by_time {
            let mut cells = vec![Cell::time(item.from), Cell::time(item.to)];
            cells.extend(row(asked, item));
            table.row(cells);
        }
        let plot = plots::lines(asked, &by_time, "waits", |it| it.waits.count);
        draft.add(table, over_time(asked, &by_time), plot);
    }
    match &input.outcomes {
        Ok(outcomes) => {
            let (table, summary) = by_outcome(outcomes);
            draft.add(table, summary, None);
        }
        Err(why) => draft.cut("how waits ended", why),
    }
    draft.note(
        "p50 and p95 are lengths of waits that half of them, and 95 % of them, did not exceed.",
    );
    draft.report(asked)
}

fn row(asked: &Asked, item: &SiteUsage) -> Vec<Cell> {
    let figure = Figure::of(item, asked.now);
    let kept = |cell| cells::kept(cell, item, asked.kept.waits);
    let mut cells = vec![
        Cell::text(&item.product),
        cells::counted(item.counted),
        kept(figure.count(item.waits.count)),
    ];
    let lengths = [
        item.waits.p50_seconds,
        item.waits.p95_seconds,
        item.waits.longest_seconds,
    ];
    cells.extend(lengths.map(|length| match item.waits.count {
        0 => kept(Cell::Null),
        _ => kept(cells::seconds(length)),
    }));
    cells.push(cells::seconds(item.unobserved_seconds));
    cells
}

fn in_all(items: &[SiteUsage]) -> String {
    let waits: u64 = items.iter().map(|it| it.waits.count).sum();
    let longest = items.iter().filter(|it| it.waits.count > 0);
    let longest = longest.max_by(|one, other| {
        let length = |it: &SiteUsage| it.waits.longest_seconds;
        length(one).total_cmp(&length(other))
    });
    match longest {
        None => "Nobody waited in this time, as far as is known.".to_owned(),
        Some(longest) => format!(
            "{}; the longest lasted {}, for {}, of whose waits 95 % lasted {} or less.",
            counted(waits, "wait"),
            duration(longest.waits.longest_seconds),
            longest.product,
            duration(longest.waits.p95_seconds),
        ),
    }
}

fn over_time(asked: &Asked, items: &[SiteUsage]) -> String {
    let most = items.iter().max_by_key(|it| it.waits.count);
    match most.filter(|it| it.waits.count > 0) {
        None => "Nobody waited in any stretch of this time.".to_owned(),
        Some(most) => {
            let mut of_it = items.iter().filter(|it| it.product == most.product);
            let last = of_it.rfind(|it| it.from < asked.now);
            let last = last.map_or(0, |it| it.waits.count);
            format!(
                "The most were {} for {} in the stretch from {} on; the last value is {last}.",
                counted(most.waits.count, "wait"),
                most.product,
                minute(most.from, &asked.zone),
            )
        }
    }
}

fn by_outcome(outcomes: &[OutcomeCount]) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("outcome", "Outcome", State),
        ("waits", "Waits", Count),
        ("waited_seconds", "Waited", Seconds),
    ];
    let mut sorted: Vec<&OutcomeCount> = outcomes.iter().collect();
    sorted.sort_by_key(|it| (&it.product, &it.outcome));
    let mut table = Table::new("outcomes", "By outcome", &columns);
    for it in sorted {
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.outcome),
            cells::count(it.waits),
            cells::seconds(it.waited_seconds),
        ]);
    }
    let in_vain: u64 = outcomes
        .iter()
        .filter(|it| it.outcome != "granted")
        .map(|it| it.waits)
        .sum();
    let all: u64 = outcomes.iter().map(|it| it.waits).sum();
    let waited: f64 = outcomes.iter().map(|it| it.waited_seconds).sum();
    let summary = match all {
        0 => "No wait of this time has ended, as far as is known.".to_owned(),
        _ => format!(
            "People waited {} in all; {in_vain} of {} ended without a seat.",
            duration(waited),
            counted(all, "wait"),
        ),
    };
    (table, summary)
}
