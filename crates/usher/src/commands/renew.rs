//! `usher renew`: keeps a lease alive, for scripts.

use clap::Args;
use usher_api::Lease;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::segment;
use crate::mine::Through;
use crate::output::{line, print_json};
use crate::time;

/// Keep a lease for another ttl
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  usher renew \"$LEASE\"          the lease that `usher checkout` printed")]
pub(crate) struct Renew {
    /// Lease id
    #[arg(value_name = "LEASE")]
    lease: String,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Renew, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let path = format!("/v1/leases/{}/renew", segment(&args.lease)?);
        let asked = args.through.ask(context).await?;
        let lease: Lease = asked
            .of_lease(async |client| client.post_empty(&path).await)
            .await?;
        if context.json() {
            return print_json(&lease);
        }
        line(format!(
            "{} is held for another {}",
            lease.id,
            time::span(lease.ttl_seconds.into())
        ))
    })
}
