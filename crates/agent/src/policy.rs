//! The policy that the agent goes by: taken from the server, kept, and taken up again.

use std::sync::Arc;

use serde_json::value::RawValue;
use usher_api::{Mode, Policy, Product};
use usher_core::sessions::Event;

use crate::agent::Agent;
use crate::clock;
use crate::outbox::{Outbox, OutboxError};
use crate::trust::{self, Signed, Trust};

/// Where the policy is kept, as the server sent it.
const POLICY: &str = "policy";
/// Where its signature is kept; empty where it has none.
const SIGNATURE: &str = "policy_signature";
/// Where the server's key is kept; empty where none is known.
const KEY: &str = "policy_key";
/// Of a text that a server is told, at the most.
const TEXT_BYTES: usize = 255;

/// The policy that was kept, and whether it may be enforced before a server answers. One that
/// cannot be read is none.
pub(crate) fn kept(outbox: &Outbox) -> Result<(Policy, Trust), OutboxError> {
    let Some(text) = outbox.meta(POLICY)? else {
        return Ok((Policy::default(), Trust::Live));
    };
    let trust = trust::kept(
        &text,
        said(outbox, SIGNATURE)?.as_deref(),
        said(outbox, KEY)?.as_deref(),
    );
    match serde_json::from_str(&text) {
        Ok(policy) => Ok((policy, trust)),
        Err(error) => {
            tracing::error!(%error, "the policy that was kept cannot be read");
            Ok((Policy::default(), Trust::Live))
        }
    }
}

fn said(outbox: &Outbox, key: &str) -> Result<Option<String>, OutboxError> {
    Ok(outbox.meta(key)?.filter(|text| !text.is_empty()))
}

impl Agent {
    /// Goes by the policy that the server has just sent, and keeps it with its signature.
    pub(crate) fn take_policy(
        &mut self,
        text: &RawValue,
        key: Option<String>,
        signature: Option<String>,
    ) -> Result<(), OutboxError> {
        let policy: Policy = serde_json::from_str(text.get())?;
        let pinned = said(&self.outbox, KEY)?;
        let signed = match (&key, &signature) {
            (Some(key), Some(signature)) => Some(Signed { key, signature }),
            _ => None,
        };
        let trust = trust::received(text.get(), signed, pinned.as_deref(), self.is_vouched);
        if policy == self.policy && trust == self.trust && matches!(trust, Trust::Refused(_)) {
            // It comes with each exchange, and is known.
            return Ok(());
        }
        let pin = key.filter(|key| trust == Trust::Signed && pinned.as_ref() != Some(key));
        if let (Some(new), Some(old)) = (&pin, &pinned) {
            tracing::warn!(old, new, "the server signs its policies with another key");
        }
        self.outbox.change(|change| {
            change.set_meta(POLICY, text.get())?;
            change.set_meta(SIGNATURE, signature.as_deref().unwrap_or_default())?;
            match &pin {
                Some(key) => change.set_meta(KEY, key),
                None => Ok(()),
            }
        })?;
        self.trust = trust;
        if policy != self.policy {
            self.go_by(policy)?;
        }
        self.weigh_policy();
        Ok(())
    }

    fn go_by(&mut self, policy: Policy) -> Result<(), OutboxError> {
        tracing::info!(
            version = policy.version,
            products = policy.products.len(),
            "new policy"
        );
        self.policy = policy;
        // What may not be enforced is off before its rules hold.
        self.weigh_policy();
        let known = self
            .policy
            .products
            .iter()
            .map(|p| Arc::from(p.id.as_str()))
            .collect();
        let mut effects = Vec::new();
        self.sessions
            .apply(clock::now(), Event::ProductsAre(known), &mut effects);
        // Its rules hold, whether or not the disk takes what follows from them.
        let written = self.write(effects);
        let let_go = self.let_go_ungated();
        self.identify_anew();
        self.spare_by_rules();
        written.and(let_go)
    }

    /// Whatever was found out of a file holds no more: what runs is looked at again, and each
    /// start is asked about.
    pub(crate) fn identify_anew(&self) {
        if let Some(shared) = &self.shared {
            shared.identifier.set_rules(self.rules());
            shared.look_again();
        }
        self.want_gate();
    }

    /// What the policy says of a product.
    pub(crate) fn product(&self, id: &str) -> Option<&Product> {
        let mut products = self.policy.products.iter();
        products.find(|product| product.id == id)
    }

    /// Switches enforcement by what the policy is worth. One that refuses nobody needs no trust.
    pub(crate) fn weigh_policy(&self) {
        let mut products = self.policy.products.iter();
        let enforces = products.any(|product| product.mode == Mode::Enforce);
        self.enforcement.policy_is(match self.trust {
            Trust::Refused(why) if enforces => Some(why),
            _ => None,
        });
    }

    /// Why no start is refused here, for a server that knows of enforcement: those that sign
    /// nothing do not.
    pub(crate) fn enforcement_off(&self) -> Option<String> {
        let state = self.enforcement.state();
        let why = match state.why_off() {
            Some(why) => why.to_owned(),
            None => shortened(&format!("no gate serves: {}", self.gate_status().why_not?)),
        };
        self.server_signs.then_some(why)
    }

    /// Where the policy is refused, the next key that signs it is taken: the computer's
    /// administrator vouches for the server.
    pub(crate) fn forget_key(&mut self) -> Result<(), OutboxError> {
        if !matches!(self.trust, Trust::Refused(_)) {
            return Ok(());
        }
        tracing::warn!("the key of the server's policies is forgotten; the next one is taken");
        self.outbox.change(|change| change.set_meta(KEY, ""))
    }
}

/// A text as a server takes it.
fn shortened(text: &str) -> String {
    let seen = text.chars().filter(|c| !usher_api::is_unseen(*c));
    let mut left = TEXT_BYTES;
    let fits = |c: &char| {
        let taken = left.checked_sub(c.len_utf8());
        left = taken.unwrap_or(0);
        taken.is_some()
    };
    seen.take_while(fits).collect()
}
