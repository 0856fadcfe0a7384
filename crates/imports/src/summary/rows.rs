//! Rows as they cross to a site, each with its key. Names that are too long for a site keep their row
//! from crossing, which is counted; other texts are cut.

use jiff::Timestamp;
use usher_api::{
    IMPORT_TEXT_LIMIT_BYTES, ImportRow, Imported, ImportedDaemonPeak, ImportedDenial,
    ImportedEntitlement, ImportedLevel, ImportedSilence, ImportedSum, ImportedUse, ImportedWait,
    NAME_LIMIT_BYTES,
};

use super::keys::{Claim, Keys, hash};
use super::naming::ProductMap;
use super::reason;
use crate::fact::{Ask, Feature, Holder, Owned, Product, Snapshot, Summed, Until};

/// Takes rows, in the order in which they are made.
pub type Sink<'s> = dyn FnMut(ImportRow) + 's;

/// Makes rows, and counts them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) map: ProductMap,
    pub(super) keys: Keys,
    /// Rows that were made.
    pub(super) made: u64,
    /// Rows that cannot cross.
    pub(super) left_out: u64,
}

/// A use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used<'u> {
    pub(super) product: &'u Product,
    pub(super) holder: &'u Holder,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) seen_until: Option<Timestamp>,
    pub(super) seats: u32,
    pub(super) version: Option<&'u str>,
    pub(super) program: Option<&'u str>,
    pub(super) ending: Option<&'static str>,
}

/// A wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waited<'w> {
    pub(super) feature: &'w Feature,
    pub(super) holder: &'w Holder,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) seen_until: Option<Timestamp>,
    pub(super) seats: u32,
    pub(super) granted: Option<bool>,
}

impl Used<'_> {
    /// Of what stays the same while it goes on.
    pub(super) fn hash(&self) -> u128 {
        hash(&[
            Some("use"),
            Some(&id_of(self.product)),
            Some(&self.holder.user),
            Some(&self.holder.host),
            self.holder.display.as_deref(),
            Some(&self.from.to_string()),
            Some(&self.seats.to_string()),
            self.version,
            self.program,
        ])
    }
}

impl Waited<'_> {
    /// Of what stays the same while it goes on.
    pub(super) fn hash(&self) -> u128 {
        hash(&[
            Some("wait"),
            Some(&self.feature.product_id()),
            Some(&self.holder.user),
            Some(&self.holder.host),
            self.holder.display.as_deref(),
            Some(&self.from.to_string()),
            Some(&self.seats.to_string()),
        ])
    }
}

impl Rows {
    pub(super) fn used(&mut self, it: &Used<'_>, sink: &mut Sink<'_>) {
        let key = self.keys.next_of(it.hash());
        let row = self.use_row(it).map(Imported::Use);
        self.give(key, row, sink);
    }

    /// A use that is followed from report to report.
    pub(super) fn used_by(&mut self, claim: Claim, it: &Used<'_>, sink: &mut Sink<'_>) {
        let row = self.use_row(it).map(Imported::Use);
        self.give(claim.key(), row, sink);
    }

    fn use_row(&self, it: &Used<'_>) -> Option<ImportedUse> {
        Some(ImportedUse {
            product: product(&self.map.product_of(it.product))?,
            user: name(&it.holder.user)?,
            computer: name(&it.holder.host)?,
            started_at: it.from,
            ended_at: it.until,
            seen_until: it.seen_until.filter(|_| it.until.is_none()),
            seats: it.seats.max(1),
            version: it.version.map(short),
            program: it.program.map(short),
            ending: it.ending.map(str::to_owned),
        })
    }

    pub(super) fn denied(&mut self, ask: &Ask, words: &str, sink: &mut Sink<'_>) {
        let key = self.keys.next(&[
            Some("denial"),
            Some(&ask.feature.product_id()),
            Some(&ask.holder.user),
            Some(&ask.holder.host),
            ask.holder.display.as_deref(),
            Some(&ask.at.to_string()),
            Some(&ask.seats.to_string()),
            ask.version.as_deref(),
            Some(words),
        ]);
        let row = self.denial_row(ask, words).map(Imported::Denial);
        self.give(key, row, sink);
    }

    fn denial_row(&self, ask: &Ask, words: &str) -> Option<ImportedDenial> {
        Some(ImportedDenial {
            product: product(&self.map.product(&ask.feature))?,
            user: name(&ask.holder.user)?,
            computer: name(&ask.holder.host)?,
            at: ask.at,
            seats: ask.seats.max(1),
            version: ask.version.as_deref().map(short),
            reason: reason::of(words),
            words: text(words),
        })
    }

