//! The manager: the metering servers that it watches, and its status messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/servers` of a manager: watch a metering server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchRequest {
    /// The name for it: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The URL of its API.
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

/// `PATCH /v1/servers/{name}` of a manager. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchChange {
    /// The URL of its API.
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
    /// Make the change even if the server does not accept the token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl WatchChange {
    /// Whether the request changes anything.
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
    /// The URL of its API.
    pub url: String,
    /// `running`, `degraded`, `maintenance`, `stuck`, `stopped`, `unreachable` or `unknown`.
    pub verdict: String,
    /// Since when the verdict has been the same.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When the manager last polled it; null: not yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub polled_at: Option<Timestamp>,
    /// The evidence for the verdict.
    pub evidence: Vec<Evidence>,
    /// What the service manager says; null if there is none to ask.
    pub service: Option<ServiceSeen>,
    /// The open episode of trouble; null: none.
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
    /// first poll.
    #[serde(default)]
    pub healing: Option<Healing>,
    /// How far its history is collected; null until the first try.
    #[serde(default)]
    pub history: Option<HistorySeen>,
}

/// How far a manager has collected the history of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistorySeen {
    /// The life of the server's data that `through_event` belongs to.
    pub incarnation: Option<u32>,
    /// Everything that ended up to this event is in the site database.
    pub through_event: u64,
    /// The server's last event at the last poll.
    pub head_event: u64,
    /// Items that this manager has added since its start.
    pub added: u64,
    /// When the last page was added, or found empty.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub collected_at: Option<Timestamp>,
    /// Whether the server knows how far its history is collected, so that it keeps the rest.
    pub acknowledged: bool,
    /// Why the server does not know how far its history is collected; null: it does, or the first
    /// try is still to come.
    #[serde(default)]
    pub not_acknowledged: Option<String>,
    /// Why the last try failed; null: it succeeded.
    pub why: Option<String>,
    /// Since when every try has failed; null: the last one succeeded.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
}

/// Who restarts a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Healing {
    /// `manager`; `others`, for example its service manager; null: nobody.
    pub by: Option<String>,
    /// How it is restarted, or why nobody restarts it and what to do.
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

/// A service as its service manager describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceSeen {
    /// `stopped`, `start_pending`, `stop_pending`, `running`, `continue_pending`, `pause_pending`
    /// or `paused`.
    pub state: String,
    /// For how many seconds it has been in that state.
    pub state_age_seconds: u64,
    /// The checkpoint of a pending state, which grows while its work progresses.
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
    /// Its number in the site database.
    pub record_id: i64,
    /// Its number in the catalogue, such as 9406.
    pub id: u16,
    /// `informational`, `warning` or `error`.
    pub severity: String,
    /// `milestone`, `detail` or `audit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The component that it is about.
    pub component: String,
    /// The computer that raised it.
    pub computer: String,
    /// The name of the site.
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
    /// When the trouble was over; null: it is not, or the message is about a single event.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recovered_at: Option<Timestamp>,
}

/// An entry of the catalogue of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueEntry {
    /// The number of the message.
    pub id: u16,
    /// `informational`, `warning` or `error`.
    pub severity: String,
    /// `milestone`, `detail` or `audit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The component that it is about.
    pub component: String,
    /// Whose number it is: `SMS 2.0` or `Usher`.
    pub origin: String,
    /// The text, with `{0}`, `{1}` ... for its values.
    pub text: String,
    /// A short name for each of its values, in their order.
    #[serde(default)]
    pub fields: Vec<String>,
    /// What it means.
    pub meaning: String,
    /// What to check.
    pub check: String,
    /// What Usher does itself.
    pub does: String,
}

/// An item of `GET /v1/deliveries` of a manager: a destination with messages that wait, or at which
/// the last delivery failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The destination, in words for people.
    pub destination: String,
    /// Messages that wait for it.
    pub waiting: u64,
    /// Why the last try failed; null: none has failed since the last success.
    pub why: Option<String>,
    /// Since when all tries have failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// When the manager tries again; null: nothing waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Messages that were given up since the last success: they were refused for good, or waited
    /// for 12 hours.
    pub given_up: u64,
}

/// The status of a component, from messages since a set time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComponentSummary {
    /// The component; `site` stands for all of them.
    pub component: String,
    /// `ok`, `warning` or `critical`: no better than what is open, or than the verdicts on servers.
    pub status: String,
    /// Why it has that status, in words; null if it is `ok`. For the site, by its worst component.
    #[serde(default)]
    pub why: Option<String>,
    /// Informational messages.
    pub informational: u64,
    /// Warnings; an episode of trouble counts once, however often it was seen.
    pub warnings: u64,
    /// Errors, in the same way.
    pub errors: u64,
    /// The instant from which messages are counted.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many messages are open now: those that `GET /v1/messages?open=true` lists, as far as the
    /// rules count them in summaries.
    #[serde(default)]
    pub open: u64,
    /// Seconds since `since` in which at least one was open.
    #[serde(default)]
    pub open_seconds: u64,
}

/// A page of items of all watched servers: each is the server's own item with `server`, its name,
/// added.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SitePage {
    /// The items, server by server.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<serde_json::Value>,
    /// Give this as `cursor` for the next page; null at the end.
    pub next: Option<String>,
    /// The servers whose items are missing.
    pub unseen: Vec<Unseen>,
}

/// A watched server that did not answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Unseen {
    /// The name of the server.
    pub server: String,
    /// Why its items are missing, in words.
    pub why: String,
}
