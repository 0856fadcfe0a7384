//! What the agent keeps in files: the outbox with all of its state, the switch for enforcement, the
//! id that agents of one computer share, and how the former agent ended.

pub(crate) mod computer_id;
pub(crate) mod ended;
pub(crate) mod enforcement;
pub(crate) mod outbox;
