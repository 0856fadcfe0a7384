//! The manager that takes the rows of a watch.

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use usher_api::client::{Client, ClientError};
use usher_api::{
    Code, Import, ImportAnswer, ImportCreate, ImportCreated, ImportFinish, ImportRowsTaken,
    ImportSummary, ImportTold,
};
use usher_watch::{Body, Takes, Trouble};

use super::super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::escaped;

/// A manager, asked from a thread that may wait.
pub(super) struct ToManager {
    runtime: Runtime,
    client: Client,
}

impl ToManager {
    /// The manager to ask. Whether it answers is not asked yet.
    pub(super) fn new(manager: &ManagerAt, context: &Context) -> Result<ToManager, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
        let client = runtime.block_on(manager.client(context))?;
        // What a watch says of it is told once, and not for each request.
        let client = client.silent();
        Ok(ToManager { runtime, client })
    }
}

/// `ImportRows`, with rows that are written already.
#[derive(Debug, Serialize)]
struct Numbered<'r> {
    number: u64,
    rows: &'r Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<ImportTold>,
}

impl Takes for ToManager {
    fn begin(&mut self, create: &ImportCreate, key: &str) -> Result<String, Trouble> {
        let posted = self.client.post_keyed("/v1/imports", key, create);
        let begun: Result<ImportCreated, ClientError> = self.runtime.block_on(posted);
        // It may be a manager of an older version, which is upgraded one day.
        begun
            .map(|created| created.id)
            .map_err(|error| Trouble::Passing(error.to_string()))
    }

    fn next_number(&mut self, id: &str) -> Result<u64, Trouble> {
        let path = of(id);
        let got = self.client.get(&path);
        let import: Import = self
            .runtime
            .block_on(got)
            .map_err(|error| trouble(&error))?;
        match import.live {
            true => Ok(import.next_number),
            false => Err(Trouble::Gone),
        }
    }

    fn rows(
        &mut self,
        id: &str,
        number: u64,
        told: Option<ImportTold>,
        rows: &Body,
    ) -> Result<(), Trouble> {
        let (path, body) = (format!("{}/rows", of(id)), Numbered { number, rows, told });
        let posted = self.client.post(&path, &body);
        let taken: Result<ImportRowsTaken, ClientError> = self.runtime.block_on(posted);
        taken.map(drop).map_err(|error| trouble(&error))
    }

    fn finish(&mut self, id: &str, bodies: u64, summary: &ImportSummary) -> Result<(), Trouble> {
        let path = format!("{}/finish", of(id));
        let body = ImportFinish {
            bodies,
            summary: summary.clone(),
        };
        let posted = self.client.post(&path, &body);
        let answer: Result<ImportAnswer, ClientError> = self.runtime.block_on(posted);
        answer.map(drop).map_err(|error| trouble(&error))
    }
}

fn of(id: &str) -> String {
    format!("/v1/imports/{}", escaped(id))
}

/// What a failure means for what was sent.
fn trouble(error: &ClientError) -> Trouble {
    let Some(problem) = error.problem() else {
        return Trouble::Passing(error.to_string());
    };
    let gone = [Code::UnknownImport, Code::ImportFinished, Code::RowsMissing];
    let is_of_the_rows = [400, 413].contains(&problem.status);
    match gone.into_iter().any(|code| problem.is(code)) {
        true => Trouble::Gone,
        false if is_of_the_rows => Trouble::Refused(error.to_string()),
        false => Trouble::Passing(error.to_string()),
    }
}
