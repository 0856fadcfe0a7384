//! What is known while a log grows or reports keep coming.

use jiff::Timestamp;

use super::{Sink, Summary, earlier, later, say_use};

impl Summary {
    /// Reports keep coming: what stays the same is not told each time, and silences are followed to their
    /// ends.
    pub(crate) fn live(&mut self) {
        self.is_live = true;
        self.seen.levels.only_changes();
    }

    /// Gives what goes on, with what is known of it so far and the keys that it has at its end. What began
    /// in the last seconds of a log, and may be a part of another use, is left out unless `all` is said.
    pub(crate) fn so_far(&mut self, all: bool, sink: &mut Sink<'_>) {
        let rows = &mut self.rows;
        let (made, left_out) = (rows.made, rows.left_out);
        rows.keys.look_ahead();
        let last = self.pairing.last();
        self.waits.so_far(last, rows, sink);
        self.pairing
            .open(all, &mut |used| say_use(&used, last, rows, sink));
        self.seen.so_far(rows, sink);
        rows.keys.look_back();
        // They are counted at their ends.
        (rows.made, rows.left_out) = (made, left_out);
    }

    /// The report before the first was taken then, and nothing is known of the time since.
    pub(crate) fn last_report_was(&mut self, at: Timestamp) {
        self.gaps.since(at);
    }

    /// No report could be had.
    pub(crate) fn report_failed(&mut self, at: Timestamp, why: &str) {
        self.gaps.failed(at, why);
    }

    /// All of a report is read that was taken then.
    pub(crate) fn report_is_over(&mut self, at: Timestamp, sink: &mut Sink<'_>) {
        self.span(at);
        self.gaps.report_is_over(at, &mut self.rows, sink);
    }

    /// The first and the last instant of which something is known.
    pub(crate) fn span_so_far(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (
            earlier(self.from, self.pairing.first()),
            later(self.to, self.pairing.last()),
        )
    }

    /// Servers and daemons that are silent by the last report.
    pub(crate) fn silent_now(&self) -> Vec<String> {
        self.gaps.silent_now()
    }

    /// Uses that are open in a log.
    pub(crate) fn open_count(&self) -> usize {
        self.pairing.open_count()
    }

    /// Rows that were made, and those that cannot cross.
    pub(crate) fn rows_made(&self) -> (u64, u64) {
        (self.rows.made, self.rows.left_out)
    }

    /// The day on which entitlements count or are over.
    pub(crate) fn today_is(&mut self, today: jiff::civil::Date) {
        self.today = today;
    }
}
