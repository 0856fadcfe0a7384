//! `usher token create`: makes a token and shows it once, on stdout or in a file.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Page, Role, TokenCreated, TokenInfo, TokenRequest};
use usher_core::people::TOKEN_REALM;

use super::at::AtManager;
use super::computer;
use super::file::{self, TokenFile};
use crate::commands::one_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, segment};
use crate::output::{line, print_json};
use crate::time;

/// Make a token; it is printed alone on stdout, or written to a file, this once
#[derive(Debug, Args)]
#[command(after_help = "\
Roles: client (seats for the one user it is bound to), agent (reports for one computer), backup
(takes backups, and nothing else), manager (sees everything, and changes what is owned on behalf of
who asks a manager), viewer (sees everything), operator (also ends leases, and asks for anyone),
admin (everything).
A manager takes tokens of its own, of role viewer, operator or admin: --at-manager makes one.

Examples:
  usher token create --role client --user anna --to anna.token
  usher token create --role client --user berta --realm corp.example --to berta.token
  usher token create --role viewer --name dashboard --expires 90d
  usher token create --role viewer --name nagios --at-manager --if-missing --to nagios.token
  usher token create --role agent --computer c-1f2e --rotate

Of two tokens with the same role, name and binding both are valid. --rotate makes a new one and then
revokes those before it; --if-missing makes one only if there is none, for its secret is not shown
again. The file of --to is for its owner alone to read (one that is there keeps its owner), written
whole or not at all, and kept by --if-missing while the server takes what it holds; a shell's `>`
empties a file before anybody knows whether a token will be made.")]
pub(crate) struct Create {
    /// What its bearer may do
    #[arg(long, value_name = "ROLE",
        value_parser = one_of::<Role>(
            &["client", "agent", "backup", "manager", "viewer", "operator", "admin"]))]
    role: Role,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// The user that it is bound to (role client)
    #[arg(long, value_name = "USER", required_if_eq("role", "client"))]
    user: Option<String>,
    /// The realm of that user, as agents know it: a directory such as corp.example, or computer:ID.
    /// With it the user is one person by this token and on computers with an agent
    /// [default: usher, whose people only tokens name]
    #[arg(long, value_name = "REALM", requires = "user")]
    realm: Option<String>,
    /// The computer that it is bound to (role agent)
    #[arg(long, value_name = "COMPUTER", required_if_eq("role", "agent"))]
    computer: Option<String>,
    /// When it stops working: a time, a day, or how long from now (90d)
    #[arg(long, value_name = "TIME", value_parser = time::ahead)]
    expires: Option<Timestamp>,
    /// Make none if there is a valid one with the same role, name and binding
    #[arg(long, conflicts_with = "rotate")]
    if_missing: bool,
    /// Revoke the valid ones with the same role, name and binding, once the new one is made
    #[arg(long)]
    rotate: bool,
    /// Write the token to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    pub(super) at: AtManager,
}

