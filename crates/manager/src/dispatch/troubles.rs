//! Raises messages about failed deliveries.

use std::sync::Weak;

use tokio::sync::mpsc;

use super::{DROPPED, Dispatcher, GIVEN_UP, UNDELIVERED};
use crate::queues::{Trouble, WAITING_LIMIT};

/// Raises a message for each failed delivery, until the dispatcher is dropped.
pub(crate) async fn tell(mut troubles: mpsc::Receiver<Trouble>, dispatcher: Weak<Dispatcher>) {
    while let Some(trouble) = troubles.recv().await {
        let Some(dispatcher) = dispatcher.upgrade() else {
            return;
        };
        let (id, values) = match trouble {
            Trouble::Failed { rule, id, why } => (UNDELIVERED, vec![rule, id.to_string(), why]),
            Trouble::Dropped {
                destination,
                dropped,
            } => {
                let limit = WAITING_LIMIT.to_string();
                (DROPPED, vec![destination, dropped.to_string(), limit])
            }
            Trouble::GivenUp {
                destination,
                given_up,
                why,
            } => (GIVEN_UP, vec![destination, given_up.to_string(), why]),
        };
        dispatcher.raise(id, None, values).await;
    }
}
