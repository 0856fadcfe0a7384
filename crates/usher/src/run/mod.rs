//! `usher run`: a command on a seat, from the asking to the giving back.
//!
//! Promises: the command is started only while its seat is held, and before that the agent of this
//! computer knows that the seat covers it; signals reach the command once; the seat is given back
//! when the command has ended. Should this process be killed, the agent keeps the seat and gives it
//! back when the command has ended; without an agent the seat runs out by its ttl.

#[cfg(target_os = "linux")]
mod absent;
pub(crate) mod ask;
mod bounds;
#[cfg(target_os = "linux")]
pub(crate) mod child;
#[cfg(target_os = "linux")]
mod covers;
pub(crate) mod door;
#[cfg(target_os = "linux")]
pub(crate) mod find;
#[cfg(target_os = "linux")]
mod held;
#[cfg(target_os = "linux")]
mod join;
mod keep;
mod no_seat;
#[cfg(target_os = "linux")]
mod order;
#[cfg(target_os = "linux")]
mod passed;
pub(crate) mod progress;
mod queue;
#[cfg(target_os = "linux")]
mod recognise;
pub(crate) mod seat;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
pub(crate) mod signals;
mod told;
#[cfg(target_os = "linux")]
mod unseated;

#[cfg(target_os = "linux")]
pub(crate) use order::Order;
#[cfg(target_os = "linux")]
pub(crate) use passed::{LEASE_VARIABLE, PRODUCT_VARIABLE, PROOF_VARIABLE, WITHOUT_SEAT_VARIABLE};
#[cfg(target_os = "linux")]
pub(crate) use session::run;
