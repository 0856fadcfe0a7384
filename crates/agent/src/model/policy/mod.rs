//! The policy of the agent: taken from the server, stored, and loaded again.

pub(crate) mod trust;

use std::path::Path;

use serde_json::value::RawValue;
use usher_api::{Mode, OnIdle, OnLostLease, Policy, Product};

use crate::identity::Rules;
use crate::model::policy::trust::{Signed, Trust};
use crate::store::enforcement::Enforcement;
use crate::store::outbox::{Change, Outbox, OutboxError};

/// The name under which the policy is stored, as the server sent it.
const POLICY: &str = "policy";
/// The name under which its signature is stored; empty if it has none.
const SIGNATURE: &str = "policy_signature";
/// The name under which the server's key is stored; empty if none is known.
const KEY: &str = "policy_key";
/// The longest text that is sent to a server, in bytes.
const TEXT_BYTES: usize = 255;

/// The policy, and what of it applies on this computer.
#[derive(Debug)]
pub(crate) struct Rulebook {
    pub(crate) policy: Policy,
    /// Whether programs may be refused by the policy.
    pub(crate) trust: Trust,
    /// Whether something besides its key proves who the server is.
    pub(crate) is_vouched: bool,
    /// Whether the server that answered last signs its policies.
    pub(crate) server_signs: bool,
    /// Whether programs may be refused on this computer at all.
    pub(crate) enforcement: Enforcement,
}

/// A received policy, and how far it is trusted.
#[derive(Debug)]
pub(crate) struct Received<'t> {
    /// As the server sent it.
    text: &'t str,
    policy: Policy,
    trust: Trust,
    signature: Option<String>,
    /// The key that must sign the next policies, if it has changed.
    pin: Option<String>,
}

impl Received<'_> {
    /// Stores it with its signature.
    pub(crate) fn write(&self, change: &Change<'_>) -> Result<(), OutboxError> {
        change.set_meta(POLICY, self.text)?;
        change.set_meta(SIGNATURE, self.signature.as_deref().unwrap_or_default())?;
        match &self.pin {
            Some(key) => change.set_meta(KEY, key),
            None => Ok(()),
        }
    }
}

impl Rulebook {
    /// The stored policy, and the enforcement setting of the data directory `folder`.
    pub(crate) fn open(outbox: &Outbox, folder: &Path) -> Result<Self, OutboxError> {
        let (policy, trust) = kept(outbox)?;
        let rulebook = Rulebook {
            policy,
            trust,
            is_vouched: false,
            server_signs: false,
            enforcement: Enforcement::open(folder),
        };
        rulebook.weigh();
        Ok(rulebook)
    }

    /// The key that the server's policies were signed with before.
    pub(crate) fn pinned(outbox: &Outbox) -> Result<Option<String>, OutboxError> {
        said(outbox, KEY)
    }

