//! A row of a CSV file of entitlements, cell by cell: each is checked, and all faults are reported.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::{EntitlementRequest, Metric, NAME_LIMIT_BYTES, NOTE_LIMIT_BYTES, Price};
use usher_core::names::composed;
use usher_core::policy;
use usher_core::policy::{Range, Terms, is_servers_own};

use super::columns::Header;
use super::details::{read_days, read_price, wire_price};
use super::validity::zone_of_days;
use crate::output::tame;
use crate::time;

/// A valid row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its line in the file.
    pub(super) line: u64,
    /// The row as a request to a server.
    pub(super) request: EntitlementRequest,
    /// Which of the optional columns the row fills.
    pub(super) says: Says,
}

/// Which columns the file has in which an empty cell has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Says {
    /// Its first day; empty: it was always valid.
    pub(super) from: bool,
    /// Its last day; empty: it is valid for ever.
    pub(super) to: bool,
    /// An overdraft.
    pub(super) overdraft: bool,
}

/// The time zone of its days.
#[derive(Clone)]
pub(super) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// The time zone of that name, or else the one for days without a zone.
    pub(super) fn of(name: Option<&str>) -> Result<Zone, String> {
        let name = name.map_or_else(zone_of_days, |name| Ok(name.to_owned()))?;
        let zone = time::now_in(Some(&name))?.time_zone().clone();
        Ok(Zone { name, zone })
    }
}

/// The cells of a row, and their faults.
pub(super) struct Cells<'a> {
    pub(super) header: &'a Header,
    pub(super) record: &'a csv::StringRecord,
    pub(super) faults: Vec<String>,
}

