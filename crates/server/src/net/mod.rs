//! From a connection's first byte to a request's answer.

pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod core_loop;
pub(crate) mod service;
pub(crate) mod tls;
pub(crate) mod watch;
