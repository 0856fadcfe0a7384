//! `usher messages rules`: the rules that say what happens to messages.

mod given;
mod shown;

use std::mem::discriminant;

use clap::{ArgGroup, Args, Subcommand};
use serde::{Deserialize, Serialize};
use usher_api::{Delivery, Page};
use usher_core::messages::{Action, Criteria, Rule};

use self::given::{Does, When};
use self::shown::{show, waiting};
use super::managed::ManagerAt;
use super::servers;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json, tame};

const PATH: &str = "/v1/message-rules";

/// Show the rules that say what becomes of messages, or change them
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  usher messages rules
  usher messages rules add low-seats --id 9431 --mail licences@example.org
  usher messages rules add trouble --severity warning --mail ops@example.org --webhook chat
  usher messages rules test low-seats          sends a test message now, and says how that went
  usher messages rules edit trouble --severity error
  usher messages rules remove trouble

A message goes through the rules from the first on. What is given of a rule must hold; the same
thing is done once, and the higher rule wins. A new rule comes before the others, which stay as they
are; trouble that is open then is told by it at once. By which relay mails go is said to the manager
(`usher manager --smtp-relay`), as are webhooks and programs.")]
pub(crate) struct Rules {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    manager: ManagerAt,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    Edit(Edit),
    /// Remove a rule; the others stay
    Remove(Named),
    /// Do what a rule says with a test message, now, and say how that went
    ///
    /// All that it does is done at once; what takes longer than 30 s, such as a program, is given up
    /// then and said to have failed.
    Test(Named),
}

/// Add a rule before the others
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("does").multiple(true).required(true)
    .args(["mail", "webhook", "run", "system_log", "store_days", "do_not_summarise", "stop"]))]
struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    does: Does,
    /// Put it behind the others
    #[arg(long)]
    last: bool,
    #[command(flatten)]
    manager: ManagerAt,
}

/// Change a rule: what is given is put in place of what it was, the rest stays
///
/// Of what it does, each kind is for itself: `--mail` puts another address in place of those that
/// it mails to, and leaves alone for how long it keeps.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").multiple(true).required(true)
    .args(["severity", "kind", "id", "component", "about", "on_computer", "mail", "webhook", "run",
        "system_log", "store_days", "do_not_summarise", "stop", "no_stop", "for_all", "rename"]))]
struct Edit {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    when: When,
    /// It is for all messages but for what is given here
    #[arg(long)]
    for_all: bool,
    #[command(flatten)]
    does: Does,
    /// Rules below it are looked at, too
    #[arg(long, conflicts_with = "stop")]
    no_stop: bool,
    /// Its new name
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    manager: ManagerAt,
}

/// One rule.
#[derive(Debug, Args)]
struct Named {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    manager: ManagerAt,
}

#[derive(Debug, Serialize, Deserialize)]
struct All {
    items: Vec<Rule>,
    #[serde(default)]
    next: Option<String>,
    /// Why no mail can be sent, as far as the manager knows; only in answers, never in requests.
    #[serde(default, skip_serializing)]
    mail_why_not: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Tested {
    items: Vec<Outcome>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    destination: String,
    why_not: Option<String>,
    /// Not in the answer of an earlier version.
    #[serde(default)]
    for_good: bool,
}

pub(super) fn run(args: Rules, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match args.command {
            None => {
                let client = args.manager.client(context).await?;
                let all: All = client.get(PATH).await?;
                show(&all, context)?;
                match context.json() {
                    true => Ok(()),
                    // A manager of the version before has no such list.
                    false => client
                        .get::<Page<Delivery>>("/v1/deliveries")
                        .await
                        .map_or(Ok(()), |page| waiting(&page.items)),
                }
            }
            Some(Command::Add(args)) => {
                let at = args.manager;
                let rule = Rule {
                    name: args.name,
                    when: args.when.criteria(Criteria::default()),
                    stop: args.does.stop,
                    actions: args.does.actions(),
                };
                let add = |rules: &mut Vec<Rule>| {
                    if rules.iter().any(|known| known.name == rule.name) {
                        return Err(Failure::failed(format!(
                            "there is a rule {} already",
                            tame(&rule.name)
                        ))
                        .next("`usher messages rules edit` changes it."));
                    }
                    let place = if args.last { rules.len() } else { 0 };
                    rules.insert(place, rule);
                    Ok(())
                };
                change(&at, context, add).await
            }
            Some(Command::Edit(args)) => edit(args, context).await,
            Some(Command::Remove(args)) => {
                let remove = |rules: &mut Vec<Rule>| {
                    let index = index_of(rules, &args.name)?;
                    rules.remove(index);
                    Ok(())
                };
                change(&args.manager, context, remove).await
            }
            Some(Command::Test(args)) => test(&args, context).await,
        }
    })
}

