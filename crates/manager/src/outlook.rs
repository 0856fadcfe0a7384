//! One server's outlook: coming trouble, reported before users call; and its memory, which is a
//! reason for a restart at a good moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use usher_core::concerns::{Concerns, HistoryFact, Kind, Notice, counted};
use usher_core::health::{MemoryGuard, MemorySeen, MemoryStep};
use usher_site::{Change, ConcernRow, ServerRow};

use crate::clock::{steady, wall_ms};
use crate::dispatch::Raise;
use crate::facts::{self, Told};
use crate::tools::Tools;

/// How often a server is asked for its facts, which change slowly; a poll on request asks at once.
const ASKED_EVERY: Duration = Duration::from_secs(10);
/// How long a restart may take: longer than systemd's own limit.
const RESTART: Duration = Duration::from_secs(180);
/// For how long requests are counted.
const BUSY: Duration = Duration::from_secs(1);
/// How many of the counted requests are the manager's own.
const OWN_REQUESTS: u64 = 2;
const MB: u64 = 1_000_000;
/// The message that there are more messages than are stored.
const FLOOD: u16 = 9449;
/// The message that a step of healing failed.
const STEP_FAILED: u16 = 9423;

pub(crate) struct Outlook {
    tools: Arc<Tools>,
    server: ServerRow,
    concerns: Concerns,
    records: BTreeMap<(Kind, String), i64>,
    memory: Option<MemoryGuard>,
    next_at: Duration,
}

impl Outlook {
    /// Resumes the concerns that were open when the previous manager ended.
    pub(crate) fn resume(tools: Arc<Tools>, server: ServerRow, rows: Vec<ConcernRow>) -> Outlook {
        let mut outlook = Outlook {
            // Only what a service manager runs can be restarted without refusing anybody.
            memory: server
                .unit
                .as_ref()
                .and(tools.memory.clone())
                .map(MemoryGuard::new),
            tools,
            server,
            concerns: Concerns::default(),
            records: BTreeMap::new(),
            next_at: Duration::ZERO,
        };
        for row in rows {
            let Some(kind) = Kind::of_message(row.message_id) else {
                continue;
            };
            if let Some(record) = row.record_id {
                outlook.records.insert((kind, row.about.clone()), record);
            }
            let now = steady();
            outlook.concerns.resume(kind, row.about, row.count, now);
        }
        outlook
    }

    /// Asks a server that answers for its facts, if that is due or `asked` for, and acts on them.
    /// `history` says that its history cannot be collected. Answers the server's id, if it tells
    /// it.
    pub(crate) async fn look(
        &mut self,
        token: &str,
        asked: bool,
        history: Option<HistoryFact>,
    ) -> Option<String> {
        let now = steady();
        if !asked && now < self.next_at {
            return None;
        }
        self.next_at = now + ASKED_EVERY;
        let mut told = self.ask(token).await?;
        told.facts.history = history;
        let thresholds = self.tools.thresholds.get();
        let name = self.server.name.clone();
        let notices = self
            .concerns
            .see(now, &name, &told.facts, &thresholds.concerns);
        self.tell(notices).await;
        if let Some(seen) = self.memory_of(token, &told).await {
            self.watch_memory(token, seen).await;
        }
        told.server_id
    }

    /// The facts about its memory. How busy a server is, is measured for a second, and only if the
    /// server is above its limit.
    async fn memory_of(&self, token: &str, told: &Told) -> Option<MemorySeen> {
        let limit = self.memory.as_ref()?.limit_bytes();
        let seen = |told: &Told, requests| {
            Some(MemorySeen {
                resident_bytes: told.resident_bytes?,
                requests,
                pack_runs: told.pack_runs,
            })
        };
        if told.resident_bytes? <= limit {
            return seen(told, 0);
        }
        tokio::time::sleep(BUSY).await;
        let later = self.ask(token).await?;
        let answered = later.answered.saturating_sub(told.answered);
        seen(&later, answered.saturating_sub(OWN_REQUESTS))
    }

    async fn ask(&self, token: &str) -> Option<Told> {
        facts::ask(&self.tools.prober, &self.server.url, token).await
    }

