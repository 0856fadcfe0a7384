//! From the first byte of a connection to the answer of a request: this server's part of it.

pub(crate) mod core_loop;
pub(crate) mod service;
