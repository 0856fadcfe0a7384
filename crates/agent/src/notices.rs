//! What the people on this computer are to know: why a start was refused, that a seat is kept.
//!
//! Bounded in all and for each account, so that none can push out what others are to know; kept for
//! a day, for who comes back to a job of the night, and in memory.

use std::collections::VecDeque;

use tokio::sync::watch;
use usher_api::{Notice, NoticeKind, Reason, Timestamp};
use usher_core::sessions::Who;

use crate::clock::{self, timestamp};

/// Notices of one account; the oldest goes first.
const OF_ONE_LIMIT: usize = 32;
/// Notices in all; the oldest goes first.
const LIMIT: usize = 4_096;
/// How long a notice is kept.
const KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// A launcher that tries again by itself is no news: the same refusal is told once in so long.
const SAME_WITHIN_MS: u64 = 3_000;

/// What is to be said.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) kind: NoticeKind,
    pub(crate) product: String,
    pub(crate) product_name: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) decision: Option<String>,
    pub(crate) can_wait: bool,
    pub(crate) ticket: Option<String>,
}

#[derive(Debug)]
struct Kept {
    who: Who,
    number: u64,
    boot_ms: u64,
    at: Timestamp,
    news: News,
}

/// All notices.
#[derive(Debug)]
pub(crate) struct Notices {
    /// This run of the agent: ids of another are none of its own.
    run: i64,
    last: u64,
    kept: VecDeque<Kept>,
    changed: watch::Sender<u64>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Notices {
            run: clock::wall_ms(),
            last: 0,
            kept: VecDeque::new(),
            changed: watch::Sender::new(0),
        }
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
        let of_one = |kept: &&Kept| kept.who.counted == who.counted;
        if self.kept.iter().filter(of_one).count() >= OF_ONE_LIMIT
            && let Some(oldest) = self.kept.iter().position(|kept| of_one(&kept))
        {
            self.kept.remove(oldest);
        }
        if self.kept.len() >= LIMIT {
            self.kept.pop_front();
        }
        self.last += 1;
        self.kept.push_back(Kept {
            who,
            number: self.last,
            boot_ms: now,
            at: timestamp(clock::wall_ms()),
            news,
        });
        self.changed.send_replace(self.last);
    }

    fn was_just_said(&self, who: Who, news: &News, now: u64) -> bool {
        let same = |kept: &Kept| {
            kept.who == who && kept.news.product == news.product && kept.news.kind == news.kind
        };
        let last = self.kept.iter().rev().find(|kept| same(kept));
        last.is_some_and(|last| now.saturating_sub(last.boot_ms) < SAME_WITHIN_MS)
    }

    fn forget_old(&mut self, now: u64) {
        while let Some(oldest) = self.kept.front()
            && now.saturating_sub(oldest.boot_ms) > KEPT_MS
        {
            self.kept.pop_front();
        }
    }

    /// Those for an account after a notice, oldest first; all where that one is of another run.
    pub(crate) fn of(&mut self, uid: u32, after: Option<&str>) -> Vec<Notice> {
        self.forget_old(clock::boot_ms());
        let after = after.and_then(|id| self.number(id)).unwrap_or(0);
        let theirs = |kept: &&Kept| is_for(kept.who, uid) && kept.number > after;
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

    fn shown(&self, kept: &Kept) -> Notice {
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

/// Why a start was refused, as a server said; none: no server answered.
#[derive(Debug, Clone)]
pub(crate) struct Denial {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    pub(crate) decision: String,
}

impl News {
    /// The same for who waits for a seat already.
    pub(crate) fn of_who_waits(self, ticket: &str) -> News {
        News {
            text:
                "All seats are in use. You are waiting for one, and will be told when it is free."
                    .to_owned(),
            can_wait: false,
            ticket: Some(ticket.to_owned()),
            ..self
        }
    }
}

impl Denial {
    /// Whether waiting may help.
    pub(crate) fn can_wait(&self) -> bool {
        self.reason == Reason::NoSeat
    }
}

/// That a start was refused.
pub(crate) fn refused(product: &str, name: &str, denial: Option<&Denial>) -> News {
    let text = match denial {
        None => "The licence server cannot be reached, and this program may not run without it. \
                 Try again in a few minutes."
            .to_owned(),
        Some(denial) if denial.can_wait() => {
            "All seats are in use. Try again later, or be told when one is free.".to_owned()
        }
        Some(denial) => denial.detail.clone(),
    };
    News {
        kind: NoticeKind::Refused,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("{name} was not started"),
        text,
        decision: denial.map(|denial| denial.decision.clone()),
        can_wait: denial.is_some_and(Denial::can_wait),
        ticket: None,
    }
}

/// That a seat is kept for so many seconds.
pub(crate) fn free(product: &str, name: &str, seconds: u32) -> News {
    News {
        kind: NoticeKind::Free,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("A seat of {name} is free"),
        text: format!(
            "It is kept for you for {}. Start {name} now.",
            words_of(seconds.into())
        ),
        decision: None,
        can_wait: false,
        ticket: None,
    }
}

/// That a seat was not used in time.
pub(crate) fn missed(product: &str, name: &str) -> News {
    News {
        kind: NoticeKind::Missed,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("The seat of {name} is no longer kept for you"),
        text: format!("It was not used in time. Start {name}, or wait for a seat again."),
        decision: None,
        can_wait: true,
        ticket: None,
    }
}

/// That a seat will not come free: there are not as many.
pub(crate) fn impossible(product: &str, name: &str) -> News {
    News {
        kind: NoticeKind::Missed,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("No seat of {name} will come free for you"),
        text: format!("There are no seats of {name} any more. Ask who administers it."),
        decision: None,
        can_wait: false,
        ticket: None,
    }
}

/// A time in words, in its largest unit of which there are two.
pub(crate) fn words_of(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        _ => (seconds / 3_600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
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
        for number in 0..2 * OF_ONE_LIMIT {
            notices.say(who(2), about(&format!("product{number}")));
        }
        assert_eq!(notices.of(2, None).len(), OF_ONE_LIMIT);
        assert_eq!(notices.of(1, None).len(), 1);
        assert_eq!(
            notices.of(2, None)[0].product,
            format!("product{OF_ONE_LIMIT}")
        );
    }

    #[test]
    fn how_long_a_seat_is_kept_is_said_in_one_word() {
        let said = [1, 60, 119, 300, 7_200].map(words_of);
        assert_eq!(
            said,
            [
                "1 second",
                "60 seconds",
                "119 seconds",
                "5 minutes",
                "2 hours"
            ]
        );
    }
}
