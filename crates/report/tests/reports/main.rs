//! Reports of a made-up site: what they say, and how they are written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod as_they_read;
mod each_report;
mod escaping;
mod examples;
mod made_up;
mod same_answer;
mod three_values;
mod written;
