//! Where the manager is, for commands that ask it.

use clap::Args;
use serde::de::IgnoredAny;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Problem};

use crate::context::Context;
use crate::failure::Failure;

/// Where a manager is as a rule.
pub(crate) const MANAGER: &str = "http://127.0.0.1:8480";

/// The manager to ask.
#[derive(Debug, Args)]
pub(crate) struct ManagerAt {
    /// The manager to ask
    #[arg(long, value_name = "URL", default_value = MANAGER)]
    pub(crate) manager: String,
}

impl ManagerAt {
    /// A client of it, with the token.
    pub(crate) async fn client(&self, context: &Context) -> Result<Client, Failure> {
        client(&self.manager, context).await
    }
}

/// A client of the manager at `url`, with the token that it takes: where a server and a manager of
/// its own are on one computer, the one that answers may be of either.
pub(crate) async fn client(url: &str, context: &Context) -> Result<Client, Failure> {
    let mut tokens = context.tokens_for_manager(url);
    let Some(last) = tokens.pop() else {
        return context.client_of(url, None);
    };
    for token in tokens {
        let client = context.client_of(url, Some(token))?;
        let tried: Result<IgnoredAny, _> = client.get("/v1/message-rules").await;
        let refused = |problem: &Problem| problem.is(Code::Unauthorized);
        match tried {
            Err(ClientError::Problem(problem)) if refused(&problem) => {}
            _ => return Ok(client),
        }
    }
    context.client_of(url, Some(last))
}
