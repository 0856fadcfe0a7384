//! Handles a message: folds repeats, applies the site's rules, records it, delivers it.

mod sent;
mod shown;
mod trial;
mod troubles;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::{mpsc, watch};
use usher_api::Delivery;
use usher_core::messages::{
    Folded, Folder, FolderOptions, Message, Rule, Severity, decide, default_rules, entry,
};
use usher_site::{Change, Kept, MessageRow, NewMessage, Once, Resumed, Said, Site, SiteError};

use crate::clock::wall_ms;
use crate::delivery::{self, Means};
use crate::leading::Leading;
use crate::logged::or_log;
use crate::queues::{Counts, Queues, Trouble, is_power};
use crate::targets::{Targets, Unnamed};
use crate::undelivered::Patience;

use sent::Sent;

pub(crate) use shown::shown;
pub(crate) use troubles::tell;

const DAY_MS: i64 = 86_400_000;
/// The message about a flood; it is never raised about itself.
const FLOOD: u16 = 9449;
/// The message about a failed delivery. Messages about deliveries are stored, and sent to the
/// system log at most.
const UNDELIVERED: u16 = 9448;
const DROPPED: u16 = 9445;
/// The message about deliveries that were given up.
const GIVEN_UP: u16 = 9454;

/// A message to raise.
#[derive(Debug, Clone)]
pub(crate) struct Raise {
    id: u16,
    server: Option<String>,
    values: Vec<String>,
}

impl Raise {
    /// A message of that number, about a server or about none.
    pub(crate) fn new(id: u16, server: Option<&str>, values: Vec<String>) -> Raise {
        Raise {
            id,
            server: server.map(str::to_owned),
            values,
        }
    }
}

pub(crate) struct Dispatcher {
    site: Arc<dyn Site>,
    name: String,
    computer: String,
    folder: Mutex<Folder>,
    rules: RwLock<Arc<Vec<Rule>>>,
    queues: Queues,
    targets: Targets,
    /// Held for reading while a record is being written.
    recording: Arc<tokio::sync::RwLock<()>>,
    /// Counts messages, to wake those who wait for new ones.
    news: watch::Sender<u64>,
}

/// A dispatcher, the receiver of failed deliveries, and actions that stored rules contain
/// themselves.
pub(crate) type Opened = (Arc<Dispatcher>, mpsc::Receiver<Trouble>, Vec<Unnamed>);

/// A new message, and what the rules decide about it.
struct New {
    row: MessageRow,
    /// Whether the rules store it.
    is_kept: bool,
    sent: Vec<Sent>,
    /// Whether repeats of the message are counted with it.
    is_folded: bool,
}

impl Dispatcher {
    /// A dispatcher with the rules that the site has; it goes on with what waited, for as long as
    /// `leading` holds. What could not be delivered comes out of the receiver, for [`tell`]. Actions
    /// that name a program or webhook themselves are left out; which, is told as well.
    pub(crate) fn open(
        site: Arc<dyn Site>,
        name: String,
        means: Means,
        targets: Targets,
        known: &Resumed,
        leading: Leading,
    ) -> Opened {
        let (rules, unnamed) = read(&targets, known.rules.as_deref());
        let computer = usher_platform::host::computer_name();
        let patience = Patience::default();
        let (queues, troubles) = Queues::new(means, patience, site.clone(), leading);
        let dispatcher = Dispatcher {
            site,
            name,
            computer,
            folder: Mutex::new(Folder::new(FolderOptions::default())),
            rules: RwLock::new(Arc::new(rules)),
            targets,
            queues,
            recording: Arc::default(),
            news: watch::Sender::new(0),
        };
        dispatcher.go_on(known);
        (Arc::new(dispatcher), troubles, unnamed)
    }

