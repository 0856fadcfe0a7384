//! Where the manager is, for commands that ask it.

use clap::Args;
use serde::de::IgnoredAny;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Problem};

use crate::context::Context;
use crate::failure::Failure;
use crate::supervisor::control;

/// The usual address of a manager.
pub(crate) const MANAGER: &str = "http://127.0.0.1:8480";

/// The manager to ask.
#[derive(Debug, Args)]
pub(crate) struct ManagerAt {
    /// The manager to ask [default: that of `usher up`, else port 8480]
    #[arg(long, value_name = "URL")]
    pub(crate) manager: Option<String>,
}

/// The manager's address if none is named: that at which the `usher up` of this data directory
/// started it, else the usual one.
pub(crate) async fn usual(context: &Context) -> String {
    let beside = control::console(context.data()).await;
    beside.unwrap_or_else(|| MANAGER.to_owned())
}

impl ManagerAt {
    /// A client of it, with the token.
    pub(crate) async fn client(&self, context: &Context) -> Result<Client, Failure> {
        match &self.manager {
            Some(url) => client(url, context).await,
            None => client(&usual(context).await, context).await,
        }
    }
}

/// A client of the manager at `url`, with the token that it accepts: if a computer has a server and
/// a manager with data of its own, the manager may accept either's token.
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