impl Cells<'_> {
    /// The text in a column, if there is any.
    fn text(&self, column: &str) -> Option<String> {
        let cell = self.record.get(self.header.place(column)?)?;
        (!cell.is_empty()).then(|| cell.to_owned())
    }

    /// The value in a column; `None` if the cell is empty or wrong.
    fn read<T>(&mut self, column: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(column)?;
        let value = read(&text);
        if let Err(why) = &value {
            self.faults.push(format!("{column}: {why}"));
        }
        value.ok()
    }

    /// A text on one line, of at most so many bytes.
    fn line(&mut self, column: &str, limit_bytes: usize) -> Option<String> {
        self.read(column, |text| {
            if text.len() > limit_bytes {
                let length = text.len();
                return Err(format!("it has {length} bytes: give at most {limit_bytes}"));
            }
            match text
                .chars()
                .any(|c| c.is_control() || usher_api::is_unseen(c))
            {
                false => Ok(text.to_owned()),
                true => Err(format!(
                    "{} has characters that cannot be seen, or line ends: leave them out",
                    tame(text)
                )),
            }
        })
    }

    /// The row; `None` if it has faults.
    pub(super) fn row(&mut self, line: u64, zone: &Zone) -> Option<Row> {
        let product = self.line("product", NAME_LIMIT_BYTES);
        if product.is_none() && self.text("product").is_none() {
            self.faults.push("the product is missing".to_owned());
        }
        let seats = self.read("seats", count);
        if seats.is_none() && self.text("seats").is_none() {
            self.faults.push("the seats are missing".to_owned());
        }
        let metric = self.read("metric", |word| {
            let metric = serde_json::from_value(word.to_lowercase().replace('-', "_").into());
            match metric {
                Ok(Metric::Concurrent) => Ok(Metric::Concurrent),
                Ok(_) => Err(format!("{word} cannot be counted yet: write concurrent")),
                Err(_) => Err(format!("there is no metric {word}: write concurrent")),
            }
        });
        let own_zone = self.read("time_zone", |name| Zone::of(Some(name)));
        let zone = own_zone.as_ref().unwrap_or(zone);
        let (from, to) = (self.read("from", date), self.read("to", date));
        let is_of_days = [&from, &to].into_iter().flatten().any(|end| is_day(end));
        if let (Ok(Some(begins)), Ok(Some(ends))) = (
            start(from.as_deref(), &zone.zone),
            end(to.as_deref(), &zone.zone),
        ) && ends <= begins
        {
            self.faults.push("it ends before it begins".to_owned());
        }
        let overdraft = self.read("overdraft", count);
        let price = self.price();
        let notice_days = self.read("notice_days", read_days);
        let name = self.line("name", NAME_LIMIT_BYTES);
        if let Some(name) = name.as_ref().filter(|name| is_servers_own(name)) {
            self.faults.push(format!(
                "name: {name} has the form of the ids that a server gives: choose a name such as \
                 cad-2026"
            ));
        }
        let contract = self.line("contract", NAME_LIMIT_BYTES);
        let cost_centre = self.line("cost_centre", NAME_LIMIT_BYTES);
        let note = self.line("note", NOTE_LIMIT_BYTES);
        let request = EntitlementRequest {
            product: composed(&product?).into_owned(),
            metric: metric.unwrap_or_default(),
            seats: seats?,
            overdraft: overdraft.unwrap_or(0),
            time_zone: is_of_days.then(|| zone.name.clone()),
            from,
            to,
            name: name.map(|name| Some(composed(&name).into_owned())),
            price: price.map(Some),
            contract: contract.map(Some),
            cost_centre: cost_centre.map(Some),
            notice_days: notice_days.map(Some),
            note: note.map(Some),
        };
        Some(Row {
            line,
            request,
            says: Says {
                from: self.header.has("from"),
                to: self.header.has("to"),
                overdraft: overdraft.is_some(),
            },
        })
    }

    /// A price out of its columns: whole in the first, or as an amount, a currency and for how long
    /// it is paid. A spreadsheet writes the sign of the currency into the cell of the amount, too:
    /// it may stand there alone, and is to be of the currency that is named. All that is wrong with
    /// it is told.
    fn price(&mut self) -> Option<Price> {
        let [price, code, per] = ["price", "currency", "per"].map(|column| self.text(column));
        if code.is_none() && per.is_none() {
            return self.read("price", read_price);
        }
        if price.is_none() {
            let why = "price: it is missing, and there is a currency, or for how long it is paid";
            self.faults.push(why.to_owned());
            return None;
        }
        let money = self.read("price", |text| text.parse::<policy::Money>());
        let currency = self.currency(code.is_some(), money.as_ref());
        let per = match per {
            Some(_) => self.read("per", |text| text.parse::<policy::Per>()),
            None => {
                let why = "per: it is missing: write for how long the price is paid, year, month \
                           or once";
                self.faults.push(why.to_owned());
                None
            }
        };
        Some(wire_price(&policy::Price {
            amount: money?.amount,
            currency: currency?,
            per: per?,
        }))
    }

    /// The currency of an amount: that of its column, or that of the sign beside it if there is no
    /// column or nothing in it.
    fn currency(&mut self, is_named: bool, money: Option<&policy::Money>) -> Option<String> {
        let sign = money.and_then(|money| money.sign.as_deref());
        let fault = match (is_named, sign) {
            (true, _) => {
                let currency = self.read("currency", policy::currency)?;
                match money.map_or(Ok(()), |money| money.must_be_of(&currency)) {
                    Ok(()) => return Some(currency),
                    Err(why) => format!("price: {why}"),
                }
            }
            (false, Some(sign)) => match policy::currency(sign) {
                Ok(currency) => return Some(currency),
                Err(why) => format!("currency: {why}"),
            },
            (false, None) => {
                "currency: it is missing: write three capital letters, such as EUR".to_owned()
            }
        };
        self.faults.push(fault);
        None
    }
}

/// A date as a server reads it.
fn date(text: &str) -> Result<String, String> {
    if let Some(day) = time::written(text) {
        return Ok(day.to_string());
    }
    match text.parse::<Timestamp>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) if time::is_never(text) => Ok(text.to_owned()),
        Err(_) => Err(time::not_a_day(text).unwrap_or_else(|| {
            format!("{text} is not a date; write it like 2026-12-31 or 31.12.2026")
        })),
    }
}

/// Whether an end is given as a day.
pub(super) fn is_day(text: &str) -> bool {
    time::written(text).is_some()
}

fn count(text: &str) -> Result<u32, String> {
    let Range { least, most, .. } = Terms::SEATS;
    let is_within = |count: &u32| (least..=most).contains(count);
    let count = text.parse().ok().filter(is_within);
    count.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
}

/// The first instant of validity, as a server reads it.
pub(super) fn start(text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    instant(text, false, zone)
}

/// The first instant that is no longer valid: the day itself is still valid.
pub(super) fn end(text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    instant(text, true, zone)
}

fn instant(
    text: Option<&str>,
    after_the_day: bool,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !(after_the_day && time::is_never(text))) else {
        return Ok(None);
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let wrong = |_| format!("{text} is not a date; write it like 2026-12-31");
    let day: jiff::civil::Date = text.parse().map_err(wrong)?;
    let day = match after_the_day {
        false => day,
        true => day.tomorrow().map_err(wrong)?,
    };
    let start = day.to_zoned_datetime(zone.clone()).map_err(wrong)?;
    Ok(Some(start.timestamp()))
}
