//! `usher token`: who may do what.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Role, TokenCreated, TokenInfo, TokenRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, escaped, fetch, show};
use crate::output::{Table, line, print_json, time};

/// Make, list and revoke access tokens
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token; it is printed alone on stdout, this once
#[derive(Debug, Args)]
#[command(after_help = "\
Roles: client (seats for the one user it is bound to), agent (reports for one computer), viewer
(sees everything), operator (also ends leases, and asks for anyone), admin (everything).
A manager takes tokens of its own, of role viewer, operator or admin: --at-manager makes one.

Examples:
  usher token create --role client --user anna > anna.token
  usher token create --role viewer --name dashboard --expires 90d
  usher token create --role viewer --name nagios --at-manager > nagios.token")]
pub(crate) struct Create {
    /// What its bearer may do
    #[arg(long, value_name = "ROLE",
        value_parser = super::one_of::<Role>(&["client", "agent", "viewer", "operator", "admin"]))]
    role: Role,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// The user that it is bound to (role client)
    #[arg(long, value_name = "USER", required_if_eq("role", "client"))]
    user: Option<String>,
    /// The computer that it is bound to (role agent)
    #[arg(long, value_name = "COMPUTER", required_if_eq("role", "agent"))]
    computer: Option<String>,
    /// When it stops working: a time, a day, or how long from now (90d)
    #[arg(long, value_name = "TIME", value_parser = time::until)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    at: AtManager,
}

/// Whose tokens they are.
#[derive(Debug, Args)]
struct AtManager {
    /// Tokens of a manager instead of the server's
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true,
        default_missing_value = super::managed::MANAGER)]
    at_manager: Option<String>,
}

impl AtManager {
    fn client(&self, context: &Context) -> Result<Client, Failure> {
        match &self.at_manager {
            Some(url) => context.client_of(url, context.token()),
            None => context.client(),
        }
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
  usher token revoke t-3        the id is the one that `usher token list` shows")]
pub(crate) struct Revoke {
    /// Token id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    at: AtManager,
}

/// Does it.
pub(crate) fn run(args: Token, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match args {
            Token::Create(args) => {
                let request = TokenRequest {
                    role: args.role,
                    name: args.name,
                    user: args.user,
                    computer: args.computer,
                    expires_at: args.expires,
                };
                let client = args.at.client(context)?;
                let made: TokenCreated = client
                    .post_keyed("/v1/tokens", &host::request_key(), &request)
                    .await?;
                if context.json() {
                    return print_json(&made);
                }
                line(&made.token)?;
                eprintln_quiet(&format!(
                    "Token {} for role {}: keep it, it is not shown again.",
                    made.info.id,
                    made.info.role.as_str()
                ));
                Ok(())
            }
            Token::List(args) => {
                let client = args.at.client(context)?;
                let page = fetch(&client, &Query::new("/v1/tokens"), &args.extent).await?;
                show(context, &page, "There are no tokens.", table)
            }
            Token::Revoke(args) => {
                args.at
                    .client(context)?
                    .delete(&format!("/v1/tokens/{}", escaped(&args.id)))
                    .await?;
                eprintln_quiet(&format!("Token {} is revoked.", args.id));
                Ok(())
            }
        }
    })
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
            token
                .user
                .clone()
                .or_else(|| token.computer.clone())
                .unwrap_or_else(|| "-".to_owned()),
            time::local(token.created_at),
            state,
        ]);
    }
    table
}
