//! From a connection's first byte to a request's answer.

pub(crate) mod watch;
