//! What all other parts use: errors, clocks, the schema, columns, and the data file as a whole.

pub(crate) mod clock;
pub(crate) mod columns;
pub(crate) mod error;
pub(crate) mod meta;
pub(crate) mod place;
pub(crate) mod schema;
pub(crate) mod steps;
pub(crate) mod whole;