    pub(super) fn waited(&mut self, it: &Waited<'_>, sink: &mut Sink<'_>) {
        let key = self.keys.next_of(it.hash());
        let row = self.wait_row(it).map(Imported::Wait);
        self.give(key, row, sink);
    }

    /// A wait that is followed from report to report.
    pub(super) fn waited_by(&mut self, claim: Claim, it: &Waited<'_>, sink: &mut Sink<'_>) {
        let row = self.wait_row(it).map(Imported::Wait);
        self.give(claim.key(), row, sink);
    }

    fn wait_row(&self, it: &Waited<'_>) -> Option<ImportedWait> {
        Some(ImportedWait {
            product: product(&self.map.product(it.feature))?,
            user: name(&it.holder.user)?,
            computer: name(&it.holder.host)?,
            queued_at: it.from,
            ended_at: it.until,
            seen_until: it.seen_until.filter(|_| it.until.is_none()),
            seats: it.seats.max(1),
            granted: it.granted,
        })
    }

    pub(super) fn level(&mut self, it: &Snapshot, sink: &mut Sink<'_>) {
        let key = self.keys.next(&[
            Some("level"),
            Some(&it.feature.product_id()),
            it.server.as_deref(),
            Some(&it.at.to_string()),
        ]);
        let sum = |seats: u64, more: u32| seats.saturating_add(u64::from(more));
        let row = product(&self.map.product(&it.feature)).map(|product| {
            Imported::Level(ImportedLevel {
                product,
                server: it.server.as_deref().map(text),
                at: it.at,
                issued: it.issued.map(count),
                in_use: it.in_use.map(count),
                reserved: it.reserved.iter().map(|(_, seats)| *seats).fold(0, sum),
                queued: it.queued.iter().map(|(_, seats)| *seats).fold(0, sum),
                trouble: it.trouble.as_deref().map(text),
            })
        });
        self.give(key, row, sink);
    }

    pub(super) fn summed(&mut self, it: &Summed, sink: &mut Sink<'_>) {
        let holder = it.holder.as_ref();
        let told = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let key = self.keys.next(&[
            Some("summed"),
            Some(&id_of(&it.product)),
            holder.map(|holder| holder.user.as_str()),
            holder.map(|holder| holder.host.as_str()),
            it.version.as_deref(),
            told(it.from).as_deref(),
            told(it.to).as_deref(),
        ]);
        let row = self.sum_row(it).map(Imported::Summed);
        self.give(key, row, sink);
    }

    fn sum_row(&self, it: &Summed) -> Option<ImportedSum> {
        let known = |part: &str| match part.is_empty() {
            true => Some(None),
            false => name(part).map(Some),
        };
        let (user, computer) = match &it.holder {
            Some(holder) => (known(&holder.user)?, known(&holder.host)?),
            None => (None, None),
        };
        Some(ImportedSum {
            product: product(&self.map.product_of(&it.product))?,
            user,
            computer,
            version: it.version.as_deref().map(short),
            from: it.from,
            to: it.to,
            starts: it.starts.map(count),
            seconds: it.seconds.map(count),
            users: it.users.map(count),
            last_used: it.last_used,
        })
    }

    pub(super) fn owned(&mut self, it: &Owned, sink: &mut Sink<'_>) {
        let row = self.entitlement(it);
        let told = |seats: Option<u32>| seats.map(|seats| seats.to_string());
        let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
        let key = self.keys.next(&[
            Some("entitlement"),
            Some(&it.feature.product_id()),
            it.version.as_deref(),
            told(it.seats).as_deref(),
            Some(&it.overdraft.to_string()),
            day(it.from).as_deref(),
            day(last_day(it)).as_deref(),
            it.grouping.as_deref(),
            it.host_id.as_deref(),
            it.note.as_deref(),
            row.as_ref().and_then(|row| row.set_aside.as_deref()),
        ]);
        self.give(key, row.map(Imported::Entitlement), sink);
    }

    fn entitlement(&self, it: &Owned) -> Option<ImportedEntitlement> {
        let component = |name: &str| {
            self.map.product(&Feature {
                daemon: it.feature.daemon.clone(),
                name: name.to_owned(),
            })
        };
        let components = it.components.iter();
        Some(ImportedEntitlement {
            product: product(&self.map.product(&it.feature))?,
            version: it.version.as_deref().map(short),
            seats: it.seats,
            overdraft: it.overdraft,
            from: it.from.filter(|_| !is_never(it)),
            to: last_day(it),
            grouping: it.grouping.as_deref().map(short),
            host_id: it.host_id.as_deref().map(text),
            components: components
                .filter_map(|part| product(&component(&part.name)))
                .collect(),
            set_aside: match it.written.set_aside {
                Some(why) => Some(text(&why.to_string())),
                None => is_never(it).then(|| "it ends before it begins".to_owned()),
            },
            note: it.note.as_deref().map(text),
        })
    }

