//! What a part of the agent may look at to decide: the sessions, and what the server wants.

use usher_core::sessions::Sessions;

use crate::model::policy::Rulebook;

/// What deciding code may see, as it is now.
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
