//! A plan as it is shown: sentences and a table for people, JSON for programs.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use usher_core::ledger::Wall;
use usher_core::policy::{Change, Step};

use super::convert::json_of;
use super::plan::Plan;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::{Table, counted, line, tame};
use crate::time;

/// Steps of one product that the table has at the most.
const STEPS_SHOWN: usize = 12;

/// Shows a plan to people.
pub(super) fn plan(plan: &Plan) -> Result<(), Failure> {
    let changes = &plan.difference.changes;
    match changes.len() {
        0 => line("Nothing differs.")?,
        1 => line("1 change would be made:")?,
        many => line(format!("{many} changes would be made:"))?,
    }
    for change in changes {
        line(format!("  {} {}", mark(change), sentence(change)))?;
    }
    if !plan.left.is_empty() {
        line(match plan.left.len() {
            1 => "The server has 1 more, which stays without --prune:".to_owned(),
            many => format!("The server has {many} more, which stay without --prune:"),
        })?;
        for change in &plan.left {
            line(format!("    {}", kept(change)))?;
        }
    }
    if !plan.seats.is_empty() {
        line("")?;
        seats(plan).print()?;
    }
    for doubt in &plan.doubts {
        eprintln_quiet(&format!("usher: {}", tame(doubt)));
    }
    Ok(())
}

/// What a change does, on one line.
pub(super) fn sentence(change: &Change) -> String {
    tame(&change.to_string())
}

/// What stays is said by its name and what it is.
fn kept(change: &Change) -> String {
    let sentence = sentence(change);
    let kept = sentence.strip_prefix("remove ");
    kept.unwrap_or(&sentence).to_owned()
}

fn mark(change: &Change) -> char {
    match change {
        Change::AddProduct { .. } | Change::AddEntitlement { .. } => '+',
        Change::ChangeProduct { .. } | Change::ChangeEntitlement { .. } => '~',
        Change::RemoveProduct { .. } | Change::RemoveEntitlement { .. } => '-',
    }
}

fn seats(plan: &Plan) -> Table {
    let mut table = Table::new(&["PRODUCT", "FROM", ">SEATS NOW", ">SEATS THEN"]);
    for (product, steps) in &plan.seats {
        for step in steps.iter().take(STEPS_SHOWN) {
            table.row([
                product.clone(),
                step.from.map_or_else(|| "today".to_owned(), day),
                step.before.to_string(),
                step.after.to_string(),
            ]);
        }
        let more = steps.len().saturating_sub(STEPS_SHOWN);
        if more > 0 {
            let more = counted(more as u64, "later step");
            table.row([
                product.clone(),
                format!("({more})"),
                String::new(),
                String::new(),
            ]);
        }
    }
    table
}

/// The day that begins then here, or the time.
fn day(at: Wall) -> String {
    let text = time::local(timestamp(at));
    text.strip_suffix(" 00:00:00").unwrap_or(&text).to_owned()
}

fn timestamp(at: Wall) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

/// A plan for programs.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether nothing would be made.
    same: bool,
    changes: Vec<Json>,
    /// What only the server has, and keeps.
    left: Vec<Json>,
    seats: Vec<SeatsFrom>,
    /// Why it cannot be applied.
    obstacles: Vec<String>,
    /// What may be meant otherwise.
    doubts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SeatsFrom {
    product: String,
    /// Null: now.
    from: Option<jiff::Timestamp>,
    before: u64,
    after: u64,
}

impl Report {
    /// Of a plan.
    pub(super) fn of(plan: &Plan) -> Report {
        let changes: Vec<Json> = plan.difference.changes.iter().map(json).collect();
        let of_product = |(product, steps): (&String, &Vec<Step>)| {
            let rows = steps.iter().map(|step| SeatsFrom {
                product: product.clone(),
                from: step.from.map(timestamp),
                before: step.before,
                after: step.after,
            });
            rows.collect::<Vec<_>>()
        };
        Report {
            same: changes.is_empty(),
            changes,
            left: plan.left.iter().map(json).collect(),
            seats: plan.seats.iter().flat_map(of_product).collect(),
            obstacles: plan.obstacles.clone(),
            doubts: plan.doubts.clone(),
        }
    }
}

/// A change for programs.
pub(super) fn json(change: &Change) -> Json {
    let (word, what) = match change {
        Change::AddProduct { .. } => ("add", "product"),
        Change::AddEntitlement { .. } => ("add", "entitlement"),
        Change::ChangeProduct { .. } => ("change", "product"),
        Change::ChangeEntitlement { .. } => ("change", "entitlement"),
        Change::RemoveProduct { .. } => ("remove", "product"),
        Change::RemoveEntitlement { .. } => ("remove", "entitlement"),
    };
    let mut json = Map::new();
    json.insert("change".into(), word.into());
    json.insert("what".into(), what.into());
    json.insert("name".into(), change.subject().into());
    if let Change::ChangeEntitlement { was: Some(was), .. } = change {
        json.insert("was".into(), was.as_str().into());
    }
    if let Change::ChangeProduct { fields, .. } | Change::ChangeEntitlement { fields, .. } = change
    {
        let fields = fields.iter().map(|field| {
            serde_json::json!({
                "field": field.key,
                "before": field.before.as_ref().map(json_of),
                "after": field.after.as_ref().map(json_of),
            })
        });
        json.insert("fields".into(), fields.collect());
    }
    json.insert("sentence".into(), change.to_string().into());
    json.into()
}
