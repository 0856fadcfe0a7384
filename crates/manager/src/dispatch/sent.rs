//! Deliveries of messages: admitted to the queues, stored in the site database, and resumed after a
//! restart.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use usher_api::StatusMessage;
use usher_core::messages::{Action, Decision, Rule};
use usher_site::{DeliveryRow, MessageRow, NewDelivery, Resumed};

use super::{DROPPED, Dispatcher, GIVEN_UP, UNDELIVERED, shown};
use crate::clock::wall_ms;
use crate::delivery::Parcel;
use crate::logged::or_log;
use crate::queues::Waiting;
use crate::targets::Errand;

/// A delivery of a message, which has a place in its queue.
pub(super) struct Sent {
    rule: String,
    errand: Errand,
    /// The action, as the site database stores it.
    destination: String,
}

impl Sent {
    /// Whether it is stored until it is done. Deliveries to the system log succeed at once, and
    /// those that no setting names are refused at once.
    fn is_kept(&self) -> bool {
        !matches!(self.errand, Errand::SystemLog | Errand::Unknown(_))
    }
}

/// The deliveries as they are stored.
pub(super) fn kept(all: &[Sent], row: &MessageRow) -> Vec<NewDelivery> {
    if !all.iter().any(Sent::is_kept) {
        return Vec::new();
    }
    let message = serde_json::to_string(&shown(row)).unwrap_or_default();
    let since_ms = wall_ms();
    let kept = all.iter().filter(|it| it.is_kept());
    kept.map(|it| NewDelivery {
        rule: it.rule.clone(),
        destination: it.destination.clone(),
        message: message.clone(),
        since_ms,
    })
    .collect()
}

/// An action in the form of the site database.
fn name(action: &Action) -> String {
    serde_json::to_string(action).unwrap_or_default()
}

/// The destinations that these rules name.
pub(super) fn named(rules: &[Rule]) -> Vec<String> {
    let actions = rules.iter().flat_map(|rule| &rule.actions);
    actions.map(name).collect()
}

impl Dispatcher {
    /// The deliveries of a message of that number, as far as the queues have room.
    pub(super) fn sent(&self, decision: Decision, id: u16) -> Vec<Sent> {
        let each = decision.actions.into_iter().filter_map(|(rule, action)| {
            // One that tells of a failed delivery would fail in the same way.
            let is_about_delivery = matches!(id, UNDELIVERED | DROPPED | GIVEN_UP);
            let in_circles = is_about_delivery && action != Action::SystemLog;
            let destination = name(&action);
            let errand = self.targets.errand(action).filter(|_| !in_circles)?;
            let sent = Sent {
                rule,
                errand,
                destination,
            };
            let has_room = self.queues.admit(&sent.errand, &sent.destination);
            has_room.then_some(sent)
        });
        each.collect()
    }

    /// Sends the deliveries. `numbers` are those of the stored ones, in their order.
    pub(super) fn send(&self, all: Vec<Sent>, numbers: &[i64], message: &Arc<StatusMessage>) {
        let mut numbers = numbers.iter().copied();
        for it in all {
            let kept = if it.is_kept() { numbers.next() } else { None };
            self.queues.send(Parcel {
                rule: it.rule,
                errand: it.errand,
                message: message.clone(),
                kept,
            });
        }
    }

    /// Sends nothing, and gives the places back.
    pub(super) fn forgo(&self, all: &[Sent]) {
        all.iter().for_each(|it| self.queues.forgo(&it.errand));
    }

    /// Delivers a stored message as a decision says.
    pub(super) async fn send_again(&self, decision: Decision, row: &MessageRow) {
        let sent = self.sent(decision, row.message.id);
        let kept = kept(&sent, row);
        let numbers = match kept.is_empty() {
            true => Vec::new(),
            false => {
                let kept = self.site.deliver_again(row.record_id, kept);
                or_log(kept.await).unwrap_or_default()
            }
        };
        self.send(sent, &numbers, &Arc::new(shown(row)));
    }

    /// Forgets the state of destinations that the rules no longer name.
    pub(super) fn forget_all_but(&self, rules: &[Rule]) {
        let actions = rules.iter().flat_map(|rule| rule.actions.iter().cloned());
        let named: HashSet<Errand> = actions.filter_map(|it| self.targets.errand(it)).collect();
        self.queues.forget_all_but(&named);
    }

    /// Resumes the deliveries that waited when the previous manager ended.
    pub(super) fn go_on(&self, known: &Resumed) {
        for row in &known.destinations {
            if let Some(errand) = self.errand(&row.destination) {
                self.queues.resume_failing(errand, row.clone());
            }
        }
        for row in &known.deliveries {
            match self.waiting(row) {
                Some(it) => self.queues.resume(&row.destination, it),
                None => {
                    tracing::error!(id = row.id, "a waiting delivery cannot be read");
                    let given_up = self.site.give_up(Some(row.id), None);
                    tokio::spawn(async move { or_log(given_up.await) });
                }
            }
        }
    }

    fn errand(&self, destination: &str) -> Option<Errand> {
        let action: Action = serde_json::from_str(destination).ok()?;
        self.targets.errand(action)
    }

    fn waiting(&self, row: &DeliveryRow) -> Option<Waiting> {
        let mut message: StatusMessage = serde_json::from_str(&row.message).ok()?;
        message.record_id = row.record_id.unwrap_or(0);
        let parcel = Parcel {
            rule: row.rule.clone(),
            errand: self.errand(&row.destination)?,
            message: Arc::new(message),
            kept: Some(row.id),
        };
        // A clock that was set back makes it young again, and nothing worse.
        let waited_ms = u64::try_from(wall_ms().saturating_sub(row.since_ms)).unwrap_or(0);
        let waited = Duration::from_millis(waited_ms);
        Some(Waiting::resumed(parcel, waited, row.is_told))
    }
}
