//! `usher product`: what may run, and the rules that recognise it.

mod danger;
mod rehearsal;

use clap::{Args, Subcommand};
use usher_api::client::Client;
use usher_api::{
    CLAIM_LIMIT_SECONDS, Counting, Entitlement, EntitlementRequest, GRACE_LIMITS_SECONDS,
    IDLE_LIMITS_SECONDS, IMPOSSIBLE_LIMIT_SECONDS, Metric, Mode, OnIdle, OnLostLease,
    OnUnreachable, Product as Wire, ProductView,
};
use usher_core::identify::Rule;

use super::learn::Learn;
use super::one_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, segment, show};
use crate::output::{Table, counted, line, print_json, tame, time};
use crate::run::door::ToldAgent;

/// Products and the program rules that recognise them
#[derive(Debug, Subcommand)]
pub(crate) enum Product {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    Learn(Learn),
}

/// Add a product
#[derive(Debug, Args)]
#[command(after_help = "\
A RULE is name=GLOB (file name), path=GLOB (whole path), package=NAME, sha256=HEX,
original-name=NAME or publisher=NAME, each with an optional ,version=RANGE. Without a key it is a
path where it contains a /, else a file name. ,role=helper marks programs that are recorded but
neither take nor keep a seat.

Examples:
  usher product add gimp --name GIMP --program gimp-2.10 --seats 10
  usher product add cad --program 'path=/opt/cad/bin/*' --program 'name=cad-helper,role=helper'
  usher product learn cad -- /opt/cad/start     finds the rules for you")]
pub(crate) struct Add {
    /// Product id: short, without spaces and /
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    traits: Traits,
    /// Add a concurrent entitlement of so many seats at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    seats: Option<u32>,
    #[command(flatten)]
    enforcing: Enforcing,
    #[command(flatten)]
    told: ToldAgent,
}

/// How a product goes to mode enforce.
#[derive(Debug, Default, Args)]
struct Enforcing {
    /// Enforce also where the rules hit what a computer needs
    #[arg(long)]
    force: bool,
    /// Only say whom it would have refused in the last 30 days, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What can be said of a product.
#[derive(Debug, Default, Clone, Args, PartialEq)]
pub(crate) struct Traits {
    /// Title and edition, for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Who publishes it
    #[arg(long, value_name = "TEXT")]
    publisher: Option<String>,
    /// A program rule; repeat it for more
    #[arg(long, value_name = "RULE", value_parser = rule)]
    program: Vec<String>,
    /// What agents do with programs that nobody wrapped [default: track]
    #[arg(long, value_name = "MODE", value_parser = one_of::<Mode>(&["track", "enforce"]))]
    mode: Option<Mode>,
    /// What counts as one use on a computer [default: user-on-computer]
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<Counting>(&["user-on-computer", "process", "user"]))]
    counting: Option<Counting>,
    /// How many may wait at once [default: 1000]
    #[arg(long, value_name = "N")]
    queue_limit: Option<u32>,
    /// How long who waits for more seats than there are keeps their place [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = impossible)]
    impossible_seconds: Option<u32>,
    /// The longest ttl that a checkout may ask for [default: 1d]
    #[arg(long, value_name = "DURATION", value_parser = crate::commands::checkout::ttl)]
    max_ttl: Option<u32>,
    /// What an agent does with a start when no server answers [default: run]
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<OnUnreachable>(&["run", "refuse"]))]
    on_unreachable: Option<OnUnreachable>,
    /// What happens to a running program whose lease is lost [default: run]
    #[arg(long, value_name = "WHAT", value_parser = one_of::<OnLostLease>(&["run", "end"]))]
    on_lost_lease: Option<OnLostLease>,
    /// How long a seat that came free for who waited is kept for their next start [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = claim)]
    claim_seconds: Option<u32>,
    /// How long nobody may touch a program before its user is asked; 0 is for ever [default: 0]
    #[arg(long, value_name = "DURATION", value_parser = idle)]
    idle_seconds: Option<u32>,
    /// What happens then, when the grace is over [default: nothing]
    #[arg(long, value_name = "WHAT",
        value_parser = super::one_of::<OnIdle>(&["nothing", "warn", "release", "end"]))]
    on_idle: Option<OnIdle>,
    /// How long a program has after its user was asked [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    grace_seconds: Option<u32>,
    /// Whether who is refused is told by name who holds the seats, rather than only how many do and
    /// since when [default: no]
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    show_holders: Option<bool>,
}

