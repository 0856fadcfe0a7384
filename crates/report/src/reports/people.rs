//! `people`: the people of a product, the products of a person.

use usher_api::{Report, ReportName};

use crate::asked::Asked;
use crate::draft::Draft;
use crate::gathered::UseOf;

/// What `people` is made from.
#[derive(Debug, Clone, Default)]
pub struct PeopleInput {
    /// By person and product.
    pub uses: Vec<UseOf>,
}

/// The people of each product, or the products of each person if a person was asked for.
pub fn people(asked: &Asked, input: PeopleInput) -> Report {
    let _ = input;
    Draft::new(ReportName::People, "People").report(asked)
}
