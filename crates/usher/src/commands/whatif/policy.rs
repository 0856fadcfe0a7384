//! What of the files of a policy a what-if replays.

use std::path::PathBuf;

use jiff::Timestamp;
use usher_api::WhatIfPolicy;
use usher_core::ledger::Wall;
use usher_core::policy::{Terms, Value};

use crate::commands::policy::files::{self, Unread};
use crate::failure::Failure;
use crate::output::tame;

/// The overdraft and the limit of the queue that files say of a product; none: there are no files.
pub(super) fn of(files: &[PathBuf], product: &str) -> Result<Option<WhatIfPolicy>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    let policy = files::policy(files).map_err(Unread::failure)?.policy;
    let Some(settings) = policy.products.get(product) else {
        return Err(
            Failure::usage(format!("these files have no product {}", tame(product)))
                .next("Name files of a policy in which it stands."),
        );
    };
    let now = Wall(Timestamp::now().as_millisecond());
    let is_valid = |terms: &&Terms| {
        let has_begun = terms.from.as_ref().is_none_or(|from| from.begins() <= now);
        let is_over = terms.to.as_ref().is_some_and(|to| to.ends() <= now);
        terms.product == product && has_begun && !is_over
    };
    let valid = policy.entitlements.values().filter(is_valid);
    let overdraft = valid.fold(0_u32, |sum, terms| sum.saturating_add(terms.overdraft));
    let queue_limit = match settings.get("queue_limit") {
        Some(Value::Number(limit)) => Some(*limit),
        _ => None,
    };
    Ok(Some(WhatIfPolicy {
        overdraft: Some(overdraft),
        queue_limit,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overdraft_of_what_is_valid_and_the_limit_of_the_queue_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        let text = "policy = 1\n[[product]]\nid = \"cad\"\nqueue_limit = 7\n\
            [[entitlement]]\nname = \"a\"\nproduct = \"cad\"\nseats = 5\noverdraft = 2\n\
            [[entitlement]]\nname = \"b\"\nproduct = \"cad\"\nseats = 5\noverdraft = 9\n\
            to = 2001-01-01\n";
        std::fs::write(&file, text).unwrap();
        let expected = WhatIfPolicy {
            overdraft: Some(2),
            queue_limit: Some(7),
        };
        assert_eq!(
            of(std::slice::from_ref(&file), "cad").unwrap(),
            Some(expected)
        );
        assert_eq!(of(&[], "cad").unwrap(), None);
        let why = of(&[file], "cam").unwrap_err();
        assert_eq!(why.code(), 2);
        assert!(why.to_string().contains("no product cam"), "{why}");
    }
}
