//! usher-vital: what keeps a role honest about its own threads.
//!
//! - [`log`]: lines for people. Writing them never panics, blocks or fails; lost lines are counted.
//! - [`spawn`] and [`task`]: threads and tasks that other work waits for. A panic in one ends the
//!   process at once, so that its supervisor restarts it.
//! - [`caught`] and [`catch`]: one request, item or connection. A panic there ends only that, unless it is
//!   in a [`vital`] part.
//! - [`RequestId`]: which request a thread works on, for the lines that it logs meanwhile.
//! - [`ended`]: the record of such an end, which the next start of the role reports.
//! - [`plant`]: panics on purpose, for tests; release builds have none.

#![forbid(unsafe_code)]

mod catch;
pub mod ended;
pub mod log;
mod owner;
pub mod plant;
mod request;
mod threads;

pub use catch::{Caught, Counted, catch, caught, counted};
pub use request::RequestId;
pub use threads::{EXIT_PANIC, beside, install, main, spawn, task, tasks, vital};
