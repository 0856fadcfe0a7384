//! `peaks`: the most seats at once, beside what is owned.

use usher_api::ColumnKind::{Count, Number, Seconds, Share, State, Text, Time};
use usher_api::{Cell, GroupBy, Plot, Report, ReportName, SiteUsage};

use crate::asked::Asked;
use crate::by_group;
use crate::cells::{self, Figure};
use crate::draft::{Draft, Of, Table};
use crate::gathered::{Figures, GroupUse, GroupUses};
use crate::plots::{self, by_product, name_of};
use crate::words::{counted, many, minute, names, owned_not_known, percent};

/// What `peaks` is made from.
#[derive(Debug, Clone, Default)]
pub struct PeaksInput {
    /// The figures of the products.
    pub figures: Figures,
    /// By group if that was asked for.
    pub groups: GroupUses,
}

const PEAKS: [Of; 10] = [
    ("product", "Product", Text),
    ("counted", "Counted", State),
    ("peak", "Peak", Count),
    ("peak_at", "Peak at", Time),
    ("owned", "Owned", Count),
    ("peak_share", "Of owned", Share),
    ("p95", "p95", Count),
    ("mean", "Mean", Number),
    ("reserved", "Reserved", Count),
    ("unobserved_seconds", "Not observed", Seconds),
];

/// The most seats at once, and the level that is not exceeded for 95 % of the time, beside what is
/// owned.
pub fn peaks(asked: &Asked, input: PeaksInput) -> Report {
    let mut draft = Draft::new(ReportName::Peaks, "Peaks");
    let PeaksInput { figures, groups } = input;
    let Figures { whole, by_time } = figures;
    let mut table = Table::new("products", "By product", &PEAKS);
    for item in &whole {
        table.row(row(asked, item));
    }
    draft.add(table, in_all(asked, &whole), beside_owned(&whole));
    if asked.parameters.grain.is_some() {
        let mut columns = vec![("from", "From", Time), ("to", "To", Time)];
        columns.extend(PEAKS);
        let mut table = Table::new("over_time", "Over time", &columns);
        for item in &by_time {
            let mut cells = vec![Cell::time(item.from), Cell::time(item.to)];
            cells.extend(row(asked, item));
            table.row(cells);
        }
        draft.add(table, over_time(asked, &by_time), plot(asked, &by_time));
    }
    if asked.parameters.group_by == Some(GroupBy::Group) {
        let table = of_groups(asked, &groups);
        draft.add(table, highest_of_groups(asked, &groups.uses), None);
        by_group::notes(&mut draft, groups.in_several);
        draft.note(
            "Groups reach their peaks at different instants: these do not add up to the peak of the \
             product.",
        );
    }
    draft.note(
        "p95 is the smallest number of seats that was not exceeded for 95 % of the observed time; \
         a peak may be higher if somebody used seats while nobody looked.",
    );
    draft.report(asked)
}

fn row(asked: &Asked, item: &SiteUsage) -> Vec<Cell> {
    let figure = Figure::of(item, asked.now);
    let peak = figure.count(item.peak);
    vec![
        Cell::text(&item.product),
        cells::counted(item.counted),
        peak.clone(),
        cells::time(item.peak_at),
        cells::owned(item),
        match item.owned {
            Some(owned) if owned > 0 => match peak {
                Cell::NotKnown { .. } => peak,
                _ => cells::share(of_owned(item.peak, owned)),
            },
            Some(_) => Cell::Null,
            None => cells::owned(item),
        },
        figure.count(item.p95),
        figure.mean(item.mean),
        cells::count(item.reserved),
        cells::seconds(item.unobserved_seconds),
    ]
}

fn of_owned(peak: u64, owned: u64) -> f64 {
    peak as f64 / owned as f64
}

/// The peak of each product as a part of what is owned.
fn beside_owned(items: &[SiteUsage]) -> Option<Plot> {
    let bars = items.iter().map(|it| {
        let rest = it.owned.unwrap_or(0).saturating_sub(it.peak);
        let parts = [
            ("in use at the peak", it.peak as f64),
            ("owned beyond it", rest as f64),
        ];
        plots::bar_of(name_of(it), parts)
    });
    plots::bars("seats", bars.collect())
}