/// List the products
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    extent: Extent,
}

/// Show one product whole, with what is owned of it
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Product id
    #[arg(value_name = "ID")]
    id: String,
}

/// Change a product; what is not named stays as it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher product edit gimp --name 'GIMP 3'
  usher product edit gimp --add-program name=gimp-3.0
  usher product edit gimp --mode enforce --dry-run   says whom that would have refused
  usher product edit gimp --dry-run --seats 10       the same with 10 seats
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
        value_parser = clap::value_parser!(u32).range(0..=1_000_000_000))]
    seats: Option<u32>,
    #[command(flatten)]
    enforcing: Enforcing,
    #[command(flatten)]
    told: ToldAgent,
}

/// Remove a product; leases that are out end by themselves
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Product id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    told: ToldAgent,
}

/// A rule as it was written, once it is known that it can be read.
fn rule(text: &str) -> Result<String, String> {
    Rule::parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn claim(text: &str) -> Result<u32, String> {
    within(text, (1, CLAIM_LIMIT_SECONDS))
}

fn impossible(text: &str) -> Result<u32, String> {
    within(text, (1, IMPOSSIBLE_LIMIT_SECONDS))
}

fn grace(text: &str) -> Result<u32, String> {
    within(text, GRACE_LIMITS_SECONDS)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

fn idle(text: &str) -> Result<u32, String> {
    match time::duration(text)?.as_secs() {
        0 => Ok(0),
        _ => within(text, IDLE_LIMITS_SECONDS),
    }
}

fn within(text: &str, (least, most): (u32, u32)) -> Result<u32, String> {
    let seconds = u32::try_from(time::duration(text)?.as_secs()).unwrap_or(u32::MAX);
    match (least..=most).contains(&seconds) {
        true => Ok(seconds),
        false => Err(format!(
            "give {} to {}",
            time::span(least.into()),
            time::span(most.into())
        )),
    }
}

impl Traits {
    fn apply(self, product: &mut Wire) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut product.name, self.name);
        set(&mut product.publisher, self.publisher);
        set(&mut product.mode, self.mode);
        set(&mut product.counting, self.counting);
        set(&mut product.queue_limit, self.queue_limit);
        set(&mut product.impossible_seconds, self.impossible_seconds);
        set(&mut product.max_ttl_seconds, self.max_ttl);
        set(&mut product.on_unreachable, self.on_unreachable);
        set(&mut product.on_lost_lease, self.on_lost_lease);
        set(&mut product.claim_seconds, self.claim_seconds);
        set(&mut product.idle_seconds, self.idle_seconds);
        set(&mut product.on_idle, self.on_idle);
        set(&mut product.grace_seconds, self.grace_seconds);
        set(&mut product.show_holders, self.show_holders);
        if !self.program.is_empty() {
            product.programs = self.program;
        }
    }
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

impl Add {
    /// Adds a product of these programs, with the defaults for the rest.
    pub(crate) fn of_programs(id: String, programs: Vec<String>, seats: Option<u32>) -> Self {
        let traits = Traits {
            program: programs,
            ..Traits::default()
        };
        Add {
            id,
            traits,
            seats,
            enforcing: Enforcing::default(),
            told: ToldAgent::default(),
        }
    }
}

/// Does it.
pub(crate) fn run(args: Product, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = context.client()?;
        match args {
            Product::Add(args) => add(args, context, &client, false).await,
            Product::List(args) => {
                let page = fetch(&client, &Query::new("/v1/products"), &args.extent).await?;
                let empty =
                    "No products yet: `usher product add ID --program RULE --seats N` adds one.";
                show(context, &page, empty, table)
            }
            Product::Show(args) => show_one(&args.id, context, &client).await,
            Product::Edit(args) => edit(args, context, &client).await,
            Product::Remove(args) => {
                client.delete(&path(&args.id)?).await?;
                args.told.products_changed(context).await;
                eprintln_quiet(&format!("Product {} is removed.", args.id));
                Ok(())
            }
            // It needs no server, and is dealt with before one is looked for.
            Product::Learn(_) => Ok(()),
        }
    })
}

