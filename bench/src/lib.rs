//! usher-bench: load against a metering server, made lean so that the figures are the server's.
//!
//! The generator shares its machine with what it measures as a rule, so it spends little: one
//! thread, epoll, HTTP/1.1 written by hand, of an answer only the status, the length and the lease
//! read. It is bounded in connections, requests and time, gives back what it took, and asks a
//! server beyond loopback only if its owner says so.

#![forbid(unsafe_code)]

pub mod cpu;
pub mod engine;
pub mod histogram;
pub mod http;
pub mod load;
