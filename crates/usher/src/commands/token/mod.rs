//! `usher token`: makes, lists and revokes access tokens.

mod at;
mod computer;
mod create;
mod file;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use usher_api::TokenInfo;
use usher_api::rights::Right;
use usher_core::people::TOKEN_REALM;

use self::at::AtManager;
use crate::context::Context;
use crate::failure::{Failure, Needed};
use crate::listing::{Extent, Query, eprintln_quiet, fetch, segment, show};
use crate::output::Table;
use crate::time;

/// Make, list and revoke access tokens
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    Create(create::Create),
    List(List),
    Revoke(Revoke),
}

impl Token {
    /// Whether it is about a manager's tokens, not a server's.
    pub(crate) fn is_at_manager(&self) -> bool {
        let at = match self {
            Token::Create(args) => &args.at,
            Token::List(args) => &args.at,
            Token::Revoke(args) => &args.at,
        };
        at.at_manager.is_some()
    }

    /// Which rights it needs at a server; a manager has roles of its own.
    pub(crate) fn needs(&self) -> Option<Needed> {
        let needs = Needed::of(&[Right::Administer], "make, see or revoke tokens");
        (!self.is_at_manager()).then_some(needs)
    }
}

/// List the tokens, without their secrets
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    at: AtManager,
}

/// Revoke a token: it stops working at once
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  usher token revoke Kc1b2d3d662d4     the id is the one that `usher token list` shows")]
pub(crate) struct Revoke {
    /// Token id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    at: AtManager,
}

pub(crate) fn run(args: Token, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match args {
            Token::Create(args) => create::run(args, context).await,
            Token::List(args) => {
                let client = args.at.client(context).await?;
                let page = fetch(&client, &Query::new("/v1/tokens"), &args.extent).await?;
                show(context, &page, "There are no tokens.", table)?;
                if args.at.url().is_some() && !context.json() {
                    eprintln_quiet(MANAGERS_OWN);
                }
                Ok(())
            }
            Token::Revoke(args) => revoke(&args, context).await,
        }
    })
}

/// The note on a manager's list: it lacks the manager's own token.
const MANAGERS_OWN: &str = "The manager's own token, of role admin, is not in this list: it is in \
                            admin.token in the manager's data directory, under `usher up` in the \
                            server's.";

async fn revoke(args: &Revoke, context: &Context) -> Result<(), Failure> {
    let client = args.at.client(context).await?;
    let file = context
        .admin_token_file()
        .filter(|_| args.at.url().is_none());
    let held = || usher_api::secret_in(file.as_deref()?).ok();
    let before = held();
    let path = format!("/v1/tokens/{}", segment(&args.id)?);
    client.delete(&path).await?;
    eprintln_quiet(&format!("Token {} is revoked.", args.id));
    // A server is never without a token that opens it.
    if let (Some(file), Some(before), Some(now)) = (&file, before, held())
        && before != now
    {
        eprintln_quiet(&format!(
            "It was the one in {}: the server has made another of role admin and written it there.",
            file.display()
        ));
    }
    Ok(())
}

fn bound_to(token: &TokenInfo) -> String {
    let user = token.user.as_ref().map(|user| match &token.realm {
        Some(realm) if realm != TOKEN_REALM => format!("{user} in {realm}"),
        _ => user.clone(),
    });
    let bound = user.or_else(|| token.computer.clone());
    bound.unwrap_or_else(|| "-".to_owned())
}

fn table(tokens: &[TokenInfo]) -> Table {
    let mut table = Table::new(&["TOKEN", "ROLE", "NAME", "BOUND TO", "MADE", "STATE"]);
    for token in tokens {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(at), _) => format!("revoked {}", time::local(at)),
            (None, Some(at)) if at <= Timestamp::now() => format!("expired {}", time::local(at)),
            (None, Some(at)) => format!("valid until {}", time::local(at)),
            (None, None) => "valid".to_owned(),
        };
        table.row([
            token.id.clone(),
            token.role.as_str().to_owned(),
            token.name.clone(),
            bound_to(token),
            time::local(token.created_at),
            state,
        ]);
    }
    table
}
