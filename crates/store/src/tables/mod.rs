//! What a data file holds: the journal of events, and the tables that are filled from it.

pub(crate) mod adopted;
mod composed;
pub(crate) mod details;
pub(crate) mod fill;
pub(crate) mod journal;
pub(crate) mod lives;
pub(crate) mod load;
pub(crate) mod people_and_names;
mod persons;
