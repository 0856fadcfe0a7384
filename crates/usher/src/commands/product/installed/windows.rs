//! What is installed on this computer, which is not looked at on Windows yet.

use usher_core::identify::{Danger, Rule};

use crate::failure::Failure;

/// The programs of this computer that the rules of one product would hit and that it needs.
pub(in crate::commands) fn dangers(_rules: &[Rule]) -> Result<Vec<Danger>, Failure> {
    Err(Failure::failed(
        "whether these rules would hit what a computer needs cannot be looked at on Windows yet, \
         and nothing is enforced without it",
    )
    .next("Do it on a Linux computer, or have the product tracked: --mode track."))
}