    /// How far to trust the policy that the server has just sent; `pinned` is the key that signed
    /// its earlier policies. None: it is refused, as before.
    pub(crate) fn received<'t>(
        &self,
        text: &'t RawValue,
        key: Option<String>,
        signature: Option<String>,
        pinned: Option<String>,
    ) -> Result<Option<Received<'t>>, OutboxError> {
        let text = text.get();
        let policy: Policy = serde_json::from_str(text)?;
        let signed = match (&key, &signature) {
            (Some(key), Some(signature)) => Some(Signed { key, signature }),
            _ => None,
        };
        let trust = trust::received(text, signed, pinned.as_deref(), self.is_vouched);
        if policy == self.policy && trust == self.trust && matches!(trust, Trust::Refused(_)) {
            // It comes with each exchange, and is known.
            return Ok(None);
        }
        let pin = key.filter(|key| trust == Trust::Signed && pinned.as_ref() != Some(key));
        if let (Some(new), Some(old)) = (&pin, &pinned) {
            tracing::warn!(old, new, "the server signs its policies with another key");
        }
        Ok(Some(Received {
            text,
            policy,
            trust,
            signature,
            pin,
        }))
    }

    /// Applies a policy that is stored. True: it has changed.
    pub(crate) fn goes_by(&mut self, received: Received<'_>) -> bool {
        let Received { policy, trust, .. } = received;
        let is_other = policy != self.policy;
        self.trust = trust;
        if is_other {
            tracing::info!(
                version = policy.version,
                products = policy.products.len(),
                "new policy"
            );
            self.policy = policy;
        }
        // What may not be enforced is off before its rules hold.
        self.weigh();
        is_other
    }

    /// The rules by which executables are identified.
    pub(crate) fn rules(&self) -> Rules {
        Rules::compile(&self.policy.products)
    }

    /// The settings of a product in the policy.
    pub(crate) fn product(&self, id: &str) -> Option<&Product> {
        let mut products = self.policy.products.iter();
        products.find(|product| product.id == id)
    }

    /// The name of a product for people.
    pub(crate) fn product_name(&self, product: &str) -> String {
        let name = self.product(product).map(|known| &*known.name);
        let name = name.filter(|name| !name.is_empty()).unwrap_or(product);
        name.to_owned()
    }

    /// For how long a seat of a product is kept, in seconds.
    pub(crate) fn claim_seconds(&self, product: &str) -> u32 {
        let known = self.product(product);
        known.map_or(usher_api::DEFAULT_CLAIM_SECONDS, |known| {
            known.claim_seconds
        })
    }

    /// Whether starts are to be held: there is something to enforce, and enforcement is on.
    pub(crate) fn wants_gate(&self) -> bool {
        self.enforces_some() && self.is_on()
    }

    /// Whether programs of a product may be ended: what is only tracked, and a computer whose
    /// enforcement is off, end nobody's.
    pub(crate) fn may_end(&self, product: &Product) -> bool {
        product.mode == Mode::Enforce && self.is_on()
    }

    /// How long a program of a product has that has lost its lease; none: for ever.
    pub(crate) fn grace_without_lease(&self, product: &str) -> Option<u64> {
        let product = self.product(product)?;
        let ends = product.on_lost_lease == OnLostLease::End && self.may_end(product);
        ends.then(|| u64::from(product.grace_seconds) * 1_000)
    }

    /// Whether any product has a rule about idle programs.
    pub(crate) fn has_idle_rules(&self) -> bool {
        self.policy.products.iter().any(says_of_idle)
    }

    /// Why no start is refused here, for a server that knows of enforcement: those that sign
    /// nothing do not. `no_gate` is why no gate serves.
    pub(crate) fn enforcement_off(&self, no_gate: Option<String>) -> Option<String> {
        let state = self.enforcement.state();
        let why = match state.why_off() {
            Some(why) => why.to_owned(),
            None => shortened(&format!("no gate serves: {}", no_gate?)),
        };
        self.server_signs.then_some(why)
    }

    /// Whether the policy is refused.
    pub(crate) fn refuses(&self) -> bool {
        matches!(self.trust, Trust::Refused(_))
    }

    /// Accepts the next key that signs a policy: the computer's administrator vouches for the
    /// server.
    pub(crate) fn forget_key(change: &Change<'_>) -> Result<(), OutboxError> {
        tracing::warn!("the key of the server's policies is forgotten; the next one is accepted");
        change.set_meta(KEY, "")
    }

    /// Switches enforcement by how far the policy is trusted. A policy that refuses nobody needs no
    /// trust.
    fn weigh(&self) {
        self.enforcement.policy_is(match self.trust {
            Trust::Refused(why) if self.enforces_some() => Some(why),
            _ => None,
        });
    }

    fn enforces_some(&self) -> bool {
        let mut products = self.policy.products.iter();
        products.any(|product| product.mode == Mode::Enforce)
    }

    fn is_on(&self) -> bool {
        self.enforcement.state().why_off().is_none()
    }
}

/// Whether a product has a rule about idle programs.
pub(crate) fn says_of_idle(product: &Product) -> bool {
    product.on_idle != OnIdle::Nothing && product.idle_seconds > 0
}

/// The stored policy, and whether it may be enforced before a server answers. An unreadable one
/// counts as none.
fn kept(outbox: &Outbox) -> Result<(Policy, Trust), OutboxError> {
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
            tracing::error!(%error, "the stored policy cannot be read");
            Ok((Policy::default(), Trust::Live))
        }
    }
}

fn said(outbox: &Outbox, key: &str) -> Result<Option<String>, OutboxError> {
    Ok(outbox.meta(key)?.filter(|text| !text.is_empty()))
}

/// A text, shortened so that a server accepts it.
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
