//! What is kept in files: the outbox with all of the agent's state, the switch for enforcement, the
//! id that agents of one computer share, and how the agent before ended.

pub(crate) mod computer_id;
pub(crate) mod ended;
pub(crate) mod enforcement;
pub(crate) mod outbox;
