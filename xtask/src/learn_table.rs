//! `cargo xtask learn-table`: what `usher product learn` proposes for real programs, beside the table
//! in docs/learn.md.

use std::path::Path;

use crate::process::Runner;
use crate::setup::{LEARNED, debian};
use crate::soak::{built, lasting};

/// The test that goes through the table.
const TABLE: &str = "learn_knows_real_programs::\
                     learn_proposes_what_the_table_says_and_the_agent_records_it";

/// Installs the programs, and tries each.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let runner = Runner::new()?;
    debian(&runner, LEARNED)?;
    let (nextest, target) = built(&runner, root)?;
    runner.run(&mut lasting(&nextest, root, &target, TABLE))
}
