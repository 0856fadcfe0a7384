//! Applies a policy to sessions, the gate, and reminders.

use std::io;
use std::sync::Arc;

use serde_json::value::RawValue;
use usher_api::GateStatus;
use usher_core::sessions::Event;

use super::Agent;
use crate::base::clock;
use crate::gate;
use crate::model::policy::Rulebook;
use crate::store::outbox::OutboxError;

impl Agent {
    /// Applies the policy that the server has just sent.
    pub(crate) fn take_policy(
        &mut self,
        text: &RawValue,
        key: Option<String>,
        signature: Option<String>,
    ) -> Result<(), OutboxError> {
        let pinned = Rulebook::pinned(&self.outbox)?;
        let received = self.rulebook.received(text, key, signature, pinned)?;
        let Some(received) = received else {
            return Ok(());
        };
        self.outbox.change(|change| received.write(change))?;
        match self.rulebook.goes_by(received) {
            true => self.go_by_policy(),
            false => Ok(()),
        }
    }

    fn go_by_policy(&mut self) -> Result<(), OutboxError> {
        let products = self.rulebook.policy.products.iter();
        let known = products.map(|p| Arc::from(p.id.as_str())).collect();
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

    /// Accepts the next key that signs a policy, if the present policy is refused.
    pub(crate) fn forget_key(&mut self) -> Result<(), OutboxError> {
        match self.rulebook.refuses() {
            true => self.outbox.change(Rulebook::forget_key),
            false => Ok(()),
        }
    }

    /// Sets whether something besides its key proves who the server is.
    pub(crate) fn vouches(&mut self, is_vouched: bool) {
        self.rulebook.is_vouched = is_vouched;
    }

    /// Switches enforcement on or off for the administrator of this computer; it is off if that
    /// cannot be written to disk.
    pub(crate) fn switch_enforcement(&mut self, on: bool) -> io::Result<()> {
        self.rulebook.enforcement.switch(on)
    }

    /// Reads the switch's file again, which somebody may have written.
    pub(crate) fn look_at_enforcement(&mut self) {
        self.rulebook.enforcement.look_again();
    }

    /// Forgets everything about files: running processes are inspected again, and the gate asks
    /// about each start.
    pub(crate) fn identify_anew(&self) {
        if let Some(shared) = &self.shared {
            shared.identifier.set_rules(self.rulebook.rules());
            shared.look_again();
        }
        self.want_gate();
    }

    /// Holds starts while there is something to enforce.
    pub(crate) fn want_gate(&self) {
        if let Some(gate) = &self.gate {
            gate.want(self.rulebook.wants_gate());
        }
    }

    /// The state of the gate.
    pub(crate) fn gate_status(&self) -> GateStatus {
        gate::status(self.gate.as_deref(), self.rulebook.wants_gate())
    }

    /// Why no start is refused here; none: starts are refused, or the server does not know
    /// enforcement.
    pub(crate) fn enforcement_off(&self) -> Option<String> {
        self.rulebook.enforcement_off(self.gate_status().why_not)
    }
}