    /// Records the result of a poll in one step, and raises its messages.
    async fn tell(&mut self, notices: Vec<Notice>) {
        let mut changes = Vec::with_capacity(notices.len());
        let mut began = Vec::new();
        for notice in notices {
            changes.push(match notice {
                Notice::Began(concern) => {
                    let key = (concern.kind, concern.about.clone());
                    began.push((changes.len(), key));
                    let id = concern.kind.message_id();
                    let message = Raise::new(id, Some(&self.server.name), concern.values);
                    let row = self.row(concern.kind, concern.about, None, 1);
                    Change::ConcernBegan(row, message)
                }
                Notice::GoesOn(concern, count) => {
                    let key = (concern.kind, concern.about.clone());
                    let record = self.records.get(&key).copied();
                    Change::ConcernGoesOn {
                        concern: self.row(concern.kind, concern.about, record, count),
                        values: concern.values,
                        last_ms: wall_ms(),
                    }
                }
                Notice::Ended { kind, about } => {
                    let record = self.records.remove(&(kind, about.clone()));
                    Change::ConcernEnded {
                        concern: self.row(kind, about, record, 0),
                        ended_ms: wall_ms(),
                    }
                }
                Notice::TooMany { kind, more } => {
                    let values = vec![more.to_string(), kind.message_id().to_string()];
                    Change::Message(Raise::new(FLOOD, Some(&self.server.name), values))
                }
            });
        }
        let records = self.tools.dispatcher.record(changes).await;
        for (place, key) in began {
            if let Some(record) = records.get(place).copied().flatten() {
                self.records.insert(key, record);
            }
        }
    }

    fn row(&self, kind: Kind, about: String, record_id: Option<i64>, count: u64) -> ConcernRow {
        ConcernRow {
            server: self.server.name.clone(),
            message_id: kind.message_id(),
            about,
            record_id,
            count,
        }
    }

    async fn raise(&self, id: u16, values: Vec<String>) -> Option<i64> {
        let name = self.server.name.as_str();
        self.tools.dispatcher.raise(id, Some(name), values).await
    }

    async fn watch_memory(&mut self, token: &str, seen: MemorySeen) {
        let name = self.server.name.clone();
        let used = (seen.resident_bytes / MB).to_string();
        while let Some(guard) = &mut self.memory
            && let Some(step) = guard.next(steady(), &seen)
        {
            match step {
                MemoryStep::Wait => {
                    let limit = (guard.limit_bytes() / MB).to_string();
                    self.raise(9425, vec![name.clone(), used.clone(), limit])
                        .await;
                }
                MemoryStep::GiveUp => {
                    self.raise(9428, vec![name.clone(), used.clone()]).await;
                    return;
                }
                MemoryStep::Restart { at_latest } => {
                    self.restart(token, &seen, at_latest).await;
                    return;
                }
            }
        }
    }

    async fn restart(&self, token: &str, seen: &MemorySeen, at_latest: bool) {
        let Some(unit) = self.server.unit.clone() else {
            return;
        };
        let why = match at_latest {
            true => "no better moment has come in time".to_owned(),
            false => format!(
                "it answers {} a second, and no pack runs",
                counted(seen.requests, "request")
            ),
        };
        let name = self.server.name.clone();
        self.raise(9426, vec![name.clone(), why]).await;
        let shown = unit.clone();
        let service_manager = self.tools.service_manager.clone();
        let restarting = tokio::task::spawn_blocking(move || service_manager.restart(&unit));
        let outcome = match tokio::time::timeout(RESTART, restarting).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err("the service manager does not answer".to_owned()),
        };
        if let Err(why) = outcome {
            let why = format!("restarting its unit {shown} failed: {why}");
            self.raise(STEP_FAILED, vec![name, why]).await;
            return;
        }
        let told = self.ask(token).await;
        let after = told.and_then(|told| told.resident_bytes).map_or_else(
            || "an unknown number of".to_owned(),
            |bytes| (bytes / MB).to_string(),
        );
        let before = (seen.resident_bytes / MB).to_string();
        self.raise(9427, vec![name, before, after]).await;
    }
}
