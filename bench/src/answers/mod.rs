//! The answers of a site of the size of an organisation: collecting its history, reporting on it, and
//! replaying it with other numbers of seats.
//!
//! The site is made up. It goes into a site database page by page, by the call with which a manager
//! appends what it collects, and is asked by the calls and the functions of core with which a manager
//! answers. HTTP and JSON are left out.

mod archiving;
mod asked;
mod bare;
mod duckdb;
mod fill;
mod goals;
pub(crate) mod ingest;
mod making;
mod memory;
mod pages;
mod past;
pub(crate) mod peaks;
mod progress;
mod questions;
mod replays;
pub(crate) mod reports;
pub(crate) mod whatif;
mod whose;
