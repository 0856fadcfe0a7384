//! `usher checkin`: gives a lease back, for scripts.

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{eprintln_quiet, segment};
use crate::mine::Through;
use crate::output::tame;

/// Give a lease back; giving it back twice is no error
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  LEASE=$(usher checkout gimp)
  trap 'usher checkin \"$LEASE\"' EXIT")]
pub(crate) struct Checkin {
    /// Lease id
    #[arg(value_name = "LEASE")]
    lease: String,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Checkin, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let path = format!("/v1/leases/{}", segment(&args.lease)?);
        let asked = args.through.ask(context).await?;
        asked
            .of_lease(async |client| client.delete(&path).await)
            .await?;
        // Standard output is for what scripts read: there is nothing.
        if !context.json() {
            eprintln_quiet(&format!("{} is given back.", tame(&args.lease)));
        }
        Ok(())
    })
}
