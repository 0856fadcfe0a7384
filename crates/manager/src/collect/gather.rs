//! Gathers pages that follow one another, so that a server that has much to tell is appended in few
//! transactions: what a transaction costs beside its items is then paid once for thousands of them.

use usher_site::{HistoryBatch, Point};

use super::ask::{Answer, Page, Server};
use super::convert;
use crate::clock::wall_ms;

/// Items that are gathered before they are appended. While they are, as many more may be.
const ITEMS: usize = 20_000;
/// Of a server under load so many at a time, with a pause after them: some 2,500 a second.
const ITEMS_UNDER_LOAD: usize = 5_000;
/// What their pages may have as JSON, in bytes: items with the longest names are fewer. In memory they are
/// about twice as much.
const BYTES: usize = 16 * 1024 * 1024;

/// Pages of a server that follow one another.
pub(super) struct Gathered {
    /// What they tell.
    pub(super) batch: HistoryBatch,
    /// When the last of them was asked for; Unix milliseconds, wall clock.
    pub(super) asked_ms: i64,
    /// There is nothing more to ask for now.
    pub(super) is_last: bool,
    /// The server is under load, and is asked for more after a pause.
    pub(super) is_behind: bool,
    bytes: usize,
}

/// Where pages end.
pub(super) struct End {
    server: String,
    point: Point,
    cursor: String,
}

impl Gathered {
    /// A page after that point.
    pub(super) fn of(asked: Option<Point>, page: Page, asked_ms: i64) -> Gathered {
        let Page { page, bytes } = page;
        Gathered {
            asked_ms,
            // Behind a refusal of the last minute there may be more, and it is not told yet.
            is_last: page.through_event >= page.head_event || page.items.is_empty(),
            is_behind: page.behind,
            batch: convert::batch(asked, page, wall_ms()),
            bytes,
        }
    }

    /// Joins the pages that follow, until they are enough or one does not come: whoever asks for that
    /// next hears why.
    pub(super) async fn go_on(mut self, server: &Server) -> Gathered {
        while !self.is_enough() {
            let Some(next) = self.end().next(server).await else {
                break;
            };
            self.asked_ms = next.asked_ms;
            self.is_last = next.is_last;
            self.is_behind = next.is_behind;
            self.bytes = self.bytes.saturating_add(next.bytes);
            self.batch.join(next.batch);
        }
        self
    }

    fn is_enough(&self) -> bool {
        let items = match self.is_behind {
            true => ITEMS_UNDER_LOAD,
            false => ITEMS,
        };
        self.is_last || self.batch.items.len() >= items || self.bytes >= BYTES
    }

    pub(super) fn end(&self) -> End {
        End {
            server: self.batch.server.clone(),
            point: self.batch.through,
            cursor: self.batch.cursor.clone(),
        }
    }
}

impl End {
    /// The page that follows; none: it does not come, or one that goes on from elsewhere does, as after
    /// a restore.
    pub(super) async fn next(&self, server: &Server) -> Option<Gathered> {
        let asked_ms = wall_ms();
        let Answer::Page(page) = server.page(Some(&self.cursor)).await else {
            return None;
        };
        let point = Some(self.point);
        let next = Gathered::of(point, *page, asked_ms);
        let follows = next.batch.server == self.server && next.batch.from == point;
        follows.then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gathered(through: u64, behind: Option<bool>) -> Gathered {
        let mut page = json!({
            "server_id": "s-1", "incarnation": 7, "began_after": null, "from": null, "items": [],
            "people": [], "computers": [], "cursor": "c", "through_incarnation": 7,
            "through_event": through, "head_event": 9,
        });
        if let Some(behind) = behind {
            page["behind"] = behind.into();
        }
        let page = Page {
            page: serde_json::from_value(page).unwrap(),
            bytes: 100,
        };
        Gathered::of(None, page, 1)
    }

    #[test]
    fn of_a_server_under_load_less_is_gathered_at_once() {
        let item = json!({
            "kind": "lease", "event": 3, "incarnation": 7, "product": "cad", "person": "P1",
            "computer": "C1", "seats": 1, "retry": false, "key": { "incarnation": 7, "event": 3 },
            "program": null, "session": null, "kept": false, "granted_at": "2026-11-30T08:00:00Z",
            "ended_at": "2026-11-30T09:00:00Z", "held_seconds": 3_600.0, "cause": "checked_in",
            "ticket": null, "with": null,
        });
        let of_many = |count: usize, behind: bool| {
            let mut page = gathered(8, Some(behind));
            let one = json!({
                "server_id": "s-1", "incarnation": 7, "began_after": null, "from": null,
                "items": [item], "people": [{ "id": "P1", "realm": "r", "account": "a", "name": "A" }],
                "computers": [{ "id": "C1", "key": "c", "name": "c" }], "cursor": "c",
                "through_incarnation": 7, "through_event": 8, "head_event": 9,
            });
            let one = serde_json::from_value(one).unwrap();
            let one = Gathered::of(
                None,
                Page {
                    page: one,
                    bytes: 1,
                },
                1,
            );
            page.is_last = false;
            page.batch.items = vec![one.batch.items[0].clone(); count];
            page.is_enough()
        };
        assert!(of_many(ITEMS_UNDER_LOAD, true) && !of_many(ITEMS_UNDER_LOAD - 1, true));
        assert!(of_many(ITEMS, false) && !of_many(ITEMS - 1, false));
    }

    #[test]
    fn a_server_that_tells_less_than_has_ended_is_behind_and_an_earlier_version_never_is() {
        let is = |it: Gathered| (it.is_last, it.is_behind);
        assert_eq!(is(gathered(9, Some(true))), (true, true));
        assert_eq!(is(gathered(9, Some(false))), (true, false));
        assert_eq!(is(gathered(9, None)), (true, false));
    }
}
