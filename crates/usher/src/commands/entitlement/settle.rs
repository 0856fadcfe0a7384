//! Compares the rows of a file with the existing entitlements: which are new, which exist already,
//! and which differ from the entitlement of the same name.

use std::collections::HashMap;

use clap::ValueEnum;
use usher_api::{Entitlement, Product};

use super::cells::Row;
use super::details::core_price;
use super::named::{called, with_value, word};
use super::rows::{Fault, row_as_owned};
use crate::output::tame;

/// What to do with rows that exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Duplicates {
    /// Import nothing
    Refuse,
    /// Leave these rows out
    Skip,
    /// Add them once more
    Add,
}

/// What happens to the rows of a file.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The rows to be added.
    pub(super) new: Vec<Row>,
    /// The rows that are left out because they exist already.
    pub(super) left_out: usize,
    /// The rows that are left out although they differ from the existing entitlement.
    pub(super) differing: Vec<Fault>,
    /// The rows that exist already, if no option says what to do with them.
    pub(super) again: Vec<Fault>,
    /// Whether one of these has the name of an existing entitlement: it cannot be added once more.
    pub(super) is_again_by_name: bool,
    /// The rows that cannot be added.
    pub(super) faults: Vec<Fault>,
}

/// How a row compares with the existing entitlements.
enum Standing<'a> {
    New,
    Same(&'a Entitlement),
    Differs(&'a Entitlement, Vec<Difference>),
}

/// A value in a row that differs in the existing entitlement.
struct Difference {
    what: &'static str,
    there: String,
    here: String,
    /// The option of `usher entitlement edit` for it.
    option: String,
}

/// Decides what happens to each row.
pub(super) fn settle(
    rows: Vec<Row>,
    owned: &[Entitlement],
    products: &[Product],
    what: Duplicates,
) -> Settled {
    let mut settled = Settled::default();
    let mut places: HashMap<String, u64> = HashMap::new();
    let mut there = There::of(owned);
    // What has a name is that one and no other: the rest is left for rows without a name.
    let named: Vec<Option<Standing<'_>>> = rows.iter().map(|row| there.named(row)).collect();
    for (row, standing) in rows.into_iter().zip(named) {
        let fault = |what: String| Fault {
            line: Some(row.line),
            what,
        };
        if let Some(what) = no_product(&row.request.product, products) {
            settled.faults.push(fault(what));
        }
        if let Some(Some(name)) = &row.request.name
            && let Some(first) = places.insert(name.clone(), row.line)
        {
            let name = tame(name);
            let what = format!("the name {name} stands in line {first} already");
            settled.faults.push(fault(what));
            continue;
        }
        let has_name = standing.is_some();
        match standing.unwrap_or_else(|| there.unnamed(&row)) {
            Standing::New => settled.new.push(row),
            Standing::Same(it) | Standing::Differs(it, _) if it.product != row.request.product => {
                settled.faults.push(fault(format!(
                    "{} is of {}, and an entitlement keeps its product: choose another name",
                    called(it),
                    tame(&it.product)
                )));
            }
            Standing::Same(it) | Standing::Differs(it, _)
                if what == Duplicates::Add && has_name =>
            {
                settled.faults.push(fault(format!(
                    "the name is that of {} already: choose another, or leave it out",
                    called(it)
                )));
            }
            _ if what == Duplicates::Add => settled.new.push(row),
            Standing::Same(_) if what == Duplicates::Skip => settled.left_out += 1,
            Standing::Same(it) => {
                settled.is_again_by_name |= has_name;
                settled.again.push(fault(format!(
                    "such an entitlement is there already: {}",
                    called(it)
                )));
            }
            Standing::Differs(it, differences) => {
                let told = fault(differing(it, &differences));
                match what {
                    Duplicates::Skip => settled.differing.push(told),
                    _ => {
                        settled.is_again_by_name |= has_name;
                        settled.again.push(told);
                    }
                }
            }
        }
    }
    settled
}

/// The fault of a row whose product does not exist; if it is a product's display name, the text
/// gives the id.
fn no_product(named: &str, products: &[Product]) -> Option<String> {
    if products.iter().any(|product| product.id == named) {
        return None;
    }
    let called = |product: &&Product| product.name.eq_ignore_ascii_case(named);
    Some(match products.iter().find(called) {
        Some(product) => format!(
            "there is no product {named:?}: that is the name of {id}, write {id}",
            id = product.id
        ),
        None => format!("there is no product {named:?}"),
    })
}

/// The existing entitlements, with which rows are compared. Each is matched by one row at most.
struct There<'a> {
    by_name: HashMap<&'a str, usize>,
    /// By the values that every row has.
    alike: HashMap<(&'a str, u32, u32), Vec<usize>>,
    owned: &'a [Entitlement],
    is_met: Vec<bool>,
}

impl<'a> There<'a> {
    fn of(owned: &'a [Entitlement]) -> There<'a> {
        let mut there = There {
            by_name: HashMap::new(),
            alike: HashMap::new(),
            owned,
            is_met: vec![false; owned.len()],
        };
        for (index, it) in owned.iter().enumerate() {
            if let Some(name) = &it.name {
                there.by_name.insert(name, index);
            }
            let key = (&*it.product, it.seats, it.overdraft);
            there.alike.entry(key).or_default().push(index);
        }
        there
    }

    /// How a row with a name compares; `None`: the row has no name.
    fn named(&mut self, row: &Row) -> Option<Standing<'a>> {
        let name = row.request.name.as_ref()?.as_deref()?;
        let Some(&index) = self.by_name.get(name) else {
            return Some(Standing::New);
        };
        self.is_met[index] = true;
        let it = &self.owned[index];
        let differences = differences(row, it);
        Some(match differences.is_empty() {
            true => Standing::Same(it),
            false => Standing::Differs(it, differences),
        })
    }

    /// How a row without a name compares: it exists already if all its values are those of an
    /// entitlement.
    fn unnamed(&mut self, row: &Row) -> Standing<'a> {
        let read = row_as_owned(row);
        let key = (&*read.product, read.seats, read.overdraft);
        let alike = self.alike.get(&key).map_or(&[][..], Vec::as_slice);
        let mut with_less = None;
        for &index in alike.iter().filter(|index| !self.is_met[**index]) {
            let it = &self.owned[index];
            if !same_dates(&read, it) || contradicts(&read, it) {
                continue;
            }
            let differences = differences(row, it);
            if differences.is_empty() {
                self.is_met[index] = true;
                return Standing::Same(it);
            }
            with_less = with_less.or(Some((index, differences)));
        }
        match with_less {
            None => Standing::New,
            Some((index, differences)) => {
                self.is_met[index] = true;
                Standing::Differs(&self.owned[index], differences)
            }
        }
    }
}

