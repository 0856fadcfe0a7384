//! The exchange with the metering server: what is sent, and what comes back.
//!
//! An item is sent again with the same number until the server has it, so each reaches it once.
//! A request goes out soon after something happened, for renewals at a third of the ttl, and
//! every few seconds to learn of a new policy. While the server is away the pauses grow.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use usher_api::{ComputerFacts, SyncAnswer};

use crate::store::outbox::ItemKind;

/// How long an event waits for further ones before a request is sent.
pub(crate) const DEBOUNCE: Duration = Duration::from_millis(20);
/// How often a request goes out when nothing happens, to learn of a new policy.
pub(crate) const IDLE_MS: u64 = 5_000;

/// [`usher_api::SyncRequest`], with the items in the form in which they are stored.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) computer: ComputerFacts<'static>,
    pub(crate) incarnation: u64,
    pub(crate) policy_version: u64,
    pub(crate) items: Vec<Box<RawValue>>,
}

/// What was sent, to interpret the answer.
pub(crate) struct Sent {
    pub(crate) items: Vec<(u64, ItemKind, Option<u64>)>,
    pub(crate) asked_boot_ms: u64,
}

impl Sent {
    pub(crate) fn items(&self) -> usize {
        self.items.len()
    }
}

/// An answer, with the exact text of the policy, which the signature covers.
pub(crate) struct Answered {
    pub(crate) answer: SyncAnswer,
    pub(crate) policy_text: Option<Box<RawValue>>,
}

impl Answered {
    /// Reads the text of an answer.
    pub(crate) fn read(text: &RawValue) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Policy {
            #[serde(default)]
            policy: Option<Box<RawValue>>,
        }
        let answer: SyncAnswer = serde_json::from_str(text.get())?;
        let policy_text = match answer.policy.is_some() {
            true => serde_json::from_str::<Policy>(text.get())?.policy,
            false => None,
        };
        Ok(Answered {
            answer,
            policy_text,
        })
    }
}
