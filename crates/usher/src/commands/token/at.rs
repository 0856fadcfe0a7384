//! Which tokens are meant: a server's, or a manager's.

use clap::Args;
use serde::de::IgnoredAny;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Listener};

use super::super::managed::{self, MANAGER, ManagerAt};
use crate::context::Context;
use crate::failure::Failure;
use crate::manager_there;

/// The role that the tokens are for.
#[derive(Debug, Args)]
pub(super) struct AtManager {
    /// Tokens of a manager instead of the server's: of that of --manager, or of the one at URL
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true,
        default_missing_value = "")]
    pub(super) at_manager: Option<String>,
    #[command(flatten)]
    manager: ManagerAt,
}

impl AtManager {
    /// Where the manager is; `None`: they are the server's tokens.
    pub(super) fn url(&self) -> Option<&str> {
        match self.at_manager.as_deref()? {
            "" => Some(self.manager.manager.as_deref().unwrap_or(MANAGER)),
            url => Some(url),
        }
    }

    /// A client, once it is known that what answers there is of the kind that is meant.
    pub(super) async fn client(&self, context: &Context) -> Result<Client, Failure> {
        match self.url() {
            Some(url) => {
                let client = managed::client(url, context).await?;
                must_be(Listener::Manager, &client, url).await?;
                Ok(client)
            }
            None => {
                let client = context.client()?;
                must_be(Listener::Server, &client, context.server()).await?;
                Ok(client)
            }
        }
    }

    /// A client that shows another token.
    pub(super) fn client_with(&self, context: &Context, token: String) -> Result<Client, Failure> {
        let url = self.url().unwrap_or(context.server());
        context.client_of(url, Some(token))
    }
}

/// Refuses to ask a server for a manager's tokens, and a manager for a server's: each has its own,
/// which the other does not accept. If nobody answers, the next request reports it.
async fn must_be(meant: Listener, client: &Client, url: &str) -> Result<(), Failure> {
    let Ok(health) = client.health().await else {
        return Ok(());
    };
    let is_manager = match health.is_of(Listener::Manager) {
        Some(is_manager) => is_manager,
        None => has_rules(client).await,
    };
    match (meant, is_manager) {
        (Listener::Manager, false) => Err(Failure::usage(format!(
            "what answers at {url} is a metering server, not a manager"
        ))
        .next(
            "A manager's port is usually 8480. For a token of that server leave --at-manager \
             out, and name the server with --server URL.",
        )),
        (Listener::Server, true) => Err(Failure::usage(manager_there::is_one(url)).next(format!(
            "A server's port is usually 8470. --at-manager={url} is for tokens of that manager."
        ))),
        (Listener::Manager, true) | (Listener::Server, false) => Ok(()),
    }
}

/// Whether it has message rules, as a manager has: earlier versions do not say what they are.
async fn has_rules(client: &Client) -> bool {
    match client.get::<IgnoredAny>("/v1/message-rules").await {
        Ok(_) => true,
        Err(ClientError::Problem(problem)) => {
            problem.is(Code::Unauthorized) && problem.detail.contains("--at-manager")
                || problem.is(Code::Forbidden)
        }
        Err(_) => false,
    }
}
