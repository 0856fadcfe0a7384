//! `usage`: use over time.

use usher_api::ColumnKind::{Count, Number, Seconds, State, Text, Time};
use usher_api::{Cell, GroupBy, Report, ReportName, SiteUsage};

use crate::asked::Asked;
use crate::by_group;
use crate::cells::{self, Figure};
use crate::draft::{Draft, Of, Table};
use crate::gathered::{Figures, GroupUse, GroupUses, UseOf};
use crate::plots;
use crate::words::{counted, duration, many, minute};

/// What `usage` is made from.
#[derive(Debug, Clone, Default)]
pub struct UsageInput {
    /// The figures of the products.
    pub figures: Figures,
    /// By person or computer if that was asked for; else empty.
    pub by: Vec<UseOf>,
    /// By group if that was asked for.
    pub groups: GroupUses,
}

const FIGURES: [Of; 24] = [
    ("product", "Product", Text),
    ("counted", "Counted", State),
    ("sessions", "Sessions", Count),
    ("users", "Users", Count),
    ("computers", "Computers", Count),
    ("open_seconds", "Open time", Seconds),
    ("active_seconds", "Active time", Seconds),
    ("peak", "Peak", Count),
    ("peak_at", "Peak at", Time),
    ("running_peak", "Running peak", Count),
    ("p95", "p95", Count),
    ("mean", "Mean", Number),
    ("owned", "Owned", Count),
    ("reserved", "Reserved", Count),
    ("unseated_sessions", "Unseated", Count),
    ("waits", "Waits", Count),
    ("wait_p50_seconds", "Wait p50", Seconds),
    ("wait_p95_seconds", "Wait p95", Seconds),
    ("wait_longest_seconds", "Longest wait", Seconds),
    ("denials_final", "Refused for good", Count),
    ("denials_satisfied_later", "Satisfied later", Count),
    ("denials_retries", "Retries", Count),
    ("unobserved_seconds", "Not observed", Seconds),
    ("state", "State", State),
];

/// Use over time: sessions, people, open and active time, seats, refusals and waits.
pub fn usage(asked: &Asked, input: UsageInput) -> Report {
    let mut draft = Draft::new(ReportName::Usage, "Use over time");
    let UsageInput {
        figures,
        by,
        groups,
    } = input;
    let mut table = Table::new("products", "By product", &FIGURES);
    for item in &figures.whole {
        table.row(row(asked, item));
    }
    draft.add(table, in_all(asked, &figures.whole), None);
    if asked.parameters.grain.is_some() {
        let mut columns = vec![("from", "From", Time), ("to", "To", Time)];
        columns.extend(FIGURES);
        let mut table = Table::new("over_time", "Over time", &columns);
        for item in &figures.by_time {
            let mut cells = vec![Cell::time(item.from), Cell::time(item.to)];
            cells.extend(row(asked, item));
            table.row(cells);
        }
        let plot = plots::lines(asked, &figures.by_time, "seats", |it| it.peak);
        draft.add(table, over_time(asked, &figures.by_time), plot);
    }
    match asked.parameters.group_by {
        None | Some(GroupBy::Product) => {}
        Some(GroupBy::Group) => {
            draft.add(by_groups(&groups), used_by_groups(&groups), None);
            by_group::notes(&mut draft, groups.in_several);
        }
        Some(group) => draft.add(by_each(group, &by), used_by(&by), None),
    }
    if figures.whole.iter().any(|it| it.provisional) {
        draft.note(
            "Provisional: a refusal counts as one for good until 15 minutes have passed, and may \
             still turn out satisfied later.",
        );
    }
    draft.report(asked)
}

/// The fields of an item in the order of [`FIGURES`].
fn row(asked: &Asked, item: &SiteUsage) -> Vec<Cell> {
    let figure = Figure::of(item, asked.now);
    let who = |cell| cells::kept(cell, item, asked.kept.sessions);
    let waits = |cell| cells::kept(cell, item, asked.kept.waits);
    let denials = |cell| cells::kept(cell, item, asked.kept.denials);
    vec![
        Cell::text(&item.product),
        cells::counted(item.counted),
        figure.count(item.sessions),
        who(figure.count(item.users)),
        who(figure.count(item.computers)),
        figure.seconds(item.open_seconds),
        cells::active(item.active_seconds),
        figure.count(item.peak),
        cells::time(item.peak_at),
        figure.count(item.running_peak),
        figure.count(item.p95),
        figure.mean(item.mean),
        cells::owned(item),
        cells::count(item.reserved),
        figure.count(item.unseated_sessions),
        waits(figure.count(item.waits.count)),
        waits(cells::seconds(item.waits.p50_seconds)),
        waits(cells::seconds(item.waits.p95_seconds)),
        waits(cells::seconds(item.waits.longest_seconds)),
        denials(figure.count(item.denials.for_good)),
        denials(figure.count(item.denials.satisfied_later)),
        denials(figure.count(item.denials.retries)),
        cells::seconds(item.unobserved_seconds),
        Cell::text(match item.provisional {
            true => "provisional",
            false => "final",
        }),
    ]
}

