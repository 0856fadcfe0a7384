//! `usher product`: the metered products, and the rules that recognise their programs.

mod add;
pub(crate) mod danger;
#[cfg(target_os = "linux")]
#[path = "installed/linux.rs"]
mod installed;
#[cfg(windows)]
#[path = "installed/windows.rs"]
mod installed;
#[cfg(target_os = "linux")]
pub(crate) mod learn;
pub(crate) mod rehearsal;
mod remove;
mod shown;
mod traits;

#[cfg(windows)]
pub(crate) use super::windows::learn;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::rights::Right;
use usher_api::{Mode, Product as Wire, ProductView};

use self::add::Add;
use self::learn::Learn;
use self::traits::{Traits, rule};
use crate::commands::entitlement::seats_owned;
use crate::context::Context;
use crate::failure::{Failure, Needed};
use crate::listing::{Extent, Form, eprintln_quiet, segment};
use crate::mine::Through;
use crate::output::print_json;
use crate::run::door::ToldAgent;
use crate::time;

/// Products and the program rules that recognise them
#[derive(Debug, Subcommand)]
pub(crate) enum Product {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(remove::Remove),
    Learn(Learn),
}

impl Product {
    /// Which rights it needs at a server; `None` if everybody may do it.
    pub(crate) fn needs(&self) -> Option<Needed> {
        const REHEARSE: Needed = Needed::of(&[Right::SeeCounts], "see how many seats were wanted");
        const CHANGE: Needed = Needed::of(&[Right::ChangePolicy], "change products");
        match self {
            Product::Add(args) if args.is_dry_run() => Some(REHEARSE),
            Product::Edit(args) if args.enforcing.dry_run => Some(REHEARSE),
            Product::Add(_) | Product::Edit(_) | Product::Remove(_) => Some(CHANGE),
            Product::Learn(_) | Product::List(_) | Product::Show(_) => None,
        }
    }
}

/// Options for setting a product to mode `enforce`.
#[derive(Debug, Default, Args)]
struct Enforcing {
    /// Enforce even if the rules hit what a computer needs
    #[arg(long)]
    force: bool,
    /// Only say whom it would have refused in the last 30 days, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// List the products
#[derive(Debug, Args)]
#[command(after_help = "\
Without a token, on a computer with an agent, it shows the seats of each, how many are in use and
how many requests wait.")]
pub(crate) struct List {
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    through: Through,
}

/// Show one product whole, with what is owned of it
///
/// Without a token, on a computer with an agent, it shows how many seats are in use, and how many
/// requests wait.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Product id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    through: Through,
}

/// Change a product; what is not named stays as it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher product edit gimp --name 'GIMP 3'
  usher product edit gimp --add-program name=gimp-3.0
  usher product edit gimp --mode enforce --dry-run   says whom that would have refused
  usher product edit gimp --dry-run --seats 10       the same with 10 seats
  usher product edit gimp --dry-run --since 2026-01-01   of another time than the last 30 days
  usher product edit gimp --disable          hands out no seats until --enable")]
pub(crate) struct Edit {
    /// Product id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    traits: Traits,
    /// Add a program rule to those that are there
    #[arg(long, value_name = "RULE", conflicts_with = "program", value_parser = rule)]
    add_program: Vec<String>,
    /// Take a program rule away
    #[arg(long, value_name = "RULE", conflicts_with = "program")]
    remove_program: Vec<String>,
    /// Hand out seats again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Hand out no seats
    #[arg(long)]
    disable: bool,
    /// With --dry-run: try so many seats instead of those that are owned
    #[arg(long, value_name = "N", requires = "dry_run",
        value_parser = seats_owned())]
    seats: Option<u32>,
    /// With --dry-run: look back to then instead of for 30 days
    #[arg(long, value_name = "TIME", requires = "dry_run", value_parser = time::since)]
    since: Option<Timestamp>,
    #[command(flatten)]
    enforcing: Enforcing,
    #[command(flatten)]
    told: ToldAgent,
}

impl Edit {
    fn says_nothing(&self) -> bool {
        let programs = [&self.add_program, &self.remove_program];
        self.traits == Traits::default()
            && programs.iter().all(|rules| rules.is_empty())
            && !self.enable
            && !self.disable
            && !self.enforcing.dry_run
    }
}

pub(crate) fn run(args: Product, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match &args {
            Product::List(args) => return shown::list(args, context).await,
            Product::Show(args) => return shown::one(args, context).await,
            _ => {}
        }
        let client = context.client()?;
        match args {
            Product::Add(args) => add::run(args, context, &client, false).await,
            // Dealt with above, with another client.
            Product::List(_) | Product::Show(_) => Ok(()),
            Product::Edit(args) => edit(args, context, &client).await,
            Product::Remove(args) => remove::run(&args, context, &client).await,
            // It needs no server, and is dealt with before one is looked for.
            Product::Learn(_) => Ok(()),
        }
    })
}

fn path(id: &str) -> Result<String, Failure> {
    Ok(format!("/v1/products/{}", segment(id)?))
}

/// A product of that id with all defaults.
fn plain(id: &str) -> Result<Wire, Failure> {
    serde_json::from_value(serde_json::json!({ "id": id }))
        .map_err(|error| Failure::failed(format!("cannot make a product of {id}: {error}")))
}

async fn edit(args: Edit, context: &Context, client: &Client) -> Result<(), Failure> {
    if args.says_nothing() {
        return Err(
            Failure::usage(format!("it is not said what to change of {}", args.id))
                .next("`usher product edit --help` lists what can be changed."),
        );
    }
    let view: ProductView = client.get(&path(&args.id)?).await?;
    let before = view.product;
    let mut product = before.clone();
    args.traits.apply(&mut product);
    for rule in &args.remove_program {
        let before = product.programs.len();
        product.programs.retain(|have| have != rule);
        if product.programs.len() == before {
            return Err(
                Failure::usage(format!("{} has no program rule {rule}", args.id))
                    .next(format!("`usher product show {}` shows its rules.", args.id)),
            );
        }
    }
    product.programs.extend(args.add_program);
    if args.enable || args.disable {
        product.enabled = args.enable;
    }
    let Enforcing { force, dry_run } = args.enforcing;
    danger::check(Some(&before), &product, force)?;
    if dry_run || product.mode == Mode::Enforce && before.mode != Mode::Enforce {
        let seats = rehearsal::Seats {
            owned: view.seats,
            tried: args.seats.map(u64::from),
            since: args.since,
        };
        rehearsal::tell(client, &product, seats, dry_run, context).await?;
    }
    if dry_run {
        return Ok(());
    }
    product.force = force && product.mode == Mode::Enforce;
    let view: ProductView = client.put(&path(&args.id)?, &product).await?;
    args.told.products_changed(context).await;
    if context.json() {
        return print_json(&view);
    }
    eprintln_quiet(&format!("Product {} is changed.", args.id));
    Ok(())
}
