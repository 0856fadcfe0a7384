//! `usher run`: a command on a seat, from the asking to the giving back.
//!
//! Promises: the command is started only while its seat is held, and before that the agent of this
//! computer knows that the seat covers it; signals reach the command once; the seat is given back
//! when the command has ended. Should this process be killed, the agent keeps the seat and gives it
//! back when the command has ended; without an agent the seat runs out by its ttl.

pub(crate) mod ask;
pub(crate) mod child;
pub(crate) mod door;
pub(crate) mod find;
mod join;
mod no_seat;
mod order;
pub(crate) mod progress;
mod recognise;
pub(crate) mod seat;
mod session;
pub(crate) mod signals;

pub(crate) use join::{LEASE_VARIABLE, PRODUCT_VARIABLE, PROOF_VARIABLE};
pub(crate) use order::Order;
pub(crate) use session::run;
