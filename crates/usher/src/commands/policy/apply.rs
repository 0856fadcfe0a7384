//! `usher policy apply`: makes a server as files say.
//!
//! Everything is checked first: the files, what differs, what stands in its way. Then each change is
//! one request, in an order in which nobody loses a seat in between. Before each, what it changes is
//! looked at once more: what has become otherwise since the difference was shown is left alone.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use usher_api::client::Client;
use usher_api::{Code, Entitlement, Mode, ProductView};
use usher_core::ledger::Wall;
use usher_core::policy::{Change, Policy};

use super::convert;
use super::files::{self, Unread};
use super::held::Held;
use super::losses;
use super::plan::Plan;
use super::shown;
use crate::agreed;
use crate::commands::product::{danger, rehearsal};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::host;
use crate::listing::{eprintln_quiet, segment};
use crate::output::{counted, line, print_json};
use crate::run::door::ToldAgent;
use crate::sending::{removed, sent};

/// Make the server as files say, after showing what would change
#[derive(Debug, Args)]
#[command(after_help = "\
What only the server has stays, unless --prune is given. All of it is checked before anything is
written; then each change is one request, and the first that is refused ends it: what was made and
what was not is said, and a second apply goes on from there.

Examples:
  usher policy apply policy.toml                  shows what would change, and asks
  usher policy apply policy/ --yes --prune        in a script: all as the files say
  usher policy export | usher policy apply - --yes")]
pub(crate) struct Apply {
    /// Files, or folders with files *.toml; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Make the changes without asking
    #[arg(long)]
    yes: bool,
    /// Remove products and entitlements that only the server has
    #[arg(long)]
    prune: bool,
    /// Enforce even if rules hit what a computer needs
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    told: ToldAgent,
}

pub(super) async fn run(args: &Apply, context: &Context) -> Result<(), Failure> {
    let read = files::policy(&args.files).map_err(Unread::failure)?;
    let client = context.client()?;
    let held = Held::of(&client).await?;
    let plan = Plan::of(&held, &read, args.prune, Timestamp::now());
    if let Some(refusal) = plan.refusal("this cannot be applied, and nothing was changed") {
        return Err(refusal);
    }
    for (before, product) in enforced(&plan, &held)? {
        danger::check(before, &product, args.force)?;
    }
    if !context.json() {
        let losses = losses::of(&client, &held, &plan).await;
        shown::plan(&plan, &losses)?;
    }
    let changes = &plan.difference.changes;
    if changes.is_empty() {
        return match context.json() {
            true => print_json(&Report::default()),
            false => Ok(()),
        };
    }
    tell_whom_it_would_refuse(&plan, &held, &client, context).await?;
    if !args.yes && !agreed(changes.len(), files::is_stdin(&args.files))? {
        return Err(Failure::failed("nothing was changed"));
    }
    if Held::of(&client).await?.policy != held.policy {
        return Err(changed_since("the server"));
    }
    let mut made = 0;
    let mut stopped = None;
    for change in changes {
        if let Err(failure) = make(&client, &held, change, args.force).await {
            stopped = Some(failure);
            break;
        }
        made += 1;
    }
    if changes.iter().take(made).any(is_of_product) {
        args.told.products_changed(context).await;
    }
    told(changes, made, stopped, context)
}

/// A product of the API as it is and as it is to be.
type Enforced<'a> = (Option<&'a usher_api::Product>, usher_api::Product);

/// The products that change and are to be enforced.
fn enforced<'a>(plan: &Plan, held: &'a Held) -> Result<Vec<Enforced<'a>>, Failure> {
    let mut found = Vec::new();
    for change in &plan.difference.changes {
        let (Change::AddProduct { id, product } | Change::ChangeProduct { id, product, .. }) =
            change
        else {
            continue;
        };
        if product.text("mode") == "enforce" {
            found.push((held.product(id), convert::wire_product(id, product)?));
        }
    }
    Ok(found)
}

/// Of products that are enforced from now on, whom the seats would have refused lately.
async fn tell_whom_it_would_refuse(
    plan: &Plan,
    held: &Held,
    client: &Client,
    context: &Context,
) -> Result<(), Failure> {
    let result = plan.result(held);
    for (before, product) in enforced(plan, held)? {
        if before.is_some_and(|before| before.mode == Mode::Enforce) {
            continue;
        }
        let seats = rehearsal::Seats {
            owned: seats_now(&result, &product.id),
            tried: None,
            since: None,
        };
        rehearsal::tell(client, &product, seats, false, context).await?;
    }
    Ok(())
}

/// Seats of a product that a policy lets be in use now.
fn seats_now(policy: &Policy, product: &str) -> u64 {
    let now = Wall(Timestamp::now().as_millisecond());
    let valid = policy.entitlements.values().filter(|terms| {
        let has_begun = terms.from.as_ref().is_none_or(|from| from.begins() <= now);
        let is_over = terms.to.as_ref().is_some_and(|to| to.ends() <= now);
        terms.product == product && has_begun && !is_over
    });
    valid.map(|terms| terms.usable()).sum()
}

/// Whether the changes are meant.
fn agreed(count: usize, stdin_is_read: bool) -> Result<bool, Failure> {
    if stdin_is_read || !agreed::can_be_asked() {
        let why = match stdin_is_read {
            true => {
                "the policy is read from standard input, so that no question can be answered \
                     there"
            }
            false => "it asks before it changes anything, and there is no terminal to ask on",
        };
        return Err(Failure::usage(format!("nothing was changed: {why}"))
            .next("--yes makes the changes without asking."));
    }
    agreed::asked(&match count {
        1 => "Make this change?".to_owned(),
        many => format!("Make these {many} changes?"),
    })
}

