//! `usher run`: a command on a seat, from the asking to the giving back.
//!
//! Promises: the command is started only while its seat is held, and before that the agent of this
//! computer knows that the seat covers it; signals reach the command once; the seat is given back
//! when the command has ended. Should this process be killed, the agent keeps the seat and gives it
//! back when the command has ended; without an agent the seat runs out by its ttl.

pub(crate) mod ask;
#[cfg(target_os = "linux")]
pub(crate) mod child;
pub(crate) mod door;
#[cfg(target_os = "linux")]
pub(crate) mod find;
#[cfg(target_os = "linux")]
mod join;
mod no_seat;
#[cfg(target_os = "linux")]
mod order;
pub(crate) mod progress;
#[cfg(target_os = "linux")]
mod recognise;
pub(crate) mod seat;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
pub(crate) mod signals;

#[cfg(target_os = "linux")]
pub(crate) use join::{LEASE_VARIABLE, PRODUCT_VARIABLE, PROOF_VARIABLE};
#[cfg(target_os = "linux")]
pub(crate) use order::Order;
#[cfg(target_os = "linux")]
pub(crate) use session::run;