fn in_all(asked: &Asked, items: &[SiteUsage]) -> String {
    let full: Vec<&str> = items
        .iter()
        .filter(|it| it.owned.is_some_and(|owned| owned > 0 && it.peak >= owned))
        .map(|it| &*it.product)
        .collect();
    let most = items.iter().max_by_key(|it| it.peak);
    let Some(most) = most.filter(|it| it.peak > 0) else {
        return "No seat was in use in this time, as far as is known.".to_owned();
    };
    let not_known = items.iter().filter(|it| it.owned.is_none()).count();
    let at = most
        .peak_at
        .map_or_else(String::new, |at| format!(" at {}", minute(at, &asked.zone)));
    let full = match full.len() {
        0 if not_known > 0 => "no product is known to have had all its seats in use".to_owned(),
        0 => "no product had all its seats in use".to_owned(),
        1 => format!("all seats of {} were in use at once", full[0]),
        of => format!(
            "{} had all their seats in use at once: {}",
            many(of, "product"),
            names(&full)
        ),
    };
    let not_known = owned_not_known(not_known);
    format!(
        "The highest peak is {} of {}{at}; {full}{not_known}.",
        counted(most.peak, "seat"),
        most.product,
    )
}

fn over_time(asked: &Asked, items: &[SiteUsage]) -> String {
    let most = items.iter().max_by_key(|it| it.peak);
    let Some(most) = most.filter(|it| it.peak > 0) else {
        return "No seat was in use in this time, as far as is known.".to_owned();
    };
    let share = match most.owned {
        Some(owned) if owned > 0 => {
            format!(", {} of those owned", percent(of_owned(most.peak, owned)))
        }
        _ => String::new(),
    };
    let mut of_it = items
        .iter()
        .filter(|it| (&it.product, it.counted) == (&most.product, most.counted));
    let last = of_it.rfind(|it| it.from < asked.now);
    let last = last.map_or_else(String::new, |it| format!("; the last value is {}", it.peak));
    format!(
        "The highest peak is {} of {} at {}{share}{last}.",
        counted(most.peak, "seat"),
        most.product,
        minute(most.peak_at.unwrap_or(most.from), &asked.zone),
    )
}

/// Of one product its peaks, p95 and seats owned; of several the peaks.
fn plot(asked: &Asked, items: &[SiteUsage]) -> Option<Plot> {
    let mut products = by_product(items);
    let one = products.next()?;
    if products.next().is_some() {
        return plots::lines(asked, items, "seats", |it| it.peak);
    }
    let mut series = vec![
        plots::line(asked, "peak", one, |it| Some(it.peak)),
        plots::line(asked, "p95", one, |it| Some(it.p95)),
    ];
    if one.iter().any(|it| it.owned.is_some()) {
        series.push(plots::line(asked, "owned", one, |it| it.owned));
    }
    plots::plot(asked, "seats", series)
}

fn of_groups(asked: &Asked, groups: &GroupUses) -> Table {
    let columns = by_group::columns(&[
        ("product", "Product", Text),
        ("peak", "Peak", Count),
        ("peak_at", "Peak at", Time),
        ("mean", "Mean", Number),
        ("users", "Users", Count),
    ]);
    let until = asked.to.min(asked.now);
    let ms = until.as_millisecond() - asked.from.as_millisecond();
    let length_seconds = ms as f64 / 1_000.0;
    let mut sorted: Vec<&GroupUse> = groups.uses.iter().collect();
    sorted.sort_by_key(|it| (&it.product, &it.whose));
    let mut table = Table::new("groups", "By group", &columns);
    for it in sorted {
        let [group, membership] = by_group::cells(&it.whose, &groups.why_not_known);
        table.row(vec![
            group,
            membership,
            Cell::text(&it.product),
            by_group::peak(it),
            cells::time(it.peak_at),
            // Without a length it is no number, and null.
            cells::mean(it.seat_seconds / length_seconds),
            cells::count(it.users),
        ]);
    }
    table
}

fn highest_of_groups(asked: &Asked, uses: &[GroupUse]) -> String {
    let most = uses.iter().max_by_key(|it| it.peak);
    let Some((most, peak)) = most.and_then(|it| Some((it, it.peak.filter(|peak| *peak > 0)?)))
    else {
        return "No group had a seat in use in this time, as far as is known.".to_owned();
    };
    let at = most
        .peak_at
        .map_or_else(String::new, |at| format!(" at {}", minute(at, &asked.zone)));
    format!(
        "The highest peak of a group is {} of {}{at}: {}.",
        counted(peak, "seat"),
        most.product,
        by_group::title(&most.whose),
    )
}
