//! What the people on this computer are to know: why a start was refused, that a seat is kept.
//!
//! Bounded in all and for each account, so that none can push out what others are to know; kept for
//! a day, for who comes back to a job of the night, over restarts of the agent and of the computer.

mod news;

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::watch;
use usher_api::{Notice, NoticeKind, Timestamp};
use usher_core::sessions::Who;

use crate::clock::{self, timestamp};
use crate::outbox::{Outbox, OutboxError, SavedNotice};

pub(crate) use self::news::{
    Denial, Kept, News, free, impossible, missed, refused, seated, words_of,
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

    /// Puts on disk what is not, and takes from it what is kept no more.
    pub(crate) fn write(&mut self, outbox: &mut Outbox) -> Result<(), OutboxError> {
        if self.unwritten.is_empty() && self.forgotten.is_empty() {
            return Ok(());
        }
        outbox.change(|change| {
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
        })?;
        self.unwritten.clear();
        self.forgotten.clear();
        Ok(())
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

    fn forget_old(&mut self, now: u64) {
        while let Some(oldest) = self.kept.front()
            && oldest.until_boot_ms < now
        {
            let gone = self.kept.pop_front();
            self.forget(gone);
        }
    }

    /// Those for an account after a notice, oldest first; all where that one is of another run.
    pub(crate) fn of(&mut self, uid: u32, after: Option<&str>) -> Vec<Notice> {
        self.forget_old(clock::boot_ms());
        let after = after.and_then(|id| self.number(id)).unwrap_or(0);
        let theirs = |kept: &&Told| is_for(kept.who, uid) && kept.number > after;
        let kept = self.kept.iter().filter(theirs);
        kept.map(|kept| self.shown(kept)).collect()
    }

    /// A notice for that account: whom it concerns, and of which product it is where a seat can be
    /// waited for.
    pub(crate) fn find(&self, uid: u32, id: &str) -> Option<(Who, &News)> {
        let number = self.number(id)?;
        let kept = self.kept.iter().find(|kept| kept.number == number)?;
        is_for(kept.who, uid).then_some((kept.who, &kept.news))
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

fn is_for(who: Who, uid: u32) -> bool {
    who.counted == uid || who.real == uid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(uid: u32) -> Who {
        Who {
            counted: uid,
            real: uid,
        }
    }

    fn about(product: &str) -> News {
        refused(product, product, None)
    }

    #[test]
    fn each_account_reads_its_own_after_what_it_has_read() {
        let mut notices = Notices::new();
        notices.say(who(1), about("cad"));
        notices.say(who(2), about("cad"));
        let su = Who {
            counted: 1,
            real: 3,
        };
        notices.say(su, about("sim"));
        let all = notices.of(1, None);
        assert_eq!(all.len(), 2);
        let after = notices.of(1, Some(&all[0].id));
        assert_eq!(after, all[1..]);
        assert_eq!(notices.of(3, None), all[1..]);
        assert_eq!(notices.of(4, None), []);
        assert_eq!(notices.of(1, Some("N1-7")), all, "of another run");
        assert!(notices.find(2, &all[0].id).is_none());
    }

    #[test]
    fn one_account_pushes_out_only_its_own_and_the_same_is_told_once() {
        let mut notices = Notices::new();
        notices.say(who(1), about("cad"));
        notices.say(who(1), about("cad"));
        assert_eq!(notices.of(1, None).len(), 1);
        // A seat came free meanwhile, and was lost again: that is another refusal.
        notices.say(who(1), free("cad", "cad", 60));
        notices.say(who(1), about("cad"));
        assert_eq!(notices.of(1, None).len(), 3);
        for number in 0..2 * OF_ONE_LIMIT {
            notices.say(who(2), about(&format!("product{number}")));
        }
        assert_eq!(notices.of(2, None).len(), OF_ONE_LIMIT);
        assert_eq!(notices.of(1, None).len(), 3);
        assert_eq!(
            notices.of(2, None)[0].product,
            format!("product{OF_ONE_LIMIT}")
        );
    }

    fn decided(product: &str, decision: &str) -> News {
        News {
            decision: Some(decision.to_owned()),
            ..about(product)
        }
    }

    #[test]
    fn a_script_that_is_refused_again_and_again_is_told_once_of_a_decision_and_pushes_out_nothing()
    {
        let mut notices = Notices::new();
        notices.say(who(1), about("sim"));
        for _ in 0..2 {
            notices.say_last(who(1), decided("cad", "D1"));
        }
        let first = notices.of(1, None);
        assert_eq!(first.len(), 2);
        for number in 2..2 * OF_ONE_LIMIT {
            notices.say_last(who(1), decided("cad", &format!("D{number}")));
        }
        let all = notices.of(1, None);
        assert_eq!((all.len(), &*all[0].product), (2, "sim"));
        assert_ne!(
            all[1].id, first[1].id,
            "it is news to who has read the first"
        );
        notices.say(who(1), free("cad", "cad", 60));
        notices.say_last(who(1), decided("cad", "D9"));
        assert_eq!(notices.of(1, None).len(), 4);
    }

    #[test]
    fn who_waits_hears_how_it_ended_however_soon_after_the_last_time() {
        let mut notices = Notices::new();
        for _ in 0..2 {
            notices.say(who(1), free("cad", "cad", 60));
            notices.say(who(1), missed("cad", "cad"));
            notices.say(who(1), seated("cad", "cad"));
            notices.say(who(1), seated("cad", "cad"));
        }
        assert_eq!(notices.of(1, None).len(), 8);
    }

    #[test]
    fn what_was_told_of_a_kept_seat_is_brought_up_to_date_on_disk_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let mut notices = Notices::open(&outbox).unwrap();
        notices.say(who(1), free("cad", "CAD", 300));
        notices.say(who(1), free("sim", "sim", 300));
        notices.write(&mut outbox).unwrap();
        notices.is_over(who(2), "cad", Kept::Used);
        notices.is_over(who(1), "cad", Kept::Used);
        notices.write(&mut outbox).unwrap();
        let mut again = Notices::open(&outbox).unwrap();
        let told = again.of(1, None);
        assert_eq!(told[0].title, "A seat of CAD was free");
        assert!(
            told[0].text.ends_with("you have used it."),
            "{}",
            told[0].text
        );
        assert!(told[1].text.contains("Start sim now"), "{}", told[1].text);
        // One that was changed and is pushed out is gone from the disk, too.
        again.is_over(who(1), "cad", Kept::GoneBack);
        for number in 0..OF_ONE_LIMIT {
            again.say(who(1), about(&format!("product{number}")));
        }
        again.write(&mut outbox).unwrap();
        assert_eq!(outbox.notices().unwrap().len(), OF_ONE_LIMIT);
    }

    #[test]
    fn what_was_told_is_known_after_a_restart_to_its_person_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let mut notices = Notices::open(&outbox).unwrap();
        notices.say(who(1), about("cad"));
        notices.say(who(2), about("sim"));
        notices.write(&mut outbox).unwrap();
        let before = (notices.of(1, None), notices.of(2, None));
        let mut again = Notices::open(&outbox).unwrap();
        assert_eq!((again.of(1, None), again.of(2, None)), before);
        assert_eq!(again.of(3, None), []);
        // Who has read it reads only what is new.
        again.say(who(1), about("sim"));
        let read = &before.0[0].id;
        assert_eq!(again.of(1, Some(read)).len(), 1);
        assert_eq!(again.of(1, Some(read))[0].product, "sim");

        // A day later it is gone, from the disk, too.
        let day_ms = i64::try_from(KEPT_MS).unwrap();
        let old = |notice: SavedNotice| SavedNotice {
            at_wall_ms: notice.at_wall_ms - day_ms - 1,
            ..notice
        };
        let all: Vec<SavedNotice> = outbox.notices().unwrap().into_iter().map(old).collect();
        for notice in &all {
            outbox.change(|change| change.save_notice(notice)).unwrap();
        }
        let mut later = Notices::open(&outbox).unwrap();
        assert_eq!(later.of(1, None), []);
        later.write(&mut outbox).unwrap();
        assert_eq!(outbox.notices().unwrap(), []);
    }

    #[test]
    fn what_one_account_is_told_without_end_is_bounded_on_disk_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        let mut notices = Notices::open(&outbox).unwrap();
        for number in 0..2 * OF_ONE_LIMIT {
            notices.say(who(1), about(&format!("product{number}")));
            if number % 3 == 0 {
                notices.write(&mut outbox).unwrap();
            }
        }
        notices.write(&mut outbox).unwrap();
        assert_eq!(outbox.notices().unwrap().len(), OF_ONE_LIMIT);
        let mut again = Notices::open(&outbox).unwrap();
        assert_eq!(again.of(1, None), notices.of(1, None));
    }
}
