//! Whether the server answers at all. A program that asks it through the agent is told within a
//! time limit that the server does not answer: otherwise it would believe that the agent hangs.
//!
//! A server that is there may be slow: the agent goes on waiting for an answer for as long as the
//! server still answers a short question. After it found the server silent, it remembers that until
//! the server answers: later requests then fail without the whole wait.

use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Problem};

use crate::base::lock;

/// How long the agent waits for an answer before it checks that the server is there, for requests
/// that look something up or keep a seat.
pub(crate) const LOOKED_UP: Duration = Duration::from_secs(3);
/// The same for a request for a seat: a server that is there answers within 15 seconds, if only
/// that it does not know the outcome. `usher run` waits 20 seconds.
pub(crate) const SEATED: Duration = Duration::from_secs(16);
/// How long a server may take to answer whether it is there.
const THERE_WITHIN: Duration = Duration::from_secs(2);

/// What is known of whether the server answers.
pub(crate) struct Hearing {
    client: Client,
    /// Since when a server that was found silent has answered nothing.
    silent_since: Mutex<Option<Instant>>,
    /// When the agent last checked that the server is there, and whether it was. One check serves
    /// all that wait.
    looked: tokio::sync::Mutex<Option<(Instant, bool)>>,
}

impl Hearing {
    /// Watches the server that `client` asks.
    pub(crate) fn new(client: Client) -> Hearing {
        Hearing {
            client,
            silent_since: Mutex::new(None),
            looked: tokio::sync::Mutex::new(None),
        }
    }

    /// What the server answers; it may take `wait` to do so. An error if it is silent for
    /// `patience` beyond that.
    pub(crate) async fn of<T>(
        &self,
        patience: Duration,
        wait: Duration,
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let mut answer = pin!(answer);
        let begun = Instant::now();
        let mut within = self.within(patience, wait);
        loop {
            if let Ok(answered) = timeout(within, &mut answer).await {
                return self.answered(answered);
            }
            let is_there = tokio::select! {
                answered = &mut answer => return self.answered(answered),
                is_there = self.is_there() => is_there,
            };
            if !is_there {
                lock(&self.silent_since).get_or_insert(begun + wait);
                return Err(self.silence());
            }
            *lock(&self.silent_since) = None;
            within = patience;
        }
    }

    /// How long to wait for an answer before checking that the server is there.
    fn within(&self, patience: Duration, wait: Duration) -> Duration {
        match *lock(&self.silent_since) {
            Some(since) => patience.saturating_sub(since.elapsed()),
            None => wait + patience,
        }
    }

    fn answered<T>(&self, answered: Result<T, ClientError>) -> Result<T, ClientError> {
        if is_of_one_that_is_there(&answered) {
            *lock(&self.silent_since) = None;
        }
        answered
    }

    /// Checks that the server is there, or takes the result of a check that was made meanwhile.
    async fn is_there(&self) -> bool {
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if let Some((at, is_there)) = *looked
            && at >= asked
        {
            return is_there;
        }
        let health = timeout(THERE_WITHIN, self.client.health()).await;
        let is_there = health.is_ok_and(|health| is_of_one_that_is_there(&health));
        *looked = Some((Instant::now(), is_there));
        is_there
    }

    fn silence(&self) -> ClientError {
        let detail = does_not_answer(&self.client.endpoint().to_string());
        ClientError::Problem(Box::new(Problem::new(Code::ServerUnreachable, detail)))
    }
}

/// The error for a server that does not answer.
pub(crate) fn does_not_answer(url: &str) -> String {
    format!("the server {url} does not answer")
}

/// Whether something answered, whatever it said.
fn is_of_one_that_is_there<T>(answered: &Result<T, ClientError>) -> bool {
    !matches!(
        answered,
        Err(ClientError::Unreachable { .. } | ClientError::Setup { .. })
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::routing::get;
    use serde_json::Value;
    use usher_api::client::Endpoint;

    use super::*;

    /// A server that takes connections and answers only while it is not frozen; `/v1/slow` never.
    async fn server(is_frozen: Arc<AtomicBool>) -> Hearing {
        let frozen = move || {
            let is_frozen = is_frozen.clone();
            async move {
                while is_frozen.load(Ordering::Relaxed) {
                    // tidy: sleep, until the test goes on
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                "{}"
            }
        };
        let routes = axum::Router::new()
            .route("/v1/health", get(frozen.clone()))
            .route("/v1/quick", get(frozen))
            .route("/v1/slow", get(std::future::pending::<&str>));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Hearing::new(Client::new(Endpoint::Url(url), None, None).unwrap())
    }

    fn said(answered: Result<Value, ClientError>) -> String {
        match answered {
            Err(ClientError::Problem(problem)) => {
                assert!(problem.is(Code::ServerUnreachable));
                problem.detail
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_server_that_is_silent_is_said_to_be_and_known_to_be_until_it_answers() {
        let is_frozen = Arc::new(AtomicBool::new(true));
        let hearing = server(is_frozen.clone()).await;
        let quick = || hearing.client.get::<Value>("/v1/quick");
        let patience = Duration::from_millis(50);
        let (now, long) = (Duration::ZERO, Duration::from_secs(3_600));
        let silent = said(hearing.of(patience, now, quick()).await);
        assert!(
            silent.starts_with("the server http://127.0.0.1:"),
            "{silent}"
        );
        assert!(silent.ends_with(" does not answer"), "{silent}");
        // Not even what may take its time is waited for.
        assert!(hearing.within(patience, long) <= patience);
        said(hearing.of(patience, long, quick()).await);
        is_frozen.store(false, Ordering::Relaxed);
        hearing.of(long, now, quick()).await.unwrap();
        assert_eq!(hearing.within(patience, long), patience + long);
    }

    #[tokio::test]
    async fn a_server_that_is_there_and_slow_is_waited_for() {
        let hearing = server(Arc::default()).await;
        let slow = hearing.client.get::<Value>("/v1/slow");
        let asked = hearing.of(Duration::from_millis(1), Duration::ZERO, slow);
        let mut asked = pin!(asked);
        let looks = async {
            let mut last = None;
            for _ in 0..3 {
                while *hearing.looked.lock().await == last {
                    tokio::task::yield_now().await;
                }
                last = *hearing.looked.lock().await;
                assert!(last.is_some_and(|(_, is_there)| is_there));
            }
        };
        tokio::select! {
            answered = &mut asked => panic!("{answered:?}"),
            () = looks => {}
        }
    }
}
