//! Where the manager is, for commands that ask it.

use clap::Args;
use usher_api::client::Client;

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
    pub(crate) fn client(&self, context: &Context) -> Result<Client, Failure> {
        context.client_of(&self.manager, context.token_for(&self.manager))
    }
}
