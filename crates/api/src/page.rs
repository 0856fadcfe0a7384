//! Paged lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items a page where a request does not say.
pub const PAGE_DEFAULT: u32 = 100;
/// Items a page at the most.
pub const PAGE_LIMIT: u32 = 1_000;

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}
