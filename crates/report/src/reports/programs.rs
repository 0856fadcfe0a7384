//! `programs`: programs of no product that people use most.

use usher_api::{ProgramCount, Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `programs` is made from.
#[derive(Debug, Clone, Default)]
pub struct ProgramsInput {
    /// What each server counts; a program that several of them saw is there several times.
    pub programs: Vec<ProgramCount>,
}

/// Programs of no product, the longest running first. Counts are of all time, for servers keep no
/// others.
pub fn programs(asked: &Asked, input: ProgramsInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Programs, "Programs of no product").report(asked)
}
