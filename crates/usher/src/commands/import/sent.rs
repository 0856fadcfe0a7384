//! An import on its way: a thread reads and makes rows, and they are sent in bodies as they come. What is
//! not sent yet is a few bodies at most, however long the files are.

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc;
use usher_api::client::Client;
use usher_api::{
    BODY_LIMIT_BYTES, IMPORT_ROWS_LIMIT, ImportAnswer, ImportCreate, ImportCreated, ImportFinish,
    ImportKind, ImportRow, ImportRowsTaken, ImportSummary,
};

use super::files::{Opened, Prepared};
use super::progress::Progress;
use crate::failure::Failure;
use crate::listing::segment;
use crate::output::tame;
use crate::sending::sent;

/// What is looked at of a file to guess its kind, if nothing of it is understood.
const HEAD_BYTES: u64 = 16 * 1024;
/// What the envelope of a body needs beside its rows.
const ENVELOPE_BYTES: usize = 1_024;
/// Bodies that wait to be sent.
const BODIES_WAITING: usize = 4;

/// How long a manager may take for an answer: the last one may be about millions of rows.
const FINISHED_WITHIN: Duration = Duration::from_secs(600);

/// What came of an import.
pub(super) struct Outcome {
    pub(super) answer: ImportAnswer,
    /// Set if nothing was understood: then nothing was taken in.
    pub(super) nothing: Option<Failure>,
}

/// Rows of one body.
type Body = Vec<Box<RawValue>>;

/// What the reading thread comes to.
struct Understood {
    summary: ImportSummary,
    /// What is wrong if nothing was understood.
    nothing: Option<Failure>,
}

/// Reads and sends nothing.
pub(super) async fn dry(prepared: Prepared) -> Result<Outcome, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let read = joined(tokio::task::spawn_blocking(move || {
        read(prepared, stop, &mut |_| {})
    }))
    .await?;
    Ok(outcome(read, None))
}

