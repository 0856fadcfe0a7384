//! The deciding parts: each gets an event and a view of the sessions and the policy, and returns
//! effects. No part knows another; the agent holds them all.

pub(crate) mod held_starts;
pub(crate) mod idle;
pub(crate) mod joins;
pub(crate) mod link;
pub(crate) mod lost;
pub(crate) mod news;
pub(crate) mod notices;
pub(crate) mod policy;
pub(crate) mod seats;
pub(crate) mod shares;
pub(crate) mod view;
pub(crate) mod waits;
