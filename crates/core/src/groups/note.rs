//! What in the sources of groups is probably not meant.

use std::fmt;

/// Something in the sources that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A group is a member, and no source has it.
    NoSuchGroup {
        /// The group that has it as a member.
        group: String,
        /// The name that no group has.
        member: String,
    },
    /// These groups contain each other: each the next one, and the last the first.
    Circle(Vec<String>),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::NoSuchGroup { group, member } => {
                write!(
                    f,
                    "the group {group} has the member @{member}, and there is no such group"
                )
            }
            Note::Circle(groups) => {
                f.write_str("groups contain each other in a circle: ")?;
                for group in groups {
                    write!(f, "{group} > ")?;
                }
                f.write_str(groups.first().map_or("", String::as_str))
            }
        }
    }
}
