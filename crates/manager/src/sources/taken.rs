//! The site database as it takes the rows of a watch.

use std::io;
use std::sync::{Arc, Weak};

use tokio::runtime::{Builder, Runtime};
use usher_api::{ImportCreate, ImportRow, ImportSummary, ImportTold};
use usher_site::{
    Begun, Finish, IMPORTS_LIMIT, ImportBatch, ImportEnd, LIVE_IMPORTS_LIMIT, NewImport, RowsTaken,
    SiteError,
};
use usher_watch::{Body, Takes, Trouble};

use crate::clock::wall_ms;
use crate::routes::imports::rows;
use crate::secrets::random_hex;
use crate::tools::Tools;

/// The site, asked from a thread that may wait. The manager, or its lead of the site, may end meanwhile.
pub(super) struct ToSite {
    tools: Weak<Tools>,
    runtime: Runtime,
}

impl ToSite {
    /// To be called on the thread that uses it.
    pub(super) fn of(tools: Weak<Tools>) -> io::Result<ToSite> {
        Ok(ToSite {
            tools,
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }

    fn tools(&self) -> Result<Arc<Tools>, Trouble> {
        let ends = || Trouble::Passing("the manager ends, or leads no longer".to_owned());
        self.tools.upgrade().ok_or_else(ends)
    }
}

/// Whether the manager has ended, or leads no longer: then nothing is taken any more.
pub(super) fn is_over(tools: &Weak<Tools>) -> bool {
    let tools = tools.upgrade();
    !tools.is_some_and(|tools| tools.leading.holds())
}

fn passing(error: SiteError) -> Trouble {
    Trouble::Passing(error.to_string())
}

impl Takes for ToSite {
    fn begin(&mut self, create: &ImportCreate, key: &str) -> Result<String, Trouble> {
        let id = random_hex(8).map_err(|error| {
            Trouble::Passing(format!("cannot make an id for the import: {error}"))
        })?;
        let id = format!("i-{id}");
        let new = NewImport {
            id: id.clone(),
            // No token has such an id.
            request: Some(format!("watch {key}")),
            kind: create.kind.word().to_owned(),
            source: create.source.clone(),
            time_zone: create.time_zone.clone(),
            at_ms: wall_ms(),
            live: create.live,
        };
        let begun = self.tools()?.site.begin_import(new);
        match self.runtime.block_on(begun).map_err(passing)? {
            Begun::New => Ok(id),
            Begun::Again { id } => Ok(id),
            Begun::Other => Err(Trouble::Passing(
                "another import was begun by the same request".to_owned(),
            )),
            Begun::TooMany => Err(Trouble::Passing(format!(
                "there are {IMPORTS_LIMIT} imports, which is the limit: `usher import remove` takes \
                 old ones out"
            ))),
            Begun::Full => Err(Trouble::Passing(format!(
                "{LIVE_IMPORTS_LIMIT} live imports go on, which is the limit"
            ))),
        }
    }

    fn next_number(&mut self, id: &str) -> Result<u64, Trouble> {
        let found = self.tools()?.site.import(id.to_owned());
        match self.runtime.block_on(found).map_err(passing)? {
            Some(import) if import.live => Ok(import.next_number),
            _ => Err(Trouble::Gone),
        }
    }

    fn rows(
        &mut self,
        id: &str,
        number: u64,
        told: Option<ImportTold>,
        body: &Body,
    ) -> Result<(), Trouble> {
        let read: Result<Vec<ImportRow>, _> = body
            .iter()
            .map(|row| serde_json::from_str(row.get()))
            .collect();
        let read = read.map_err(|error| Trouble::Refused(error.to_string()))?;
        let batch = ImportBatch {
            id: id.to_owned(),
            number,
            at_ms: wall_ms(),
            rows: rows::checked(read).map_err(Trouble::Refused)?,
            told_ms: told.map(|told| (told.from.as_millisecond(), told.to.as_millisecond())),
        };
        let taken = self.tools()?.site.import_rows(batch);
        match self.runtime.block_on(taken).map_err(passing)? {
            RowsTaken::Taken { .. } => Ok(()),
            RowsTaken::Missing { .. } | RowsTaken::Finished | RowsTaken::Unknown => {
                Err(Trouble::Gone)
            }
        }
    }

    fn finish(&mut self, id: &str, bodies: u64, summary: &ImportSummary) -> Result<(), Trouble> {
        let text = serde_json::to_string(summary);
        let end = ImportEnd {
            id: id.to_owned(),
            bodies,
            summary: text.map_err(|error| Trouble::Passing(error.to_string()))?,
            from_ms: summary.from.map(|at| at.as_millisecond()),
            to_ms: summary.to.map(|at| at.as_millisecond()),
            at_ms: wall_ms(),
        };
        let finished = self.tools()?.site.finish_import(end);
        match self.runtime.block_on(finished).map_err(passing)? {
            Finish::Done { .. } => Ok(()),
            Finish::Missing { .. } | Finish::Unknown => Err(Trouble::Gone),
        }
    }

    fn is_over(&self) -> bool {
        is_over(&self.tools)
    }
}
