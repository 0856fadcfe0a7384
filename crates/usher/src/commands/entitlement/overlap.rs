//! On which days entitlements of a product count together, and what may then be used.

use jiff::Timestamp;
use usher_api::Entitlement as Wire;
use usher_api::client::Client;

use super::gaps;
use super::named::{called, called_with};
use super::spans::{Span, spans};
use super::sums::renews;
use super::validity::{end, here};
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch};
use crate::output::counted;

/// Spans that are told; the rest are counted.
const SPANS_TOLD: usize = 5;

/// Says that `entitlement` is over, or which others of its product count together with it, when,
/// and what may then be used; and when nothing may be used before it or behind it.
pub(super) async fn told(client: &Client, entitlement: &Wire) -> Result<Vec<String>, Failure> {
    let query = Query::new("/v1/entitlements").with("product", Some(&entitlement.product));
    let all = fetch(client, &query, &Extent::ALL).await?;
    let all: Vec<&Wire> = all.items.iter().collect();
    let (now, here) = (Timestamp::now(), here());
    let mut said = sentences(entitlement, &all, now, &here);
    said.extend(gaps::sentences(entitlement, &all, now, &here));
    Ok(said)
}

/// The same among `all` of its product; days of the time zone `here` are shown without it.
pub(super) fn sentences(
    entitlement: &Wire,
    all: &[&Wire],
    now: Timestamp,
    here: &str,
) -> Vec<String> {
    if let Some(said) = over("It", entitlement, now, here) {
        return vec![said];
    }
    let is_it = |it: &Wire| it.id == entitlement.id;
    let (spans, more) = spans(all, is_it, SPANS_TOLD, now);
    let told = |span: &Span<'_>| {
        let (when, together) = (span.when(here), span.together());
        let others: Vec<&Wire> = span.valid.iter().copied().filter(|it| !is_it(it)).collect();
        let named = names(&others, span.count - 1);
        if let ([other], 2) = (&others[..], span.count) {
            if renews(entitlement, other) {
                return format!(
                    "It takes over from {named}: both count {when}, and {together} may then be used."
                );
            }
            if renews(other, entitlement) {
                return format!(
                    "{named} takes over from it: both count {when}, and {together} may then be used."
                );
            }
        }
        let counts = if span.count == 2 { "counts" } else { "count" };
        format!(
            "{} {named} {counts} too: {together} may then be used.",
            capital(&when)
        )
    };
    let mut said: Vec<String> = spans.iter().map(told).collect();
    if more > 0 {
        let more = counted(more as u64, "more span");
        said.push(format!("It counts together with others in {more} of time."));
    }
    said
}

/// Says that an entitlement is over.
pub(super) fn over(name: &str, it: &Wire, now: Timestamp, here: &str) -> Option<String> {
    let to = it.to.filter(|to| *to <= now)?;
    let last = end(it.to_day.as_ref(), it.time_zone.as_ref(), Some(to), here);
    Some(format!(
        "{name} is over already: it was valid until {last}, and no seat of it may be used."
    ))
}

/// When entitlements of a product count together.
pub(super) struct Together {
    /// In words, as many as were asked for.
    pub(super) sentences: Vec<String>,
    /// How many more there would be.
    pub(super) more: usize,
    /// Whether one of the sentences is about a renewal and what it renews.
    pub(super) has_renewal: bool,
}

/// When entitlements of a product count together, one of which `is_new`: at most `limit` sentences.
pub(super) fn together(
    all: &[&Wire],
    is_new: impl Fn(&Wire) -> bool,
    limit: usize,
    now: Timestamp,
    here: &str,
) -> Together {
    let (spans, more) = spans(all, is_new, limit, now);
    let mut has_renewal = false;
    let told = |span: &Span<'_>| {
        let (when, together) = (span.when(here), span.together());
        if let ([one, other], 2) = (&span.valid[..], span.count) {
            for (next, before) in [(one, other), (other, one)] {
                if renews(next, before) {
                    has_renewal = true;
                    return format!(
                        "{} takes over from {}: both count {when}, and {together} may then be used.",
                        called(next),
                        called_with(before, &owned(before))
                    );
                }
            }
        }
        let named = names(&span.valid, span.count);
        format!(
            "{} {named} count together: {together} may then be used.",
            capital(&when)
        )
    };
    Together {
        sentences: spans.iter().map(told).collect(),
        more,
        has_renewal,
    }
}

/// The first of `count`, with what they are of.
fn names(some: &[&Wire], count: usize) -> String {
    let mut named: Vec<String> = some.iter().map(|it| called_with(it, &owned(it))).collect();
    match count.saturating_sub(named.len()) {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    let last = named.pop().unwrap_or_default();
    match named.is_empty() {
        true => last,
        false => format!("{} and {last}", named.join(", ")),
    }
}

/// As the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn owned(it: &Wire) -> String {
    let seats = counted(u64::from(it.seats), "seat");
    match it.overdraft {
        0 => seats,
        more => format!("{seats} and {more} of overdraft"),
    }
}

#[cfg(test)]
mod tests;
