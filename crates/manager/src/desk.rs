//! Where messages go through: folded, decided by the site's rules, kept, delivered.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use usher_api::{Delivery, StatusMessage};
use usher_core::messages::{
    Action, Decision, Folded, Folder, FolderOptions, Message, Rule, decide, default_rules, entry,
};
use usher_site::{MESSAGES_LIMIT, MessageFilter, MessageRow, Site, SiteError};

use crate::clock::{date, wall_ms};
use crate::delivery::{self, Means, Parcel};
use crate::queues::{Counts, Queues, Trouble, WAITING_LIMIT};
use crate::targets::{Targets, Unnamed};
use crate::undelivered::{Patience, Undelivered};

/// The setting that holds the site's rules.
const RULES: &str = "message_rules";
const DAY_MS: i64 = 86_400_000;
/// The message that tells of a flood; one about it is never raised because of itself.
const FLOOD: u16 = 9449;
/// The messages about a delivery that failed, and about those that were dropped: they are kept, and
/// go into the system log at most.
const UNDELIVERED: u16 = 9448;
const DROPPED: u16 = 9445;
/// The message about deliveries that were tried for hours.
const GIVEN_UP: u16 = 9454;

/// The message of a test of a rule: it is sent, and never kept.
const TEST: u16 = 9453;

/// Who asks for a test waits for it: an action of a rule may take far longer.
const TEST_LIMIT: Duration = Duration::from_secs(30);

/// How an action of a rule went that was tested.
#[derive(Debug, Serialize)]
pub(crate) struct Tested {
    /// Where to, for people.
    destination: String,
    /// Why it did not go through; null: it did.
    why_not: Option<String>,
}

/// See the module.
pub(crate) struct Desk {
    site: Arc<dyn Site>,
    name: String,
    computer: String,
    folder: Mutex<Folder>,
    rules: RwLock<Arc<Vec<Rule>>>,
    queues: Queues,
    /// Where messages are delivered: they are raised on threads that are no tasks.
    runtime: tokio::runtime::Handle,
    targets: Targets,
    /// Counts messages, so that who waits for new ones is woken.
    news: watch::Sender<u64>,
}

/// A desk, what could not be delivered, and what stored rules name themselves.
pub(crate) type Opened = (Arc<Desk>, mpsc::Receiver<Trouble>, Vec<Unnamed>);

impl Desk {
    /// A desk with the rules that the site has; what could not be delivered comes out of the
    /// receiver, for [`tell`]. Actions that name a program or webhook themselves are left out;
    /// which, is told as well.
    pub(crate) fn open(
        site: Arc<dyn Site>,
        name: String,
        means: Means,
        targets: Targets,
    ) -> Result<Opened, SiteError> {
        let (rules, unnamed) = match site.setting(RULES)? {
            Some(text) => targets.read_rules(&text).unwrap_or_else(|error| {
                tracing::error!(%error, "the site's message rules cannot be read: the default ones hold");
                (default_rules(), Vec::new())
            }),
            None => (default_rules(), Vec::new()),
        };
        if let Some(why) = targets.missing(&rules) {
            tracing::warn!(why, "a message rule names what is not there");
        }
        let computer = usher_platform::host::computer_name();
        let (queues, troubles) = Queues::new(means, Patience::default());
        let desk = Desk {
            site,
            name,
            computer,
            folder: Mutex::new(Folder::new(FolderOptions::default())),
            rules: RwLock::new(Arc::new(rules)),
            targets,
            queues,
            runtime: tokio::runtime::Handle::current(),
            news: watch::Sender::new(0),
        };
        Ok((Arc::new(desk), troubles, unnamed))
    }

    /// The site's rules.
    pub(crate) fn rules(&self) -> Arc<Vec<Rule>> {
        self.rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why rules name what is not there, where they do.
    pub(crate) fn missing(&self, rules: &[Rule]) -> Option<String> {
        self.targets.missing(rules)
    }

    /// Changes the site's rules, which must be sound. Trouble that is open is told by what the new
    /// rules do with it that those before did not. Waits for the disk.
    pub(crate) fn put_rules(&self, rules: Vec<Rule>) -> Result<(), SiteError> {
        let text = serde_json::to_string(&rules).unwrap_or_default();
        self.site.put_setting(RULES, &text)?;
        let rules = Arc::new(rules);
        let before = {
            let mut held = self.rules.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, rules.clone())
        };
        let open = MessageFilter {
            open: true,
            limit: MESSAGES_LIMIT,
            ..MessageFilter::default()
        };
        for row in self.site.messages(&open)? {
            let new = decide(&rules, &row.message).beyond(&decide(&before, &row.message));
            self.deliver(new, &Arc::new(shown(&row)));
        }
        Ok(())
    }

