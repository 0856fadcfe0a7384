//! Paged lists.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items on a page if a request names no limit.
pub const PAGE_DEFAULT: u32 = 100;
/// The most items on a page.
pub const PAGE_LIMIT: u32 = 1_000;

/// How many items a page has that was asked for; why not, as a sentence.
///
/// # Errors
/// It is more than a page has, or none.
pub fn page_limit(asked: Option<u32>) -> Result<u32, String> {
    match asked.unwrap_or(PAGE_DEFAULT) {
        limit if (1..=PAGE_LIMIT).contains(&limit) => Ok(limit),
        limit => Err(format!("`limit` is {limit}: give 1 to {PAGE_LIMIT}")),
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// The owner to whom the items are limited, if the token may not see those of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// The period that sums of use cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<OfTime>,
}

/// The period that an answer covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfTime {
    /// The first instant of the period.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The first instant after the period.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Since when use is recorded and kept; nothing is known of earlier use. Null: that is not
    /// known.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_since: Option<Timestamp>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Page {
            items: Vec::new(),
            next: None,
            only: None,
            time: None,
        }
    }
}

/// To whom an answer is limited: a person, a computer, or a person on a computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Only {
    /// The person's realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The person's account in that realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The id of the computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
}
