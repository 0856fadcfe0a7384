//! Why a checkout is refused: the one table of reasons. A new reason is a new row at its end.
//!
//! Journals hold a reason by its number, which is its place in the table; tables of a data file
//! hold it by its word. So rows are only added, and neither number nor word of one ever changes.

use serde::{Deserialize, Serialize};

use crate::concerns::counted;

/// The figures and names that the sentence of a refusal contains.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Product id.
    pub product: &'a str,
    /// Seats asked for.
    pub seats: u32,
    /// Seats that could be in use, overdraft included.
    pub total: u64,
    /// Seats in use.
    pub in_use: u64,
    /// Requests in the queue.
    pub queued: u32,
    /// Seats in use that are kept for a later start.
    pub kept: u64,
    /// What the person can do to get a seat later.
    pub next: &'a str,
}

macro_rules! reasons {
    ($(
        $(#[doc = $doc:literal])*
        $(#[cfg($only:meta)])?
        $reason:ident = $number:literal, $word:literal, $wire:literal, $waiting:literal, $says:expr;
    )*) => {
        /// Why a checkout was refused.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Reason {
            $($(#[doc = $doc])* $(#[cfg($only)])? $reason = $number,)*
        }

        impl Reason {
            /// All reasons, in the order of their numbers.
            pub const ALL: &'static [Reason] = &[$($(#[cfg($only)])? Reason::$reason,)*];

            /// The word for it in the tables of a data file.
            pub fn word(self) -> &'static str {
                match self { $($(#[cfg($only)])? Reason::$reason => $word,)* }
            }

            /// The word for it in the API.
            pub fn wire_word(self) -> &'static str {
                match self { $($(#[cfg($only)])? Reason::$reason => $wire,)* }
            }

            /// Whether waiting in the queue may help.
            pub fn waiting_helps(self) -> bool {
                match self { $($(#[cfg($only)])? Reason::$reason => $waiting,)* }
            }

            /// The sentence that the refused person reads: why, and what to do.
            pub fn sentence(self, refused: &Refused<'_>) -> String {
                let says: fn(&Refused<'_>) -> String = match self {
                    $($(#[cfg($only)])? Reason::$reason => $says,)*
                };
                says(refused)
            }
        }
    };
}

// Code, number in journals, word in tables, word on the wire, whether waiting helps, sentence.
reasons! {
    /// Every seat is in use, or fewer are free than asked for.
    NoSeat = 0, "no_seat", "no_seat", true, no_seat;
    /// The organisation owns no seats of the product.
    NoEntitlement = 1, "no_entitlement", "no_entitlement", false, |refused| format!(
        "the organisation owns no seats of {0}: the administrator of the licences adds them with \
         `usher entitlement add {0} --seats N`",
        refused.product
    );
    /// All entitlements of the product have ended.
    EntitlementExpired = 2, "entitlement_expired", "entitlement_expired", false, |refused| format!(
        "the seats of {} are no longer valid: the administrator of the licences sees their dates \
         with `usher entitlement list`",
        refused.product
    );
    /// The product is switched off.
    ProductDisabled = 3, "product_disabled", "product_disabled", false, |refused| format!(
        "product {} is switched off: ask its administrator",
        refused.product
    );
    /// No seat is free, and the queue is full.
    QueueFull = 4, "queue_full", "queue_full", false, queue_full;
    /// Nothing was decided: the server is paused or was restored, and grants nothing. Only sessions
    /// that run unseated have this reason; nobody is refused for it, and the API tells it in
    /// another way.
    Undecided = 5, "undecided", "no_seat", false, |refused| format!(
        "nobody is granted a seat of {} for now: ask again later",
        refused.product
    );
    /// The request waited for more seats than there are, in use or not.
    Impossible = 6, "impossible", "impossible", false, |refused| format!(
        "it waited for {} of {}, and there {} in all: ask for fewer, or ask the \
         administrator of the licences for more",
        counted(u64::from(refused.seats), "seat"),
        refused.product,
        is_are(refused.total)
    );
    /// All entitlements of the product begin later.
    NotYetValid = 7, "not_yet_valid", "not_yet_valid", false, |refused| format!(
        "the seats of {} are not valid yet: the administrator of the licences sees their dates \
         with `usher entitlement list`",
        refused.product
    );
    /// The person has as many seats as one may: of a model that exists only in tests.
    #[cfg(test)]
    Quota = 8, "quota", "quota", false, |refused| format!(
        "you hold as many seats of {} as one person may",
        refused.product
    );
    /// The product may not be used at this time of day: of a model that exists only in tests.
    #[cfg(test)]
    OutsideAccessHours = 9, "outside_access_hours", "outside_access_hours", false, |refused| format!(
        "{} may be used in its access hours only",
        refused.product
    );
}

impl Reason {
    /// The reason for a word in a table; none: this version does not know it.
    pub fn of_word(word: &str) -> Option<Reason> {
        let mut all = Reason::ALL.iter().copied();
        all.find(|reason| reason.word() == word)
    }
}

fn no_seat(refused: &Refused<'_>) -> String {
    let asked = u64::from(refused.seats);
    if asked > refused.total {
        return format!(
            "{} of {} {} asked for, and there {} in all: ask for fewer",
            counted(asked, "seat"),
            refused.product,
            if asked == 1 { "was" } else { "were" },
            is_are(refused.total)
        );
    }
    let others = match refused.queued {
        0 => String::new(),
        1 => ", and 1 other waits already".to_owned(),
        many => format!(", and {many} others wait already"),
    };
    format!("{}{others}: {}", taken(refused), refused.next)
}

/// Who has the seats that the request could not get.
fn taken(refused: &Refused<'_>) -> String {
    let Refused {
        product,
        seats,
        total,
        ..
    } = refused;
    let free = total.saturating_sub(refused.in_use);
    match (total, free) {
        (1, 0) if refused.kept > 0 => format!(
            "the only seat of {product} is kept for somebody's next start, and not used yet"
        ),
        (1, 0) => format!("the only seat of {product} is in use"),
        (_, 0) if refused.kept > 0 => format!(
            "all {total} seats of {product} are in use, {} of them kept for somebody's next start \
             and not used yet",
            refused.kept
        ),
        (_, 0) => format!("all {total} seats of {product} are in use"),
        (_, 1) if *seats > 1 => {
            format!("only 1 of {total} seats of {product} is free, and {seats} were asked for")
        }
        _ if u64::from(*seats) > free => format!(
            "only {free} of {total} seats of {product} are free, and {seats} were asked for"
        ),
        _ => format!("the free seats of {product} belong to those who wait"),
    }
}

fn queue_full(refused: &Refused<'_>) -> String {
    format!(
        "{} of {} of {} {} in use and {} {}, which is the limit: try again later",
        refused.in_use,
        counted(refused.total, "seat"),
        refused.product,
        if refused.total == 1 { "is" } else { "are" },
        counted(u64::from(refused.queued), "request"),
        if refused.queued == 1 { "waits" } else { "wait" }
    )
}

fn is_are(count: u64) -> String {
    match count {
        1 => "is 1".to_owned(),
        many => format!("are {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reasons_number_is_its_place_and_its_word_is_its_own() {
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place, "{reason:?}");
            assert_eq!(Reason::of_word(reason.word()), Some(*reason));
        }
        assert_eq!(Reason::of_word("a word of later"), None);
    }

    #[test]
    fn who_is_refused_is_told_of_which_product_whatever_the_reason() {
        let refused = Refused {
            product: "cad",
            seats: 1,
            total: 2,
            in_use: 2,
            queued: 0,
            kept: 0,
            next: "wait",
        };
        for reason in Reason::ALL {
            let sentence = reason.sentence(&refused);
            assert!(sentence.contains("cad"), "{sentence}");
        }
    }
}
