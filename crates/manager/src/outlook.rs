//! One server's outlook: coming trouble, reported before users call; and its memory, which is a
//! reason for a restart at a good moment.

use std::sync::Arc;
use std::time::Duration;

use usher_core::concerns::{HistoryFact, counted};
use usher_core::health::{MemoryGuard, MemorySeen, MemoryStep};
use usher_site::{ConcernRow, ServerRow};

use crate::clock::steady;
use crate::facts::{self, Told};
use crate::levels::Levels;
use crate::reported::Reported;
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
/// The message that a step of healing failed.
const STEP_FAILED: u16 = 9423;

/// What a server tells of itself.
pub(crate) struct OfItself {
    /// Its id; none: an earlier version does not tell it.
    pub(crate) server_id: Option<String>,
    /// What it holds of each product.
    pub(crate) levels: Levels,
}

pub(crate) struct Outlook {
    tools: Arc<Tools>,
    server: ServerRow,
    reported: Reported,
    memory: Option<MemoryGuard>,
    next_at: Duration,
}

impl Outlook {
    /// Resumes the concerns that were open when the previous manager ended.
    pub(crate) fn resume(tools: Arc<Tools>, server: ServerRow, rows: Vec<ConcernRow>) -> Outlook {
        let name = server.name.clone();
        Outlook {
            // Only what a service manager runs can be restarted without refusing anybody.
            memory: server
                .unit
                .as_ref()
                .and(tools.memory.clone())
                .map(MemoryGuard::new),
            reported: Reported::resume(tools.clone(), name.clone(), Some(name), rows),
            tools,
            server,
            next_at: Duration::ZERO,
        }
    }

    /// Asks a server that answers for its facts, if that is due or `asked` for, and acts on them.
    /// `history` says that its history cannot be collected. Answers what it told of itself.
    pub(crate) async fn look(
        &mut self,
        token: &str,
        asked: bool,
        history: Option<HistoryFact>,
    ) -> Option<OfItself> {
        let now = steady();
        if !asked && now < self.next_at {
            return None;
        }
        self.next_at = now + ASKED_EVERY;
        let mut told = self.ask(token).await?;
        told.facts.history = history;
        let thresholds = self.tools.thresholds.get();
        let name = self.server.name.clone();
        let of_itself = OfItself {
            server_id: told.server_id.take(),
            levels: told.levels.clone(),
        };
        let notices = self
            .reported
            .concerns
            .see(now, &name, &told.facts, &thresholds.concerns);
        self.reported.tell(notices).await;
        if let Some(seen) = self.memory_of(token, &told).await {
            self.watch_memory(token, seen).await;
        }
        Some(of_itself)
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
        // Whoever leads now sees to it.
        if !self.tools.leading.holds() {
            return;
        }
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
