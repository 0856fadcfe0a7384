//! `POST /v1/agents/sync`: an agent's whole exchange in one request.
//!
//! Each item carries a sequence number that grows by one within the sender's incarnation. The
//! server keeps one high-water mark per sender, for ever: an item at or under the mark is not
//! applied again but answered from the state as it is, so a lost answer costs nothing and an item
//! may come months late.

mod answer;
mod ask;
mod held;
mod socket;

pub use answer::*;
pub use ask::*;
pub use held::*;
pub use socket::*;
