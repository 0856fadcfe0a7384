//! Program rules: what is this executable, and which product is it?
//!
//! [`Rule`] is the text of `usher product add --program RULE`, parsed; [`RuleSet`] is all rules of
//! all products, compiled; [`Facts`] is what can be found out about an executable, each fact only
//! when it is asked for. Paths and names are bytes: nothing here needs them to be UTF-8.

mod base;
mod danger;
mod facts;
mod names;
mod rule;
mod rule_set;
mod version;

#[cfg(test)]
mod tests;

pub use base::is_of_base_system;
pub use danger::{
    Danger, FileId, Needed, Started, SystemRole, dangers, system_role, well_known_programs,
};
pub use facts::{Facts, Package, file_name};
pub use names::stem;
pub use rule::{Matcher, ProgramRole, Rule, RuleError};
pub use rule_set::{Identity, Needs, RuleSet, RuleSetError};
pub use version::{Version, VersionRange};
