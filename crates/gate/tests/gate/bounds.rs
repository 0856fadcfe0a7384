//! More than the gate has room for.
