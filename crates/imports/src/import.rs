//! An import as a whole: its files through the reader of their kind, into rows and an answer.

mod live;
mod opened;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use usher_api::{ImportKind as Kind, ImportSummary, NotUnderstood};

use crate::asked::Asked;
use crate::decode::{self, Decoder};
use crate::fact::{Fact, Owned};
use crate::flexnet::licence::Licence;
use crate::flexnet::options::{Options, OptionsFile};
use crate::reading::{Counts, Out, Reader};
use crate::summary::{ProductMap, Sink, Summary, Told};

use self::opened::Opened;

/// What is known of the files before they are read.
#[derive(Debug, Clone)]
pub struct How {
    /// Their kind.
    pub kind: Kind,
    /// The zone that somebody asked for: it wins over what a file says.
    pub time_zone: Option<TimeZone>,
    /// The zone of times of which neither that nor the file says one.
    pub site_zone: TimeZone,
    /// The day of the first line of a log, if somebody says it.
    pub first_day: Option<Date>,
    /// Of `3/4/2026` the first number is the day.
    pub day_first: bool,
    /// Which server was asked (`port@host`), of a status that does not say.
    pub server: Option<String>,
    /// When the last of the files was last written. Dates of logs that go on over several files are read
    /// against it.
    pub written: Timestamp,
    /// The day on which entitlements count or are over.
    pub today: Date,
}

impl How {
    /// The zone of times that say none.
    fn zone(&self) -> &TimeZone {
        self.time_zone.as_ref().unwrap_or(&self.site_zone)
    }

    fn asked(&self, at: Timestamp) -> Asked {
        Asked {
            at,
            server: self.server.clone(),
            time_zone: self.zone().clone(),
        }
    }
}

/// An import whose files are read one after another.
#[derive(Debug)]
pub struct Import {
    how: How,
    summary: Summary,
    counts: Counts,
    opened: Option<Opened>,
    /// Of a log that grows.
    decoder: Option<Decoder>,
    /// A log grows, or reports keep coming.
    is_live: bool,
    told: Told,
}

impl Import {
    /// Before the first file. `licences` are those that are given beside, of which uses are counted in
    /// seats.
    pub fn new(how: How, map: ProductMap, licences: &[Owned]) -> Import {
        let told = Told {
            dates_from: None,
            time_zone: name_of(how.zone()),
            notes: Vec::new(),
        };
        Import {
            summary: Summary::new(how.kind, map, licences, how.today),
            how,
            counts: Counts::default(),
            opened: None,
            decoder: None,
            is_live: false,
            told,
        }
    }

    /// Something that the answer says beside.
    pub fn note(&mut self, note: String) {
        self.told.notes.push(note);
    }

    /// No file follows: what the last one left open is taken in. [`Import::finish`] does so, too.
    pub fn end(&mut self, sink: &mut Sink<'_>) {
        self.close(sink);
    }

    /// Whether any line that says something was understood; known after [`Import::end`].
    pub fn is_any_understood(&self) -> bool {
        self.counts.is_any_understood()
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.counts.lines
    }

    /// Reads a file that was last written then. Logs and licence files go on with the file before.
    ///
    /// # Errors
    /// The file cannot be read on; what was read before is taken in.
    pub fn file(
        &mut self,
        from: &mut dyn Read,
        written: Timestamp,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        let goes_on = self.opened.as_ref().is_some_and(Opened::goes_on);
        if !goes_on {
            self.close(sink);
            self.summary.next_file();
        }
        let is_first = self.opened.is_none();
        let opened = self
            .opened
            .get_or_insert_with(|| Opened::new(&self.how, written, self.is_live));
        let summary = &mut self.summary;
        let mut facts = |fact: Fact| summary.take(&fact, sink);
        if !is_first {
            opened.next_file(&mut Out::new(&mut facts, &mut self.counts));
        }
        decode::read_part(from, opened.reader(), &mut facts, &mut self.counts)
    }

    /// No file follows: gives the last rows, and the answer.
    pub fn finish(mut self, sink: &mut Sink<'_>) -> ImportSummary {
        self.close(sink);
        self.summary.finish(&self.counts, self.told, sink)
    }

    /// Ends the reader that is open, and takes in what it knows beside facts.
    fn close(&mut self, sink: &mut Sink<'_>) {
        let Some(mut opened) = self.opened.take() else {
            return;
        };
        let summary = &mut self.summary;
        let mut facts = |fact: Fact| summary.take(&fact, sink);
        let mut out = Out::new(&mut facts, &mut self.counts);
        opened.reader().end(&mut out);
        if let Some(options) = opened.options() {
            self.summary.options(options, sink);
        }
        if let Some(zone) = opened.zone() {
            self.told.time_zone = name_of(zone);
        }
        // The least sure of all files.
        self.told.dates_from = self.told.dates_from.max(opened.dates_from());
        self.told.notes.extend(opened.notes());
    }
}

/// What licence files that are given beside say is owned, with their lines that are not understood.
///
/// # Errors
/// A file cannot be read.
pub fn licences<'r>(
    files: impl IntoIterator<Item = &'r mut dyn Read>,
) -> io::Result<(Vec<Owned>, Vec<NotUnderstood>)> {
    let mut reader = Licence::new();
    let mut counts = Counts::default();
    let mut owned = Vec::new();
    let mut facts = |fact: Fact| {
        if let Fact::Owned(line) = fact {
            owned.push(*line);
        }
    };
    for (place, file) in files.into_iter().enumerate() {
        if place > 0 {
            reader.next_file(&mut Out::new(&mut facts, &mut counts));
        }
        decode::read_part(file, &mut reader, &mut facts, &mut counts)?;
    }
    reader.end(&mut Out::new(&mut facts, &mut counts));
    Ok((owned, crate::summary::not_understood(&counts)))
}

/// What an options file says.
///
/// # Errors
/// The file cannot be read.
pub fn options(file: &mut dyn Read) -> io::Result<Options> {
    let mut reader = OptionsFile::new();
    decode::read(file, &mut reader, &mut |_| {})?;
    Ok(reader.into_options())
}

/// A zone's name, or its offset.
fn name_of(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => offset.to_string(),
        (None, Err(_)) => "unknown".to_owned(),
    }
}