fn path(id: &str) -> Result<String, Failure> {
    Ok(format!("/v1/products/{}", segment(id)?))
}

/// A product of that id, as it is where nothing else is said.
fn plain(id: &str) -> Result<Wire, Failure> {
    serde_json::from_value(serde_json::json!({ "id": id }))
        .map_err(|error| Failure::failed(format!("cannot make a product of {id}: {error}")))
}

/// Adds a product, and its seats; `quiet` says so on stderr only.
pub(crate) async fn add(
    args: Add,
    context: &Context,
    client: &Client,
    quiet: bool,
) -> Result<(), Failure> {
    let mut product = plain(&args.id)?;
    args.traits.apply(&mut product);
    let Enforcing { force, dry_run } = args.enforcing;
    danger::check(None, &product, force)?;
    if dry_run || product.mode == Mode::Enforce {
        let seats = rehearsal::Seats {
            owned: args.seats.unwrap_or(0).into(),
            tried: None,
        };
        rehearsal::tell(client, &product, seats, dry_run, context).await?;
    }
    if dry_run {
        return Ok(());
    }
    product.force = force && product.mode == Mode::Enforce;
    let mut view: ProductView = client
        .post_keyed("/v1/products", &host::request_key(), &product)
        .await?;
    if let Some(seats) = args.seats {
        let request = EntitlementRequest {
            product: args.id.clone(),
            metric: Metric::Concurrent,
            seats,
            overdraft: 0,
            from: None,
            to: None,
            time_zone: None,
        };
        let made = client
            .post_keyed::<_, Entitlement>("/v1/entitlements", &host::request_key(), &request)
            .await;
        if let Err(error) = made {
            return Err(Failure::from(error)
                .next(format!("The product is added, its seats are not: `usher entitlement add {} --seats {seats}` adds them.", args.id)));
        }
        view.seats = seats.into();
    }
    args.told.products_changed(context).await;
    if context.json() && !quiet {
        return print_json(&view);
    }
    let said = format!("Product {} is added, with {}.", args.id, seats(view.seats));
    if quiet {
        eprintln_quiet(&said);
        return Ok(());
    }
    line(said)
}

