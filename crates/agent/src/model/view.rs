//! What the parts of the agent may read to decide: the sessions and the policy.

use usher_core::sessions::Sessions;

use crate::model::policy::Rulebook;

/// The present sessions and policy, for deciding code.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) sessions: &'a Sessions,
    pub(crate) rulebook: &'a Rulebook,
}

impl<'a> View<'a> {
    pub(crate) fn of(sessions: &'a Sessions, rulebook: &'a Rulebook) -> Self {
        View { sessions, rulebook }
    }
}
