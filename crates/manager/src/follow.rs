//! What a manager shows that does not lead its site: it reads again and again what the leader has put into
//! the site database.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use usher_api::WatchedServer;
use usher_core::health::Verdict;
use usher_site::{PostgresSite, Shown, SiteError};

use crate::app::{App, SERVERS_LIMIT};
use crate::logged::or_log;
use crate::server_watch;

/// Shows what the leader sees for as long as it runs.
pub(crate) async fn attend(app: &App, shared: &PostgresSite, every: Duration) -> Infallible {
    let mut before = None;
    loop {
        if let Some(now) = or_log(shared.shown().await)
            && before.as_ref() != Some(&now)
        {
            let is_news = before.is_some_and(|it: Shown| it.last_record != now.last_record);
            or_log(show(app, &now, is_news));
            before = Some(now);
        }
        tokio::time::sleep(every).await;
    }
}

fn show(app: &App, now: &Shown, is_news: bool) -> Result<(), SiteError> {
    app.book.reread(now.tokens.as_deref())?;
    app.tools.thresholds.reread(now.thresholds.as_deref());
    app.tools.dispatcher.reread(now.rules.as_deref(), is_news);
    let views = read(&now.views);
    let identified = views.values().filter_map(|seen| {
        let id = seen.server_id.clone()?;
        let answers = Verdict::of_name(&seen.verdict).is_some_and(Verdict::answers);
        Some((seen.name.clone(), id, answers))
    });
    app.tools.identities.put(identified);
    let servers = now.servers.iter().take(SERVERS_LIMIT).map(|row| {
        let seen = views.get(&row.name).cloned();
        let watch = server_watch::shown_by_another(row, seen);
        (row.name.clone(), watch)
    });
    *app.watches() = servers.collect();
    Ok(())
}

/// How the leader saw servers, by their names. What cannot be read, as of another version, is left out.
pub(crate) fn read(views: &[(String, String)]) -> BTreeMap<String, WatchedServer> {
    let one = |(name, seen): &(String, String)| {
        let seen: WatchedServer = serde_json::from_str(seen).ok()?;
        Some((name.clone(), seen))
    };
    views.iter().filter_map(one).collect()
}