fn seats(seats: u64) -> String {
    match seats {
        0 => "no seats yet".to_owned(),
        some => counted(some, "seat"),
    }
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

async fn show_one(id: &str, context: &Context, client: &Client) -> Result<(), Failure> {
    let view: ProductView = client.get(&path(id)?).await?;
    if context.json() {
        return print_json(&view);
    }
    line(describe(&view))
}

fn describe(view: &ProductView) -> String {
    let product = &view.product;
    let word = |value: serde_json::Result<serde_json::Value>| {
        value
            .ok()
            .and_then(|value| value.as_str().map(|word| word.replace('_', "-")))
            .unwrap_or_default()
    };
    let mut rows = vec![
        ("id", product.id.clone()),
        ("name", product.name.clone()),
        ("publisher", product.publisher.clone()),
        ("mode", word(serde_json::to_value(product.mode))),
        (
            "enabled",
            if product.enabled { "yes" } else { "no" }.to_owned(),
        ),
        ("seats", format!("{} of {} in use", view.in_use, view.seats)),
        ("counting", word(serde_json::to_value(product.counting))),
        ("queue limit", product.queue_limit.to_string()),
        (
            "impossible after",
            time::span(product.impossible_seconds.into()),
        ),
        ("longest ttl", time::span(product.max_ttl_seconds.into())),
        (
            "on unreachable",
            word(serde_json::to_value(product.on_unreachable)),
        ),
        (
            "on lost lease",
            word(serde_json::to_value(product.on_lost_lease)),
        ),
        ("claim within", time::span(product.claim_seconds.into())),
        (
            "idle after",
            match product.idle_seconds {
                0 => String::new(),
                seconds => time::span(seconds.into()),
            },
        ),
        ("on idle", word(serde_json::to_value(product.on_idle))),
        ("grace", time::span(product.grace_seconds.into())),
        (
            "holders shown",
            if product.show_holders { "yes" } else { "" }.to_owned(),
        ),
        ("added", time::local(view.created_at)),
    ];
    rows.extend(
        product
            .programs
            .iter()
            .map(|rule| ("program", rule.clone())),
    );
    rows.retain(|(_, value)| !value.is_empty());
    let lines: Vec<String> = rows
        .iter()
        .map(|(title, value)| format!("{title:<18}{}", tame(value)))
        .collect();
    lines.join("\n")
}

fn table(products: &[ProductView]) -> Table {
    let mut table = Table::new(&["PRODUCT", ">SEATS", ">IN USE", "MODE", "NAME", "PROGRAMS"]);
    for view in products {
        let mode = match view.product.mode {
            _ if !view.product.enabled => "disabled",
            Mode::Track => "track",
            Mode::Enforce => "enforce",
        };
        let mut programs: Vec<String> = view.product.programs.iter().take(3).cloned().collect();
        if view.product.programs.len() > 3 {
            programs.push(format!("and {} more", view.product.programs.len() - 3));
        }
        table.row([
            view.product.id.clone(),
            view.seats.to_string(),
            view.in_use.to_string(),
            mode.to_owned(),
            view.product.name.clone(),
            programs.join(" "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> ProductView {
        let mut product = plain("gimp").unwrap();
        let traits = Traits {
            name: Some("GIMP".into()),
            program: vec![
                "gimp-2.10".into(),
                "script-fu,role=helper".into(),
                "c".into(),
                "d".into(),
            ],
            ..Traits::default()
        };
        traits.apply(&mut product);
        ProductView {
            product,
            seats: 10,
            in_use: 2,
            created_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn products_are_listed_with_the_first_of_their_rules() {
        insta::assert_snapshot!(table(&[view()]).text(), @r"
        PRODUCT  SEATS  IN USE  MODE   NAME  PROGRAMS
        gimp        10       2  track  GIMP  gimp-2.10 script-fu,role=helper c and 1 more
        ");
    }

    #[test]
    fn how_long_something_may_take_has_bounds_that_are_told() {
        assert_eq!((claim("1"), claim("1d")), (Ok(1), Ok(86_400)));
        assert_eq!((idle("0"), idle("30m")), (Ok(0), Ok(1_800)));
        assert_eq!(grace("10s"), Ok(10));
        for wrong in [
            claim("0"),
            claim("2d"),
            idle("9"),
            idle("8d"),
            grace("9"),
            grace("2d"),
        ] {
            let why = wrong.unwrap_err();
            assert!(why.starts_with("give "), "{why}");
        }
    }

    #[test]
    fn what_an_edit_does_not_name_stays_as_it_is() {
        let mut product = view().product;
        let before = product.clone();
        Traits {
            publisher: Some("GNOME".into()),
            ..Traits::default()
        }
        .apply(&mut product);
        assert_eq!(
            product,
            Wire {
                publisher: "GNOME".into(),
                ..before
            }
        );
    }
}
