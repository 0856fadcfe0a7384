//! Products and entitlements: what may run, and what is owned.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    DEFAULT_CLAIM_SECONDS, DEFAULT_GRACE_SECONDS, DEFAULT_IMPOSSIBLE_SECONDS,
    DEFAULT_MAX_TTL_SECONDS, Price,
};

/// A product and the program rules that recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Product id: 1 to 255 bytes, without control characters, spaces or `/`.
    pub id: String,
    /// Title and edition, for people; the id if it is empty.
    #[serde(default)]
    pub name: String,
    /// The publisher.
    #[serde(default)]
    pub publisher: String,
    /// Program rules, each as `usher product add --program` takes it: `name=GLOB`, `path=GLOB`,
    /// `package=NAME`, `sha256=HEX`, `original-name=NAME`, `publisher=NAME`, each with optional
    /// `,version=RANGE` and `,role=helper`.
    #[serde(default)]
    pub programs: Vec<String>,
    /// What agents do with programs that nobody wrapped.
    #[serde(default)]
    pub mode: Mode,
    /// Whether seats are handed out at all; a disabled product refuses with `product_disabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The longest ttl that a checkout may ask for, in seconds.
    #[serde(default = "default_max_ttl_seconds")]
    pub max_ttl_seconds: u32,
    /// How many requests may wait at one time; further ones are refused with `queue_full`.
    #[serde(default = "default_queue_limit")]
    pub queue_limit: u32,
    /// Seconds after which a request that waits for more seats than there are, in use or not, is
    /// refused with `impossible`: 1 to 604,800. Until then it keeps its place, and those behind it
    /// are served.
    #[serde(default = "default_impossible_seconds")]
    pub impossible_seconds: u32,
    /// What counts as one use on an agent's computer.
    #[serde(default)]
    pub counting: Counting,
    /// What an agent does with a start when no server answers.
    #[serde(default)]
    pub on_unreachable: OnUnreachable,
    /// What an agent does with a running program whose lease is lost.
    #[serde(default)]
    pub on_lost_lease: OnLostLease,
    /// How long a seat is kept for the next start of a user who asked to be told when one is free,
    /// in seconds: 1 to 86,400.
    #[serde(default = "default_claim_seconds")]
    pub claim_seconds: u32,
    /// Seconds without input after which the user of a running program is told: 10 to 604,800; 0
    /// means never.
    #[serde(default)]
    pub idle_seconds: u32,
    /// What an agent does with such a program after the grace that follows.
    #[serde(default)]
    pub on_idle: OnIdle,
    /// Seconds between the notice to the user and what follows: the seat is given back (`on_idle`)
    /// or the program is ended (`on_idle`, `on_lost_lease`). 10 to 86,400.
    #[serde(default = "default_grace_seconds")]
    pub grace_seconds: u32,
    /// Whether a refused person is told the names of those who hold the seats; else only how many
    /// hold them, and since when.
    #[serde(default)]
    pub show_holders: bool,
    /// In a request: accept mode `enforce` even if the rules hit what a computer needs; without it,
    /// that is refused with `dangerous_rule`. Never stored or shown.
    #[serde(default, skip_serializing_if = "is_no")]
    pub force: bool,
}

fn is_no(yes: &bool) -> bool {
    !yes
}

/// A product as far as this version knows it: fields of later versions are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownProduct {
    /// The product.
    #[serde(flatten)]
    pub product: Product,
}

fn default_claim_seconds() -> u32 {
    DEFAULT_CLAIM_SECONDS
}

fn default_grace_seconds() -> u32 {
    DEFAULT_GRACE_SECONDS
}

fn default_impossible_seconds() -> u32 {
    DEFAULT_IMPOSSIBLE_SECONDS
}

fn yes() -> bool {
    true
}

fn default_max_ttl_seconds() -> u32 {
    DEFAULT_MAX_TTL_SECONDS
}

fn default_queue_limit() -> u32 {
    1_000
}

/// What an agent does with programs that nobody wrapped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Records them, gives them a seat if one is free, and refuses none.
    #[default]
    Track,
    /// Holds them at the gate until the server has answered.
    Enforce,
}

/// What counts as one use: one session and one lease.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// All processes of one user on one computer.
    #[default]
    UserOnComputer,
    /// Each process that is not the child of another of the same use.
    Process,
    /// All processes of one person, on all computers. Accounts of one directory with the same name
    /// are one person. Until the agents know the directory (`people.realms`), and for a computer's
    /// own accounts, a person counts once for each computer.
    User,
}

/// What an agent does with a start when no server answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnreachable {
    /// Lets it run.
    #[default]
    Run,
    /// Refuses it.
    Refuse,
}