async fn edit(args: Edit, context: &Context) -> Result<(), Failure> {
    let at = args.manager;
    let edit = |rules: &mut Vec<Rule>| {
        let index = index_of(rules, &args.name)?;
        let rule = &mut rules[index];
        let before = match args.for_all {
            true => Criteria::default(),
            false => std::mem::take(&mut rule.when),
        };
        rule.when = args.when.criteria(before);
        rule.stop = (rule.stop || args.does.stop) && !args.no_stop;
        let actions = args.does.actions();
        let is_given = |known: &Action| {
            let kind = discriminant(known);
            actions.iter().any(|given| discriminant(given) == kind)
        };
        rule.actions.retain(|known| !is_given(known));
        rule.actions.extend(actions);
        if let Some(name) = args.rename {
            rule.name = name;
        }
        Ok(())
    };
    change(&at, context, edit).await
}

fn index_of(rules: &[Rule], name: &str) -> Result<usize, Failure> {
    let found = rules.iter().position(|rule| rule.name == name);
    found.ok_or_else(|| {
        let known: Vec<String> = rules.iter().map(|rule| tame(&rule.name)).collect();
        Failure::failed(format!("there is no rule {}", tame(name)))
            .next(format!("Those that there are: {}.", known.join(", ")))
    })
}

/// Reads the rules, changes them and writes them back; shows them as they are then.
async fn change(
    at: &ManagerAt,
    context: &Context,
    change: impl FnOnce(&mut Vec<Rule>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let client = at.client(context).await?;
    let mut all: All = client.get(PATH).await?;
    let before = all.items.clone();
    change(&mut all.items)?;
    let now: All = client.put(PATH, &all).await?;
    show(&now, context)?;
    // A rule for a server that is mistyped would wait for ever.
    let new = now.items.iter().find(|rule| !before.contains(rule));
    let about = new.and_then(|rule| rule.when.server.as_deref());
    servers::note_unknown(&client, about).await;
    Ok(())
}

async fn test(args: &Named, context: &Context) -> Result<(), Failure> {
    let client = args.manager.client(context).await?;
    let body = serde_json::json!({ "rule": args.name });
    let tested: Tested = client.post("/v1/message-rules/test", &body).await?;
    if context.json() {
        print_json(&tested)?;
    } else if tested.items.is_empty() {
        line("The rule sends nothing: it only keeps or counts.")?;
    } else {
        for outcome in &tested.items {
            let went = match &outcome.why_not {
                None => "sent".to_owned(),
                Some(why) if outcome.for_good => format!(
                    "FAILED for good: {}; a message that is refused so is given up at once",
                    tame(why)
                ),
                Some(why) => format!("FAILED: {}", tame(why)),
            };
            line(format!("{}: {went}", tame(&outcome.destination)))?;
        }
    }
    match tested.items.iter().any(|outcome| outcome.why_not.is_some()) {
        true => Err(Failure::failed("the test did not go through everywhere")),
        false => Ok(()),
    }
}