fn same_dates(one: &Entitlement, other: &Entitlement) -> bool {
    same_from(one, other) && same_to(one, other)
}

/// Whether both begin at the same time: a day is the same day, whatever time zone it was entered
/// in.
fn same_from(one: &Entitlement, other: &Entitlement) -> bool {
    one.from == other.from || one.from_day.is_some() && one.from_day == other.from_day
}

fn same_to(one: &Entitlement, other: &Entitlement) -> bool {
    one.to == other.to || one.to_day.is_some() && one.to_day == other.to_day
}

/// Whether both have a price, a contract, a cost centre, days of notice or a note, and differ in it.
fn contradicts(one: &Entitlement, other: &Entitlement) -> bool {
    fn differ<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
        one.is_some() && other.is_some() && one != other
    }
    differ(&one.price, &other.price)
        || differ(&one.contract, &other.contract)
        || differ(&one.cost_centre, &other.cost_centre)
        || differ(&one.notice_days, &other.notice_days)
        || differ(&one.note, &other.note)
}

/// The values of a row that differ from an entitlement. Values that the row lacks do not differ.
fn differences(row: &Row, it: &Entitlement) -> Vec<Difference> {
    let read = row_as_owned(row);
    let mut found = Vec::new();
    let mut say = |what, option: &str, there: Option<String>, here: String| {
        if there.as_ref() != Some(&here) {
            let shown = |text: String| {
                if text.is_empty() {
                    "none".to_owned()
                } else {
                    text
                }
            };
            found.push(Difference {
                what,
                there: shown(there.unwrap_or_default()),
                option: with_value(option, &here),
                here: shown(here),
            });
        }
    };
    say(
        "seats",
        "--seats",
        Some(it.seats.to_string()),
        read.seats.to_string(),
    );
    if row.says.overdraft {
        let there = Some(it.overdraft.to_string());
        say(
            "overdraft",
            "--overdraft",
            there,
            read.overdraft.to_string(),
        );
    }
    let end = |day: &Option<String>, at: Option<jiff::Timestamp>| {
        let day = day.clone().or_else(|| at.map(|at| at.to_string()));
        day.unwrap_or_default()
    };
    if row.says.from && !same_from(&read, it) {
        let there = Some(end(&it.from_day, it.from));
        say("from", "--from", there, end(&read.from_day, read.from));
    }
    if row.says.to && !same_to(&read, it) {
        let there = Some(end(&it.to_day, it.to));
        say("to", "--to", there, end(&read.to_day, read.to));
    }
    let price = |it: &Entitlement| it.price.as_ref().map(|it| core_price(it).to_string());
    if let Some(here) = price(&read) {
        say("price", "--price", price(it), here);
    }
    let texts = [
        ("contract", "--contract", &it.contract, read.contract),
        (
            "cost centre",
            "--cost-centre",
            &it.cost_centre,
            read.cost_centre,
        ),
        ("note", "--note", &it.note, read.note),
    ];
    for (what, option, there, here) in texts {
        if let Some(here) = here {
            say(what, option, there.clone(), here);
        }
    }
    if let Some(here) = read.notice_days {
        let there = it.notice_days.map(|days| days.to_string());
        say("notice days", "--notice-days", there, here.to_string());
    }
    found
}

/// Says that a row differs from the existing entitlement, and which command makes them equal.
fn differing(it: &Entitlement, differences: &[Difference]) -> String {
    let said = differences
        .iter()
        .map(|it| format!("{} {} ({} in the file)", it.what, it.there, it.here));
    let said: Vec<String> = said.collect();
    let options: Vec<&str> = differences.iter().map(|it| &*it.option).collect();
    format!(
        "{} is there already, and differs: {}; to change it: usher entitlement edit {} {}",
        called(it),
        tame(&said.join(", ")),
        tame(&word(it)),
        tame(&options.join(" "))
    )
}

#[cfg(test)]
mod tests;
