//! Delivers the answers of a batch to their sinks.

use std::sync::Arc;

use crate::queue::requests::{Answer, Failure, Sink};

/// The answers of a batch, by sink.
pub(super) type Deliveries = Vec<(Arc<dyn Sink>, Vec<(u64, Result<Answer, Failure>)>)>;

/// Sinks are few; if many requests each have their own, looking further would cost more than
/// one hand-over more.
const SINKS_LOOKED_THROUGH: usize = 16;
/// For how many answers of a sink at most room is made before they come.
const ROOM_ANSWERS: usize = 64;

/// Adds an answer; `more` come at the most.
pub(super) fn put(
    deliveries: &mut Deliveries,
    sink: Arc<dyn Sink>,
    token: u64,
    answer: Result<Answer, Failure>,
    more: usize,
) {
    let known = deliveries
        .iter_mut()
        .rev()
        .take(SINKS_LOOKED_THROUGH)
        .find(|(other, _)| std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(&sink)));
    match known {
        Some((_, answers)) => answers.push((token, answer)),
        None => {
            let mut answers = Vec::new();
            if deliveries.len() < SINKS_LOOKED_THROUGH {
                answers.reserve(1 + more.min(ROOM_ANSWERS));
            }
            answers.push((token, answer));
            deliveries.push((sink, answers));
        }
    }
}

pub(super) fn deliver(deliveries: Deliveries, outcome: &Result<(), Failure>) {
    for (sink, mut answers) in deliveries {
        if let Err(failure) = outcome {
            for (_, answer) in &mut answers {
                // What has failed by itself says so.
                if answer.is_ok() {
                    *answer = Err(failure.clone());
                }
            }
        }
        sink.deliver(&mut answers);
    }
}