/// What an agent does with a running program whose lease is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLostLease {
    /// It runs on without a seat (unseated).
    #[default]
    Run,
    /// The agent ends it, after a notice and a grace period.
    End,
}

/// What an agent does with a program that nobody touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnIdle {
    /// Nothing happens, and nobody is told.
    #[default]
    Nothing,
    /// The user is told.
    Warn,
    /// Its seat is given back. It runs on, and asks for a seat again when somebody uses it. Under
    /// `usher run`, which holds the seat itself, its user is only told.
    Release,
    /// It is ended if the product is enforced; else the user is only told.
    End,
}

/// A product as a server shows it, with its counts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductView {
    /// The product.
    #[serde(flatten)]
    pub product: Product,
    /// Seats that may be in use now, overdraft included.
    pub seats: u64,
    /// Seats in use.
    pub in_use: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A right that the organisation owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entitlement {
    /// Entitlement id.
    pub id: String,
    /// Product id.
    pub product: String,
    /// How use is counted.
    pub metric: Metric,
    /// Seats owned.
    pub seats: u32,
    /// Seats beyond those owned that may be in use.
    pub overdraft: u32,
    /// First instant it is valid; null: always was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// First instant it is no longer valid; null: for ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// The first day on which it is valid, in `time_zone`, if a day was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<String>,
    /// The last day on which it is valid, in `time_zone`, if a day was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_day: Option<String>,
    /// The time zone in which its days are meant, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Seats of it in use.
    pub in_use: u64,
    /// The allotment by which this server has its seats.
    pub allotment: String,
    /// The organisation's own name for it, which no other entitlement of the server has; null if
    /// nobody gave one.
    #[serde(default)]
    pub name: Option<String>,
    /// What its seats cost together.
    #[serde(default)]
    pub price: Option<Price>,
    /// The contract, order or invoice that it comes from.
    #[serde(default)]
    pub contract: Option<String>,
    /// Who pays for it.
    #[serde(default)]
    pub cost_centre: Option<String>,
    /// Days before its end by which notice must be given.
    #[serde(default)]
    pub notice_days: Option<u32>,
    /// A note for people.
    #[serde(default)]
    pub note: Option<String>,
}

/// `POST /v1/entitlements` and `PUT /v1/entitlements/{id}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntitlementRequest {
    /// Product id.
    pub product: String,
    /// How use is counted.
    #[serde(default)]
    pub metric: Metric,
    /// Seats owned: 0 to 1,000,000,000. One of 0 seats keeps what is known of it, and nobody may
    /// use a seat of it.
    pub seats: u32,
    /// Seats beyond those owned that may be in use.
    #[serde(default)]
    pub overdraft: u32,
    /// First day or instant of validity: `2026-01-01` (from its first instant in `time_zone`) or
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day (to its last instant in `time_zone`), or the RFC 3339 instant at which it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The time zone in which days are meant, by its IANA name, such as `Europe/Berlin`; UTC
    /// without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// A name that no other entitlement has: 1 to 255 bytes, not in the form of a server's ids
    /// (`E12`). In a PUT this field and those below stay unchanged if they are left out; null
    /// removes the value.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub name: Said<String>,
    /// What its seats cost together.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Price>)]
    pub price: Said<Price>,
    /// The contract, order or invoice that it comes from: up to 255 bytes.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub contract: Said<String>,
    /// Who pays for it: up to 255 bytes.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub cost_centre: Said<String>,
    /// Days before its end by which notice must be given: 0 to 3,650.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<u32>)]
    pub notice_days: Said<u32>,
    /// A note for people: up to 1,000 bytes.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub note: Said<String>,
}

/// A field of a change: none leaves it unchanged, `Some(None)` removes its value. An older program
/// leaves a field that it does not know unchanged.
pub type Said<T> = Option<Option<T>>;

/// Reads a field that is present, null or not.
fn said<'de, T, D>(deserializer: D) -> Result<Said<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The largest value of [`Entitlement::notice_days`].
pub const NOTICE_LIMIT_DAYS: u32 = 3_650;
/// The longest [`Entitlement::note`], in bytes of UTF-8.
pub const NOTE_LIMIT_BYTES: usize = 1_000;

/// How use of an entitlement is counted. Metrics other than `concurrent` are reserved words: a
/// server that cannot count them refuses them with code `unsupported_metric`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Seats in use at once.
    #[default]
    Concurrent,
    /// Each seat belongs to one named person.
    NamedUser,
    /// Each seat belongs to one computer.
    Device,
    /// Processor cores are counted.
    Core,
    /// Seats have weights (tokens).
    Token,
}
