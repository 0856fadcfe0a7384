//! The people and programs of this computer: the local socket, and checks for idle programs.

pub(crate) mod socket;
pub(crate) mod untouched;
