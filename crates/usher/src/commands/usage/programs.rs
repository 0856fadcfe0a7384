//! `usher usage programs`: programs of no product, counted without people.

use usher_api::{Page, ProgramCount};
use usher_core::identify::is_of_base_system;

use super::Usage;
use super::form::Durations;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, show_as};
use crate::output::{Table, counted as counted_as};
use crate::time;

pub(super) async fn show_all(args: &Usage, context: &Context) -> Result<(), Failure> {
    let client = &super::with_token(context)?;
    let query = Query::new("/v1/programs");
    let durations = Durations::of(args.form);
    if args.all {
        let page = fetch(client, &query, &args.extent).await?;
        return show_as(args.form, context, &page, NO_PROGRAMS, |items| {
            program_table(items, durations)
        });
    }
    // A server keeps some thousands of names at the most, and many are the base system's.
    let all: Page<ProgramCount> = fetch(client, &query, &Extent::ALL).await?;
    let counted = all.items.len();
    let mut items = all.items;
    items.retain(|item| !is_of_base_system(&item.program));
    let left_out = counted - items.len();
    let limit = args.extent.limit as usize;
    if limit > 0 {
        items.truncate(limit);
    }
    show_as(
        args.form,
        context,
        &Page {
            items,
            next: None,
            only: None,
            time: None,
        },
        NO_PROGRAMS,
        |items| program_table(items, durations),
    )?;
    if left_out > 0 && !context.json() {
        eprintln_quiet(&format!(
            "{} of the operating system's base {} left out; --all shows them.",
            counted_as(left_out as u64, "program"),
            if left_out == 1 { "is" } else { "are" }
        ));
    }
    Ok(())
}

const NO_PROGRAMS: &str = "No programs were counted yet: an agent counts them.";

fn program_table(items: &[ProgramCount], durations: Durations) -> Table {
    let mut table = Table::new(&[
        "PROGRAM",
        "NAME",
        "PACKAGE",
        durations.heading(">RAN FOR", ">RAN SECONDS"),
        ">STARTS",
        ">COMPUTERS",
        "FIRST",
        "LAST",
    ]);
    for item in items {
        table.row([
            item.program.clone(),
            item.desktop_name.clone().unwrap_or_else(|| "-".to_owned()),
            item.package.clone().unwrap_or_else(|| "-".to_owned()),
            durations.cell(item.run_seconds),
            item.starts.to_string(),
            item.computers.to_string(),
            time::local(item.first_at),
            time::local(item.last_at),
        ]);
    }
    table
}
