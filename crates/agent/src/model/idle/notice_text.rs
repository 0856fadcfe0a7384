//! The texts for users of idle programs, on terminals and desktops.

use usher_api::{NoticeKind, Reason};
use usher_core::reminders::Then;

use crate::model::news::{News, words_of};

/// A product, with its names for terminals and for desktops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'n> {
    pub(super) id: &'n str,
    pub(super) name: &'n str,
    /// The lease that it held last.
    pub(super) lease: Option<&'n str>,
}

/// The texts of a notice.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) kind: NoticeKind,
    /// The line for terminals.
    pub(crate) line: String,
    title: String,
    text: String,
}

/// Nobody has used it for so long, and this happens after the grace period.
pub(super) fn asked(of: Of<'_>, idle_seconds: u64, then: Then, grace_ms: u64) -> Said {
    let Of { id, name, .. } = of;
    let idle = words_of(idle_seconds);
    let left = words_of(grace_ms.div_ceil(1_000));
    let next = match then {
        Then::Nothing => {
            "others may need its seat: save your work and close it if you do not need it".to_owned()
        }
        Then::Release => format!(
            "its seat is given back in {left} unless you use it; close it if you do not need it"
        ),
        Then::End => format!("save your work: it is ended in {left} unless you use it"),
    };
    Said {
        kind: NoticeKind::Idle,
        line: format!("usher: nobody has used {id} for {idle}: {next}"),
        title: format!("You have not used {name} for {idle}"),
        text: sentence(&next),
    }
}

/// It is used again before the grace period was over.
pub(super) fn used_again(Of { id, name, .. }: Of<'_>, then: Then) -> Said {
    let next = match then {
        Then::End => "it is not ended",
        _ => "it keeps its seat",
    };
    Said {
        kind: NoticeKind::InUse,
        line: format!("usher: {id} is used again: {next}"),
        title: format!("You use {name} again"),
        text: sentence(next),
    }
}

/// Its seat was given back.
pub(super) fn released(Of { id, name, lease }: Of<'_>) -> Said {
    let next = "it runs on, and asks for another when you use it again";
    let more = lease.map_or_else(String::new, |lease| format!(" (more: usher why {lease})"));
    Said {
        kind: NoticeKind::Released,
        line: format!("usher: nobody has used {id}: its seat is given back; {next}{more}"),
        title: format!("The seat of {name} is given back"),
        text: format!("Nobody has used it. {}", sentence(next)),
    }
}

/// The notice that a program has a seat again.
pub(super) fn seated_again(Of { id, name, .. }: Of<'_>) -> Said {
    Said {
        kind: NoticeKind::InUse,
        line: format!("usher: {id} has a seat again"),
        title: format!("{name} has a seat again"),
        text: "You may go on.".to_owned(),
    }
}

/// It is used again, and there is no seat.
pub(super) fn unseated(
    Of { id, name, .. }: Of<'_>,
    reason: Reason,
    ends_in_ms: Option<u64>,
) -> Said {
    let why = match reason {
        Reason::NoSeat | Reason::QueueFull => "all are in use by now",
        Reason::NoEntitlement
        | Reason::EntitlementExpired
        | Reason::NotYetValid
        | Reason::Impossible => "there are none now",
        Reason::NotPermitted | Reason::OutsideAccessHours | Reason::Quota => {
            "you may not have one now"
        }
        Reason::ProductDisabled => "the product is switched off",
    };
    let next = match ends_in_ms {
        Some(ms) => format!(
            "save your work: it is ended in {} unless it gets one",
            words_of(ms.div_ceil(1_000))
        ),
        None => "it runs on without one, and takes the next that it can have".to_owned(),
    };
    Said {
        kind: NoticeKind::Unseated,
        line: format!("usher: {id} has no seat, {why}: {next}"),
        title: format!("{name} has no seat"),
        text: format!("{} {}", sentence(why), sentence(&next)),
    }
}

/// The notice that a program was ended.
pub(super) fn ended(Of { id, name, .. }: Of<'_>) -> Said {
    Said {
        kind: NoticeKind::Ended,
        line: format!("usher: nobody has used {id}: it is ended"),
        title: format!("{name} was ended"),
        text: "Nobody had used it for a long time.".to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

impl Said {
    /// The notice for desktops.
    pub(crate) fn news(self, product: &str, product_name: String) -> News {
        News {
            kind: self.kind,
            product: product.to_owned(),
            product_name,
            title: self.title,
            text: self.text,
            decision: None,
            can_wait: false,
            ticket: None,
        }
    }
}
