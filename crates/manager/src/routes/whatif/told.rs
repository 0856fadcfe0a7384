//! The answer of a what-if as the API tells it.

use usher_api::{ShareRange, WhatIf, WhatIfResult};
use usher_core::replay::{Answer, SeatsResult};

use super::asked::Asked;
use crate::clock::date;

pub(super) fn answer(
    asked: &Asked,
    answer: Answer,
    advice: String,
    seats_today: Option<u64>,
    (from_ms, until_ms): (i64, i64),
) -> WhatIf {
    let parameters = &asked.parameters;
    WhatIf {
        product: answer.product,
        from: date(from_ms),
        to: date(until_ms),
        on_full: asked.on_full,
        service_level: parameters.service_level.map(|level| level.to_string()),
        asks: answer.asks,
        unknown_lengths: answer.unknown_lengths,
        draws: answer.draws,
        seed: parameters.seed,
        fit: answer.fit,
        why: answer.why,
        results: answer.results.into_iter().map(result).collect(),
        smallest_for_service_level: answer.smallest_for_service_level,
        seats_today,
        advice,
        assumptions: answer.assumptions,
    }
}

fn result(result: SeatsResult) -> WhatIfResult {
    let seconds = |ms: Option<u64>| ms.map(|ms| ms as f64 / 1_000.0);
    WhatIfResult {
        seats: result.seats,
        granted: result.granted,
        denied: result.denied,
        denied_share: result.denied_share,
        range: ShareRange {
            low: result.range.low,
            high: result.range.high,
        },
        waited: result.waited,
        wait_p50_seconds: seconds(result.wait_p50_ms),
        wait_p95_seconds: seconds(result.wait_p95_ms),
        wait_longest_seconds: seconds(result.wait_longest_ms),
        peak: result.peak,
        in_time: result.in_time,
    }
}
