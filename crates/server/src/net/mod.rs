//! From a connection's first byte to a request's answer: this server's part of it.

pub(crate) mod core_loop;
pub(crate) mod service;
