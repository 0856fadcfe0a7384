//! Status messages: what an administrator is told.
//!
//! Numbered, with a severity and a type, as SMS 2.0 had them; three of its numbers keep their
//! meaning (9399, 9405, 9406), ours are 9410 to 9499. The catalogue says of each what it means,
//! what to check and what Usher does itself. Repeats are folded into one with a count, so that a
//! flood is a number and never a stall (KB 924842). Ordered rules say what becomes of a message;
//! summaries say OK, Warning or Critical of a component.

mod catalogue;
mod fields;
mod fold;
mod grade;
mod message;
mod rules;
mod summary;

pub use catalogue::{CATALOGUE, DELIVERY_TRIED_HOURS, Entry, METERING_SERVER, entry};
pub use fold::{Folded, Folder, FolderOptions};
pub use grade::{Kind, Severity};
pub use message::Message;
pub use rules::{
    Action, Criteria, Decision, Priority, Rule, RuleError, decide, default_rules, is_address,
};
pub use summary::{Passed, Standing, Summary, SummaryOptions, Thresholds};
