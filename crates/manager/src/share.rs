//! Writes down how the leader of a site sees each server, for the managers that do not lead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use usher_site::PostgresSite;

use crate::app::App;
use crate::logged::or_log;

/// Writes down what has changed for as long as it runs.
pub(crate) async fn attend(app: Arc<App>, site: PostgresSite, every: Duration) {
    let mut written: Option<BTreeMap<String, String>> = None;
    loop {
        let seen = seen(&app);
        let known = written.as_ref();
        let changed = seen.iter().filter(|(name, text)| {
            let before = known.and_then(|known| known.get(*name));
            before != Some(*text)
        });
        let changed: Vec<(String, String)> = changed
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        let is_gone = |name: &String| !seen.contains_key(name);
        let some_gone = known.is_none_or(|known| known.keys().any(is_gone));
        if !changed.is_empty() || some_gone {
            let watched = seen.keys().cloned().collect();
            if or_log(site.put_views(changed, watched).await).is_some() {
                written = Some(seen);
            }
        }
        tokio::time::sleep(every).await;
    }
}

/// How each server is seen, as text, by name.
fn seen(app: &App) -> BTreeMap<String, String> {
    let watches = app.watches();
    let one = |(name, watch): (&String, &crate::server_watch::ServerWatch)| {
        let text = serde_json::to_string(&watch.view.get()).ok()?;
        Some((name.clone(), text))
    };
    watches.iter().filter_map(one).collect()
}
