//! The watches of this data directory: how each stands.

use clap::Args;
use usher_api::Page;
use usher_watch::{Folder, Known, State};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{eprintln_quiet, show};
use crate::output::{Table, counted, tame};
use crate::time;

/// List the watches of this account, and how each stands
#[derive(Debug, Args)]
#[command(after_help = "\
They are those of the data directory (--data), whether they run or not. LAST is when the log grew,
or the command was understood.")]
pub(super) struct List {}

pub(super) fn list(_: &List, context: &Context) -> Result<(), Failure> {
    let known = Folder::of(context.data()).known();
    let known = known.map_err(|error| Failure::failed(tame(&error.to_string())))?;
    let page = Page {
        items: known,
        next: None,
        only: None,
        time: None,
    };
    show(context, &page, "Nothing was watched yet.", table)?;
    if !context.json() {
        page.items.iter().for_each(remarks);
    }
    Ok(())
}

fn table(all: &[Known]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "KIND",
        "STATE",
        "SINCE",
        "LAST",
        ">LINES",
        ">NOT UNDERSTOOD",
        "FROM",
    ]);
    for known in all {
        let it = &known.standing;
        table.row([
            it.name.clone(),
            it.kind.word().to_owned(),
            state(known).to_owned(),
            time::local(it.since),
            time::local_or_dash(it.last_at),
            it.lines.to_string(),
            it.lines.saturating_sub(it.understood).to_string(),
            it.from.clone(),
        ]);
    }
    table
}

fn state(known: &Known) -> &'static str {
    match (known.running, known.standing.state) {
        (false, _) => "not running",
        (true, State::Waiting) => "waiting",
        (true, State::Following) => "following",
        (true, State::Failing) => "failing",
    }
}

/// What the table has no room for.
fn remarks(known: &Known) {
    let it = &known.standing;
    let say = |text: &str| eprintln_quiet(&tame(&format!("{}: {text}", it.name)));
    if let Some(why) = &it.why {
        say(why);
    }
    if !it.silent.is_empty() {
        say(&format!("no answer of {}", it.silent.join(", ")));
    }
    if it.undated {
        say("lines wait for the first date of the log: --first-day says it");
    }
    if let Some(missed) = it.not_understood.first() {
        let lines = counted(missed.count, "line");
        say(&format!(
            "{lines} not understood, such as: {}",
            missed.example
        ));
    }
    if let Some(refusal) = &it.refusal {
        let bodies = counted(it.refused, "body");
        say(&format!(
            "{bodies} of rows refused by the manager: {refusal}"
        ));
    }
}
