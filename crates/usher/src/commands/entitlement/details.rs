//! The details of an entitlement besides its seats and dates, on the command line and in lists.

use clap::Args;
use usher_api::{
    Amount, Entitlement as Wire, EntitlementRequest, NOTICE_LIMIT_DAYS, Per, Price, Said,
};
use usher_core::policy;

use super::notice;

/// What can be said of an entitlement besides its seats and dates; empty takes it away.
#[derive(Debug, Default, Clone, Args, PartialEq)]
pub(crate) struct Details {
    /// A name of its own, which no other entitlement has; policies know it by it
    #[arg(long, value_name = "TEXT", value_parser = text)]
    name: Option<OrNone<String>>,
    /// What its seats cost together, and for how long: '12000 EUR/year', '99.50 USD/month',
    /// '500 EUR once'
    #[arg(long, value_name = "PRICE", value_parser = price)]
    price: Option<OrNone<Price>>,
    /// The contract, order or invoice that it comes from
    #[arg(long, value_name = "TEXT", value_parser = text)]
    contract: Option<OrNone<String>>,
    /// Who pays for it
    #[arg(long, value_name = "TEXT", value_parser = text)]
    cost_centre: Option<OrNone<String>>,
    /// Days before its end by which notice is to be given; the manager tells of that day (9429)
    #[arg(long, value_name = "N", value_parser = days)]
    notice_days: Option<OrNone<u32>>,
    /// What else people should know of it
    #[arg(long, value_name = "TEXT", value_parser = text)]
    note: Option<OrNone<String>>,
}

/// A value, or an empty text that removes it.
#[derive(Debug, Clone, PartialEq)]
struct OrNone<T>(Option<T>);

impl Details {
    /// Whether the days of notice are given.
    pub(super) fn has_notice(&self) -> bool {
        self.notice_days.is_some()
    }

    /// Puts the details into a request.
    pub(super) fn apply(self, request: &mut EntitlementRequest) {
        fn said<T>(value: Option<OrNone<T>>) -> Said<T> {
            value.map(|OrNone(value)| value)
        }
        request.name = said(self.name);
        request.price = said(self.price);
        request.contract = said(self.contract);
        request.cost_centre = said(self.cost_centre);
        request.notice_days = said(self.notice_days);
        request.note = said(self.note);
    }
}

/// Reads a text; the server checks it further.
#[allow(clippy::unnecessary_wraps, reason = "clap wants it so")]
fn text(text: &str) -> Result<OrNone<String>, String> {
    Ok(OrNone((!text.is_empty()).then(|| text.to_owned())))
}

fn price(text: &str) -> Result<OrNone<Price>, String> {
    match text {
        "" => Ok(OrNone(None)),
        text => read_price(text).map(|price| OrNone(Some(price))),
    }
}

fn days(text: &str) -> Result<OrNone<u32>, String> {
    match text {
        "" => Ok(OrNone(None)),
        text => read_days(text).map(|days| OrNone(Some(days))),
    }
}

/// Reads `12000 EUR/year`.
pub(super) fn read_price(text: &str) -> Result<Price, String> {
    let price: policy::Price = text.parse()?;
    Ok(wire_price(&price))
}

/// Reads how many days before an end notice is to be given.
pub(super) fn read_days(text: &str) -> Result<u32, String> {
    let days = text.parse().ok().filter(|days| *days <= NOTICE_LIMIT_DAYS);
    days.ok_or_else(|| format!("{text:?} is not a number of days from 0 to {NOTICE_LIMIT_DAYS}"))
}

/// A price as the API has it.
pub(crate) fn wire_price(price: &policy::Price) -> Price {
    let policy::Amount { ten_thousandths } = price.amount;
    Price {
        amount: Amount { ten_thousandths },
        currency: price.currency.clone(),
        per: match price.per {
            policy::Per::Year => Per::Year,
            policy::Per::Month => Per::Month,
            policy::Per::Once => Per::Once,
        },
    }
}

/// A price of the API as a policy has it.
pub(crate) fn core_price(price: &Price) -> policy::Price {
    let Amount { ten_thousandths } = price.amount;
    policy::Price {
        amount: policy::Amount { ten_thousandths },
        currency: price.currency.clone(),
        per: match price.per {
            Per::Year => policy::Per::Year,
            Per::Month => policy::Per::Month,
            Per::Once => policy::Per::Once,
        },
    }
}

/// A column of a list.
pub(super) struct Column {
    /// Its heading.
    pub(super) heading: &'static str,
    /// Its text for an entitlement, if any.
    pub(super) of: fn(&Wire) -> Option<String>,
    /// Its name in a sentence about a change.
    what: &'static str,
    /// Its text in a sentence about a change.
    changed: fn(&Wire) -> Option<String>,
}

impl Column {
    const fn new(
        heading: &'static str,
        what: &'static str,
        of: fn(&Wire) -> Option<String>,
    ) -> Self {
        Column {
            heading,
            of,
            what,
            changed: of,
        }
    }
}

static COLUMNS: [Column; 6] = [
    Column::new("NAME", "name", |it| it.name.clone()),
    Column::new(">PRICE", "price", |it| {
        it.price.as_ref().map(|it| core_price(it).to_string())
    }),
    Column::new("CONTRACT", "contract", |it| it.contract.clone()),
    Column::new("COST CENTRE", "cost centre", |it| it.cost_centre.clone()),
    Column {
        changed: notice::changed,
        ..Column::new("NOTICE BY", "notice", notice::cell)
    },
    Column::new("NOTE", "note", |it| it.note.clone()),
];

/// What has changed in an entitlement's details, such as `note lab before, none now`.
pub(super) fn changes(old: &Wire, new: &Wire) -> Vec<String> {
    let shown = |it: Option<String>| it.unwrap_or_else(|| "none".to_owned());
    let changed = COLUMNS.iter().filter_map(|column| {
        let (before, now) = ((column.changed)(old), (column.changed)(new));
        let what = column.what;
        (before != now).then(|| format!("{what} {} before, {} now", shown(before), shown(now)))
    });
    changed.collect()
}

/// The details of an entitlement besides its name and its seats: its price, its contract and so on.
pub(crate) fn said(it: &Wire) -> Vec<String> {
    let price = it.price.as_ref().map(|it| core_price(it).to_string());
    let contract = it.contract.as_ref().map(|it| format!("contract {it}"));
    let cost_centre = it
        .cost_centre
        .as_ref()
        .map(|it| format!("cost centre {it}"));
    let notice = notice::day(it).map(|day| format!("notice by {day}"));
    let all = [price, contract, cost_centre, notice, it.note.clone()];
    all.into_iter().flatten().collect()
}

/// The columns that are not empty in a list of these.
pub(super) fn columns(items: &[Wire]) -> Vec<&'static Column> {
    let says = |column: &&Column| items.iter().any(|it| (column.of)(it).is_some());
    COLUMNS.iter().filter(says).collect()
}
