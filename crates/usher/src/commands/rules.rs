//! `usher messages rules`: what becomes of messages, rule by rule.

use std::mem::discriminant;

use clap::{ArgGroup, Args, Subcommand};
use serde::{Deserialize, Serialize};
use usher_api::{Delivery, Page};
use usher_core::messages::{Action, Criteria, Kind, Rule, Severity};

use super::managed::ManagerAt;
use super::{one_of, servers};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Table, counted, line, print_json, tame};
use crate::time;

const PATH: &str = "/v1/message-rules";
/// A rule may run a program for so long where nothing else is said.
const RUN_SECONDS: u32 = 60;

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

/// Which messages a rule is for: what is given must hold.
#[derive(Debug, Args)]
struct When {
    /// As severe as that, or more
    #[arg(long, value_name = "SEVERITY", value_parser = one_of::<Severity>(&["informational", "warning", "error"]))]
    severity: Option<Severity>,
    /// Of that type
    #[arg(long = "type", value_name = "TYPE", id = "kind", value_parser = one_of::<Kind>(&["milestone", "detail", "audit"]))]
    kind: Option<Kind>,
    /// Of one of these numbers, such as 9431 for seats that are low
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    id: Vec<u16>,
    /// Of that component
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// About that metering server
    #[arg(long, value_name = "SERVER")]
    about: Option<String>,
    /// Raised on that computer
    #[arg(long, value_name = "COMPUTER")]
    on_computer: Option<String>,
}

/// What a rule does.
#[derive(Debug, Args)]
struct Does {
    /// Send a mail to that address; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    mail: Vec<String>,
    /// Send it to the webhook that the manager's settings name so; may be repeated
    #[arg(long, value_name = "NAME")]
    webhook: Vec<String>,
    /// Run the program that the manager's settings name so; may be repeated
    #[arg(long, value_name = "NAME")]
    run: Vec<String>,
    /// End such a program after so many seconds [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "run")]
    run_seconds: Option<u32>,
    /// Write it to the system's log
    #[arg(long)]
    system_log: bool,
    /// Keep it for so many days
    #[arg(long, value_name = "N")]
    store_days: Option<u32>,
    /// Do not count it in summaries
    #[arg(long)]
    do_not_summarise: bool,
    /// Look at no rule below this one
    #[arg(long)]
    stop: bool,
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
}

#[derive(Debug, Serialize, Deserialize)]
struct Tested {
    items: Vec<Outcome>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    destination: String,
    why_not: Option<String>,
}

impl When {
    fn criteria(self, before: Criteria) -> Criteria {
        Criteria {
            severity_at_least: self.severity.or(before.severity_at_least),
            kind: self.kind.or(before.kind),
            ids: match self.id.is_empty() {
                true => before.ids,
                false => self.id,
            },
            component: self.component.or(before.component),
            server: self.about.or(before.server),
            computer: self.on_computer.or(before.computer),
        }
    }
}

impl Does {
    fn actions(self) -> Vec<Action> {
        let timeout_seconds = self.run_seconds.unwrap_or(RUN_SECONDS);
        let mails = self.mail.into_iter().map(|to| Action::Mail { to });
        let webhooks = self.webhook.into_iter();
        let programs = self.run.into_iter().map(|program| Action::Run {
            program,
            timeout_seconds,
        });
        mails
            .chain(webhooks.map(|target| Action::Webhook { target }))
            .chain(programs)
            .chain(self.system_log.then_some(Action::SystemLog))
            .chain(self.store_days.map(|days| Action::Store { days }))
            .chain(self.do_not_summarise.then_some(Action::DoNotSummarise))
            .collect()
    }
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

fn show(all: &All, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(all);
    }
    if all.items.is_empty() {
        return line("There are no rules: messages are neither kept nor sent.");
    }
    let mut table = Table::new(&["RULE", "FOR", "DOES"]);
    for rule in &all.items {
        let mut does: Vec<String> = rule.actions.iter().map(action).collect();
        does.extend(rule.stop.then(|| "stops here".to_owned()));
        table.row([tame(&rule.name), criteria(&rule.when), does.join("; ")]);
    }
    table.print()
}

/// Says where messages wait, and why.
fn waiting(deliveries: &[Delivery]) -> Result<(), Failure> {
    for it in deliveries {
        let waits = match it.waiting {
            0 => "Nothing waits".to_owned(),
            1 => "1 message waits".to_owned(),
            many => format!("{many} messages wait"),
        };
        let why = match &it.why {
            None => String::new(),
            Some(why) => {
                let again = it.next_at.map(time::local);
                let again = again.map(|at| format!("; tried again at {at}"));
                format!(
                    ", since {} nothing goes through: {}{}",
                    time::local_or_dash(it.failing_since),
                    tame(why),
                    again.unwrap_or_default()
                )
            }
        };
        let given_up = match it.given_up {
            0 => String::new(),
            some => format!("; {} given up", counted(some, "message")),
        };
        line(format!(
            "{waits} for {}{why}{given_up}.",
            tame(&it.destination)
        ))?;
    }
    Ok(())
}

fn criteria(when: &Criteria) -> String {
    let ids: Vec<String> = when.ids.iter().map(u16::to_string).collect();
    let named = |what: &str, value: &Option<String>| {
        value
            .as_ref()
            .map(|value| format!("{what} {}", tame(value)))
    };
    let said: Vec<String> = [
        when.severity_at_least.map(|least| match least {
            Severity::Error => "errors".to_owned(),
            least => format!("{} or worse", least.name()),
        }),
        when.kind.map(|kind| format!("type {}", kind.name())),
        (!ids.is_empty()).then(|| ids.join(" or ")),
        named("component", &when.component),
        named("about", &when.server),
        named("on", &when.computer),
    ]
    .into_iter()
    .flatten()
    .collect();
    match said.is_empty() {
        true => "all".to_owned(),
        false => said.join(", "),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Store { days } => format!("keep {}", counted((*days).into(), "day")),
        Action::SystemLog => "system log".to_owned(),
        Action::Forward { .. } => "forward".to_owned(),
        Action::Webhook { target } => format!("webhook {}", tame(target)),
        Action::Mail { to } => format!("mail {}", tame(to)),
        Action::Run { program, .. } => format!("run {}", tame(program)),
        Action::DoNotSummarise => "not in summaries".to_owned(),
    }
}
