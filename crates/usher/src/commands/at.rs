//! Which server is meant, for commands about products and entitlements that are sent to a manager:
//! each of its servers has its own catalogue.

use clap::{Args, Subcommand};
use usher_api::Listener;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::tame;

// Its command says what it is for: a doc comment here would take the place of that in the help.
#[derive(Debug, Args)]
pub(crate) struct At<C: Subcommand> {
    /// The server that is meant, if --server names a manager
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) at: Option<String>,
    #[command(subcommand)]
    pub(crate) command: C,
}

/// Refuses `--at` if `--server` is a metering server. If nobody answers, the next request reports
/// it.
pub(crate) async fn must_be_a_managers(name: &str, context: &Context) -> Result<(), Failure> {
    let Ok(health) = context.client()?.health().await else {
        return Ok(());
    };
    match health.is_of(Listener::Server) {
        Some(true) => Err(Failure::usage(format!(
            "--at {} names a server of a manager, and what answers at {} is a metering server",
            tame(name),
            context.server()
        ))
        .next("Leave --at out, or name the manager with --server URL.")),
        _ => Ok(()),
    }
}
