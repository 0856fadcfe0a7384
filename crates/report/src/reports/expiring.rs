//! `expiring`: what ends when, and by when notice is due.

use jiff::Span;
use jiff::civil::Date;
use usher_api::ColumnKind::{Count, Day, Money, Number, State, Text, Time};
use usher_api::{Cell, Entitlement, Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::gathered::{OwnedOn, metric};
use crate::money::per;
use crate::words::{day, many};

/// How near an end or a notice is called soon, in days.
const SOON_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// What `expiring` is made from.
#[derive(Debug, Clone, Default)]
pub struct ExpiringInput {
    /// All entitlements. Those that end at or after the beginning of the time are shown, however
    /// late.
    pub entitlements: Vec<OwnedOn>,
    /// Whether every server has said what it owns; else the seats that are left are not known.
    pub is_owned_known: bool,
}

/// Entitlements that have an end, the next one first, with the day by which notice is due and the
/// seats that are left afterwards.
pub fn expiring(asked: &Asked, input: ExpiringInput) -> Report {
    let mut draft = Draft::new(ReportName::Expiring, "Ends and notices");
    let columns = [
        ("state", "State", State),
        ("ends_at", "Ends", Time),
        ("last_day", "Last day", Day),
        ("days_left", "Days left", Number),
        ("notice_by", "Notice by", Day),
        ("product", "Product", Text),
        ("entitlement", "Entitlement", Text),
        ("metric", "Metric", State),
        ("seats", "Seats", Count),
        ("seats_after", "Seats after", Count),
        ("price", "Price", Money),
        ("currency", "Currency", Text),
        ("per", "Per", Text),
        ("contract", "Contract", Text),
        ("cost_centre", "Cost centre", Text),
        ("server", "Server", Text),
    ];
    let mut ending: Vec<Ending<'_>> = input
        .entitlements
        .iter()
        .filter_map(|it| Ending::of(asked, it))
        .collect();
    ending.sort_by(|one, other| {
        let others = (other.ends_at, &other.on.server, &other.on.entitlement.id);
        (one.ends_at, &one.on.server, &one.on.entitlement.id).cmp(&others)
    });
    let mut table = Table::new("ends", "Ends", &columns);
    for it in &ending {
        table.row(it.row(asked, &input));
    }
    draft.add(table, summary(asked, &ending), None);
    draft.note(format!(
        "Soon: within {SOON_DAYS} days. Seats after are those of the same product and metric that \
         are valid from the end on, over all servers, without overdraft."
    ));
    draft.report(asked)
}

/// An entitlement that ends.
struct Ending<'a> {
    on: &'a OwnedOn,
    ends_at: Timestamp,
    last_day: String,
    notice_by: Option<Date>,
    state: &'static str,
}

impl<'a> Ending<'a> {
    fn of(asked: &Asked, on: &'a OwnedOn) -> Option<Ending<'a>> {
        let it = &on.entitlement;
        let ends_at = it.to.filter(|to| *to >= asked.from)?;
        let last_day = match &it.to_day {
            Some(day) => day.clone(),
            None => day(just_before(ends_at), &asked.zone),
        };
        let notice_by = it.notice_days.and_then(|days| {
            let last: Date = last_day.parse().ok()?;
            let days = Span::new().try_days(i64::from(days)).ok()?;
            last.checked_sub(days).ok()
        });
        Some(Ending {
            on,
            ends_at,
            state: state(asked, ends_at, notice_by),
            last_day,
            notice_by,
        })
    }

    fn row(&self, asked: &Asked, input: &ExpiringInput) -> Vec<Cell> {
        let it = &self.on.entitlement;
        let price = it.price.as_ref();
        vec![
            Cell::text(self.state),
            Cell::time(self.ends_at),
            Cell::text(&self.last_day),
            Cell::number(days_left(asked.now, self.ends_at) as f64),
            Cell::or_null(self.notice_by.map(|day| Cell::text(day.to_string()))),
            Cell::text(&it.product),
            Cell::text(it.name.as_ref().unwrap_or(&it.id)),
            Cell::text(metric(it.metric)),
            cells::count(u64::from(it.seats)),
            match input.is_owned_known {
                true => cells::count(seats_at(&input.entitlements, it, self.ends_at)),
                false => Cell::not_known("a server did not say what it owns"),
            },
            Cell::or_null(price.map(|price| cells::money(price.amount.ten_thousandths))),
            cells::text(price.map(|price| &*price.currency)),
            cells::text(price.map(|price| per(price.per))),
            cells::text(it.contract.as_deref()),
            cells::text(it.cost_centre.as_deref()),
            Cell::text(&self.on.server),
        ]
    }
}

/// Whole days that are left; below 0 since it ended.
fn days_left(now: Timestamp, ends_at: Timestamp) -> i64 {
    (ends_at.as_millisecond() - now.as_millisecond()).div_euclid(DAY_MS)
}

fn state(asked: &Asked, ends_at: Timestamp, notice_by: Option<Date>) -> &'static str {
    if ends_at <= asked.now {
        return "ended";
    }
    let today = asked.now.to_zoned_datetime(asked.zone.clone()).date();
    match notice_by {
        Some(day) if day < today => "notice_is_over",
        Some(day) if is_soon(today, day) => "notice_soon",
        _ if days_left(asked.now, ends_at) < SOON_DAYS => "ends_soon",
        _ => "later",
    }
}

fn is_soon(today: Date, day: Date) -> bool {
    let soon = today.checked_add(Span::new().days(SOON_DAYS));
    soon.is_ok_and(|soon| day <= soon)
}

/// The last millisecond before an instant, which is on the last day of what ends then.
fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond().saturating_sub(1)).unwrap_or(at)
}

/// Seats of the same product and metric that are valid at an instant.
fn seats_at(all: &[OwnedOn], like: &Entitlement, at: Timestamp) -> u64 {
    let valid = all.iter().map(|it| &it.entitlement).filter(|it| {
        (&it.product, it.metric) == (&like.product, like.metric)
            && it.from.is_none_or(|from| from <= at)
            && it.to.is_none_or(|to| at < to)
    });
    valid.map(|it| u64::from(it.seats)).sum()
}

fn summary(asked: &Asked, ending: &[Ending<'_>]) -> String {
    let Some(next) = ending.iter().find(|it| it.ends_at > asked.now) else {
        return "No entitlement has an end that is still to come.".to_owned();
    };
    let is = |state: &str| ending.iter().filter(|it| it.state == state).count();
    let due = is("notice_soon");
    let notice = match due {
        0 => "no notice is due within 30 days".to_owned(),
        of => format!(
            "notice of {} is due within 30 days",
            many(of, "entitlement")
        ),
    };
    format!(
        "The next end is that of {} after {}; {notice}.",
        next.on.entitlement.product, next.last_day,
    )
}
