//! A connection, as what is in the tables uses it: one statement after another, each waited for.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use super::failure::{Error, Result};
use super::values::{Param, Row};

/// Statements that stay prepared: more than there are.
const STATEMENTS: usize = 256;
/// How long a call may take until others see that the server does not answer.
const SOON: Duration = Duration::from_secs(10);

/// A connection to a server that takes writes.
pub(super) struct Db {
    /// What carries out the connection's work while a statement is waited for.
    runtime: Arc<Runtime>,
    client: Client,
    /// Carries the connection's bytes.
    task: JoinHandle<()>,
    statements: RefCell<HashMap<String, Statement>>,
    /// How long an answer is waited for.
    patience: Duration,
    /// For others to see: a call waits for the server for longer than [`SOON`]. Set here only.
    is_down: Arc<AtomicBool>,
    /// Until when the call under way has to be answered for that not to be said.
    soon: Cell<Instant>,
}

impl Drop for Db {
    /// The socket is closed now, not when the runtime has something to do again: the server gives up
    /// what this connection had locked.
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.runtime.block_on(&mut self.task);
    }
}

impl Db {
    /// `is_down` is set when a call waits for long.
    pub(super) fn new(
        runtime: Arc<Runtime>,
        client: Client,
        task: JoinHandle<()>,
        patience: Duration,
        is_down: Arc<AtomicBool>,
    ) -> Db {
        Db {
            runtime,
            client,
            task,
            statements: RefCell::new(HashMap::new()),
            patience,
            is_down,
            soon: Cell::new(Instant::now() + SOON),
        }
    }

    /// A call begins; who makes it clears `is_down` at its end.
    pub(super) fn begin_call(&self) {
        self.soon.set(Instant::now() + SOON);
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.wait_for(self.patience, work)
    }

    fn wait_for<T>(&self, patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
        let within = async {
            let mut work = pin!(tokio::time::timeout(patience, work));
            let soon = tokio::time::timeout_at(self.soon.get(), work.as_mut()).await;
            match soon {
                Ok(done) => done,
                Err(_) => {
                    self.is_down.store(true, Ordering::Relaxed);
                    work.await
                }
            }
        };
        let done = self.runtime.block_on(within);
        done.unwrap_or(Err(Error::TimedOut(patience)))
    }

    /// The statement, prepared once.
    async fn prepared(&self, sql: &str) -> Result<Statement> {
        let known = self.statements.borrow().get(sql).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Carries out statements without parameters, separated by semicolons.
    pub(super) fn batch(&self, sql: &str) -> Result<()> {
        self.wait(async { Ok(self.client.batch_execute(sql).await?) })
    }

    /// The same of what may take that long; the server has to be told so, too.
    pub(super) fn batch_within(&self, sql: &str, patience: Duration) -> Result<()> {
        self.wait_for(patience, async {
            Ok(self.client.batch_execute(sql).await?)
        })
    }

    /// Carries out a statement; how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: &[Param]) -> Result<u64> {
        self.wait(async {
            let statement = self.prepared(sql).await?;
            let params: Vec<_> = params.iter().map(Param::sql).collect();
            Ok(self.client.execute(&statement, &params).await?)
        })
    }

    /// Calls `take` with each row of an answer; it must not ask this connection meanwhile.
    pub(super) fn each(
        &self,
        sql: &str,
        params: &[Param],
        mut take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<()> {
        self.wait(async {
            let statement = self.prepared(sql).await?;
            let params = params.iter().map(Param::sql);
            let mut rows = pin!(self.client.query_raw(&statement, params).await?);
            while let Some(row) = std::future::poll_fn(|cx| rows.as_mut().poll_next(cx)).await {
                take(&Row(row?))?;
            }
            Ok(())
        })
    }

    /// All rows of an answer.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: &[Param],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row of an answer, if there is one.
    pub(super) fn optional<T>(
        &self,
        sql: &str,
        params: &[Param],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// The first row of an answer that has one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: &[Param],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<T> {
        self.optional(sql, params, read)?.ok_or(Error::Missing)
    }

    /// Whether an answer has a row.
    pub(super) fn exists(&self, sql: &str, params: &[Param]) -> Result<bool> {
        Ok(self.optional(sql, params, |_| Ok(()))?.is_some())
    }

    /// Copies rows into a table: `sql` is `COPY ... FROM STDIN BINARY`.
    pub(super) fn copy(&self, sql: &str, types: &[Type], rows: &[Vec<Param>]) -> Result<u64> {
        self.wait(async {
            let sink = self.client.copy_in(sql).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                let values: Vec<_> = row.iter().map(Param::sql).collect();
                writer.as_mut().write(&values).await?;
            }
            Ok(writer.finish().await?)
        })
    }

    /// Passes what `COPY ... TO STDOUT` answers to `take`, piece by piece. Each piece is waited for as long
    /// as an answer.
    pub(super) fn copy_out<E: From<Error>>(
        &self,
        sql: &str,
        mut take: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.runtime.block_on(async {
            let mut pieces = pin!(self.timed(self.client.copy_out(sql)).await?);
            loop {
                let next = std::future::poll_fn(|cx| pieces.as_mut().poll_next(cx));
                let next = self.timed(async { next.await.transpose() });
                match next.await? {
                    Some(piece) => take(&piece)?,
                    None => return Ok(()),
                }
            }
        })
    }

    /// Has `COPY ... FROM STDIN` take what `next` gives, until that is nothing; how many rows that were.
    pub(super) fn copy_in<E: From<Error>>(
        &self,
        sql: &str,
        mut next: impl FnMut() -> std::result::Result<Option<Bytes>, E>,
    ) -> std::result::Result<u64, E> {
        self.runtime.block_on(async {
            let mut sink = pin!(self.timed(self.client.copy_in::<_, Bytes>(sql)).await?);
            while let Some(piece) = next()? {
                let ready = std::future::poll_fn(|cx| sink.as_mut().poll_ready(cx));
                self.timed(ready).await?;
                sink.as_mut().start_send(piece).map_err(Error::from)?;
            }
            Ok(self.timed(sink.as_mut().finish()).await?)
        })
    }

    async fn timed<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Error::TimedOut(self.patience)),
        }
    }
}
