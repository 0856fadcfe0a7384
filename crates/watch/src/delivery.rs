//! Rows on their way to whoever takes them: gathered to bodies, numbered, and sent until they are taken.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};
use usher_api::{
    BODY_LIMIT_BYTES, IMPORT_ROWS_LIMIT, ImportCreate, ImportRow, ImportSummary, ImportTold,
};
use usher_imports::Import;

use crate::kept::{Keeper, LiveImport};
use crate::standing::State;

/// What the envelope of a body needs beside its rows.
const ENVELOPE_BYTES: usize = 1_024;
/// The first pause before what was not taken is sent again; each is twice as long as the one before.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Who waits for longer finds a log that may have been copied, cut or renamed meanwhile.
const HELD_UP: Duration = Duration::from_secs(2);
/// Imports that may be gone when rows are sent to them before that is trouble.
const GONE_AT_ONCE: u32 = 2;
/// An import is finished and another begun on the next day (UTC), so that a day can be taken out.
const DAY_SECONDS: i64 = 86_400;

/// Rows of one body.
pub type Body = Vec<Box<RawValue>>;

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It may be another time: nobody answers, or who does cannot take it now.
    Passing(String),
    /// These rows are not taken, whenever they are sent.
    Refused(String),
    /// The import takes no more rows: it was taken out, or ended.
    Gone,
}

/// Who takes rows: the manager. Each call may wait for an answer, and may be repeated.
pub trait Takes {
    /// Begins an import; repeated with the same key it is the same.
    ///
    /// # Errors
    /// It is not begun.
    fn begin(&mut self, create: &ImportCreate, key: &str) -> Result<String, Trouble>;

    /// The number that the next body of an import has.
    ///
    /// # Errors
    /// It takes no more, or nobody says.
    fn next_number(&mut self, id: &str) -> Result<u64, Trouble>;

    /// Takes a body in, all of it or none.
    ///
    /// # Errors
    /// It is not in, or that is not known.
    fn rows(
        &mut self,
        id: &str,
        number: u64,
        told: Option<ImportTold>,
        rows: &Body,
    ) -> Result<(), Trouble>;

    /// Finishes an import that so many bodies were taken into.
    ///
    /// # Errors
    /// It is not finished, or that is not known.
    fn finish(&mut self, id: &str, bodies: u64, summary: &ImportSummary) -> Result<(), Trouble>;

    /// Whether nothing will be taken any more: then the watch ends.
    fn is_over(&self) -> bool {
        false
    }
}

/// Sends rows, and keeps where they go.
pub(crate) struct Delivery<'t> {
    takes: &'t mut dyn Takes,
    create: ImportCreate,
    /// How the watch stands, which the sending is a part of.
    pub(crate) keeper: Keeper,
    /// The number that the next body has, if it is known.
    number: Option<u64>,
    rows: Body,
    bytes: usize,
    told: Option<ImportTold>,
    /// Rows were taken before, and are dropped.
    pub(crate) is_muted: bool,
    /// It waited for long until something was taken.
    pub(crate) was_held_up: bool,
    /// When an import was to begin of which it is not known that it has: asked again, it is the same one.
    beginning: Option<Timestamp>,
    /// Sends once: what is not taken then ends the watch.
    once: bool,
    gave_up: Option<String>,
}

