//! `usher group`: groups of people, as a manager knows them.

use clap::{Args, Subcommand};
use usher_api::{Group as Shown, GroupMember, GroupPage, GroupSource, Page};

use super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, say_if_cut, segment, show};
use crate::output::{Table, print_json, tame};
use crate::time;

/// Show the groups of people that a manager knows, and who is in them
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  usher group list
  usher group list --user ann             the groups that ann is in
  usher group show cfd                    the people in a group, those of groups in it too

Groups come from files and from the name service of the manager's computer, as [groups] of its
usher.toml says.")]
pub(crate) enum Group {
    List(List),
    Show(Show),
}

/// List groups, and say how their sources are
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only groups that this person is in: REALM\ACCOUNT, ACCOUNT@REALM, or ACCOUNT in any realm
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    manager: ManagerAt,
}

/// Show who is in a group, directly or by a group in it
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The group's name
    #[arg(value_name = "GROUP")]
    name: String,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    manager: ManagerAt,
}

pub(crate) fn run(command: &Group, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match command {
            Group::List(args) => list(args, context).await,
            Group::Show(args) => members(args, context).await,
        }
    })
}

async fn list(args: &List, context: &Context) -> Result<(), Failure> {
    let client = args.manager.client(context).await?;
    let query = Query::new("/v1/groups").with("user", args.user.as_ref());
    let page: Page<Shown> = fetch(&client, &query, &args.extent).await?;
    let about: GroupPage = client.get("/v1/groups?limit=1").await?;
    if context.json() {
        return print_json(&GroupPage {
            items: page.items,
            next: page.next,
            ..about
        });
    }
    if page.items.is_empty() {
        eprintln_quiet(match (about.sources.is_empty(), &args.user) {
            (true, _) => {
                "No source of groups is set: [groups] in the usher.toml of the manager's computer \
                 names them."
            }
            (false, Some(_)) => "This person is in no group.",
            (false, None) => "There are no groups.",
        });
    } else {
        table(&page.items).print()?;
        say_if_cut(&page);
    }
    let troubles = about.sources.iter().filter_map(trouble);
    for line in troubles.chain(about.notes.iter().map(|note| tame(note))) {
        eprintln_quiet(&line);
    }
    Ok(())
}

fn table(groups: &[Shown]) -> Table {
    let mut table = Table::new(&["GROUP", ">PEOPLE", "GROUPS IN IT", "FROM"]);
    for group in groups {
        let inner = match group.groups.is_empty() {
            true => "-".to_owned(),
            false => group.groups.join(", "),
        };
        table.row([
            group.name.clone(),
            group.people.to_string(),
            inner,
            group.sources.join(", "),
        ]);
    }
    table
}

/// What is wrong with a source, and what counts meanwhile, in a sentence; none: nothing is.
pub(crate) fn trouble(source: &GroupSource) -> Option<String> {
    let why = tame(source.trouble.as_ref()?);
    let name = tame(&source.source);
    let counts = match source.as_of {
        Some(at) => format!("what it said at {} counts", time::local(at)),
        None => "nothing of it is known".to_owned(),
    };
    let since = source.trouble_since.map_or_else(String::new, |since| {
        format!(" (since {})", time::local(since))
    });
    Some(format!("{name}: {why}{since}; {counts}"))
}

async fn members(args: &Show, context: &Context) -> Result<(), Failure> {
    let client = args.manager.client(context).await?;
    let path = format!("/v1/groups/{}/members", segment(&args.name)?);
    let page: Page<GroupMember> = fetch(&client, &Query::new(&path), &args.extent).await?;
    show(context, &page, "Nobody is in this group.", |members| {
        let mut table = Table::new(&["ACCOUNT", "REALM", "BY GROUP"]);
        for member in members {
            table.row([
                member.account.clone(),
                member.realm.clone().unwrap_or_else(|| "any".to_owned()),
                member.through.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        table
    })
}
