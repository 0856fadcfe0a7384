//! What is somebody's own, and how much there is in all, in words.

use usher_api::{Only, ProductStatus, QueueEntry};
use usher_core::people::TOKEN_REALM;

use crate::output::{counted, tame};
use crate::time;

/// What is said of an empty list if somebody else's was asked for by who sees their own alone.
pub(crate) fn of_another(only: Option<&Only>, user: Option<&str>) -> Option<String> {
    let (only, user) = (only?, user?);
    let own = only.account.as_deref().unwrap_or_default();
    (own.to_lowercase() != user.to_lowercase()).then(|| {
        format!(
            "You are shown what is yours alone, and nothing of {}.",
            tame(user)
        )
    })
}

/// The places of somebody in one queue; none: they do not wait.
pub(crate) fn places_said(places: &[QueueEntry]) -> Option<String> {
    let mut places: Vec<String> = places.iter().map(|it| it.position.to_string()).collect();
    let last = places.pop()?;
    Some(match places.is_empty() {
        true => format!("You wait in place {last}."),
        false => format!("You wait in places {} and {last}.", places.join(", ")),
    })
}

/// Says in a sentence that a list shows one person's rows alone.
pub(crate) fn cut(only: &Only) -> String {
    match (&only.account, &only.realm) {
        (Some(account), Some(realm)) if realm == TOKEN_REALM => format!(
            "This shows only what is yours, as {}, the user of this token.",
            tame(account)
        ),
        (Some(account), _) if only.computer.is_some() => format!(
            "This shows only what is yours on this computer, as {}.",
            tame(account)
        ),
        (Some(account), _) => format!("This shows only what is yours, as {}.", tame(account)),
        (None, _) => "This shows only what is of this computer.".to_owned(),
    }
}

/// The same if what is of the account of that name on this computer is shown, too.
pub(super) fn cut_to_two(only: &Only) -> String {
    let account = tame(only.account.as_deref().unwrap_or_default());
    format!(
        "This shows only what is yours, as {account}, the user of this token, and as the account {account} \
         on this computer: two people to the server, unless the token is made with --realm."
    )
}

/// How many hold and wait for a product, and since when.
pub(crate) fn in_all(product: &ProductStatus) -> String {
    let kept = match product.kept {
        0 => String::new(),
        1 => ", 1 of them kept for somebody's next start and not used".to_owned(),
        many => format!(", {many} of them kept for somebody's next start and not used"),
    };
    let held = format!(
        "{} of {} of {} in use{kept}{}",
        product.in_use,
        counted(product.seats, "seat"),
        tame(&product.id),
        since(product.held_since)
    );
    let waiting = match product.queued {
        0 => "nobody waits".to_owned(),
        1 => format!("1 request waits{}", since_one(product.waiting_since)),
        many => format!("{many} requests wait{}", since(product.waiting_since)),
    };
    format!("{held}; {waiting}.")
}

fn since(longest: Option<usher_api::Timestamp>) -> String {
    longest.map_or_else(String::new, |at| {
        format!(", the longest since {}", time::local(at))
    })
}

fn since_one(at: Option<usher_api::Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!(", since {}", time::local(at)))
}

#[cfg(test)]
mod tests;
