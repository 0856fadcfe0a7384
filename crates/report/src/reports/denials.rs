//! `denials`: how often people were turned away, and why.

use usher_api::ColumnKind::{Count, Seconds, State, Text, Time};
use usher_api::{Cell, Report, ReportName, SiteUsage};

use crate::asked::{Asked, Told};
use crate::cells::{self, Figure};
use crate::draft::{Draft, Of, Table};
use crate::gathered::Figures;
use crate::plots::{self, name_of};
use crate::words::{counted, minute};

/// What `denials` is made from.
#[derive(Debug, Clone)]
pub struct DenialsInput {
    /// The figures of the products.
    pub figures: Figures,
    /// Refusals by reason.
    pub reasons: Told<Vec<ReasonCount>>,
}

/// Refusals of a product for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// Product id.
    pub product: String,
    /// The reason, in the word of the API, such as `all_seats_in_use`.
    pub reason: String,
    /// Refusals, repeats counted.
    pub refusals: u64,
    /// Different people who were refused.
    pub people: u64,
}

const DENIALS: [Of; 7] = [
    ("product", "Product", Text),
    ("counted", "Counted", State),
    ("denials_final", "For good", Count),
    ("denials_satisfied_later", "Satisfied later", Count),
    ("denials_retries", "Retries", Count),
    ("unobserved_seconds", "Not observed", Seconds),
    ("state", "State", State),
];

/// Refusals: those for good, those that were satisfied later, and repeats.
pub fn denials(asked: &Asked, input: DenialsInput) -> Report {
    let mut draft = Draft::new(ReportName::Denials, "Refusals");
    let Figures { whole, by_time } = input.figures;
    let mut table = Table::new("products", "By product", &DENIALS);
    for item in &whole {
        table.row(row(asked, item));
    }
    let bars = whole.iter().map(|it| {
        let parts = [
            ("for good", it.denials.for_good as f64),
            ("satisfied later", it.denials.satisfied_later as f64),
            ("retries", it.denials.retries as f64),
        ];
        plots::bar_of(name_of(it), parts)
    });
    let plot = plots::bars("refusals", bars.collect());
    draft.add(table, in_all(&whole), plot);
    if asked.parameters.grain.is_some() {
        let mut columns = vec![("from", "From", Time), ("to", "To", Time)];
        columns.extend(DENIALS);
        let mut table = Table::new("over_time", "Over time", &columns);
        for item in &by_time {
            let mut cells = vec![Cell::time(item.from), Cell::time(item.to)];
            cells.extend(row(asked, item));
            table.row(cells);
        }
        let plot = plots::lines(asked, &by_time, "refusals for good", |it| {
            it.denials.for_good
        });
        draft.add(table, over_time(asked, &by_time), plot);
    }
    match &input.reasons {
        Ok(reasons) => {
            let (table, summary) = by_reason(reasons);
            draft.add(table, summary, None);
        }
        Err(why) => draft.cut("reasons of refusals", why),
    }
    draft.note(
        "For good: no seat anywhere in the site within 15 minutes. Satisfied later: a seat within \
         15 minutes of the first refusal. Retry: refused again on the same computer within 15 \
         minutes of the refusal before.",
    );
    draft.report(asked)
}

fn row(asked: &Asked, item: &SiteUsage) -> Vec<Cell> {
    let figure = Figure::of(item, asked.now);
    let count = |many| cells::kept(figure.count(many), item, asked.kept.denials);
    vec![
        Cell::text(&item.product),
        cells::counted(item.counted),
        count(item.denials.for_good),
        count(item.denials.satisfied_later),
        count(item.denials.retries),
        cells::seconds(item.unobserved_seconds),
        Cell::text(match item.provisional {
            true => "provisional",
            false => "final",
        }),
    ]
}

fn in_all(items: &[SiteUsage]) -> String {
    let for_good: u64 = items.iter().map(|it| it.denials.for_good).sum();
    let later: u64 = items.iter().map(|it| it.denials.satisfied_later).sum();
    let most = items.iter().max_by_key(|it| it.denials.for_good);
    match most.filter(|it| it.denials.for_good > 0) {
        None if later == 0 => "Nobody was refused in this time, as far as is known.".to_owned(),
        None => format!(
            "{} satisfied within 15 minutes; none was for good.",
            was(later)
        ),
        Some(most) => format!(
            "{} for good, {} of them of {}; {} satisfied within 15 minutes.",
            was(for_good),
            most.denials.for_good,
            most.product,
            was(later).to_lowercase(),
        ),
    }
}

fn was(refusals: u64) -> String {
    match refusals {
        0 => "None was".to_owned(),
        1 => "1 refusal was".to_owned(),
        many => format!("{many} refusals were"),
    }
}

fn over_time(asked: &Asked, items: &[SiteUsage]) -> String {
    let most = items.iter().max_by_key(|it| it.denials.for_good);
    match most.filter(|it| it.denials.for_good > 0) {
        None => "Nobody was refused for good in any stretch of this time.".to_owned(),
        Some(most) => {
            let mut of_it = items.iter().filter(|it| it.product == most.product);
            let last = of_it.rfind(|it| it.from < asked.now);
            let last = last.map_or(0, |it| it.denials.for_good);
            format!(
                "The most were {} for good of {} in the stretch from {} on; the last value is \
                 {last}.",
                counted(most.denials.for_good, "refusal"),
                most.product,
                minute(most.from, &asked.zone),
            )
        }
    }
}

fn by_reason(reasons: &[ReasonCount]) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("reason", "Reason", State),
        ("refusals", "Refusals", Count),
        ("people", "People", Count),
    ];
    let mut sorted: Vec<&ReasonCount> = reasons.iter().collect();
    sorted.sort_by_key(|it| (&it.product, &it.reason));
    let mut table = Table::new("reasons", "By reason", &columns);
    for it in sorted {
        table.row(vec![
            Cell::text(&it.product),
            Cell::text(&it.reason),
            cells::count(it.refusals),
            cells::count(it.people),
        ]);
    }
    let most = reasons.iter().max_by_key(|it| it.refusals);
    let summary = match most {
        None => "No refusal of this time has a recorded reason.".to_owned(),
        Some(most) => format!(
            "The most frequent reason is {} for {}: {} of {}.",
            most.reason.replace('_', " "),
            most.product,
            counted(most.refusals, "refusal"),
            counted(most.people, "person"),
        ),
    };
    (table, summary)
}
