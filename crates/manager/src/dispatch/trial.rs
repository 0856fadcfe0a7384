//! Tests a rule: carries out its actions once, with a message that says that it is a test.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use usher_site::MessageRow;

use super::{Dispatcher, Raise, shown};
use crate::delivery;
use crate::undelivered::{Again, Undelivered};

/// The message of a test: it is sent and never stored.
const TEST: u16 = 9453;

/// How long a test may take, because its requester waits; actions of real messages may take far
/// longer.
const TEST_LIMIT: Duration = Duration::from_secs(30);

/// The result of testing one action of a rule.
#[derive(Debug, Serialize)]
pub(crate) struct Tested {
    /// The destination in words for people.
    destination: String,
    /// Why the delivery failed; null: it succeeded.
    why_not: Option<String>,
    /// Whether it was refused for good: a real message would be given up at once.
    for_good: bool,
}

impl Dispatcher {
    /// Carries out all actions of the rule of that name at the same time, once, with a message that
    /// says that it is a test; answers how each action went. An action that takes too long is given
    /// up. None: there is no such rule.
    pub(crate) async fn test(&self, name: &str) -> Option<Vec<Tested>> {
        let rules = self.rules();
        let rule = rules.iter().find(|rule| rule.name == name)?;
        let message = self.message(Raise::new(TEST, None, vec![name.to_owned()]));
        let message = shown(&MessageRow {
            record_id: 0,
            count: 1,
            last_ms: message.time_ms,
            recovered_ms: None,
            keep_until_ms: message.time_ms,
            summarised: false,
            message,
        });
        let message = Arc::new(message);
        let actions = rule.actions.iter().cloned();
        let errands = actions.filter_map(|action| self.targets.errand(action));
        let mut sent = JoinSet::new();
        for (place, errand) in errands.enumerate() {
            let (message, means) = (message.clone(), self.queues.means().clone());
            sent.spawn(async move {
                let once = delivery::once(&message, &errand, &means);
                let outcome = tokio::time::timeout(TEST_LIMIT, once).await;
                let outcome = outcome.unwrap_or_else(|_| Err(Undelivered::now(too_slow())));
                let failed = outcome.err();
                let tested = Tested {
                    destination: delivery::destination(&errand),
                    for_good: failed.as_ref().is_some_and(|it| it.again == Again::Never),
                    why_not: failed.map(|it| it.why),
                };
                (place, errand, tested)
            });
        }
        let mut tested = sent.join_all().await;
        tested.sort_by_key(|(place, ..)| *place);
        let told = tested.into_iter().map(|(_, errand, tested)| {
            if tested.why_not.is_none() {
                self.queues.went_through(&errand);
            }
            tested
        });
        Some(told.collect())
    }
}

fn too_slow() -> String {
    let limit = TEST_LIMIT.as_secs();
    format!("it took longer than {limit} s, and a test waits no longer")
}
