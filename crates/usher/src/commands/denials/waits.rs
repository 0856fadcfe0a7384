//! Who waited in vain, in one list with who was refused.

use std::cmp::Reverse;

use serde::Serialize;
use usher_api::{Denial, Page, Timestamp, WaitInVain, WaitOutcome};

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, show_as};
use crate::output::{Table, print_json};
use crate::time;

/// What tells waits apart.
pub(super) fn decision_id(wait: &WaitInVain) -> &str {
    &wait.decision_id
}

/// Both lists, for programs.
#[derive(Serialize)]
struct Both<'a> {
    #[serde(flatten)]
    denials: &'a Page<Denial>,
    /// Who waited in vain.
    waits: &'a [WaitInVain],
}

/// One line of both.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Refused(&'a Denial),
    Waited(&'a WaitInVain),
}

impl Row<'_> {
    fn at(&self) -> Timestamp {
        match self {
            Row::Refused(denial) => denial.last_at,
            Row::Waited(wait) => wait.ended_at,
        }
    }
}

/// Shows both, the newest first: at most as many as are wanted.
pub(super) fn show(
    (form, extent): (Form, &Extent),
    context: &Context,
    denials: &Page<Denial>,
    waits: &Page<WaitInVain>,
    empty: &str,
) -> Result<(), Failure> {
    if context.json() && !form.csv {
        let waits = &waits.items;
        return print_json(&Both { denials, waits });
    }
    show_as(form, context, &merged(denials, waits, extent), empty, table)
}

fn merged<'a>(
    denials: &'a Page<Denial>,
    waits: &'a Page<WaitInVain>,
    extent: &Extent,
) -> Page<Row<'a>> {
    let refused = denials.items.iter().map(Row::Refused);
    let mut rows: Vec<Row<'_>> = refused.chain(waits.items.iter().map(Row::Waited)).collect();
    rows.sort_by_key(|row| Reverse(row.at()));
    let limit = extent.limit as usize;
    let is_cut = limit > 0 && rows.len() > limit;
    if is_cut {
        rows.truncate(limit);
    }
    let more = denials.next.as_ref().or(waits.next.as_ref());
    Page {
        items: rows,
        // Each list has a cursor of its own; that there is more is all that is shown of it here.
        next: more.cloned().or(is_cut.then(String::new)),
        only: None,
        time: None,
    }
}

fn table(rows: &[Row<'_>]) -> Table {
    let mut table = Table::new(&[
        "LAST", ">TIMES", "PRODUCT", "USER", "COMPUTER", ">SEATS", "REASON", "DECISION",
    ]);
    for row in rows {
        table.row(match row {
            Row::Refused(denial) => [
                time::local(denial.last_at),
                denial.count.to_string(),
                denial.product.clone(),
                denial.user.clone(),
                denial.computer.clone(),
                denial.seats.to_string(),
                denial.reason.as_str().replace('_', " "),
                denial.decision_id.clone(),
            ],
            Row::Waited(wait) => [
                time::local(wait.ended_at),
                1.to_string(),
                wait.product.clone(),
                wait.user.clone(),
                wait.computer.clone(),
                wait.seats.to_string(),
                format!(
                    "waited {}, {}",
                    time::span(wait.waited_seconds),
                    outcome(wait.outcome)
                ),
                wait.decision_id.clone(),
            ],
        });
    }
    table
}

fn outcome(outcome: WaitOutcome) -> &'static str {
    match outcome {
        WaitOutcome::GaveUp => "gave up",
        WaitOutcome::TimedOut => "timed out",
        WaitOutcome::NotFetched => "seat not fetched",
        WaitOutcome::ProductRemoved => "product removed",
    }
}

#[cfg(test)]
mod tests;
