//! Products that seem unused because nothing could see a use of them.

use usher_api::client::Client;
use usher_api::{Page, UnseenUse, Usage};

use super::finding::Finding;
use crate::listing::{Extent, Query, fetch};
use crate::output::tame;

/// How many products are named; the rest are counted.
const NAMED: usize = 10;

/// One line for each reason why the use of a product that seems unused may not be seen. Empty if
/// the server does not say.
pub(super) async fn findings(client: &Client) -> Vec<Finding> {
    let query = Query::new("/v1/usage")
        .with("owned", Some("true"))
        .with("since", Some("1970-01-01"));
    let Ok(page) = fetch(client, &query, &Extent::ALL).await else {
        return Vec::new();
    };
    of(&page)
}

fn of(page: &Page<Usage>) -> Vec<Finding> {
    let named = |why| {
        let unused = page.items.iter().filter(|it| it.last_used_at.is_none());
        let unseen = unused.filter(|it| it.unseen == Some(why));
        let all: Vec<String> = unseen.map(|it| tame(&it.product)).collect();
        let more = all.len().saturating_sub(NAMED);
        let mut named = all[..all.len() - more].join(", ");
        if more > 0 {
            named.push_str(&format!(" and {more} more"));
        }
        (!named.is_empty()).then_some(named)
    };
    let unruled = named(UnseenUse::NoProgramRule).map(|named| {
        Finding::warn(
            "use",
            format!("not known of {named}: without a program rule no start of it is seen"),
            "`usher product learn ID -- COMMAND` proposes rules, `usher product edit ID --program \
             RULE` adds one.",
        )
    });
    let unwatched = named(UnseenUse::NotWatched).map(|named| {
        Finding::warn(
            "use",
            format!("not known of {named}: no agent has ever reported to this server"),
            "`usher service install agent` makes one a service of a computer.",
        )
    });
    unruled.into_iter().chain(unwatched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(count: usize, unseen: &str, last: Option<&str>) -> Page<Usage> {
        let item = |number| {
            serde_json::json!({
                "product": format!("p{number}"), "sessions": 0, "running": 0, "unseated": 0,
                "users": 0, "computers": 0, "total_seconds": 0, "last_used_at": last,
                "unseen": unseen,
            })
        };
        let items: Vec<serde_json::Value> = (0..count).map(item).collect();
        serde_json::from_value(serde_json::json!({ "items": items, "next": null })).unwrap()
    }

    #[test]
    fn products_that_nothing_can_see_are_named_with_what_helps() {
        let lines = [
            of(&page(12, "no_program_rule", None)),
            of(&page(1, "not_watched", None)),
        ];
        let lines: Vec<String> = lines.iter().flatten().map(Finding::describe).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        warn  use         not known of p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 2 more: without a program rule no start of it is seen
                          `usher product learn ID -- COMMAND` proposes rules, `usher product edit ID --program RULE` adds one.
        warn  use         not known of p0: no agent has ever reported to this server
                          `usher service install agent` makes one a service of a computer.
        ");
        // Its use was seen all the same, as by `usher run`.
        let used = page(1, "no_program_rule", Some("2026-03-01T09:00:00Z"));
        assert!(of(&used).is_empty());
    }
}
