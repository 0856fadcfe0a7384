//! Requests to a server whose history is collected.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use usher_api::{Acknowledge, Code, HistoryPage};

use crate::reach::{innermost, whole};
use crate::tokens::TokenSource;

/// The size of a page: the largest that a server gives.
const PAGE: u32 = 1_000;
/// The largest page that is read, in bytes: a thousand items with the longest names are smaller.
const PAGE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
const PROBLEM_LIMIT_BYTES: usize = 64 * 1024;
/// Which token is needed to acknowledge to a server what was collected.
const NEEDED: &str = "that takes a token of role manager, operator or admin";
/// How long a page may take: a server may first have to fill its tables.
const ANSWER: Duration = Duration::from_secs(60);

/// A server whose history is collected.
pub(super) struct Server {
    http: Client,
    url: String,
    token: TokenSource,
}

/// The answer to a request for a page.
pub(super) enum Answer {
    /// The page.
    Page(Box<Page>),
    /// The server does not know the requested point.
    UnknownHistory,
    /// The server is of a version without `/v1/history`.
    NoHistory,
    /// It answered something else, or not at all; in words.
    Refused(String),
}

/// A page, and its size.
pub(super) struct Page {
    pub(super) page: HistoryPage,
    /// As JSON.
    pub(super) bytes: usize,
}

#[derive(Deserialize)]
struct ProblemText {
    code: Option<String>,
    detail: Option<String>,
}

impl Server {
    pub(super) fn new(http: Client, url: &str, token: TokenSource) -> Server {
        Server {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn token(&self) -> String {
        self.token.read()
    }

    /// A page after a cursor, or the first.
    pub(super) async fn page(&self, after: Option<&str>) -> Answer {
        let limit = PAGE.to_string();
        let mut query = vec![("limit", &*limit)];
        query.extend(after.map(|after| ("after", after)));
        let request = self
            .http
            .get(format!("{}/v1/history", self.url))
            .query(&query);
        let (status, body) = match self.send(request, PAGE_LIMIT_BYTES).await {
            Ok(answer) => answer,
            Err(why) => return Answer::Refused(why),
        };
        if status == StatusCode::OK {
            return match serde_json::from_slice(&body) {
                Ok(page) => Answer::Page(Box::new(Page {
                    page,
                    bytes: body.len(),
                })),
                Err(error) => Answer::Refused(format!("its page cannot be read: {error}")),
            };
        }
        match code(&body).as_deref() {
            Some(code) if code == Code::UnknownHistory.as_str() => Answer::UnknownHistory,
            Some(code) if code == Code::NotFound.as_str() => Answer::NoHistory,
            _ => Answer::Refused(told(status, &body)),
        }
    }

    /// Acknowledges what was collected; the error says why the server did not record it.
    pub(super) async fn acknowledge(
        &self,
        name: &str,
        body: Acknowledge,
    ) -> Result<Option<String>, String> {
        let request = self
            .http
            .put(format!("{}/v1/history/consumers/{name}", self.url))
            .json(&body);
        let (status, body) = self.send(request, PROBLEM_LIMIT_BYTES).await?;
        match status {
            StatusCode::OK => Ok(None),
            StatusCode::FORBIDDEN => Ok(Some(NEEDED.to_owned())),
            // Others keep it from it, or it was put back just now: the next page tells.
            StatusCode::CONFLICT => Ok(Some(told(status, &body))),
            _ => Err(told(status, &body)),
        }
    }

    async fn send(
        &self,
        request: RequestBuilder,
        limit_bytes: usize,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        let request = request.bearer_auth(self.token()).timeout(ANSWER);
        let mut response = request.send().await.map_err(|error| innermost(&error))?;
        let status = response.status();
        let body = whole(&mut response, limit_bytes).await;
        let body = body.map_err(|why| why.to_string())?;
        Ok((status, body))
    }
}

fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<ProblemText>(body).ok()?.code
}

fn told(status: StatusCode, body: &[u8]) -> String {
    let problem = serde_json::from_slice::<ProblemText>(body).ok();
    let detail = problem.and_then(|it| it.detail.or(it.code));
    let detail = detail.unwrap_or_else(|| "without a reason".to_owned());
    format!("it answers {}: {detail}", status.as_u16())
}
