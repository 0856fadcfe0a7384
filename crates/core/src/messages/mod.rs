//! Status messages: what an administrator is told.
//!
//! As in SMS 2.0, each message has a number, a severity and a type. Three numbers of SMS keep their
//! meaning (9399, 9405, 9406); Usher's own are 9410 to 9499. The catalogue says what each number
//! means, what to check and what Usher does itself. Repeats are folded into one row with a count, so
//! that a flood costs a counter and stalls nothing (KB 924842). Ordered rules decide what is done
//! with a message; summaries rate each component as OK, Warning or Critical.

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