    /// The site's rules.
    pub(crate) fn rules(&self) -> Arc<Vec<Rule>> {
        self.rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Holds the rules that another manager has put, and wakes those who wait for messages if there is
    /// a new one. Nothing is delivered: that manager does.
    pub(crate) fn reread(&self, rules: Option<&str>, is_news: bool) {
        let (rules, _) = read(&self.targets, rules);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        if is_news {
            self.news.send_modify(|count| *count += 1);
        }
    }

    /// Ends what is being delivered, because another manager leads; what waits is in the site database.
    pub(crate) fn end(&self) {
        self.queues.end();
    }

    /// Why rules are refused that name an unknown program or webhook; none: they name none.
    pub(crate) fn missing(&self, rules: &[Rule]) -> Option<String> {
        self.targets.missing(rules)
    }

    /// Replaces the site's rules, which must be valid. Open trouble is delivered again as far as
    /// the new rules do more with it than the former ones.
    pub(crate) async fn put_rules(&self, rules: Vec<Rule>) -> Result<(), SiteError> {
        let text = serde_json::to_string(&rules).unwrap_or_default();
        let open = self.site.set_rules(text, sent::named(&rules)).await?;
        let rules = Arc::new(rules);
        let before = {
            let mut held = self.rules.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, rules.clone())
        };
        for row in open {
            let new = decide(&rules, &row.message).beyond(&decide(&before, &row.message));
            self.send_again(new, &row).await;
        }
        self.forget_all_but(&rules);
        Ok(())
    }

    /// A number that changes with each message.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Raises a message; answers the number of its record, if it is stored.
    pub(crate) async fn raise(
        self: &Arc<Self>,
        id: u16,
        server: Option<&str>,
        values: Vec<String>,
    ) -> Option<i64> {
        let raise = Raise::new(id, server, values);
        let records = self.record(vec![Change::Message(raise)]).await;
        records.into_iter().next().flatten()
    }

    /// Records changes, all or none, and raises their messages; answers for each the record of its
    /// message, if that is stored. Messages are raised even if they cannot be recorded. It is
    /// carried out completely, even if the caller ends meanwhile.
    pub(crate) async fn record(self: &Arc<Self>, changes: Vec<Change<Raise>>) -> Vec<Option<i64>> {
        let many = changes.len();
        if many == 0 {
            return Vec::new();
        }
        let dispatcher = self.clone();
        let under_way = self.recording.clone().read_owned().await;
        let recorded = tokio::spawn(async move {
            let recorded = dispatcher.record_all(changes).await;
            drop(under_way);
            recorded
        });
        recorded.await.unwrap_or_else(|_| vec![None; many])
    }

    /// Waits until all pending records are written.
    pub(crate) async fn settled(&self) {
        drop(self.recording.write().await);
    }

    async fn record_all(&self, changes: Vec<Change<Raise>>) -> Vec<Option<i64>> {
        let many = changes.len();
        let mut floods = Vec::new();
        let mut new: Vec<Option<New>> = Vec::with_capacity(many);
        let mut all: Vec<Change<Said>> = Vec::with_capacity(many);
        for change in changes {
            let mut told = None;
            all.push(change.map(|raise| {
                let (said, it, flood) = self.fold(self.message(raise));
                told = it;
                floods.extend(flood);
                said
            }));
            new.push(told);
        }
        for flood in floods {
            let told = self.decided(flood, false);
            all.push(Change::Message(told.said()));
            new.push(Some(told));
        }
        let all_of_them = all.len();
        let recorded = self.site.record(all).await;
        let recorded = recorded.unwrap_or_else(|error| {
            tracing::error!(%error, "a message could not be stored");
            vec![Kept::default(); all_of_them]
        });
        for (told, kept) in new.into_iter().zip(&recorded) {
            if let Some(told) = told {
                self.tell(told, kept);
            }
        }
        let records = recorded.into_iter().map(|kept| kept.record_id);
        records.take(many).collect()
    }

    /// Raises a message unless it was raised before; it is never folded.
    pub(crate) async fn raise_once(&self, once: Once, id: u16, values: Vec<String>) {
        let told = self.decided(self.message(Raise::new(id, None, values)), false);
        match self.site.record_once(once, told.said()).await {
            Ok(None) => self.forgo(&told.sent),
            Ok(Some(kept)) => {
                log(&told.row.message);
                self.tell(told, &kept);
            }
            Err(error) => {
                tracing::error!(%error, "a message could not be stored");
                self.tell(told, &Kept::default());
            }
        }
    }

    /// The name of the manager's computer.
    pub(crate) fn computer(&self) -> &str {
        &self.computer
    }

    fn message(&self, raise: Raise) -> Message {
        Message {
            id: raise.id,
            computer: self.computer.clone(),
            site: self.name.clone(),
            server: raise.server,
            process_id: std::process::id(),
            time_ms: wall_ms(),
            values: raise.values,
        }
    }

