//! Agents and clients that a server turns away repeatedly: at which address, since when and why.

use super::facts::{Facts, TurnedAwayFact, TurnedAwayReason};
use super::figures::{minute, names};

const MINUTE_MS: i64 = 60_000;

/// An agent that is turned away tries again within this time; one that does not is gone, or was let
/// in.
const RECENT_MS: i64 = 15 * MINUTE_MS;
/// How many reasons a message names; further ones are counted.
const REASONS: usize = 4;

/// The values of the message about each address at which it happened `often` times or more.
pub(super) fn told(facts: &Facts, often: u64) -> Option<[String; 3]> {
    let goes_on = |times: u64, since_ms: i64, last_ms: i64| {
        let is_recent = facts.at_ms - last_ms < RECENT_MS;
        times >= often && last_ms - since_ms >= MINUTE_MS && is_recent
    };
    let at = |it: &&TurnedAwayFact| goes_on(it.times, it.since_ms, it.last_ms);
    let told: Vec<&TurnedAwayFact> = facts.turned_away.iter().filter(at).collect();
    let since_ms = told.iter().map(|it| it.since_ms).min()?;
    let addresses: Vec<String> = told.iter().map(|it| it.address.clone()).collect();
    let mut reasons: Vec<TurnedAwayReason> = Vec::new();
    for it in &told {
        let lasting = |it: &&TurnedAwayReason| goes_on(it.times, it.since_ms, it.last_ms);
        let lasts = it.reasons.iter().any(|it| lasting(&it));
        // Where each is another, as by the computer that it names, the last ones are told.
        let told = it.reasons.iter().filter(|it| !lasts || lasting(it));
        for reason in told {
            match reasons.iter_mut().find(|known| known.why == reason.why) {
                Some(known) => {
                    known.since_ms = known.since_ms.min(reason.since_ms);
                    known.computers.extend_from_slice(&reason.computers);
                }
                None => reasons.push(reason.clone()),
            }
        }
    }
    // In an order that does not change with who came last, for then it would be told again.
    reasons.sort_by(|a, b| (a.since_ms, &a.why).cmp(&(b.since_ms, &b.why)));
    for reason in &mut reasons {
        reason.computers.sort();
        reason.computers.dedup();
    }
    Some([names(&addresses), minute(since_ms), words(&reasons)])
}

fn words(reasons: &[TurnedAwayReason]) -> String {
    if let [one] = reasons {
        return match one.computers.is_empty() {
            true => one.why.clone(),
            false => format!("{} ({})", one.why, of(&one.computers)),
        };
    }
    let each = reasons.iter().take(REASONS);
    let each = each.map(|it| {
        let since = minute(it.since_ms);
        match it.computers.is_empty() {
            true => format!("{} (since {since})", it.why),
            false => format!("{} ({}, since {since})", it.why, of(&it.computers)),
        }
    });
    let mut text = each.collect::<Vec<_>>().join("; ");
    if reasons.len() > REASONS {
        text += &format!("; and {} more", reasons.len() - REASONS);
    }
    text
}

/// The computers whose agents these are, as a message names them.
fn of(computers: &[String]) -> String {
    format!(
        "computer{} {}",
        if computers.len() == 1 { "" } else { "s" },
        names(computers)
    )
}
