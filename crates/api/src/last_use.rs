//! When something was last used: used, never used, or not known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When something was last used, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastUse {
    /// Whether it was used.
    pub state: LastUseState,
    /// When it was last used, now if it is in use; null unless it was used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// Why nobody knows it, in words; null unless it is not known.
    pub why: Option<String>,
}

/// Whether something was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LastUseState {
    /// It was used.
    Used,
    /// It was observed all the time, and not used.
    Never,
    /// No use of it is known, and there may have been one.
    NotKnown,
}

impl LastUse {
    /// It was used until then.
    pub fn used(at: Timestamp) -> LastUse {
        LastUse {
            state: LastUseState::Used,
            at: Some(at),
            why: None,
        }
    }

    /// It was observed all the time, and not used.
    pub fn never() -> LastUse {
        LastUse {
            state: LastUseState::Never,
            at: None,
            why: None,
        }
    }

    /// Nobody knows, for that reason.
    pub fn not_known(why: impl Into<String>) -> LastUse {
        LastUse {
            state: LastUseState::NotKnown,
            at: None,
            why: Some(why.into()),
        }
    }
}
