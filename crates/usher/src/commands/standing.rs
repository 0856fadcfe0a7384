//! `usher messages summary` and `thresholds`: how components stand, and by what that is judged.

use clap::Args;
use serde_json::Value;
use usher_api::{ComponentSummary, Page};

use super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::show;
use crate::near::nearest;
use crate::output::{Table, print, print_json, tame};
use crate::time;

const PATH: &str = "/v1/thresholds";

/// Show or change the values from which on trouble is reported
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher messages thresholds
  usher messages thresholds concerns.disk_mb=2048 concerns.backup_days=2
  usher messages thresholds summaries.site.error=2,10 summaries.since=06:00
  usher messages thresholds summaries.components.agents.warning=100,500

A concern is told from its threshold on; 0 is never. A component is WARNING from the first and
CRITICAL from the second of its two numbers on, by the messages since `summaries.since` that are not
over. While a warning or an error is open it is no better than that, unless both numbers are 0.")]
pub(crate) struct Thresholds {
    /// What is changed
    #[arg(value_name = "NAME=VALUE")]
    changes: Vec<String>,
    #[command(flatten)]
    manager: ManagerAt,
}

/// Shows how the site and its components stand.
pub(crate) fn summary(at: &ManagerAt, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let page: Page<ComponentSummary> = at.client(context).await?.get("/v1/summaries").await?;
        show(context, &page, "There are no messages.", table)
    })
}

fn table(lines: &[ComponentSummary]) -> Table {
    let mut table = Table::new(&[
        "COMPONENT",
        "STANDS",
        ">ERRORS",
        ">WARNINGS",
        ">OTHERS",
        ">OPEN",
        ">FOR",
        "SINCE",
        "WHY",
    ]);
    for line in lines {
        table.row([
            line.component.clone(),
            line.status.clone(),
            line.errors.to_string(),
            line.warnings.to_string(),
            line.informational.to_string(),
            line.open.to_string(),
            time::span(line.open_seconds),
            time::local(line.since),
            line.why.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    table
}

/// Changes the thresholds if any are given, then shows them.
pub(crate) fn thresholds(args: Thresholds, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = args.manager.client(context).await?;
        let mut held: Value = client.get(PATH).await?;
        for change in &args.changes {
            must_be_known(&held, change)?;
            must_be_like(&held, change)?;
            apply(&mut held, change)?;
        }
        if !args.changes.is_empty() {
            held = client.put(PATH, &held).await?;
        }
        if context.json() {
            return print_json(&held);
        }
        let mut text = String::new();
        write_flat(&mut text, "", &held);
        print(&text)
    })
}

/// Below it stand names that are the site's own.
const COMPONENTS: &str = "summaries.components.";

/// Refuses a name of none of the thresholds that the manager has, with the nearest.
fn must_be_known(held: &Value, change: &str) -> Result<(), Failure> {
    let Some((name, _)) = change.split_once('=') else {
        return Ok(());
    };
    let mut text = String::new();
    write_flat(&mut text, "", held);
    let known: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    if name.starts_with(COMPONENTS) || known.contains(&name) {
        return Ok(());
    }
    let failure = Failure::usage(format!("there is no threshold {}", tame(name)));
    Err(failure.next(match nearest(name, known) {
        Some(nearest) => {
            format!("Did you mean {nearest}? `usher messages thresholds` lists them.")
        }
        None => "`usher messages thresholds` lists them.".to_owned(),
    }))
}

/// Refuses a value that is of another kind than the one that it is to replace.
fn must_be_like(held: &Value, change: &str) -> Result<(), Failure> {
    let Some((name, value)) = change.split_once('=') else {
        return Ok(());
    };
    let place = format!("/{}", name.replace('.', "/"));
    let (kind, like) = match (held.pointer(&place), read(value)) {
        (Some(Value::Number(_)), given) if !given.is_number() => ("a number", "2048"),
        (Some(Value::Array(_)), given) if !given.is_array() => {
            ("two numbers, for WARNING and for CRITICAL", "1,5")
        }
        _ => return Ok(()),
    };
    let (name, value) = (tame(name), tame(value));
    Err(
        Failure::usage(format!("{name} is {kind}, and {value:?} is not"))
            .next(format!("Write it like {name}={like}; 0 is never.")),
    )
}

/// Puts `NAME=VALUE` in its place. Whether that means something the manager says.
fn apply(held: &mut Value, change: &str) -> Result<(), Failure> {
    let (name, value) = change.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`{change}` changes nothing"))
            .next("Write NAME=VALUE, as in concerns.disk_mb=2048.")
    })?;
    let mut place = held;
    for part in name.split('.') {
        // What is not there yet is made: the manager knows which names there are.
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = &mut place[part];
    }
    *place = read(value);
    Ok(())
}

/// A number, two of them with a comma, nothing, or a text.
fn read(value: &str) -> Value {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let two = value.split_once(',');
    match (number(value), two.map(|(a, b)| (number(a), number(b)))) {
        (Some(number), _) => number.into(),
        (None, Some((Some(a), Some(b)))) => vec![a, b].into(),
        _ if value.is_empty() => Value::Null,
        _ => value.into(),
    }
}

fn write_flat(text: &mut String, name: &str, value: &Value) {
    let Value::Object(fields) = value else {
        let shown = match value {
            Value::String(text) => text.clone(),
            Value::Array(two) => two
                .iter()
                .map(Value::to_string)
                .collect::<Vec<_>>()
                .join(","),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        text.push_str(&format!("{}={}\n", tame(name), tame(&shown)));
        return;
    };
    for (field, value) in fields {
        let name = match name {
            "" => field.clone(),
            name => format!("{name}.{field}"),
        };
        write_flat(text, &name, value);
    }
}

#[cfg(test)]
mod tests;