/// Reads, and has the manager take it in.
pub(super) async fn send(
    prepared: Prepared,
    source: String,
    time_zone: Option<String>,
    client: &Client,
) -> Result<Outcome, Failure> {
    let create = ImportCreate {
        kind: prepared.how.kind,
        source,
        time_zone,
        live: false,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let (bodies, mut coming) = mpsc::channel::<Body>(BODIES_WAITING);
    let reading = tokio::task::spawn_blocking({
        let stop = stop.clone();
        move || {
            let mut packed = Packed::new(bodies);
            let read = read(prepared, stop, &mut |row| packed.row(&row));
            packed.flush();
            read
        }
    });
    let client = client.clone().within(FINISHED_WITHIN);
    let mut at = Sending::new(&client, create);
    let mut failed = None;
    while let Some(rows) = coming.recv().await {
        if let Err(failure) = at.body(rows).await {
            failed = Some(failure);
            stop.store(true, Ordering::Relaxed);
            break;
        }
    }
    // A thread that waits to hand over a body goes on.
    drop(coming);
    let read = joined(reading).await;
    if let Some(failure) = failed {
        return Err(at.given_up(failure).await);
    }
    match read {
        Err(failure) => Err(at.given_up(failure).await),
        Ok(read) if read.nothing.is_some() => {
            at.remove().await;
            Ok(outcome(read, None))
        }
        Ok(read) => {
            let answer = match at.finish(&read.summary).await {
                Ok(answer) => answer,
                Err(failure) => return Err(at.given_up(failure).await),
            };
            Ok(outcome(read, Some(answer)))
        }
    }
}

/// What the thread came to; one that panicked is told.
async fn joined(
    thread: tokio::task::JoinHandle<Result<Understood, Failure>>,
) -> Result<Understood, Failure> {
    match thread.await {
        Ok(read) => read,
        Err(error) => Err(Failure::failed(format!("the reading ended: {error}"))),
    }
}

fn outcome(read: Understood, taken: Option<ImportAnswer>) -> Outcome {
    Outcome {
        answer: taken.unwrap_or(ImportAnswer {
            summary: read.summary,
            id: None,
            added: None,
            already_there: None,
            completed: None,
        }),
        nothing: read.nothing,
    }
}

fn read(
    prepared: Prepared,
    stop: Arc<AtomicBool>,
    each: &mut dyn FnMut(ImportRow),
) -> Result<Understood, Failure> {
    let kind = prepared.how.kind;
    let (mut import, files) = prepared.begun();
    let all_bytes: Option<u64> = files.iter().map(|file| file.bytes).sum();
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let mut progress = Progress::new(all_bytes, stop);
    let mut looks_like = None;
    for file in files {
        let Opened {
            name,
            mut from,
            written,
            ..
        } = file;
        let mut head = Vec::new();
        let begun = (&mut from).take(HEAD_BYTES).read_to_end(&mut head);
        looks_like = looks_like.or_else(|| guessed(&head));
        let mut whole = Cursor::new(head).chain(from);
        let taken = match begun {
            Ok(_) => import.file(&mut progress.of(&mut whole), written, each),
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            progress.clear();
            return Err(Failure::failed(format!("cannot read {name}: {error}")));
        }
    }
    progress.clear();
    import.end(each);
    let nothing =
        (!import.is_any_understood()).then(|| nothing(&names, kind, import.lines(), looks_like));
    Ok(Understood {
        summary: import.finish(each),
        nothing,
    })
}

/// What a file most likely is.
fn guessed(head: &[u8]) -> Option<ImportKind> {
    let text = String::from_utf8_lossy(head);
    usher_imports::guess(&text.lines().collect::<Vec<&str>>())
}

fn nothing(
    names: &[String],
    kind: ImportKind,
    lines: u64,
    looks_like: Option<ImportKind>,
) -> Failure {
    let names = names.join(", ");
    if lines == 0 {
        return Failure::failed(format!("{names} is empty, and nothing was taken in"));
    }
    let failure = Failure::failed(format!(
        "nothing in {names} was understood as {kind}, and nothing was taken in"
    ));
    match looks_like.filter(|other| *other != kind) {
        Some(other) => failure.next(format!(
            "It looks like {other}: `usher import {other} FILE`."
        )),
        None => failure.next("`usher import --help` lists the kinds."),
    }
}

/// Rows, gathered to bodies.
struct Packed {
    bodies: mpsc::Sender<Body>,
    rows: Body,
    bytes: usize,
}

impl Packed {
    fn new(bodies: mpsc::Sender<Body>) -> Packed {
        Packed {
            bodies,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    fn row(&mut self, row: &ImportRow) {
        // What is made here can be written: it has no keys that are not texts.
        let Ok(row) = to_raw_value(row) else {
            return;
        };
        let bytes = row.get().len().saturating_add(1);
        let room = BODY_LIMIT_BYTES.saturating_sub(ENVELOPE_BYTES);
        if self.bytes.saturating_add(bytes) > room || self.rows.len() >= IMPORT_ROWS_LIMIT {
            self.flush();
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.rows.push(row);
    }

    fn flush(&mut self) {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            // Nobody takes it if a body was refused; then the reading is stopped, too.
            let _ = self.bodies.blocking_send(rows);
        }
    }
}

/// `ImportRows`, with rows that are written already.
#[derive(Debug, Serialize)]
struct Numbered {
    number: u64,
    rows: Body,
}

/// An import at a manager, which begins with its first body.
struct Sending<'c> {
    client: &'c Client,
    create: ImportCreate,
    id: Option<String>,
    bodies: u64,
}

impl<'c> Sending<'c> {
    fn new(client: &'c Client, create: ImportCreate) -> Sending<'c> {
        Sending {
            client,
            create,
            id: None,
            bodies: 0,
        }
    }

    /// The path of the import, which is begun if it is not.
    async fn path(&mut self) -> Result<String, Failure> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let key = crate::host::request_key();
                let (client, create) = (self.client, &self.create);
                let created: ImportCreated =
                    sent(|| client.post_keyed("/v1/imports", &key, create)).await?;
                self.id.insert(created.id).clone()
            }
        };
        Ok(format!("/v1/imports/{}", segment(&id)?))
    }

    async fn body(&mut self, rows: Body) -> Result<(), Failure> {
        let path = format!("{}/rows", self.path().await?);
        let body = Numbered {
            number: self.bodies.saturating_add(1),
            rows,
        };
        let client = self.client;
        let _: ImportRowsTaken = sent(|| client.post(&path, &body)).await?;
        self.bodies = body.number;
        Ok(())
    }

    async fn finish(&mut self, summary: &ImportSummary) -> Result<ImportAnswer, Failure> {
        let path = format!("{}/finish", self.path().await?);
        let body = ImportFinish {
            bodies: self.bodies,
            summary: shortened(summary.clone()),
        };
        let client = self.client;
        Ok(sent(|| client.post(&path, &body)).await?)
    }

    /// Takes out what was sent: it is not whole. Returns whether nothing of it is there.
    async fn remove(&self) -> bool {
        let Some(id) = &self.id else {
            return true;
        };
        match segment(id) {
            Ok(id) => self
                .client
                .delete(&format!("/v1/imports/{id}"))
                .await
                .is_ok(),
            Err(_) => false,
        }
    }

    async fn given_up(&self, failure: Failure) -> Failure {
        let Some(id) = &self.id else {
            return failure;
        };
        match self.remove().await {
            true => failure
                .first("The import was not finished, and what was sent of it is taken out again."),
            false => failure.first(&format!(
                "The import was not finished: `usher import remove {}` takes out what was sent.",
                tame(id)
            )),
        }
    }
}

/// A summary that fits into a body: features and notes that are too many are left out, and counted.
fn shortened(mut summary: ImportSummary) -> ImportSummary {
    let room = BODY_LIMIT_BYTES.saturating_sub(ENVELOPE_BYTES);
    let fits =
        |summary: &ImportSummary| serde_json::to_vec(summary).is_ok_and(|text| text.len() <= room);
    while !fits(&summary) {
        let kept = summary.features.len() / 2;
        let left = summary.features.len() - kept;
        summary.features.truncate(kept);
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        summary.features_more = summary.features_more.saturating_add(left);
        summary
            .daemon_peaks
            .truncate(summary.daemon_peaks.len() / 2);
        summary.notes.truncate(summary.notes.len() / 2);
        if summary.features.is_empty() && summary.notes.is_empty() {
            break;
        }
    }
    summary
}

#[cfg(test)]
mod tests;