fn changed_since(what: &str) -> Failure {
    Failure::failed(format!(
        "{what} is no longer as it was when the difference was made: somebody else has changed it"
    ))
    .next("Apply again: the difference is then that from how it is now.")
}

fn is_of_product(change: &Change) -> bool {
    matches!(
        change,
        Change::AddProduct { .. } | Change::ChangeProduct { .. } | Change::RemoveProduct { .. }
    )
}

/// Makes one change.
async fn make(client: &Client, held: &Held, change: &Change, force: bool) -> Result<(), Failure> {
    let is_forced = |product: &usher_api::Product| force && product.mode == Mode::Enforce;
    match change {
        Change::AddProduct { id, product } => {
            let mut product = convert::wire_product(id, product)?;
            product.force = is_forced(&product);
            let key = host::request_key();
            let post = || client.post_keyed::<_, ProductView>("/v1/products", &key, &product);
            sent(post).await.map(drop)?;
        }
        Change::ChangeProduct { id, product, .. } => {
            let path = same_product(client, held, id).await?;
            let mut product = convert::wire_product(id, product)?;
            product.force = is_forced(&product);
            sent(|| client.put::<_, ProductView>(&path, &product))
                .await
                .map(drop)?;
        }
        Change::RemoveProduct { id, .. } => {
            let path = same_product(client, held, id).await?;
            removed(client, &path, Code::UnknownProduct).await?;
        }
        Change::AddEntitlement { name, terms } => {
            let request = convert::new_request(name, terms);
            let key = host::request_key();
            let post = || client.post_keyed::<_, Entitlement>("/v1/entitlements", &key, &request);
            sent(post).await.map(drop)?;
        }
        Change::ChangeEntitlement {
            name,
            was,
            fields,
            terms,
        } => {
            let path = same_entitlement(client, held, was.as_ref().unwrap_or(name)).await?;
            let new_name = was.as_ref().map(|_| name.as_str());
            let request = convert::changed_request(new_name, terms, fields);
            sent(|| client.put::<_, Entitlement>(&path, &request))
                .await
                .map(drop)?;
        }
        Change::RemoveEntitlement { name, .. } => {
            let path = same_entitlement(client, held, name).await?;
            removed(client, &path, Code::UnknownEntitlement).await?;
        }
    }
    Ok(())
}

/// The path of a product that is as it was when the difference was made.
async fn same_product(client: &Client, held: &Held, id: &str) -> Result<String, Failure> {
    let path = format!("/v1/products/{}", segment(id)?);
    let now: ProductView = client.get(&path).await?;
    match held.policy.products.get(id) == Some(&convert::product(&now.product)) {
        true => Ok(path),
        false => Err(changed_since(&format!("product {id}"))),
    }
}

/// The same of an entitlement.
async fn same_entitlement(client: &Client, held: &Held, name: &str) -> Result<String, Failure> {
    let path = format!("/v1/entitlements/{}", segment(held.id_of(name))?);
    let now: Entitlement = client.get(&path).await?;
    let is_same = convert::name(&now) == name
        && held.policy.entitlements.get(name) == Some(&convert::terms(&now)?);
    match is_same {
        true => Ok(path),
        false => Err(changed_since(&format!("entitlement {name}"))),
    }
}

#[derive(Debug, Default, Serialize)]
struct Report {
    /// What was made, in order.
    made: Vec<serde_json::Value>,
    /// The change that failed.
    failed: Option<serde_json::Value>,
    why: Option<String>,
    /// What was not tried after that.
    not_tried: Vec<serde_json::Value>,
}

/// Says what was made, and what was not.
fn told(
    changes: &[Change],
    made: usize,
    stopped: Option<Failure>,
    context: &Context,
) -> Result<(), Failure> {
    let failed = changes.get(made);
    let not_tried = changes.get(made + 1..).unwrap_or_default();
    if context.json() {
        print_json(&Report {
            made: changes.iter().take(made).map(shown::json).collect(),
            failed: failed.map(shown::json),
            why: stopped.as_ref().map(Failure::reason),
            not_tried: not_tried.iter().map(shown::json).collect(),
        })?;
    }
    let (Some(failure), Some(failed)) = (stopped, failed) else {
        return match context.json() {
            true => Ok(()),
            false => line(format!("{} made.", were(made))),
        };
    };
    if !context.json() {
        tell_each("made", changes.get(..made).unwrap_or_default());
        if !not_tried.is_empty() {
            tell_each("not tried", not_tried);
        }
    }
    let code = match failure.code() {
        exit::DONE => exit::FAILED,
        code => code,
    };
    let why = failure.reason();
    Err(Failure::new(
        code,
        format!("this was not made: {}: {why}", shown::sentence(failed)),
    )
    .next("`usher policy diff` shows what is left; a second apply goes on from there."))
}

/// Says which changes were made, or not tried.
fn tell_each(what: &str, changes: &[Change]) {
    let end = if changes.is_empty() { '.' } else { ':' };
    eprintln_quiet(&format!("{} {what}{end}", were(changes.len())));
    for change in changes {
        eprintln_quiet(&format!("  {}", shown::sentence(change)));
    }
}

/// `No change is`, `1 change is`, `3 changes are`.
fn were(count: usize) -> String {
    match count {
        0 => "No change is".to_owned(),
        1 => "1 change is".to_owned(),
        many => format!("{} are", counted(many as u64, "change")),
    }
}
