//! A plan as it is shown: sentences and a table for people, JSON for programs.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use usher_core::ledger::Wall;
use usher_core::policy::{Change, Step};

use super::convert::json_of;
use super::plan::Plan;
use crate::commands::entitlement::validity::{end, here};
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::{Table, counted, line, tame};

/// How many steps of one product the table shows.
const STEPS_SHOWN: usize = 12;

/// Shows a plan to people, with what is lost if it is applied.
pub(super) fn plan(plan: &Plan, losses: &[String]) -> Result<(), Failure> {
    let changes = &plan.difference.changes;
    match changes.len() {
        0 => line("Nothing differs.")?,
        1 => line("1 change would be made:")?,
        many => line(format!("{many} changes would be made:"))?,
    }
    for change in changes {
        line(format!("  {} {}", mark(change), sentence(change)))?;
    }
    for loss in losses {
        line(format!("  ! {}", tame(loss)))?;
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

/// Something that stays: its kind and its name.
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
    // Of a day to come, too: what there is then without the changes, and with them.
    let mut table = Table::new(&["PRODUCT", "FROM", ">SEATS UNCHANGED", ">SEATS CHANGED"]);
    for (product, steps) in &plan.seats {
        for step in steps.iter().take(STEPS_SHOWN) {
            table.row([
                product.clone(),
                shown_from(step),
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

/// The day from which on it holds, as it was entered, or the time.
fn shown_from(step: &Step) -> String {
    let Some(at) = step.from else {
        return "today".to_owned();
    };
    let (day, zone) = step
        .day
        .as_ref()
        .map(|(day, zone)| (day.to_string(), zone.to_string()))
        .unzip();
    end(day.as_ref(), zone.as_ref(), Some(timestamp(at)), &here())
}

fn timestamp(at: Wall) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

/// A plan for programs.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether the plan changes nothing.
    same: bool,
    changes: Vec<Json>,
    /// What only the server has, and which stays.
    left: Vec<Json>,
    seats: Vec<SeatsFrom>,
    /// Why it cannot be applied.
    obstacles: Vec<String>,
    /// What may not be intended.
    doubts: Vec<String>,
    /// What of the removed products is in use or waited for.
    losses: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SeatsFrom {
    product: String,
    /// Null: now.
    from: Option<jiff::Timestamp>,
    /// The day that begins then, if a day was entered, and its time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    before: u64,
    after: u64,
}

impl Report {
    /// For a plan, with what is lost if it is applied.
    pub(super) fn of(plan: &Plan, losses: Vec<String>) -> Report {
        let changes: Vec<Json> = plan.difference.changes.iter().map(json).collect();
        let of_product = |(product, steps): (&String, &Vec<Step>)| {
            let rows = steps.iter().map(|step| SeatsFrom {
                product: product.clone(),
                from: step.from.map(timestamp),
                from_day: step.day.as_ref().map(|(day, _)| day.to_string()),
                time_zone: step.day.as_ref().map(|(_, zone)| zone.to_string()),
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
            losses,
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