fn in_all(asked: &Asked, items: &[SiteUsage]) -> String {
    let used = items.iter().filter(|it| it.sessions > 0).count();
    let most = items.iter().max_by_key(|it| it.peak);
    let Some(most) = most.filter(|it| it.peak > 0) else {
        return match used {
            0 => "Nothing was used in this time, as far as is known.".to_owned(),
            _ => format!("{} used; none held a seat.", many(used, "product")),
        };
    };
    let at = most.peak_at.map_or_else(String::new, |at| {
        format!(", first at {}", minute(at, &asked.zone))
    });
    format!(
        "{} used; the most at once was {} of {}{at}.",
        many(used, "product"),
        counted(most.peak, "seat"),
        most.product,
    )
}

/// The peak, when, and the last value.
fn over_time(asked: &Asked, items: &[SiteUsage]) -> String {
    let most = items.iter().max_by_key(|it| it.peak);
    let Some(most) = most.filter(|it| it.peak > 0) else {
        return "No seat was in use in this time, as far as is known.".to_owned();
    };
    let at = most.peak_at.unwrap_or(most.from);
    let of = plots::by_product(items).find(|of| {
        of.first()
            .is_some_and(|it| (&it.product, it.counted) == (&most.product, most.counted))
    });
    let begun = of.and_then(|of| of.iter().rfind(|it| it.from < asked.now));
    let last = begun.map_or_else(String::new, |it| {
        let from = minute(it.from, &asked.zone);
        format!("; {} in the last stretch, which began at {from}", it.peak)
    });
    format!(
        "The most at once was {} of {}, first at {}{last}.",
        counted(most.peak, "seat"),
        most.product,
        minute(at, &asked.zone),
    )
}

fn by_each(group: GroupBy, by: &[UseOf]) -> Table {
    let (key, title) = cells::group(group);
    let columns = [
        (key, title, Text),
        ("realm", "Realm", Text),
        ("product", "Product", Text),
        ("sessions", "Sessions", Count),
        ("users", "Users", Count),
        ("computers", "Computers", Count),
        ("open_seconds", "Open time", Seconds),
        ("active_seconds", "Active time", Seconds),
        ("seat_seconds", "Seat time", Seconds),
        ("last_use", "Use", State),
        ("last_used_at", "Last used", Time),
    ];
    let mut sorted: Vec<&UseOf> = by.iter().collect();
    sorted.sort_by_key(|it| (&it.of, &it.realm, &it.product));
    let title = format!("By {key}");
    let mut table = Table::new("by", title, &columns);
    for it in sorted {
        let [last_use, last_used_at] = cells::last_use(&it.last_use);
        table.row(vec![
            Cell::text(&it.of),
            cells::text(it.realm.as_deref()),
            Cell::text(&it.product),
            cells::count(it.sessions),
            cells::count(it.users),
            cells::count(it.computers),
            cells::seconds(it.open_seconds),
            cells::active(it.active_seconds),
            cells::seconds(it.seat_seconds),
            last_use,
            last_used_at,
        ]);
    }
    table
}

fn used_by(by: &[UseOf]) -> String {
    let most = by
        .iter()
        .max_by(|one, other| one.open_seconds.total_cmp(&other.open_seconds));
    match most {
        None => "No use in this time is known.".to_owned(),
        Some(most) => format!(
            "{}; the longest open time is {}: {} with {}.",
            many(by.len(), "row"),
            duration(most.open_seconds),
            most.of,
            most.product,
        ),
    }
}

fn by_groups(groups: &GroupUses) -> Table {
    let columns = by_group::columns(&[
        ("product", "Product", Text),
        ("sessions", "Sessions", Count),
        ("users", "Users", Count),
        ("computers", "Computers", Count),
        ("open_seconds", "Open time", Seconds),
        ("active_seconds", "Active time", Seconds),
        ("seat_seconds", "Seat time", Seconds),
        ("peak", "Peak", Count),
        ("peak_at", "Peak at", Time),
        ("last_use", "Use", State),
        ("last_used_at", "Last used", Time),
    ]);
    let mut sorted: Vec<&GroupUse> = groups.uses.iter().collect();
    sorted.sort_by_key(|it| (&it.whose, &it.product));
    let mut table = Table::new("by", "By group", &columns);
    for it in sorted {
        let [group, membership] = by_group::cells(&it.whose, &groups.why_not_known);
        let [last_use, last_used_at] = cells::last_use(&it.last_use);
        table.row(vec![
            group,
            membership,
            Cell::text(&it.product),
            cells::count(it.sessions),
            cells::count(it.users),
            cells::count(it.computers),
            cells::seconds(it.open_seconds),
            cells::active(it.active_seconds),
            cells::seconds(it.seat_seconds),
            by_group::peak(it),
            cells::time(it.peak_at),
            last_use,
            last_used_at,
        ]);
    }
    table
}

fn used_by_groups(groups: &GroupUses) -> String {
    let uses = &groups.uses;
    let longest =
        |one: &&GroupUse, other: &&GroupUse| one.open_seconds.total_cmp(&other.open_seconds);
    match uses.iter().max_by(longest) {
        None => "No use in this time is known.".to_owned(),
        Some(most) => format!(
            "{}; the longest open time is {}: {} with {}.",
            many(uses.len(), "row"),
            duration(most.open_seconds),
            by_group::title(&most.whose),
            most.product,
        ),
    }
}
