//! A row of an export: a use, or what was summed up.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::How;
use super::columns::Column;
use crate::asked;
use crate::fact::{Fact, Feature, Holder, Product, Session, Summed};
use crate::instant;

pub(super) struct Row<'r> {
    columns: &'r [Option<Column>],
    cells: &'r [String],
    how: &'r How,
    row: u64,
}

impl<'r> Row<'r> {
    pub(super) fn new(
        columns: &'r [Option<Column>],
        cells: &'r [String],
        how: &'r How,
        row: u64,
    ) -> Row<'r> {
        Row {
            columns,
            cells,
            how,
            row,
        }
    }

    /// None: something in it is not understood.
    pub(super) fn read(&self) -> Option<Fact> {
        match self.has(Column::Start) || self.has(Column::StartUtc) {
            true => self.session(),
            false => self.summed(),
        }
    }

    fn session(&self) -> Option<Fact> {
        let from = self.time(Column::StartUtc, Column::Start)??;
        let until = self.time(Column::EndUtc, Column::End)?;
        let runs = self
            .get(Column::StillRunning)
            .is_some_and(|told| told.eq_ignore_ascii_case("true") || told == "1");
        // An end that was not captured is not known: the use does not still run.
        if until.is_none() && !runs {
            return None;
        }
        if until.is_some_and(|until| until < from) {
            return None;
        }
        Some(Fact::Session(Box::new(Session {
            product: self.product()?,
            holder: self.holder()?,
            seats: 1,
            version: self.get(Column::Version).map(str::to_owned),
            program: self.get(Column::File).map(str::to_owned),
            from,
            until: until.filter(|_| !runs),
            row: self.row,
        })))
    }

    fn summed(&self) -> Option<Fact> {
        let console = self.number(Column::UsageCount)?;
        let remote = self.number(Column::RemoteUsageCount)?;
        let starts = match (console, remote) {
            (None, None) => None,
            (console, remote) => Some(console.unwrap_or(0).saturating_add(remote.unwrap_or(0))),
        };
        let (from, to) = self.span()?;
        let summed = Summed {
            product: self.product()?,
            holder: self.holder(),
            version: self.get(Column::Version).map(str::to_owned),
            from,
            to,
            starts,
            seconds: self.number(Column::UsageSeconds)?,
            users: self.number(Column::DistinctUsers)?,
            last_used: self.local(Column::LastUsage)?,
            row: self.row,
        };
        let says = summed.starts.or(summed.seconds).or(summed.users).is_some();
        (says || summed.last_used.is_some()).then(|| Fact::Summed(Box::new(summed)))
    }

    /// The month of a key, or the interval that is told by its start and width. The outer none: it is not
    /// understood.
    fn span(&self) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
        if let Some(key) = self.number(Column::TimeKey)? {
            let (year, month) = (key.checked_div(100)?, key.checked_rem(100)?);
            let year = i16::try_from(year).ok()?;
            let month = i8::try_from(month).ok()?;
            let first = |year, month| {
                let first = DateTime::new(year, month, 1, 0, 0, 0, 0).ok()?;
                self.how.time_zone.to_timestamp(first).ok()
            };
            let next = match month {
                12 => first(year.checked_add(1)?, 1)?,
                _ => first(year, month.checked_add(1)?)?,
            };
            return Some((Some(first(year, month)?), Some(next)));
        }
        let from = self.local(Column::IntervalStart)?;
        let minutes = self.number(Column::IntervalMinutes)?;
        let to = from.zip(minutes).and_then(|(from, minutes)| {
            let seconds = i64::try_from(minutes.checked_mul(60)?).ok()?;
            Timestamp::from_second(from.as_second().checked_add(seconds)?).ok()
        });
        Some((from, to))
    }

    fn product(&self) -> Option<Product> {
        let named = self.get(Column::Product).or(self.get(Column::File));
        let name = match named {
            Some(name) => name.to_owned(),
            None => format!("FileID {}", self.get(Column::FileId)?),
        };
        Some(Product::Foreign(Feature { daemon: None, name }))
    }

    /// Who used it; none: of nobody in particular.
    fn holder(&self) -> Option<Holder> {
        let user = match (self.get(Column::FullName), self.get(Column::User)) {
            (Some(full), _) => Some(full.to_owned()),
            (None, Some(user)) => Some(match self.get(Column::Domain) {
                Some(domain) if !user.contains('\\') => format!("{domain}\\{user}"),
                _ => user.to_owned(),
            }),
            (None, None) => self
                .get(Column::UserId)
                .map(|id| format!("MeteredUserID {id}")),
        };
        let computer = match self.get(Column::Computer) {
            Some(name) => Some(name.to_owned()),
            None => self
                .get(Column::ComputerId)
                .map(|id| format!("ResourceID {id}")),
        };
        if user.is_none() && computer.is_none() {
            return None;
        }
        let (user, computer) = (user.unwrap_or_default(), computer.unwrap_or_default());
        Some(asked::holder(&user, &computer))
    }

    fn has(&self, wanted: Column) -> bool {
        self.columns.contains(&Some(wanted))
    }

    /// A cell, if it is there and says something. Of several columns for one thing the first that does.
    fn get(&self, wanted: Column) -> Option<&'r str> {
        self.columns
            .iter()
            .zip(self.cells)
            .filter(|(column, _)| **column == Some(wanted))
            .map(|(_, cell)| cell.trim())
            .find(|cell| !cell.is_empty() && !cell.eq_ignore_ascii_case("null"))
    }

    /// The outer none: it is no number.
    fn number(&self, wanted: Column) -> Option<Option<u64>> {
        match self.get(wanted) {
            None => Some(None),
            Some(cell) => cell.parse().ok().map(Some),
        }
    }

    /// A time of the zone that was given. The outer none: it is no time.
    fn local(&self, wanted: Column) -> Option<Option<Timestamp>> {
        self.instant(wanted, &self.how.time_zone)
    }

    fn time(&self, utc: Column, local: Column) -> Option<Option<Timestamp>> {
        match self.instant(utc, &TimeZone::UTC)? {
            Some(instant) => Some(Some(instant)),
            None => self.local(local),
        }
    }

    fn instant(&self, wanted: Column, time_zone: &TimeZone) -> Option<Option<Timestamp>> {
        let Some(cell) = self.get(wanted) else {
            return Some(None);
        };
        let written =
            instant::year_first(cell).or_else(|| instant::year_last(cell, self.how.dates))?;
        time_zone.to_timestamp(written).ok().map(Some)
    }
}
