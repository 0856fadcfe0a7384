//! The people and programs of this computer: the socket that they ask by, and whether anybody
//! touches idle programs.

pub(crate) mod socket;
pub(crate) mod untouched;