pub(super) async fn run(args: Create, context: &Context) -> Result<(), Failure> {
    let client = args.at.client(context).await?;
    let request = TokenRequest {
        role: args.role,
        name: args.name,
        user: args.user,
        realm: args.realm,
        computer: args.computer,
        expires_at: args.expires,
    };
    let is_nobodys =
        request.name.is_empty() && request.user.is_none() && request.computer.is_none();
    if is_nobodys && (args.rotate || args.if_missing) {
        return Err(Failure::usage(
            "--rotate and --if-missing go by the name and the binding, and neither is given",
        )
        .next("Give --name TEXT."));
    }
    let to = args.to.as_deref().map(TokenFile::new).transpose()?;
    if let Some(file) = to.as_ref().filter(|file| file.held().is_some())
        && !(args.rotate || args.if_missing)
    {
        let path = file.path().display();
        return Err(Failure::failed(format!("{path} is there already")).next(
            "--if-missing keeps it while its token is valid, --rotate replaces both; or name \
             another file.",
        ));
    }
    let there = match is_nobodys {
        true => Vec::new(),
        false => like(&client, &request).await?,
    };
    if args.if_missing {
        let held = to.as_ref().and_then(TokenFile::held).map(str::to_owned);
        let is_held_taken = match held {
            Some(token) => is_taken(&args.at.client_with(context, token)?).await?,
            None => false,
        };
        match (there.first(), &to) {
            (Some(one), Some(file)) => return kept(one, file, is_held_taken, context),
            (Some(one), None) => return none_made(one, context),
            (None, Some(file)) if is_held_taken => {
                return Err(Failure::failed(format!(
                    "{} holds a token that is valid and of another role, name or binding",
                    file.path().display()
                ))
                .next("Name another file with --to FILE; --rotate instead of --if-missing replaces what is there."));
            }
            (None, _) => {}
        }
    }
    let made: TokenCreated = client
        .post_keyed("/v1/tokens", &host::request_key(), &request)
        .await?;
    let (id, role) = (&made.info.id, made.info.role.as_str());
    match to {
        Some(file) => {
            let path = file.path().to_owned();
            if let Err(failure) = file.replace(&made.token) {
                // Nobody has it.
                let revoked = client.delete(&format!("/v1/tokens/{}", segment(id)?)).await;
                return Err(failure.next(match revoked {
                    Ok(_) => format!("Token {id} was made and is revoked again."),
                    Err(error) => format!(
                        "Token {id} was made and could not be revoked ({error}): \
                         `usher token revoke {id}`."
                    ),
                }));
            }
            if context.json() {
                print_json(&made.info)?;
            }
            eprintln_quiet(&format!(
                "Token {id} for role {role} is in {}.",
                path.display()
            ));
        }
        None => {
            match context.json() {
                true => print_json(&made)?,
                false => line(&made.token)?,
            }
            eprintln_quiet(&format!(
                "Token {id} for role {role}: keep it, it is not shown again.",
            ));
        }
    }
    if let Some(computer) = &request.computer
        && args.at.url().is_none()
    {
        computer::note(&client, computer).await;
    }
    // The new one is out first: who is cut off here has two that are valid, and never none.
    for before in &there {
        if args.rotate {
            client
                .delete(&format!("/v1/tokens/{}", segment(&before.id)?))
                .await?;
            eprintln_quiet(&format!("Token {} is revoked.", before.id));
        } else {
            eprintln_quiet(&format!(
                "Token {} with the same role, name and binding stays valid: --rotate revokes it, \
                 --if-missing makes no second one.",
                before.id
            ));
        }
    }
    Ok(())
}

/// `--if-missing` if there is a valid token, and no file is to hold it.
fn none_made(one: &TokenInfo, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(one);
    }
    let what = format!(
        "token {} is there already: none is made, and its secret is not shown again",
        one.id
    );
    if file::is_output_an_empty_file() {
        return Err(Failure::failed(format!(
            "{what}. The file that the output goes to is empty: a shell's `>` has emptied it"
        ))
        .next("--rotate makes another token and revokes this one; --to FILE instead of `> FILE` keeps a file that is there."));
    }
    eprintln_quiet(&format!(
        "{}{}. --rotate replaces it.",
        what[..1].to_uppercase(),
        &what[1..]
    ));
    Ok(())
}

/// `--if-missing` if there is a valid token, and a file is to hold it.
fn kept(
    one: &TokenInfo,
    file: &TokenFile,
    is_taken: bool,
    context: &Context,
) -> Result<(), Failure> {
    let path = file.path().display();
    if is_taken {
        eprintln_quiet(&format!(
            "Token {} is there already, and {path}, which holds a token that is accepted, is kept.",
            one.id
        ));
        return match context.json() {
            true => print_json(one),
            false => Ok(()),
        };
    }
    let why = match file.held() {
        Some(_) => format!("{path} holds another, which is not accepted"),
        None => format!("{path} does not hold it"),
    };
    Err(Failure::failed(format!(
        "token {} is there already, its secret is not shown again, and {why}",
        one.id
    ))
    .next("--rotate instead of --if-missing makes another token and revokes this one."))
}

/// Whether the server or manager accepts a token, whatever its role.
async fn is_taken(client: &Client) -> Result<bool, Failure> {
    match client.get::<Page<TokenInfo>>("/v1/tokens?limit=1").await {
        Ok(_) => Ok(true),
        Err(ClientError::Problem(problem)) if problem.is(Code::Forbidden) => Ok(true),
        Err(ClientError::Problem(problem)) if problem.is(Code::Unauthorized) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The valid tokens with the role, name and binding of a request.
async fn like(client: &Client, request: &TokenRequest) -> Result<Vec<TokenInfo>, Failure> {
    // All of them: a server keeps a bounded number.
    let all = fetch(client, &Query::new("/v1/tokens"), &Extent::ALL).await?;
    let now = Timestamp::now();
    fn realm(realm: Option<&str>) -> &str {
        realm.unwrap_or(TOKEN_REALM)
    }
    let is_like = |token: &TokenInfo| {
        (token.role, &token.name) == (request.role, &request.name)
            && (&token.user, &token.computer) == (&request.user, &request.computer)
            && realm(token.realm.as_deref()) == realm(request.realm.as_deref())
            && token.revoked_at.is_none()
            && token.expires_at.is_none_or(|at| at > now)
    };
    Ok(all.items.into_iter().filter(is_like).collect())
}
