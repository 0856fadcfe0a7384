//! The tables.
use usher_core::ledger::*;
/// SQLite's integers are signed; ours that are not keep their bits.
pub(crate) fn from_i64(value: i64) -> u64 {
    value.cast_unsigned()
}
pub(crate) fn read_draws(_text: &str) -> smallvec::SmallVec<[Draw; 1]> {
    unimplemented!()
}
