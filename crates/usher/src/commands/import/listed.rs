//! What was taken in: shown, and taken out.

use clap::Args;
use usher_api::Import;

use super::super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch, segment, show};
use crate::output::{Table, line, tame};
use crate::time;

/// List what was taken in
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    manager: ManagerAt,
}

/// Take out what an import added
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  usher import remove i-0eb292ce4887503d     the id is the one that `usher import list` shows

Rows that another import had added before it stay.")]
pub(super) struct Remove {
    /// The id of the import
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    manager: ManagerAt,
}

pub(super) fn list(args: &List, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = args.manager.client(context).await?;
        let page = fetch(&client, &Query::new("/v1/imports"), &args.extent).await?;
        show(context, &page, "Nothing was imported yet.", table)
    })
}

pub(super) fn remove(args: &Remove, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = args.manager.client(context).await?;
        let path = format!("/v1/imports/{}", segment(&args.id)?);
        client.delete(&path).await?;
        line(format!(
            "The rows of import {} are taken out.",
            tame(&args.id)
        ))
    })
}

fn table(imports: &[Import]) -> Table {
    let mut table = Table::new(&["ID", "KIND", "SOURCE", ">ROWS", "BEGUN", "FINISHED"]);
    for import in imports {
        table.row([
            import.id.clone(),
            import.kind.word().to_owned(),
            import.source.clone(),
            import.rows.to_string(),
            time::local(import.created_at),
            match import.finished_at {
                Some(at) => time::local(at),
                None if import.live => "goes on".to_owned(),
                None => "not finished".to_owned(),
            },
        ]);
    }
    table
}
