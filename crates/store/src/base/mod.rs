//! What all other parts stand on: errors, clocks, the schema, columns, and a data file as a whole.

pub(crate) mod clock;
pub(crate) mod columns;
pub(crate) mod error;
pub(crate) mod meta;
pub(crate) mod place;
pub(crate) mod schema;
pub(crate) mod steps;
pub(crate) mod whole;
