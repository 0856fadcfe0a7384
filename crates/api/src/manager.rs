//! The manager: the metering servers that it watches, and its status messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/servers` of a manager.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchRequest {
    /// The name for it: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Where its API is.
    pub url: String,
    /// A token of that server, of role manager; one of a viewer is enough to watch. It is never
    /// shown again.
    pub token: String,
    /// Its systemd unit or Windows service, if it is on the manager's computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its data directory, if it is on the manager's computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// `PATCH /v1/servers/{name}` of a manager: what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchChange {
    /// Where its API is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Another token of that server, of role manager; one of a viewer is enough to watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Its systemd unit or Windows service, if it is on the manager's computer; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its data directory, if it is on the manager's computer; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Change it although the server answers and does not take the token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl WatchChange {
    /// Whether anything is to change.
    pub fn changes(&self) -> bool {
        let force = self.force;
        *self
            != WatchChange {
                force,
                ..WatchChange::default()
            }
    }
}

/// A metering server, as the manager sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WatchedServer {
    /// The name that the manager knows it by.
    pub name: String,
    /// Where its API is.
    pub url: String,
    /// `running`, `degraded`, `maintenance`, `stuck`, `stopped`, `unreachable` or `unknown`.
    pub verdict: String,
    /// Since when the verdict is that.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When the manager last looked at it; null: not yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub polled_at: Option<Timestamp>,
    /// Why the verdict is that.
    pub evidence: Vec<Evidence>,
    /// What the service manager says; null if there is none to ask.
    pub service: Option<ServiceSeen>,
    /// The open trouble; null: none.
    pub episode: Option<EpisodeSeen>,
    /// Why it grants nothing now, though it answers; null if it grants, or does not answer.
    #[serde(default)]
    pub grants_nothing: Option<crate::GrantsNothing>,
    /// The server's own id; null until the server has answered with it.
    #[serde(default)]
    pub server_id: Option<String>,
    /// Another name under which the same server is watched; null: none.
    #[serde(default)]
    pub same_as: Option<String>,
    /// Who restarts it if it is stuck, or stopped although nobody asked for that; null until the
    /// manager has looked at it.
    #[serde(default)]
    pub healing: Option<Healing>,
    /// How far its history is collected; null until that was tried.
    #[serde(default)]
    pub history: Option<HistorySeen>,
}

/// How far a manager has collected the history of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistorySeen {
    /// The life of the server's data that `through_event` is of.
    pub incarnation: Option<u32>,
    /// All that ended up to this event is in the site database.
    pub through_event: u64,
    /// The server's last event, when it was last asked.
    pub head_event: u64,
    /// Items that this manager has added since it was started.
    pub added: u64,
    /// When the last page was added, or found empty.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub collected_at: Option<Timestamp>,
    /// Whether the server knows how far it is collected, and keeps the rest.
    pub acknowledged: bool,
    /// Why the server is not told how far it is collected; null: it is, or was not told yet.
    #[serde(default)]
    pub not_acknowledged: Option<String>,
    /// Why the last try failed; null: it did not.
    pub why: Option<String>,
    /// Since when every try has failed; null: the last one did not.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
}

/// Who restarts a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Healing {
    /// `manager`; `others`, such as its service manager; null: nobody.
    pub by: Option<String>,
    /// How, or why nobody does and what to do.
    pub how: String,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// `service_manager`, `api` or `work`.
    pub source: String,
    /// What was found, in words.
    pub finding: String,
    /// When the manager saw it.
    #[schema(value_type = String, format = DateTime)]
    pub observed_at: Timestamp,
}

/// A service, as its service manager tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceSeen {
    /// `stopped`, `start_pending`, `stop_pending`, `running`, `continue_pending`, `pause_pending`
    /// or `paused`.
    pub state: String,
    /// For how many seconds it has said so.
    pub state_age_seconds: u64,
    /// Counts the moves of a pending state's work.
    pub checkpoint: u32,
    /// For how many seconds that work may stand still.
    pub wait_hint_seconds: u64,
    /// The Win32 error number that says how it ended, or what it refuses.
    pub win32_error: Option<u32>,
}

/// An episode of trouble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EpisodeSeen {
    /// The id of the episode, which its messages carry.
    pub id: String,
    /// The number of its message.
    pub message_id: u16,
    /// How often it was seen.
    pub count: u64,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// A status message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusMessage {
    /// Its own number in this site.
    pub record_id: i64,
    /// Its number in the catalogue.
    pub id: u16,
    /// `informational`, `warning` or `error`.
    pub severity: String,
    /// `milestone`, `detail` or `audit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which part it is about.
    pub component: String,
    /// The computer that raised it.
    pub computer: String,
    /// The site.
    pub site: String,
    /// The metering server that it is about.
    pub server: Option<String>,
    /// When it was first raised.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The values in the text.
    pub values: Vec<String>,
    /// What happened, in a sentence.
    pub text: String,
    /// How often it was raised.
    pub count: u64,
    /// When it was first raised.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it was last raised.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// When the trouble was over; null: it is not over, or the message is about nothing that lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recovered_at: Option<Timestamp>,
}

/// A message of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueEntry {
    /// The number of the message.
    pub id: u16,
    /// `informational`, `warning` or `error`.
    pub severity: String,
    /// `milestone`, `detail` or `audit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which part it is about.
    pub component: String,
    /// Whose number it is: `SMS 2.0` or `Usher`.
    pub origin: String,
    /// The text, with `{0}`, `{1}` ... for its values.
    pub text: String,
    /// What its values are, in their order.
    #[serde(default)]
    pub fields: Vec<String>,
    /// What it means.
    pub meaning: String,
    /// What to check.
    pub check: String,
    /// What Usher does itself.
    pub does: String,
}

/// An item of `GET /v1/deliveries` of a manager: a destination of messages for which something
/// waits, or that took nothing at the last try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The destination, in words for people.
    pub destination: String,
    /// Messages that wait for it.
    pub waiting: u64,
    /// Why the last try failed; null: no try has failed since something went through.
    pub why: Option<String>,
    /// Since when all tries have failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// When it is tried again; null if nothing waits for it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Messages that were given up since something went through: they were refused for good, or
    /// waited for 12 hours.
    pub given_up: u64,
}

/// How a component stands since a set time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComponentSummary {
    /// The component; `site` is all of them.
    pub component: String,
    /// `ok`, `warning` or `critical`: no better than what is open, or than the verdicts on servers.
    pub status: String,
    /// Why it stands so, in words; none if all is well with it. Of the site by its worst component.
    #[serde(default)]
    pub why: Option<String>,
    /// Informational messages.
    pub informational: u64,
    /// Warnings; trouble that lasts is one, however often it was seen.
    pub warnings: u64,
    /// Errors, in the same way.
    pub errors: u64,
    /// Counted since.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many messages are open now: those that `GET /v1/messages?open=true` lists, as far as the
    /// rules count them in summaries.
    #[serde(default)]
    pub open: u64,
    /// Seconds since then in which any was open.
    #[serde(default)]
    pub open_seconds: u64,
}

/// A page of what all watched servers have: each item is the server's own, with `server`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SitePage {
    /// The items, server by server.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<serde_json::Value>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// The servers whose items are not there.
    pub unseen: Vec<Unseen>,
}

/// A watched server that did not say what it has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Unseen {
    /// Its name.
    pub server: String,
    /// Why it did not, in words.
    pub why: String,
}
