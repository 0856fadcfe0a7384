//! Reads the fields of a text's tables; a field of a wrong kind becomes a fault with its place.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::names::composed;

use super::settings::Range;
use super::spelling::{duration, nearest, span};
use crate::ledger::{Bound, Wall};

/// A fault in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the text.
    pub source: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.source, self.line, self.what)
    }
}

/// Tells invisible characters, which no name may contain.
pub type IsUnseen = fn(char) -> bool;

/// The largest number of faults that are reported for one text.
const FAULTS_LIMIT: usize = 1_000;
/// The longest name, id or line of text, in bytes.
pub(super) const LINE_LIMIT_BYTES: usize = 255;

/// A text that is being read, and the faults found in it.
pub(super) struct Page<'a> {
    name: &'a str,
    /// The byte at which each line begins.
    starts: Vec<usize>,
    is_unseen: IsUnseen,
    /// The keys of lines that are not valid TOML.
    pub(super) lost: Vec<String>,
    pub(super) faults: Vec<Fault>,
}

/// A table, by its fields.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a, 't> {
    table: &'a DeTable<'t>,
    /// The byte at which the table begins.
    pub(super) at: usize,
}

type Found<'a, 't> = &'a Spanned<DeValue<'t>>;

impl<'a, 't> Fields<'a, 't> {
    pub(super) fn of(table: &'a DeTable<'t>, at: usize) -> Fields<'a, 't> {
        Fields { table, at }
    }

    pub(super) fn find(&self, key: &str) -> Option<Found<'a, 't>> {
        let mut fields = self.table.iter();
        fields
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// The place of a field; the beginning of the table if it has no such key.
    pub(super) fn at_key(&self, key: &str) -> usize {
        let mut names = self.table.keys();
        let name = names.find(|name| name.get_ref() == key);
        name.map_or(self.at, |name| name.span().start)
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(name: &'a str, text: &str, is_unseen: IsUnseen) -> Page<'a> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Page {
            name,
            starts: starts.collect(),
            is_unseen,
            lost: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The line of a place in the text.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// A place in the text as faults name it.
    pub(super) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.name, self.line(at))
    }

    pub(super) fn fault(&mut self, at: usize, what: impl Into<String>) {
        if self.faults.len() < FAULTS_LIMIT {
            self.faults.push(Fault {
                source: self.name.to_owned(),
                line: self.line(at),
                what: what.into(),
            });
        }
    }

    /// Reports each field whose key is none of these.
    pub(super) fn only(&mut self, fields: Fields<'_, '_>, keys: &[&str]) {
        for name in fields.table.keys() {
            let key = name.get_ref();
            if !keys.contains(&&**key) {
                let known = nearest(key, keys);
                self.fault(
                    name.span().start,
                    format!("there is no key `{}` here: {known}", key.escape_debug()),
                );
            }
        }
    }

    fn wrong_kind(&mut self, key: &str, found: Found<'_, '_>, wanted: &str) {
        let is = match found.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.fault(
            found.span().start,
            format!("`{key}` is {is}: give {wanted}"),
        );
    }

    /// Reports that the table lacks this key, unless it may be in a line that cannot be read.
    pub(super) fn must_have(&mut self, fields: Fields<'_, '_>, key: &str, of: &str) {
        let is_lost = self.lost.iter().any(|lost| lost == key);
        if fields.find(key).is_none() && !is_lost {
            self.fault(fields.at, format!("this {of} has no `{key}`"));
        }
    }

    /// A text of one line.
    pub(super) fn text(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
        limit: usize,
    ) -> Option<String> {
        let found = fields.find(key)?;
        let DeValue::String(text) = found.get_ref() else {
            self.wrong_kind(key, found, "a text in quotes");
            return None;
        };
        let is_unseen = self.is_unseen;
        let why = if text.len() > limit {
            format!("`{key}` has {} bytes: give at most {limit}", text.len())
        } else if text.chars().any(|c| c.is_control() || is_unseen(c)) {
            format!("`{key}` has characters that cannot be seen, or line ends: leave them out")
        } else {
            return Some(text.clone().into_owned());
        };
        self.fault(found.span().start, why);
        None
    }

    /// A name: a text that is not empty, in the form in which names are compared (NFC).
    pub(super) fn name(&mut self, fields: Fields<'_, '_>, key: &str) -> Option<String> {
        let text = self.text(fields, key, LINE_LIMIT_BYTES)?;
        let name = composed(&text).into_owned();
        let why = if name.is_empty() {
            format!("`{key}` is empty")
        } else if name.trim().len() != name.len() {
            format!("`{key}` begins or ends with a blank, which nobody sees: leave it out")
        } else {
            return Some(name);
        };
        self.fault(fields.at_key(key), why);
        None
    }

    /// A name that must be there.
    pub(super) fn needed(&mut self, fields: Fields<'_, '_>, key: &str, of: &str) -> Option<String> {
        self.must_have(fields, key, of);
        self.name(fields, key)
    }

    pub(super) fn flag(&mut self, fields: Fields<'_, '_>, key: &str) -> Option<bool> {
        let found = fields.find(key)?;
        match found.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.wrong_kind(key, found, "true or false");
                None
            }
        }
    }

