//! What a what-if is asked with, checked.

use usher_api::{OnFull, WHATIF_COUNTS_LIMIT, WHATIF_SEATS_LIMIT, WhatIfRequest};
use usher_core::replay::{self, Parameters, ServiceLevel};
use usher_http::{input, shown};

use crate::problem::Refusal;

/// The time that is replayed if nobody says when it begins.
const USUAL_MS: i64 = 90 * 86_400_000;

/// What a what-if is asked with, checked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) product: String,
    pub(super) parameters: Parameters,
    pub(super) on_full: OnFull,
    /// The first instant, if it was said; Unix milliseconds.
    pub(super) from_ms: Option<i64>,
    /// The first instant after it, if that was said; Unix milliseconds, and not in the future.
    pub(super) until_ms: Option<i64>,
    pub(super) now_ms: i64,
}

impl Asked {
    pub(super) fn of(request: WhatIfRequest, now_ms: i64) -> Result<Asked, Refusal> {
        let product = input::name("product", &request.product)?.into_owned();
        let level = request.service_level.as_deref().map(level).transpose()?;
        let from = request.from.as_deref();
        let from_ms = from.map(|text| input::instant("from", text)).transpose()?;
        let to = request.to.as_deref();
        let until_ms = to.map(|text| input::until("to", text)).transpose()?;
        let until_ms = until_ms.map(|ms| ms.min(now_ms));
        if from_ms.is_some_and(|from_ms| from_ms >= until_ms.unwrap_or(now_ms)) {
            return Err(Refusal::invalid(
                "`from` is not before `to`, or is yet to come: give a time in which something can \
                 have been recorded",
            ));
        }
        let policy = request.policy.unwrap_or_default();
        let defaults = Parameters::of(seats(request.seats)?);
        let overdraft = policy.overdraft.unwrap_or(defaults.overdraft);
        input::within("policy.overdraft", overdraft, 0, WHATIF_SEATS_LIMIT)?;
        Ok(Asked {
            product,
            on_full: request.on_full,
            from_ms,
            until_ms,
            now_ms,
            parameters: Parameters {
                overdraft,
                queue_limit: policy.queue_limit.unwrap_or(defaults.queue_limit),
                on_full: match request.on_full {
                    OnFull::AsRecorded => replay::OnFull::AsRecorded,
                    OnFull::Deny => replay::OnFull::Deny,
                    OnFull::Wait => replay::OnFull::Wait,
                },
                service_level: level,
                seed: request.seed.unwrap_or(defaults.seed),
                ..defaults
            },
        })
    }

    /// The end of the time, if there is a record up to that instant.
    pub(super) fn latest_ms(&self) -> i64 {
        self.until_ms.unwrap_or(self.now_ms)
    }

    /// The earliest instant that can be replayed.
    pub(super) fn earliest_ms(&self) -> i64 {
        let usual_ms = self.latest_ms().saturating_sub(USUAL_MS);
        self.from_ms.unwrap_or(usual_ms)
    }

    /// The product's id, cut to what a sentence can bear.
    pub(super) fn shown_product(&self) -> String {
        shown(&self.product)
    }
}

fn level(text: &str) -> Result<ServiceLevel, Refusal> {
    text.parse::<ServiceLevel>()
        .map_err(|error| Refusal::invalid(format!("`service_level`: {error}")))
}

fn seats(seats: Vec<u32>) -> Result<Vec<u32>, Refusal> {
    let wrong = match seats.len() {
        0 => Some("there is none".to_owned()),
        many if many > WHATIF_COUNTS_LIMIT => Some(format!("there are {many}")),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(Refusal::invalid(format!(
            "`seats` lists the numbers of seats to try, and {wrong}: give 1 to {WHATIF_COUNTS_LIMIT}"
        )));
    }
    if seats.iter().any(|seats| *seats > WHATIF_SEATS_LIMIT) {
        return Err(Refusal::invalid(format!(
            "`seats` has a number above {WHATIF_SEATS_LIMIT}, and nobody can own more"
        )));
    }
    Ok(seats)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn request(change: impl FnOnce(&mut WhatIfRequest)) -> Result<Asked, Refusal> {
        let mut request = WhatIfRequest {
            product: "cad".to_owned(),
            seats: vec![1, 2],
            from: None,
            to: None,
            policy: None,
            on_full: OnFull::AsRecorded,
            service_level: None,
            seed: None,
        };
        change(&mut request);
        Asked::of(request, NOW_MS)
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let asked = request(|_| {}).unwrap();
        assert_eq!(asked.parameters, Parameters::of([1, 2]));
        assert_eq!(asked.latest_ms(), NOW_MS);
        assert_eq!(asked.earliest_ms(), NOW_MS - USUAL_MS);
        let ahead = request(|it| it.to = Some("2099-01-01".to_owned())).unwrap();
        assert_eq!(ahead.latest_ms(), NOW_MS, "nothing is recorded ahead");
    }

    #[test]
    fn what_no_what_if_can_be_asked_is_refused_in_words() {
        let why = |change: fn(&mut WhatIfRequest)| format!("{:?}", request(change).unwrap_err());
        for (said, word) in [
            (why(|it| it.seats = Vec::new()), "there is none"),
            (why(|it| it.seats = (0..101).collect()), "there are 101"),
            (why(|it| it.seats = vec![u32::MAX]), "nobody can own more"),
            (why(|it| it.product = String::new()), "`product` is empty"),
            (
                why(|it| it.service_level = Some("often".to_owned())),
                "95% within 5m",
            ),
            (
                why(|it| it.from = Some("soon".to_owned())),
                "`from` is soon",
            ),
            (
                why(|it| it.from = Some("2099-01-01".to_owned())),
                "not before `to`",
            ),
        ] {
            assert!(said.contains(word), "{said}");
        }
        assert!(request(|it| it.seats = (0..100).collect()).is_ok());
    }
}
