//! A whole what-if on one thread: each number of seats, each draw.

use crate::replay::answer::{Answer, SeatsResult};
use crate::replay::calm::Draw;
use crate::replay::figures::Figures;
use crate::replay::parameters::Parameters;
use crate::replay::recording::Recording;
use crate::replay::run::Cancelled;
use crate::replay::wishes::Prepared;

/// How far a what-if has come.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Asks that are decided, over all replays.
    pub done: u64,
    /// Asks to be decided, over all replays.
    pub total: u64,
    /// The result of a number of seats that is complete just now.
    pub result: Option<&'a SeatsResult>,
}

/// Replays a recording with each number of seats and draw, one after the other. `go_on` is told how
/// far it has come, and says whether to go on. A caller with several cores runs
/// [`Prepared::replay`] on each instead.
pub fn what_if(
    recording: &Recording,
    parameters: &Parameters,
    go_on: &mut dyn FnMut(&Progress<'_>) -> bool,
) -> Result<Answer, Cancelled> {
    let prepared = Prepared::of(recording);
    let counts = parameters.counts();
    let draws = prepared.draws(parameters);
    let each = prepared.attempts.len() as u64;
    let total = each
        .saturating_mul(counts.len() as u64)
        .saturating_mul(u64::from(draws));
    let mut drawn: Vec<Draw> = Vec::new();
    for number in 0..draws {
        drawn.push(prepared.draw(parameters.seed, number));
        let progress = Progress {
            done: 0,
            total,
            result: None,
        };
        if !go_on(&progress) {
            return Err(Cancelled);
        }
    }
    let mut done = 0_u64;
    let mut results = Vec::with_capacity(counts.len());
    for seats in counts {
        let mut figures: Vec<Figures> = Vec::new();
        for draw in &drawn {
            let mut in_replay = |asks: u64| {
                go_on(&Progress {
                    done: done.saturating_add(asks),
                    total,
                    result: None,
                })
            };
            figures.push(prepared.replay(seats, parameters, draw, &mut in_replay)?);
            done = done.saturating_add(each);
        }
        let result = prepared.result(seats, &figures);
        let progress = Progress {
            done,
            total,
            result: result.as_ref(),
        };
        if !go_on(&progress) {
            return Err(Cancelled);
        }
        results.extend(result);
    }
    Ok(prepared.answer(parameters, results))
}