    /// One of these words; `-` in it counts as `_`.
    pub(super) fn word(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let found = fields.find(key)?;
        let DeValue::String(text) = found.get_ref() else {
            self.wrong_kind(key, found, &format!("one of {}", words.join(", ")));
            return None;
        };
        let meant = text.replace('-', "_");
        let word = words.iter().find(|word| **word == meant);
        if word.is_none() {
            let known = nearest(&meant, words);
            let text = text.escape_debug();
            self.fault(
                found.span().start,
                format!("`{key}` is \"{text}\": {known}"),
            );
        }
        word.copied()
    }

    pub(super) fn number(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
        range: Range,
    ) -> Option<u32> {
        let found = fields.find(key)?;
        match whole(found.get_ref()) {
            Some(number) => self.within(key, found, number, range, &|n| n.to_string()),
            None => {
                self.wrong_kind(key, found, "a whole number");
                None
            }
        }
    }

    /// Seconds: a whole number of them, or a text such as "30m" or "1h30m".
    pub(super) fn seconds(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
        range: Range,
    ) -> Option<u32> {
        let found = fields.find(key)?;
        let seconds = match found.get_ref() {
            DeValue::String(text) => duration(text),
            other => whole(other),
        };
        match seconds {
            Some(seconds) => self.within(key, found, seconds, range, &span),
            None => {
                self.wrong_kind(
                    key,
                    found,
                    "seconds, or a duration such as \"90s\", \"30m\", \"1h30m\" or \"7d\"",
                );
                None
            }
        }
    }

    fn within(
        &mut self,
        key: &str,
        found: Found<'_, '_>,
        number: i64,
        range: Range,
        said: &dyn Fn(u32) -> String,
    ) -> Option<u32> {
        let number = u32::try_from(number).ok().filter(|it| range.has(*it));
        if number.is_none() {
            let zero = if range.or_zero { "0, or " } else { "" };
            let (least, most) = (said(range.least), said(range.most));
            self.fault(
                found.span().start,
                format!("`{key}` is out of range: give {zero}{least} to {most}"),
            );
        }
        number
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
    ) -> Option<Vec<(usize, String)>> {
        let found = fields.find(key)?;
        let DeValue::Array(items) = found.get_ref() else {
            self.wrong_kind(key, found, "a list of texts, such as [\"name=cad\"]");
            return None;
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push((item.span().start, text.to_string())),
                _ => self.wrong_kind(key, item, "texts only in this list"),
            }
        }
        Some(texts)
    }

    /// One end of a validity: a day in that time zone, or an instant. `Some(None)` means unlimited,
    /// which the last days of the calendar stand for.
    pub(super) fn bound(
        &mut self,
        fields: Fields<'_, '_>,
        key: &str,
        zone: &str,
    ) -> Option<Option<Bound>> {
        let found = fields.find(key)?;
        let text = match found.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            _ => String::new(),
        };
        if key == "to" && is_beyond(&text) {
            return Some(None);
        }
        // jiff takes more for a day than people write as one.
        let is_day = text.len() == 10;
        let day = is_day.then(|| text.parse::<Date>().ok()).flatten();
        let day = day.map(|day| Bound::day(day, zone.into()));
        let at = || text.parse::<Timestamp>().ok();
        let bound = day.or_else(|| at().map(|at| Bound::At(Wall(at.as_millisecond()))));
        if bound.is_none() {
            self.wrong_kind(
                key,
                found,
                "a day such as 2026-12-31, or an instant with its offset such as \
                 2026-12-31T18:00:00Z",
            );
        }
        bound.map(Some)
    }

    /// An array of tables, each with its place.
    pub(super) fn tables<'f, 't>(
        &mut self,
        fields: Fields<'f, 't>,
        key: &str,
    ) -> Vec<Fields<'f, 't>> {
        let Some(found) = fields.find(key) else {
            return Vec::new();
        };
        let items = match found.get_ref() {
            DeValue::Array(items) => items,
            _ => {
                let wanted = format!("[[{key}]] with two brackets for each");
                self.wrong_kind(key, found, &wanted);
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Fields::of(table, item.span().start)),
                _ => self.wrong_kind(key, item, &format!("[[{key}]] with two brackets for each")),
            }
        }
        tables
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    // What is too large for it is out of every range here.
    let digits = number.as_str().replace('_', "");
    Some(i64::from_str_radix(&digits, number.radix()).unwrap_or(i64::MAX))
}

/// Whether this is one of the last two days of the calendar, by which people mean no end.
fn is_beyond(text: &str) -> bool {
    text.starts_with("9999-12-30") || text.starts_with("9999-12-31")
}
