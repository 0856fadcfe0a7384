//! An import of what is not over: a log that grows, or reports that keep coming. What it gives is what an
//! import of the whole gives: each row with the same key, and what goes on with what is known so far.

use jiff::Timestamp;
use usher_api::ImportSummary;

use super::opened::Opened;
use super::{How, Import, name_of};
use crate::decode;
use crate::fact::{Fact, Owned};
use crate::reading::Out;
use crate::summary::{ProductMap, Sink, not_understood};

impl Import {
    /// Before the first line or report.
    pub fn live(how: How, map: ProductMap, licences: &[Owned]) -> Import {
        let mut import = Import::new(how, map, licences);
        import.is_live = true;
        import.summary.live();
        import
    }

    /// It is that instant: days without a year are read against it, and entitlements count or are over.
    pub fn it_is(&mut self, now: Timestamp) {
        self.how.written = now;
        self.how.today = self.how.site_zone.to_datetime(now).date();
        self.summary.today_is(self.how.today);
        if let Some(opened) = &mut self.opened {
            opened.file_is_of(now);
        }
    }

    /// Reads the next bytes of a log; a line whose end they do not have waits for the ones after them.
    pub fn part(&mut self, bytes: &[u8], sink: &mut Sink<'_>) {
        let opened = self
            .opened
            .get_or_insert_with(|| Opened::new(&self.how, self.how.written, self.is_live));
        let summary = &mut self.summary;
        let counts = &mut self.counts;
        let mut facts = |fact: Fact| summary.take(&fact, sink);
        let decoder = self.decoder.get_or_insert_default();
        decoder.take(bytes, &mut |line| {
            decode::give(line, opened.reader(), &mut facts, counts);
        });
    }

    /// The log goes on in another file: what was the last line is one, if it has no end either.
    pub fn part_is_over(&mut self, sink: &mut Sink<'_>) {
        let (Some(decoder), Some(opened)) = (self.decoder.take(), &mut self.opened) else {
            return;
        };
        let summary = &mut self.summary;
        let counts = &mut self.counts;
        let mut facts = |fact: Fact| summary.take(&fact, sink);
        decoder.finish(&mut |line| decode::give(line, opened.reader(), &mut facts, counts));
        opened.next_file(&mut Out::new(&mut facts, counts));
    }

    /// Reads a report that was asked for then. Returns whether anything of it was understood; if not, it
    /// is as if none could be had, and [`Import::no_report`] says so.
    pub fn report(&mut self, report: &[u8], at: Timestamp, sink: &mut Sink<'_>) -> bool {
        self.it_is(at);
        let before = self.counts.understood.saturating_sub(self.counts.blank);
        let mut rest = report;
        // Bytes in memory are read without an error.
        if self.file(&mut rest, at, sink).is_err() {
            return false;
        }
        self.close(sink);
        let after = self.counts.understood.saturating_sub(self.counts.blank);
        if after > before {
            self.summary.report_is_over(at, sink);
        }
        after > before
    }

    /// No report could be had: nothing is known from the one before to the next one.
    pub fn no_report(&mut self, at: Timestamp, why: &str) {
        self.summary.report_failed(at, why);
    }

    /// The report before the first was taken then, and nothing is known of the time since.
    pub fn last_report_was(&mut self, at: Timestamp) {
        self.summary.last_report_was(at);
    }

    /// Gives what goes on, with what is known of it so far. What began in the last seconds of a log, and
    /// may be a part of another use, is left out unless `all` is said.
    pub fn so_far(&mut self, all: bool, sink: &mut Sink<'_>) {
        self.summary.so_far(all, sink);
    }

    /// Uses that are open in a log: [`Import::so_far`] gives as many rows.
    pub fn open_count(&self) -> usize {
        self.summary.open_count()
    }

    /// The first and the last instant of which something is known.
    pub fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        self.summary.span_so_far()
    }

    /// Servers and daemons that did not answer by the last report.
    pub fn silent_now(&self) -> Vec<String> {
        self.summary.silent_now()
    }

    /// Whether lines wait for the first date of their log.
    pub fn is_undated(&self) -> bool {
        self.opened.as_ref().is_some_and(Opened::is_undated)
    }

    /// What was understood so far, without features: their figures are those of all of the site.
    pub fn summary_so_far(&self) -> ImportSummary {
        let (from, to) = self.span();
        let (rows, left_out) = self.summary.rows_made();
        let opened = self.opened.as_ref();
        let zone = opened.and_then(Opened::zone);
        ImportSummary {
            kind: self.how.kind,
            lines: self.counts.lines,
            understood: self.counts.understood,
            not_understood: not_understood(&self.counts),
            not_understood_more: self.counts.of_more_shapes,
            features: Vec::new(),
            features_more: 0,
            from,
            to,
            time_zone: zone.map_or_else(|| self.told.time_zone.clone(), name_of),
            dates_from: self
                .told
                .dates_from
                .max(opened.and_then(Opened::dates_from)),
            clock_changes: 0,
            unobserved_seconds: 0,
            daemon_peak: None,
            daemon_peaks: Vec::new(),
            rows,
            left_out,
            notes: Vec::new(),
        }
    }
}
