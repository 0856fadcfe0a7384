//! What holds for an agent that watches by eBPF also holds if the kernel refuses its programs: it
//! then watches by the process connector.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, too

#[path = "../agent/identity.rs"]
mod identity;
#[path = "../agent/sessions.rs"]
mod sessions;
#[path = "../agent/storms.rs"]
mod storms;
#[allow(dead_code, unused_imports)] // the rest uses it
#[path = "../agent/support/mod.rs"]
mod support;

const WATCHING: Option<usher_api::Watching> = Some(usher_api::Watching::KernelEvents);
