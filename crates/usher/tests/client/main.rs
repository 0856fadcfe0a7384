//! The client commands against a made-up server: what they ask, what they say, how they end, also
//! on days that a real server cannot be made to have.

#![allow(clippy::unwrap_used)]

mod fake;
mod imports;
mod joins;
mod learn;
mod lists;
mod managers;
mod policy;
mod removal;
mod run;
mod settings;
mod signals;
mod sim;
mod slow;
mod support;
mod usage;
mod waits;
mod whom;