impl<'t> Delivery<'t> {
    pub(crate) fn new(
        takes: &'t mut dyn Takes,
        create: ImportCreate,
        keeper: Keeper,
        once: bool,
    ) -> Delivery<'t> {
        Delivery {
            takes,
            create,
            keeper,
            number: None,
            rows: Vec::new(),
            bytes: 0,
            told: None,
            is_muted: false,
            was_held_up: false,
            beginning: None,
            once,
            gave_up: None,
        }
    }

    /// Whether nothing will be taken any more.
    pub(crate) fn is_over(&self) -> bool {
        self.takes.is_over()
    }

    /// Waits, but no longer than something is taken; to be called where it is not urgent.
    pub(crate) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SHORTEST_PAUSE));
        }
    }

    /// Why it sends no more; none: it does.
    pub(crate) fn gave_up(&self) -> Option<&str> {
        self.gave_up.as_deref()
    }

    /// Takes a row; if a body is full, waits until it is taken.
    pub(crate) fn row(&mut self, row: &ImportRow) {
        if self.is_muted || self.gave_up.is_some() {
            return;
        }
        // What is made here can be written: it has no keys that are not texts.
        let Ok(row) = to_raw_value(row) else {
            return;
        };
        let bytes = row.get().len().saturating_add(1);
        let room = BODY_LIMIT_BYTES.saturating_sub(ENVELOPE_BYTES);
        if self.bytes.saturating_add(bytes) > room || self.rows.len() >= IMPORT_ROWS_LIMIT {
            // Of which time it tells is said with the last body.
            self.send(None);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.rows.push(row);
    }

    /// Sends what is there, and of which time it tells. Returns once it is taken, or refused; false: there
    /// was nothing to say.
    pub(crate) fn flush(&mut self, span: (Option<Timestamp>, Option<Timestamp>)) -> bool {
        let told = match span {
            (Some(from), Some(to)) => Some(ImportTold { from, to }),
            _ => None,
        };
        if self.rows.is_empty() && (told == self.told || told.is_none()) {
            return false;
        }
        self.send(told);
        self.told = told;
        true
    }

    /// Finishes the import of the day before, if there is one.
    pub(crate) fn next_day(&mut self, import: &Import) {
        let day = |at: Timestamp| at.as_second().div_euclid(DAY_SECONDS);
        let today = day(Timestamp::now());
        let Some(live) = self.keeper.kept.import.clone() else {
            return;
        };
        if day(live.begun_at) == today {
            return;
        }
        let number = match self.number {
            Some(number) => Ok(number),
            None => self.takes.next_number(&live.id),
        };
        let finished = number.and_then(|number| {
            let bodies = number.saturating_sub(1);
            let mut summary = import.summary_so_far();
            if let (Some(from), Some(to)) = (summary.from, summary.to) {
                summary.from = Some(live.told(from, to).from);
            }
            self.takes.finish(&live.id, bodies, &summary)
        });
        // If nobody takes it now, it is tried with the next rows; else it ends by itself a day later.
        if !matches!(finished, Err(Trouble::Passing(_))) {
            self.leave_import();
        }
    }

    fn leave_import(&mut self) {
        self.keeper.kept.import = None;
        self.number = None;
        self.told = None;
    }

    fn send(&mut self, told: Option<ImportTold>) {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let began = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        let (mut is_failing, mut gone) = (false, 0_u32);
        while self.gave_up.is_none() {
            let mut sent = self.sent(told, &rows);
            if sent == Err(Trouble::Gone) {
                self.leave_import();
                gone = gone.saturating_add(1);
                if gone > GONE_AT_ONCE {
                    let why = "each import that is begun is gone at once";
                    sent = Err(Trouble::Passing(why.to_owned()));
                }
            }
            match sent {
                Ok(()) => break,
                Err(Trouble::Gone) => {}
                Err(Trouble::Refused(why)) => {
                    self.keeper.refused(why);
                    break;
                }
                Err(Trouble::Passing(why)) if self.once || self.is_over() => {
                    self.gave_up = Some(why);
                }
                Err(Trouble::Passing(why)) => {
                    is_failing = true;
                    self.keeper.is_now(State::Failing, Some(why));
                    self.pause(pause);
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        self.was_held_up |= began.elapsed() > HELD_UP;
        if is_failing {
            self.keeper.is_now(State::Following, None);
        }
    }

    fn sent(&mut self, told: Option<ImportTold>, rows: &Body) -> Result<(), Trouble> {
        let live = match &self.keeper.kept.import {
            Some(live) => live.clone(),
            None => {
                let begun_at = *self.beginning.get_or_insert_with(Timestamp::now);
                let key = format!("watch-{}-{}", self.create.source, begun_at.as_nanosecond());
                let key = key.replace(|letter: char| !letter.is_ascii_graphic(), "_");
                let key = key.get(..200).unwrap_or(&key);
                let begun = self.takes.begin(&self.create, key);
                if !matches!(begun, Err(Trouble::Passing(_))) {
                    self.beginning = None;
                }
                let id = begun?;
                self.number = Some(1);
                let live = LiveImport {
                    id,
                    begun_at,
                    from: self.keeper.kept.told_to,
                };
                self.keeper.kept.import.insert(live).clone()
            }
        };
        let number = match self.number {
            Some(number) => number,
            // Before this start a body may have been taken of which nobody here knows.
            None => *self.number.insert(self.takes.next_number(&live.id)?),
        };
        let told = told.map(|told| live.told(told.from, told.to));
        self.takes.rows(&live.id, number, told, rows)?;
        self.number = Some(number.saturating_add(1));
        let told_to = told.map(|told| told.to);
        self.keeper.kept.told_to = self.keeper.kept.told_to.max(told_to);
        Ok(())
    }
}

impl LiveImport {
    /// What it tells of a span, without what earlier imports told: a day that is taken out is told by no
    /// other.
    fn told(&self, from: Timestamp, to: Timestamp) -> ImportTold {
        // Of a clock that was set back nothing was told before.
        let own = self.from.filter(|own| *own <= to);
        let from = own.map_or(from, |own| own.max(from));
        ImportTold { from, to }
    }
}

#[cfg(test)]
mod tests {
    use usher_imports::Kind;

    use super::*;
    use crate::kept::Folder;
    use crate::standing::Standing;

    /// Imports of which the first is taken out when its second body comes.
    #[derive(Default)]
    struct Site {
        begun: u32,
        told: Vec<(String, Option<ImportTold>)>,
    }

    impl Takes for Site {
        fn begin(&mut self, _: &ImportCreate, _: &str) -> Result<String, Trouble> {
            self.begun += 1;
            Ok(format!("i-{}", self.begun))
        }

        fn next_number(&mut self, _: &str) -> Result<u64, Trouble> {
            Err(Trouble::Gone)
        }

        fn rows(
            &mut self,
            id: &str,
            number: u64,
            told: Option<ImportTold>,
            _: &Body,
        ) -> Result<(), Trouble> {
            if (id, number) == ("i-1", 2) {
                return Err(Trouble::Gone);
            }
            self.told.push((id.to_owned(), told));
            Ok(())
        }

        fn finish(&mut self, _: &str, _: u64, _: &ImportSummary) -> Result<(), Trouble> {
            Ok(())
        }
    }

    #[test]
    fn an_import_tells_of_no_time_that_one_before_it_has_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let standing = Standing::new("w", Kind::Lmstat, "lic1", "lmstat".to_owned());
        let taken_up =
            Folder::of(folder.path()).take_up(standing, String::new(), false, Box::new(|_, _| {}));
        let create = ImportCreate {
            kind: Kind::Lmstat,
            source: "lic1".to_owned(),
            time_zone: None,
            live: true,
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut site = Site::default();
        let mut out = Delivery::new(&mut site, create, taken_up.unwrap(), false);
        // A log is read from its beginning on, whatever of it was sent.
        for to in [10, 20, 30, 5] {
            assert!(out.flush((Some(at(0)), Some(at(to)))));
        }
        assert_eq!(out.keeper.kept.told_to, Some(at(30)));
        let told = |id: &str, from, to| {
            let told = ImportTold {
                from: at(from),
                to: at(to),
            };
            (id.to_owned(), Some(told))
        };
        let expected = [
            told("i-1", 0, 10),
            told("i-2", 10, 20),
            told("i-2", 10, 30),
            told("i-2", 0, 5),
        ];
        assert_eq!(site.told, expected);
    }
}
