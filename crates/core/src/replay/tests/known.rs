//! Made-up demand whose answer a formula knows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::formulas::{Stream, assert_is_near, engset, erlang_b, erlang_c};
use super::*;

/// How often each demand is made up, each time with another seed.
const TIMES: u64 = 20;
const ASKS: u64 = 10_000;
const MEAN_HOLD_MS: f64 = 100_000.0;
const ERLANGS: f64 = 8.0;
const SEATS: u32 = 10;

/// How long seats are held.
#[derive(Debug, Clone, Copy)]
enum Law {
    Exponential,
    Constant,
    /// Nine of ten are short and one is long.
    Mixed,
}

impl Law {
    fn hold_ms(self, stream: &mut Stream) -> u64 {
        let ms = match self {
            Law::Exponential => stream.exponential(MEAN_HOLD_MS),
            Law::Constant => MEAN_HOLD_MS,
            Law::Mixed => match stream.uniform() < 0.9 {
                true => stream.exponential(MEAN_HOLD_MS * 0.5),
                false => stream.exponential(MEAN_HOLD_MS * 5.5),
            },
        };
        ms.round() as u64
    }
}

/// Asks of ever new people at exponential intervals, all granted as of a site with seats enough.
fn poisson(seed: u64, law: Law) -> Recording {
    let mut stream = Stream::new(seed);
    let mut at_ms = 0.0_f64;
    let asks: Vec<Ask> = (0..ASKS)
        .map(|person| {
            at_ms += stream.exponential(MEAN_HOLD_MS / ERLANGS);
            Ask {
                at_ms: at_ms as i64,
                outcome: Outcome::Granted {
                    held_ms: Some(law.hold_ms(&mut stream)),
                },
                ..granted(0, person, 0)
            }
        })
        .collect();
    Recording {
        until_ms: at_ms as i64 + 1,
        ..recording(0, asks)
    }
}

fn result(recording: &Recording, seats: u32, on_full: OnFull) -> (u64, SeatsResult) {
    let parameters = Parameters {
        on_full,
        ..Parameters::of([seats])
    };
    let mut answer = answer(recording, &parameters);
    let result = answer.results.remove(0);
    (answer.asks, result)
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[test]
fn asks_that_are_refused_are_as_many_as_erlangs_loss_formula_says_by_any_law_of_holding() {
    for law in [Law::Exponential, Law::Constant, Law::Mixed] {
        let refused: Vec<f64> = (0..TIMES)
            .map(|seed| {
                let (asks, result) = result(&poisson(seed, law), SEATS, OnFull::Deny);
                assert_eq!(result.granted + result.denied, asks);
                result.denied_share
            })
            .collect();
        assert_is_near(&format!("{law:?}"), &refused, erlang_b(SEATS, ERLANGS));
    }
}

#[test]
fn asks_that_wait_are_as_many_and_wait_as_long_as_erlangs_delay_formula_says() {
    let (mut waited, mut p50_ms, mut p95_ms) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..TIMES {
        let recording = poisson(seed, Law::Exponential);
        let (asks, result) = result(&recording, SEATS, OnFull::Wait);
        assert_eq!((result.granted, result.denied), (asks, 0));
        waited.push(share(result.waited, asks));
        p50_ms.push(result.wait_p50_ms.unwrap() as f64);
        p95_ms.push(result.wait_p95_ms.unwrap() as f64);
    }
    assert_is_near("who waits", &waited, erlang_c(SEATS, ERLANGS));
    // Who waits does so for an exponential time, of the seats' rate less that of the asks.
    let mean_ms = MEAN_HOLD_MS / (f64::from(SEATS) - ERLANGS);
    assert_is_near("the median wait", &p50_ms, 2.0_f64.ln() * mean_ms);
    assert_is_near("the wait of 95 %", &p95_ms, 20.0_f64.ln() * mean_ms);
}

const PEOPLE: u32 = 20;
const FEW_SEATS: u32 = 6;
/// So long that hardly anybody asks again within a quarter of an hour, which would be a retry.
const MEAN_THINK_MS: f64 = 3_600_000_000.0;
const RATIO: f64 = 0.25;

/// Few people with few seats: who holds none asks after a time, and who is refused thinks again.
fn few_people(seed: u64) -> Recording {
    let mut stream = Stream::new(seed);
    let mut next: BinaryHeap<Reverse<(i64, u32)>> = (0..PEOPLE)
        .map(|person| Reverse((stream.exponential(MEAN_THINK_MS) as i64, person)))
        .collect();
    let mut ends: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
    let mut asks = Vec::new();
    while let Some(Reverse((at_ms, person))) = next.pop() {
        if asks.len() as u64 >= ASKS {
            break;
        }
        while ends.peek().is_some_and(|Reverse(end_ms)| *end_ms <= at_ms) {
            ends.pop();
        }
        let is_free = ends.len() < FEW_SEATS as usize;
        let held_ms = stream.exponential(MEAN_THINK_MS * RATIO) as i64;
        let free_ms = match is_free {
            true => at_ms + held_ms,
            false => at_ms,
        };
        if is_free {
            ends.push(Reverse(free_ms));
        }
        let think_ms = stream.exponential(MEAN_THINK_MS) as i64;
        next.push(Reverse((free_ms + think_ms, person)));
        asks.push(Ask {
            at_ms,
            outcome: match is_free {
                true => Outcome::Granted {
                    held_ms: Some(held_ms.unsigned_abs()),
                },
                false => Outcome::Refused,
            },
            ..granted(0, u64::from(person), 0)
        });
    }
    let last_ms = asks.last().map_or(0, |ask| ask.at_ms);
    Recording {
        until_ms: last_ms + 1,
        ..recording(0, asks)
    }
}

#[test]
fn few_people_are_refused_as_often_as_engsets_formula_says() {
    let refused: Vec<f64> = (0..TIMES)
        .map(|seed| {
            let (_, result) = result(&few_people(seed), FEW_SEATS, OnFull::Deny);
            result.denied_share
        })
        .collect();
    assert_is_near("few people", &refused, engset(PEOPLE, FEW_SEATS, RATIO));
}
