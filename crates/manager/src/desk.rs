//! Where messages go through: folded, decided by the site's rules, kept, delivered.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{mpsc, watch};
use usher_api::StatusMessage;
use usher_core::messages::{
    Action, Decision, Folded, Folder, FolderOptions, Message, Rule, decide, default_rules, entry,
};
use usher_site::{MessageRow, Site, SiteError};

use crate::clock::{date, wall_ms};
use crate::delivery::{Parcel, WAITING_LIMIT};

/// The setting that holds the site's rules.
const RULES: &str = "message_rules";
const DAY_MS: i64 = 86_400_000;
/// The message that tells of a flood; one about it is never raised because of itself.
const FLOOD: u16 = 9449;
/// The message about a delivery that failed: it is kept, and goes into the system log at most.
const UNDELIVERED: u16 = 9448;

/// See the module.
pub(crate) struct Desk {
    site: Arc<dyn Site>,
    name: String,
    computer: String,
    folder: Mutex<Folder>,
    rules: RwLock<Arc<Vec<Rule>>>,
    parcels: mpsc::Sender<Parcel>,
    /// Counts messages, so that who waits for new ones is woken.
    news: watch::Sender<u64>,
}

impl Desk {
    /// A desk with the rules that the site has; what is to be delivered comes out of the receiver.
    pub(crate) fn open(
        site: Arc<dyn Site>,
        name: String,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Parcel>), SiteError> {
        let rules = match site.setting(RULES)? {
            Some(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::error!(%error, "the site's message rules cannot be read: the default ones hold");
                default_rules()
            }),
            None => default_rules(),
        };
        let computer = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let (parcels, waiting) = mpsc::channel(WAITING_LIMIT);
        let desk = Desk {
            site,
            name,
            computer,
            folder: Mutex::new(Folder::new(FolderOptions::default())),
            rules: RwLock::new(Arc::new(rules)),
            parcels,
            news: watch::Sender::new(0),
        };
        Ok((Arc::new(desk), waiting))
    }

    /// The site's rules.
    pub(crate) fn rules(&self) -> Arc<Vec<Rule>> {
        self.rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the site's rules, which must be sound. Waits for the disk.
    pub(crate) fn put_rules(&self, rules: Vec<Rule>) -> Result<(), SiteError> {
        let text = serde_json::to_string(&rules).unwrap_or_default();
        self.site.put_setting(RULES, &text)?;
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        Ok(())
    }

    /// A number that changes with each message.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Raises a message; its record, where it is kept.
    pub(crate) async fn raise(
        self: &Arc<Self>,
        id: u16,
        server: Option<&str>,
        values: Vec<String>,
    ) -> Option<i64> {
        let message = Message {
            id,
            computer: self.computer.clone(),
            site: self.name.clone(),
            server: server.map(str::to_owned),
            process_id: std::process::id(),
            time_ms: wall_ms(),
            values,
        };
        let desk = self.clone();
        let took = tokio::task::spawn_blocking(move || desk.take(&message)).await;
        took.unwrap_or(None)
    }

    /// The name of the computer that it is on.
    pub(crate) fn computer(&self) -> &str {
        &self.computer
    }

    fn take(&self, message: &Message) -> Option<i64> {
        let text = message.text();
        match entry(message.id).severity {
            usher_core::messages::Severity::Error => tracing::error!(id = message.id, "{text}"),
            usher_core::messages::Severity::Warning => tracing::warn!(id = message.id, "{text}"),
            usher_core::messages::Severity::Informational => {
                tracing::info!(id = message.id, "{text}");
            }
        }
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        match folder.take(message) {
            Folded::Repeat { record, count } => {
                drop(folder);
                let counted = self.site.count_message(record, count, message.time_ms);
                self.note_failure(counted);
                Some(record)
            }
            Folded::Flood { more } => {
                drop(folder);
                if message.id != FLOOD && is_power(more) {
                    let told = Message {
                        id: FLOOD,
                        values: vec![more.to_string(), message.id.to_string()],
                        ..message.clone()
                    };
                    self.keep(&told);
                }
                None
            }
            Folded::New => {
                drop(folder);
                let record = self.keep(message)?;
                self.folder
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .stored(message, record);
                Some(record)
            }
        }
    }

    /// Keeps and delivers, as the rules say.
    fn keep(&self, message: &Message) -> Option<i64> {
        let decision = decide(&self.rules(), message);
        let row = MessageRow {
            record_id: 0,
            message: message.clone(),
            count: 1,
            last_ms: message.time_ms,
            recovered_ms: None,
            keep_until_ms: message.time_ms + i64::from(decision.store_days().unwrap_or(0)) * DAY_MS,
            summarised: decision.is_summarised(),
        };
        let record = match decision.store_days() {
            None => None,
            Some(_) => match self.site.add_message(&row) {
                Ok(record) => Some(record),
                Err(error) => {
                    self.note_failure(Err(error));
                    None
                }
            },
        };
        self.news.send_modify(|count| *count += 1);
        let shown = Arc::new(shown(&MessageRow {
            record_id: record.unwrap_or(0),
            ..row
        }));
        self.deliver(decision, &shown);
        record
    }

    /// Delivers again what was kept already, as when it is reminded of.
    pub(crate) fn remind(&self, row: &MessageRow) {
        let decision = decide(&self.rules(), &row.message);
        self.deliver(decision, &Arc::new(shown(row)));
    }

    fn deliver(&self, decision: Decision, message: &Arc<StatusMessage>) {
        for (rule, action) in decision.actions {
            let here = matches!(action, Action::Store { .. } | Action::DoNotSummarise);
            // One that tells of a failed delivery would fail in the same way.
            let in_circles = message.id == UNDELIVERED && action != Action::SystemLog;
            if here || in_circles {
                continue;
            }
            let parcel = Parcel {
                rule,
                action,
                message: message.clone(),
            };
            if self.parcels.try_send(parcel).is_err() {
                tracing::error!(
                    id = message.id,
                    "too much waits to be delivered: this message is kept, and not sent"
                );
            }
        }
    }

    fn note_failure(&self, outcome: Result<(), SiteError>) {
        if let Err(error) = outcome {
            tracing::error!(%error, "a message could not be kept");
        }
    }
}

/// 1, 10, 100 ...
fn is_power(count: u64) -> bool {
    10_u64.checked_pow(count.max(1).ilog10()) == Some(count)
}

/// A message as the API shows it.
pub(crate) fn shown(row: &MessageRow) -> StatusMessage {
    let entry = row.message.entry();
    StatusMessage {
        record_id: row.record_id,
        id: row.message.id,
        severity: entry.severity.name().to_owned(),
        kind: entry.kind.name().to_owned(),
        component: entry.component.to_owned(),
        computer: row.message.computer.clone(),
        site: row.message.site.clone(),
        server: row.message.server.clone(),
        time: date(row.message.time_ms),
        values: row.message.values.clone(),
        text: row.message.text(),
        count: row.count,
        first_at: date(row.message.time_ms),
        last_at: date(row.last_ms),
        recovered_at: row.recovered_ms.map(date),
    }
}