    fn folder(&self) -> MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Folds a message; answers also the message about a flood of it, if there is one.
    fn fold(&self, message: Message) -> (Said, Option<New>, Option<Message>) {
        log(&message);
        let folded = self.folder().take(&message);
        match folded {
            Folded::Repeat { record, count } => {
                let again = Said::Again {
                    record_id: record,
                    count,
                    last_ms: message.time_ms,
                };
                (again, None, None)
            }
            Folded::Flood { more } => {
                let is_told = message.id != FLOOD && is_power(more);
                let flood = is_told.then(|| Message {
                    id: FLOOD,
                    values: vec![more.to_string(), message.id.to_string()],
                    ..message
                });
                (Said::Nothing, None, flood)
            }
            Folded::New => {
                let told = self.decided(message, true);
                (told.said(), Some(told), None)
            }
        }
    }

    /// A new message with what the rules decide about it.
    fn decided(&self, message: Message, is_folded: bool) -> New {
        let decision = decide(&self.rules(), &message);
        let days = decision.store_days();
        let keep_ms = i64::from(days.unwrap_or(0)) * DAY_MS;
        let summarised = decision.is_summarised();
        New {
            sent: self.sent(decision, message.id),
            row: MessageRow {
                record_id: 0,
                count: 1,
                last_ms: message.time_ms,
                recovered_ms: None,
                keep_until_ms: message.time_ms + keep_ms,
                summarised,
                message,
            },
            is_kept: days.is_some(),
            is_folded,
        }
    }

    /// Delivers a new message after it was recorded.
    fn tell(&self, told: New, kept: &Kept) {
        if let Some(record) = kept.record_id.filter(|_| told.is_folded) {
            self.folder().stored(&told.row.message, record);
        }
        self.news.send_modify(|count| *count += 1);
        let message = Arc::new(shown(&MessageRow {
            record_id: kept.record_id.unwrap_or(0),
            ..told.row
        }));
        self.send(told.sent, &kept.deliveries, &message);
    }

    /// Delivers a stored message again, such as a reminder. It is carried out completely, even if
    /// the caller ends meanwhile.
    pub(crate) async fn remind(self: &Arc<Self>, record: i64) {
        let dispatcher = self.clone();
        let reminded = tokio::spawn(async move {
            let found = dispatcher.site.message(record).await;
            if let Some(row) = or_log(found).flatten() {
                let decision = decide(&dispatcher.rules(), &row.message);
                dispatcher.send_again(decision, &row).await;
            }
        });
        // A panic of it is in the log.
        let _ = reminded.await;
    }

    /// How many deliveries were dropped, have failed, were given up, and wait now.
    pub(crate) fn deliveries(&self) -> Counts {
        self.queues.counts()
    }

    /// Why no mail can be sent, as far as that is known before a try.
    pub(crate) async fn mail_why_not(&self) -> Option<String> {
        delivery::mail_why_not(self.queues.means()).await
    }

    /// The destinations for which messages wait, and why deliveries fail there.
    pub(crate) fn destinations(&self) -> Vec<Delivery> {
        self.queues.destinations()
    }
}

/// The site's rules, or the default ones if they cannot be read; and actions that name a program or webhook
/// themselves.
fn read(targets: &Targets, rules: Option<&str>) -> (Vec<Rule>, Vec<Unnamed>) {
    let (rules, unnamed) = match rules {
        Some(text) => targets.read_rules(text).unwrap_or_else(|error| {
            tracing::error!(%error, "the site's message rules cannot be read: the default ones hold");
            (default_rules(), Vec::new())
        }),
        None => (default_rules(), Vec::new()),
    };
    if let Some(why) = targets.missing(&rules) {
        tracing::warn!(why, "a message rule names an unknown program or webhook");
    }
    (rules, unnamed)
}

impl New {
    fn said(&self) -> Said {
        Said::New(Box::new(NewMessage {
            row: self.row.clone(),
            is_kept: self.is_kept,
            deliveries: sent::kept(&self.sent, &self.row),
        }))
    }
}

fn log(message: &Message) {
    let text = message.text();
    match entry(message.id).severity {
        Severity::Error => tracing::error!(id = message.id, "{text}"),
        Severity::Warning => tracing::warn!(id = message.id, "{text}"),
        Severity::Informational => tracing::info!(id = message.id, "{text}"),
    }
}
