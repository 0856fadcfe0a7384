//! `usher entitlement remove`: removes an entitlement.

use clap::Args;
use usher_api::client::Client;

use super::named::{called, described, find, path, word};
use super::validity::here;
use super::{details, losses};
use crate::agreed;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;

/// Remove an entitlement; leases that are out stay until they end
///
/// Nothing brings it back: on a terminal it asks first. Elsewhere what has a name, a price or the
/// like is removed only with --yes. `edit --to today` ends it, and keeps what is known of it.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Its name, or its id
    #[arg(value_name = "NAME")]
    id: String,
    /// Remove it without asking
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: &Remove, client: &Client) -> Result<(), Failure> {
    let it = find(client, &args.id).await?;
    let called = called(&it);
    if !args.yes {
        let what = described(&it, &here());
        let used = (it.in_use > 0).then(|| losses::still_used(it.in_use));
        let waited = losses::waited_for(client, &it.product).await;
        let lost = used.into_iter().chain(waited);
        let lost: String = lost.map(|lost| format!("; {lost}")).collect();
        if agreed::can_be_asked() {
            eprintln_quiet(&format!("{called}: {what}{lost}"));
            if !agreed::asked("Remove it?")? {
                return Err(Failure::failed("nothing was removed"));
            }
        } else if it.name.is_some() || !details::said(&it).is_empty() {
            return Err(Failure::usage(format!(
                "nothing was removed: it asks before it removes {called} ({what}{lost}), and \
                 there is no terminal to ask on"
            ))
            .next(format!(
                "--yes removes it without asking; `usher entitlement edit {} --to today` ends it \
                 with this day, and keeps what is known of it.",
                word(&it)
            )));
        }
    }
    client.delete(&path(&it)?).await?;
    eprintln_quiet(&format!("Entitlement {called} is removed."));
    Ok(())
}
