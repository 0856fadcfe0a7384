//! Listening to a server between two polls: its event stream says something every few seconds.
//! When it ends or falls silent, the server is looked at at once. What happens there is not asked for:
//! a busy server would spend much of its time on telling it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::tokens::TokenSource;

/// How long a server may be silent: it sends something every 15 s.
const SILENCE: Duration = Duration::from_secs(40);
/// The pause between two tries to listen.
const PAUSE: Duration = Duration::from_secs(5);

/// Listens until it is dropped; `lost` is notified if a server falls silent. The token is read
/// before each try, because its file may have changed.
pub(crate) async fn listen(
    http: reqwest::Client,
    url: String,
    token: TokenSource,
    lost: Arc<Notify>,
) {
    loop {
        let token = token.clone();
        let read = tokio::task::spawn_blocking(move || token.read());
        let heard = match read.await {
            Ok(token) => follow(&http, &url, &token).await,
            Err(_) => false,
        };
        if heard {
            lost.notify_one();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether anything was heard before it ended.
async fn follow(http: &reqwest::Client, url: &str, token: &str) -> bool {
    let request = http
        .get(format!(
            "{}/v1/events?only=heartbeat",
            url.trim_end_matches('/')
        ))
        .bearer_auth(token)
        // The stream has no end of its own; silence ends it.
        .timeout(Duration::from_secs(u64::from(u32::MAX)))
        .send();
    let Ok(Ok(mut response)) = tokio::time::timeout(SILENCE, request).await else {
        return false;
    };
    if !response.status().is_success() {
        return false;
    }
    while let Ok(Ok(Some(_))) = tokio::time::timeout(SILENCE, response.chunk()).await {}
    true
}
