//! The types of the ledger: ids and records, commands, events, answers.

pub(super) mod command;
pub(super) mod details;
pub(super) mod entitlement;
pub(super) mod event;
pub(super) mod ids;
pub(super) mod reasons;
pub(super) mod records;
pub(super) mod reply;
pub(super) mod ticket;
pub(super) mod validity;
