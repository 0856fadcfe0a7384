//! Times of which nothing is known of a server or a daemon, when reports are taken one after another: from
//! the last report that knew of it to the first that does so again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use usher_api::ImportedSilence;

use super::rows::{Rows, Sink};

/// A silence that goes on is told in pieces, so that it is known before it ends.
const PIECE: SignedDuration = SignedDuration::from_mins(10);
/// Servers and daemons that are remembered; of further ones each instant of silence is told alone.
const LIMIT: usize = 10_000;

/// A server and a daemon, as far as they are told; neither: all of the source.
type Whose = (Option<String>, Option<String>);

/// The silences that go on.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    open: BTreeMap<Whose, Gap>,
    /// The last report that was understood.
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Gap {
    /// It is told up to then.
    told: Timestamp,
    why: String,
    /// The report that is read says so.
    is_said: bool,
}

impl Gaps {
    /// A report before the first was taken then, and nothing is known of the time since.
    pub(super) fn since(&mut self, last: Timestamp) {
        self.last = Some(last);
        let gap = Gap {
            told: last,
            why: "nobody asked".to_owned(),
            is_said: false,
        };
        self.open.insert((None, None), gap);
    }

    /// A report says that a server or a daemon did not answer.
    pub(super) fn silent(
        &mut self,
        (whose, at, why): (Whose, Timestamp, &str),
        rows: &mut Rows,
        sink: &mut Sink<'_>,
    ) {
        if let Some(gap) = self.open.get_mut(&whose) {
            gap.is_said = true;
            if at.duration_since(gap.told) >= PIECE {
                rows.silence(silence(&whose, (gap.told, at), &gap.why), sink);
                gap.told = at;
            }
            return;
        }
        rows.silence(silence(&whose, (at, at), why), sink);
        if self.open.len() < LIMIT {
            let gap = Gap {
                told: self.last.unwrap_or(at),
                why: why.to_owned(),
                is_said: true,
            };
            self.open.insert(whose, gap);
        }
    }

    /// No report could be had.
    pub(super) fn failed(&mut self, at: Timestamp, why: &str) {
        self.open.entry((None, None)).or_insert_with(|| Gap {
            told: self.last.unwrap_or(at),
            why: why.to_owned(),
            is_said: false,
        });
    }

    /// All of a report is read: of whom it does not say that they are silent, they are so no more.
    pub(super) fn report_is_over(&mut self, at: Timestamp, rows: &mut Rows, sink: &mut Sink<'_>) {
        self.open.retain(|whose, gap| {
            let goes_on = std::mem::take(&mut gap.is_said);
            if !goes_on && gap.told < at {
                rows.silence(silence(whose, (gap.told, at), &gap.why), sink);
            }
            goes_on
        });
        self.last = Some(at);
    }

    /// Who is silent, as far as the last report says: `daemon at server`.
    pub(super) fn silent_now(&self) -> Vec<String> {
        let told = self.open.keys().filter_map(|whose| match whose {
            (Some(server), Some(daemon)) => Some(format!("{daemon} at {server}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        });
        told.collect()
    }
}

fn silence(whose: &Whose, (from, to): (Timestamp, Timestamp), why: &str) -> ImportedSilence {
    ImportedSilence {
        from,
        to,
        server: whose.0.clone(),
        daemon: whose.1.clone(),
        why: Some(why.to_owned()),
    }
}