    /// Does what the rule of that name says with a message that says that it is a test, once and all
    /// at the same time; how each action went. One that takes too long is given up. None: there is no such rule.
    pub(crate) async fn test(&self, name: &str) -> Option<Vec<Tested>> {
        let rules = self.rules();
        let rule = rules.iter().find(|rule| rule.name == name)?;
        let message = Message {
            id: TEST,
            computer: self.computer.clone(),
            site: self.name.clone(),
            server: None,
            process_id: std::process::id(),
            time_ms: wall_ms(),
            values: vec![name.to_owned()],
        };
        let message = shown(&MessageRow {
            record_id: 0,
            count: 1,
            last_ms: message.time_ms,
            recovered_ms: None,
            keep_until_ms: message.time_ms,
            summarised: false,
            message,
        });
        let message = Arc::new(message);
        let actions = rule.actions.iter().cloned();
        let errands = actions.filter_map(|action| self.targets.errand(action));
        let mut sent = JoinSet::new();
        for (place, errand) in errands.enumerate() {
            let (message, means) = (message.clone(), self.queues.means().clone());
            sent.spawn(async move {
                let once = delivery::once(&message, &errand, &means);
                let outcome = tokio::time::timeout(TEST_LIMIT, once).await;
                let outcome = outcome.unwrap_or_else(|_| Err(Undelivered::now(too_slow())));
                let why_not = outcome.err().map(|it| it.why);
                let destination = delivery::destination(&errand);
                let tested = Tested {
                    destination,
                    why_not,
                };
                (place, errand, tested)
            });
        }
        let mut tested = sent.join_all().await;
        tested.sort_by_key(|(place, ..)| *place);
        let told = tested.into_iter().map(|(_, errand, tested)| {
            if tested.why_not.is_none() {
                self.queues.went_through(&errand);
            }
            tested
        });
        Some(told.collect())
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
            // One that tells of a failed delivery would fail in the same way.
            let is_about_delivery = matches!(message.id, UNDELIVERED | DROPPED | GIVEN_UP);
            let in_circles = is_about_delivery && action != Action::SystemLog;
            let Some(errand) = self.targets.errand(action).filter(|_| !in_circles) else {
                continue;
            };
            let parcel = Parcel {
                rule,
                errand,
                message: message.clone(),
            };
            self.queues.send(parcel, &self.runtime);
        }
    }

    /// How many deliveries were dropped, failed, were given up, and wait now.
    pub(crate) fn deliveries(&self) -> Counts {
        self.queues.counts()
    }

    /// Where something waits, and why it does where it does not go through.
    pub(crate) fn destinations(&self) -> Vec<Delivery> {
        self.queues.destinations()
    }

    fn note_failure(&self, outcome: Result<(), SiteError>) {
        if let Err(error) = outcome {
            tracing::error!(%error, "a message could not be kept");
        }
    }
}

/// Raises a message for each delivery that did not go through, until the desk is gone.
pub(crate) async fn tell(mut troubles: mpsc::Receiver<Trouble>, desk: Weak<Desk>) {
    while let Some(trouble) = troubles.recv().await {
        let Some(desk) = desk.upgrade() else {
            return;
        };
        let (id, values) = match trouble {
            Trouble::Failed { rule, id, why } => (UNDELIVERED, vec![rule, id.to_string(), why]),
            Trouble::Dropped {
                destination,
                dropped,
            } => {
                let limit = WAITING_LIMIT.to_string();
                (DROPPED, vec![destination, dropped.to_string(), limit])
            }
            Trouble::GivenUp {
                destination,
                given_up,
                why,
            } => (GIVEN_UP, vec![destination, given_up.to_string(), why]),
        };
        desk.raise(id, None, values).await;
    }
}

fn too_slow() -> String {
    let limit = TEST_LIMIT.as_secs();
    format!("it took longer than {limit} s, and a test waits no longer")
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
