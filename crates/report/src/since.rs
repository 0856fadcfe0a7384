//! What came in between two answers to one question.

use usher_api::{AsOf, Report};

/// What came in between two reports, a sentence each; empty: nothing did.
pub fn since(before: &Report, now: &Report) -> Vec<String> {
    let mut news: Vec<String> = now
        .as_of
        .iter()
        .filter_map(|it| of_server(find(&before.as_of, &it.server), it))
        .collect();
    let gone = before
        .as_of
        .iter()
        .filter(|it| find(&now.as_of, &it.server).is_none());
    news.extend(gone.map(|it| format!("{} is not among the servers any more.", it.server)));
    news
}

fn find<'a>(all: &'a [AsOf], server: &str) -> Option<&'a AsOf> {
    all.iter().find(|it| it.server == server)
}

fn of_server(before: Option<&AsOf>, now: &AsOf) -> Option<String> {
    let server = &now.server;
    match before {
        None => Some(format!("{server} is new, with events up to {}.", now.event)),
        Some(before) if before.incarnation != now.incarnation => Some(format!(
            "{server} has begun another life of its data (incarnation {} after {}), with events up \
             to {}.",
            now.incarnation, before.incarnation, now.event,
        )),
        Some(before) if before.event != now.event => Some(format!(
            "{server} has told of events up to {}, after {}.",
            now.event, before.event,
        )),
        Some(_) => None,
    }
}
