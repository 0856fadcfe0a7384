//! Groups of people, as a manager knows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/groups`: a page of groups, and how their sources are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupPage {
    /// The groups, in the order of their names.
    pub items: Vec<Group>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// Every source of groups.
    pub sources: Vec<GroupSource>,
    /// What the sources say that is probably not meant, such as groups that contain each other.
    pub notes: Vec<String>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The sources that have it: `system`, or paths of files.
    pub sources: Vec<String>,
    /// How many people it names itself; those of groups in it are not counted.
    pub people: u64,
    /// The groups whose members are its members, too.
    pub groups: Vec<String>,
}

/// How a source of groups is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupSource {
    /// `system` for the name service of the manager's computer, or the path of a file.
    pub source: String,
    /// When what is known of it was read; null: nothing is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<Timestamp>,
    /// Why it cannot be read or asked, so that what it said last counts; null: it can be.
    pub trouble: Option<String>,
    /// Since when; null: there is no trouble.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub trouble_since: Option<Timestamp>,
    /// What it does not say; null: nothing.
    pub note: Option<String>,
}

/// A person in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupMember {
    /// The realm; null: the account counts in every realm.
    pub realm: Option<String>,
    /// The account in it.
    pub account: String,
    /// The group that names the person, if that is another one, which is a member; null: this one
    /// does.
    pub through: Option<String>,
}
