//! What is installed on this computer, as its agent sees it.

use usher_core::identify::{Danger, Rule};

use crate::failure::Failure;

/// The programs of this computer that the rules of one product would hit and that it needs.
pub(in crate::commands) fn dangers(rules: &[Rule]) -> Result<Vec<Danger>, Failure> {
    usher_agent::dangers_here(rules)
        .map_err(|why| Failure::usage(why.to_string()).next("Give fewer rules, or shorter ones."))
}