    pub(super) fn silence(&mut self, mut it: ImportedSilence, sink: &mut Sink<'_>) {
        let key = self.keys.next(&[
            Some("silence"),
            Some(&it.from.to_string()),
            Some(&it.to.to_string()),
            it.server.as_deref(),
            it.daemon.as_deref(),
        ]);
        it.server = it.server.as_deref().map(text);
        it.daemon = it.daemon.as_deref().map(short);
        it.why = it.why.as_deref().map(text);
        self.give(key, Some(Imported::Silence(it)), sink);
    }

    pub(super) fn daemon_peak(&mut self, it: ImportedDaemonPeak, sink: &mut Sink<'_>) {
        let key = self.keys.next(&[
            Some("daemon_peak"),
            it.product.as_deref(),
            it.daemon.as_deref(),
            Some(&it.seats.to_string()),
            it.at.map(|at| at.to_string()).as_deref(),
        ]);
        let can = it.product.as_deref().is_none_or(|id| product(id).is_some());
        self.give(key, can.then_some(Imported::DaemonPeak(it)), sink);
    }

    /// A row of a key, or none: it cannot cross.
    pub(super) fn give(&mut self, key: String, what: Option<Imported>, sink: &mut Sink<'_>) {
        match what {
            Some(what) => {
                self.made = self.made.saturating_add(1);
                sink(ImportRow { key, what });
            }
            None => self.left_out = self.left_out.saturating_add(1),
        }
    }
}

/// What a key has of a product: not what a map says, which somebody may change.
fn id_of(product: &Product) -> String {
    match product {
        Product::Id(id) => id.clone(),
        Product::Foreign(feature) => feature.product_id(),
    }
}

fn last_day(it: &Owned) -> Option<jiff::civil::Date> {
    match it.until {
        Until::Permanent => None,
        Until::Day(day) => Some(day),
    }
}

/// Whether its last day is before its first.
fn is_never(it: &Owned) -> bool {
    it.from
        .zip(last_day(it))
        .is_some_and(|(from, to)| to < from)
}

/// A product's id as a site takes it. None: it is too long, or has what an id may not have.
pub(super) fn product(id: &str) -> Option<String> {
    let has_wrong = id.contains(|letter: char| letter == '/' || letter.is_whitespace());
    name(id).filter(|id| !id.is_empty() && !has_wrong)
}

/// A number as a database takes it.
pub(super) fn count(number: u64) -> u64 {
    number.min(i64::MAX.unsigned_abs())
}

/// A name as a site takes it: what cannot be seen is replaced. None: it is too long.
pub(super) fn name(written: &str) -> Option<String> {
    let seen = seen(written);
    (seen.len() <= NAME_LIMIT_BYTES).then_some(seen)
}

/// A text that is no name, cut.
pub(super) fn text(written: &str) -> String {
    cut(written, IMPORT_TEXT_LIMIT_BYTES)
}

/// A text that is as short as a name, cut.
pub(super) fn short(written: &str) -> String {
    cut(written, NAME_LIMIT_BYTES)
}

fn cut(written: &str, limit_bytes: usize) -> String {
    let mut seen = seen(written);
    seen.truncate(seen.floor_char_boundary(limit_bytes));
    seen
}

fn seen(written: &str) -> String {
    let letters = written.chars();
    letters
        .map(|letter| match usher_api::is_unseen(letter) {
            true => char::REPLACEMENT_CHARACTER,
            false => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_has_an_id_that_a_site_takes() {
        assert_eq!(product("MLM:a%20b").as_deref(), Some("MLM:a%20b"));
        for wrong in ["", "a b", "a/b", "a\u{a0}b"] {
            assert_eq!(product(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_that_are_too_long_do_not_cross_and_texts_are_cut_between_letters() {
        assert_eq!(name("a\u{200b}b\n").as_deref(), Some("a\u{fffd}b\u{fffd}"));
        assert_eq!(name(&"ü".repeat(127)).map(|name| name.len()), Some(254));
        assert_eq!(name(&"ü".repeat(128)), None);
        assert_eq!(short(&"ü".repeat(200)).len(), 254);
        assert_eq!(text(&"x".repeat(2_000)).len(), IMPORT_TEXT_LIMIT_BYTES);
    }
}
