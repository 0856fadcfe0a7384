//! What the people on this computer are to know: why a start was refused, that a seat is kept.
//!
//! Bounded in all and for each account, so that none can push out what others are to know; kept for
//! a day, for who comes back to a job of the night, over restarts of the agent and of the computer.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::watch;
use usher_api::{Notice, NoticeKind, Timestamp};
use usher_core::sessions::{AccountKey, Who};

use crate::base::clock::{self, timestamp};
use crate::store::outbox::{Change, Outbox, OutboxError, SavedNotice};

pub(crate) use crate::model::news::{
    Denial, Kept, News, free, impossible, missed, refused, seated,
};

/// Notices of one account; the oldest goes first.
const OF_ONE_LIMIT: usize = 32;
/// Notices in all; the oldest goes first.
const LIMIT: usize = 4_096;
/// How long a notice is kept.
const KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// A launcher that tries again by itself is no news: the same refusal is told once in so long, if
/// nothing else was told of the product since.
const SAME_WITHIN_MS: u64 = 3_000;

#[derive(Debug)]
struct Told {
    who: Who,
    number: u64,
    /// Until when it is kept.
    until_boot_ms: u64,
    at: Timestamp,
    news: News,
}

/// All notices.
#[derive(Debug)]
pub(crate) struct Notices {
    /// Ids of another are none of its own. It goes on over restarts while anything is kept.
    run: i64,
    last: u64,
    kept: VecDeque<Told>,
    /// What the disk has not, and what it has that is kept no more.
    unwritten: BTreeSet<u64>,
    forgotten: BTreeSet<u64>,
    changed: watch::Sender<u64>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Notices {
            run: clock::wall_ms(),
            last: 0,
            kept: VecDeque::new(),
            unwritten: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            changed: watch::Sender::new(0),
        }
    }

    /// As a former run of the agent wrote them down.
    pub(crate) fn open(outbox: &Outbox) -> Result<Self, OutboxError> {
        let mut notices = Notices::new();
        let (boot_ms, wall_ms) = (clock::boot_ms(), clock::wall_ms());
        let saved = outbox.notices()?;
        let run = saved.last().map(|last| last.run);
        for notice in saved {
            // Of a clock that was set back since it is as if it were said just now.
            let age_ms = u64::try_from(wall_ms.saturating_sub(notice.at_wall_ms)).unwrap_or(0);
            let news = serde_json::from_str(&notice.body);
            let (Some(left_ms), Ok(news)) = (KEPT_MS.checked_sub(age_ms), news) else {
                notices.forgotten.insert(notice.number);
                continue;
            };
            notices.keep(Told {
                who: notice.who,
                number: notice.number,
                until_boot_ms: boot_ms + left_ms,
                at: timestamp(notice.at_wall_ms),
                news,
            });
            notices.last = notice.number;
        }
        if let Some(run) = run.filter(|_| notices.last > 0) {
            notices.run = run;
        }
        Ok(notices)
    }

    /// Whether the disk has what is kept, and nothing else.
    pub(crate) fn are_written(&self) -> bool {
        self.unwritten.is_empty() && self.forgotten.is_empty()
    }

    /// Puts on disk what is not, and takes from it what is kept no more.
    pub(crate) fn write(&self, change: &Change<'_>) -> Result<(), OutboxError> {
        for number in &self.forgotten {
            change.forget_notice(*number)?;
        }
        let is_new = |kept: &&Told| self.unwritten.contains(&kept.number);
        for kept in self.kept.iter().filter(is_new) {
            change.save_notice(&SavedNotice {
                number: kept.number,
                run: self.run,
                who: kept.who,
                at_wall_ms: kept.at.as_millisecond(),
                body: serde_json::to_string(&kept.news)?,
            })?;
        }
        Ok(())
    }

    /// What was written is on disk.
    pub(crate) fn were_written(&mut self) {
        self.unwritten.clear();
        self.forgotten.clear();
    }

    /// Tells when there is more.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Says it to an account, and to the one that it was working as.
    pub(crate) fn say(&mut self, who: Who, news: News) {
        let now = clock::boot_ms();
        self.forget_old(now);
        if self.was_just_said(who, &news, now) {
            return;
        }
        self.last += 1;
        self.keep(Told {
            who,
            number: self.last,
            until_boot_ms: now + KEPT_MS,
            at: timestamp(clock::wall_ms()),
            news,
        });
        self.unwritten.insert(self.last);
        self.changed.send_replace(self.last);
    }

    /// The same, in place of a refusal of the product if nothing else was told of it since: a script
    /// that tries again and again pushes out nothing else, and is told once of one decision.
    pub(crate) fn say_last(&mut self, who: Who, news: News) {
        let of_it = |told: &Told| told.who == who && told.news.product == news.product;
        if let Some(at) = self.kept.iter().rposition(of_it)
            && self.kept[at].news.kind == news.kind
        {
            if self.kept[at].news.decision == news.decision {
                return;
            }
            let gone = self.kept.remove(at);
            self.forget(gone);
        }
        self.say(who, news);
    }

    /// A seat that a person was told of is kept no more, and they read so from now on.
    pub(crate) fn is_over(&mut self, who: Who, product: &str, kept: Kept) {
        let is_it = |told: &&mut Told| {
            told.who == who && told.news.product == product && told.news.kind == NoticeKind::Free
        };
        if let Some(told) = self.kept.iter_mut().rev().find(is_it) {
            told.news.is_over(kept);
            self.unwritten.insert(told.number);
            self.changed.send_replace(self.last);
        }
    }

    /// Keeps one more, within the bounds.
    fn keep(&mut self, kept: Told) {
        let of_one = |other: &&Told| other.who.counted == kept.who.counted;
        if self.kept.iter().filter(of_one).count() >= OF_ONE_LIMIT
            && let Some(oldest) = self.kept.iter().position(|other| of_one(&other))
        {
            let gone = self.kept.remove(oldest);
            self.forget(gone);
        }
        if self.kept.len() >= LIMIT {
            let gone = self.kept.pop_front();
            self.forget(gone);
        }
        self.kept.push_back(kept);
    }

    fn forget(&mut self, gone: Option<Told>) {
        let Some(Told { number, .. }) = gone else {
            return;
        };
        self.unwritten.remove(&number);
        // It may be on disk as it was before.
        self.forgotten.insert(number);
    }

    fn was_just_said(&self, who: Who, news: &News, now: u64) -> bool {
        let of_it = |kept: &&Told| kept.who == who && kept.news.product == news.product;
        let last = self.kept.iter().rev().find(of_it);
        // Who waits hears how it ended, however soon after the last time.
        let ends_a_wait = matches!(
            news.kind,
            NoticeKind::Free | NoticeKind::Missed | NoticeKind::Seated
        );
        last.filter(|_| !ends_a_wait).is_some_and(|last| {
            last.news.kind == news.kind && now + KEPT_MS < last.until_boot_ms + SAME_WITHIN_MS
        })
    }

    /// Forgets those whose time is over.
    pub(crate) fn forget_old(&mut self, now: u64) {
        while let Some(oldest) = self.kept.front()
            && oldest.until_boot_ms < now
        {
            let gone = self.kept.pop_front();
            self.forget(gone);
        }
    }

    /// Those for an account after a notice, oldest first; all if that notice is of another run.
    pub(crate) fn of(&self, account: AccountKey, after: Option<&str>) -> Vec<Notice> {
        let now = clock::boot_ms();
        let after = after.and_then(|id| self.number(id)).unwrap_or(0);
        let theirs = |kept: &&Told| {
            is_for(kept.who, account) && kept.number > after && kept.until_boot_ms >= now
        };
        let kept = self.kept.iter().filter(theirs);
        kept.map(|kept| self.shown(kept)).collect()
    }

    /// A notice for that account: whom it concerns, and the product, if a seat of it can be
    /// waited for.
    pub(crate) fn find(&self, account: AccountKey, id: &str) -> Option<(Who, &News)> {
        let number = self.number(id)?;
        let kept = self.kept.iter().find(|kept| kept.number == number)?;
        is_for(kept.who, account).then_some((kept.who, &kept.news))
    }

    fn number(&self, id: &str) -> Option<u64> {
        let (run, number) = id.strip_prefix('N')?.split_once('-')?;
        (run.parse() == Ok(self.run)).then_some(())?;
        number.parse().ok()
    }

    fn shown(&self, kept: &Told) -> Notice {
        let news = kept.news.clone();
        Notice {
            id: format!("N{}-{}", self.run, kept.number),
            kind: news.kind,
            product: news.product,
            product_name: news.product_name,
            title: news.title,
            text: news.text,
            decision_id: news.decision,
            at: kept.at,
            can_wait: news.can_wait,
            ticket: news.ticket,
        }
    }
}

fn is_for(who: Who, account: AccountKey) -> bool {
    who.counted == account || who.real == account
}
