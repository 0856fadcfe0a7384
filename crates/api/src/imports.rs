//! What other licence servers know, as it comes into a site: a file is read and understood where it lies,
//! and crosses as rows that each have a key, so that the same or a grown file adds only what is new.
//!
//! An import is begun ([`ImportCreate`]), takes in numbered bodies of rows ([`ImportRows`]), and ends with
//! [`ImportFinish`], which is answered with [`ImportAnswer`]. Every step may be repeated: a body of a
//! number that is known, or a row of a key that is known for the source, adds nothing.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest key of a row, in bytes.
pub const IMPORT_KEY_LIMIT_BYTES: usize = 64;
/// The most rows of one body.
pub const IMPORT_ROWS_LIMIT: usize = 10_000;
/// The longest text of a row that is no name (why a seat was refused, a sentence of an options file), in
/// bytes.
pub const IMPORT_TEXT_LIMIT_BYTES: usize = 1_000;

/// What kind of file an import is of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// Licence files of FlexNet.
    FlexnetLicence,
    /// Options files of FlexNet.
    FlexnetOptions,
    /// Debug logs of FlexNet.
    FlexnetLog,
    /// What `lmstat -a` prints.
    Lmstat,
    /// Report logs of RLM.
    RlmLog,
    /// What `rlmstat -a` prints.
    Rlmstat,
    /// What LM-X's `lmxendutil -licstat` and `-licstatxml` print.
    Lmx,
    /// What DSLS' `getLicenseUsage` prints, and the log of its server.
    Dsls,
    /// What Sentinel RMS' `lsmon` prints.
    Lsmon,
    /// What `olixtool` prints, and the status of OLicense's server as XML.
    Olicense,
    /// What LS-DYNA's `lstc_qrun` prints.
    Lstc,
    /// What `scontrol show licenses` prints.
    Slurm,
    /// Exports of Configuration Manager's software metering.
    Configmgr,
    /// A table of uses.
    SessionsCsv,
}

/// `POST /v1/imports`: begins an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCreate {
    /// What kind of file it is.
    pub kind: ImportKind,
    /// Whose file it is, such as `lic1.example.com`: keys of rows are compared within a source, whatever
    /// the import. 1 to 255 bytes.
    pub source: String,
    /// The zone in which the times of the file were read (an IANA name), if it was asked for one. It is
    /// kept and shown; rows hold instants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// The answer to [`ImportCreate`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportCreated {
    /// The import's id.
    pub id: String,
}

/// `POST /v1/imports/{id}/rows`: at most 1 MiB, and at most 10,000 rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRows {
    /// The body's number within the import: 1, 2, 3 and so on. One that was taken in is answered again and
    /// adds nothing; one that leaves out a number is refused with 409.
    pub number: u64,
    /// The rows, in the order in which they are to be taken in.
    pub rows: Vec<ImportRow>,
}

/// The answer to [`ImportRows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportRowsTaken {
    /// The number that the next body has.
    pub next_number: u64,
}

/// A row with what tells it from all others of its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// A hash of the fields that do not change while a file grows, and the row's ordinal among rows that
    /// have these fields in common. Compare it as a whole. At most 64 bytes.
    pub key: String,
    /// What it says.
    #[serde(flatten)]
    pub what: Imported,
}

/// What a row says. Take an unknown kind as nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum Imported {
    /// Somebody used something.
    Use(ImportedUse),
    /// Somebody was refused.
    Denial(ImportedDenial),
    /// Somebody waited.
    Wait(ImportedWait),
    /// What a server said that it holds of a product at an instant.
    Level(ImportedLevel),
    /// What a file sums up of uses, without each of them.
    Summed(ImportedSum),
    /// What is owned, and counted elsewhere.
    Entitlement(ImportedEntitlement),
    /// What an options file reserves, limits or refuses.
    Limit(ImportedLimit),
    /// For a time nothing is known.
    Silence(ImportedSilence),
    /// A daemon's own count of the most seats in use.
    DaemonPeak(ImportedDaemonPeak),
    /// Something that a later version tells of.
    #[serde(other)]
    Unknown,
}

/// A use: from its start up to, not including, its end.
///
/// The key leaves out `ended_at` and `seen_until`: a row of a key that is known completes what is stored,
/// if that has no end yet. A stored end stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedUse {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it; empty: the file does not say.
    pub user: String,
    /// The computer, as the file names it; empty: the file does not say.
    pub computer: String,
    /// When it began. Of a snapshot that does not say: when it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended; null: the file does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Of a use without an end: the last instant of which the file says that it runs. It counts up to
    /// then. Null with `ended_at` null: it still runs, and counts up to now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_until: Option<Timestamp>,
    /// Seats, at least 1.
    pub seats: u32,
    /// The version, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The program by file name, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// How it ended: `checkin`, `inactive` (taken back from a holder who did nothing), `daemon` (the
    /// daemon ended), `not_seen` (the next report shows it no more), or null: it has not, or that is not
    /// told. Take an unknown word as null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

/// A refusal: one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedDenial {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it.
    pub user: String,
    /// The computer, as the file names it.
    pub computer: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seats asked for.
    pub seats: u32,
    /// The version that was asked for, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file's reason.
    pub reason: ImportedReason,
    /// The reason in the file's words, without names.
    pub words: String,
}

/// Why somebody was refused elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportedReason {
    /// All seats were in use.
    NoSeat,
    /// A rule of the site forbids it (an options file's EXCLUDE, MAX and their like).
    NotAllowed,
    /// The server does not serve such a feature, or not that version of it.
    NotServed,
    /// Something else, or the file does not say.
    #[serde(other)]
    Other,
}

/// A wait. The key leaves out `ended_at` and `granted`, as that of a use leaves out its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedWait {
    /// Product id.
    pub product: String,
    /// The account, as the file writes it.
    pub user: String,
    /// The computer, as the file names it.
    pub computer: String,
    /// When it began. Of a snapshot: when it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When it ended; null: the file does not say.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Of a wait without an end: the last instant of which the file says that it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_until: Option<Timestamp>,
    /// Seats asked for.
    pub seats: u32,
    /// Whether it came to a seat; null: the file does not say.
    pub granted: Option<bool>,
}

/// What a server said of a product at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedLevel {
    /// Product id.
    pub product: String,
    /// Which server, as it is named (`port@host`), if it is told. Counts of several servers are never
    /// added up if a request must fit on one.
    pub server: Option<String>,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seats that there are; null: uncounted, or not told.
    pub issued: Option<u64>,
    /// Seats in use; null: not told.
    pub in_use: Option<u64>,
    /// Seats that are reserved for somebody.
    pub reserved: u64,
    /// Seats that are waited for.
    pub queued: u64,
    /// Why no more is told, in the report's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What a file sums up of uses. What it does not say is null, never 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedSum {
    /// Product id.
    pub product: String,
    /// The account; null: of all people.
    pub user: Option<String>,
    /// The computer; null: of all computers.
    pub computer: Option<String>,
    /// The version, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The first instant of the time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The first instant after the time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// How many uses there were.
    pub starts: Option<u64>,
    /// Seconds of use, of all uses together.
    pub seconds: Option<u64>,
    /// How many people.
    pub users: Option<u64>,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// What is owned by the word of a licence file, or of a server, and counted elsewhere.
///
/// Entitlements and limits are a state: those of the last finished import of a source and kind are valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedEntitlement {
    /// Product id.
    pub product: String,
    /// The highest version that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seats; null: uncounted.
    pub seats: Option<u32>,
    /// Seats that may be used beyond.
    pub overdraft: u32,
    /// The first day.
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last day; null: for ever.
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// What counts as one use, as the file writes it (`UHD`: one user at one host and display).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping: Option<String>,
    /// The computer that it is bound to, as the file writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// Product ids of what it consists of, if it is a package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Why its seats do not count, such as a newer line that supersedes it; null: they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// A note, serial number or the like of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One rule of an options file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedLimit {
    /// Product id; null: all that the daemon serves.
    pub product: Option<String>,
    /// What the rule does: `reserve`, `at_most`, `include`, `exclude`, `timeout`, `linger`,
    /// `not_borrowable`, `not_activatable`, `borrow_hours` or `overdraft`. Show an unknown word as it is.
    pub rule: String,
    /// The rule's number: seats, seconds or hours, as `rule` has it; null: it has none.
    pub amount: Option<u64>,
    /// For whom: `user ann`, `group staff`, `host pc1`; null: for all.
    pub whom: Option<String>,
    /// The rule as a sentence.
    pub text: String,
}

/// A time of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedSilence {
    /// From this instant on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Up to, not including, this instant; the same: a server did not answer when it was asked.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Which server, as it is named (`port@host`); null: the source's.
    pub server: Option<String>,
    /// Which daemon; null: all.
    pub daemon: Option<String>,
    /// Why, in the file's words, if it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A daemon's own count of the most seats in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedDaemonPeak {
    /// Product id; null: all clients of the daemon together.
    pub product: Option<String>,
    /// The daemon, if it is told.
    pub daemon: Option<String>,
    /// The most at once.
    pub seats: u64,
    /// When the daemon says that it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// `POST /v1/imports/{id}/finish`: no rows follow. At most 1 MiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFinish {
    /// How many bodies of rows there were. Fewer that arrived are refused with 409.
    pub bodies: u64,
    /// What was understood. It is kept and given with the import.
    pub summary: ImportSummary,
}

/// The answer to [`ImportFinish`], and what `usher import` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportAnswer {
    /// What was understood.
    #[serde(flatten)]
    pub summary: ImportSummary,
    /// The import's id; null: nothing was taken in (`--dry-run`).
    #[serde(default)]
    pub id: Option<String>,
    /// Rows that are new; null: nothing was taken in (`--dry-run`).
    pub added: Option<u64>,
    /// Rows that were known and say nothing new; null as `added`.
    pub already_there: Option<u64>,
    /// Rows that were known and now have an end, or were seen later; null as `added`.
    #[serde(default)]
    pub completed: Option<u64>,
}

/// What a file says and how much of it was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportSummary {
    /// What kind of file it is.
    pub kind: ImportKind,
    /// Lines in all.
    pub lines: u64,
    /// Lines that were understood, also if they say nothing of use.
    pub understood: u64,
    /// Lines that were not understood, by their shape, the most frequent first.
    pub not_understood: Vec<NotUnderstood>,
    /// Lines of further shapes than are told apart.
    #[serde(default)]
    pub not_understood_more: u64,
    /// Each feature, by product id.
    pub features: Vec<ImportedFeature>,
    /// Features that `features` leaves out, because the answer would be too long.
    #[serde(default)]
    pub features_more: u64,
    /// The first instant of which the file tells; null: it tells of none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The last instant of which the file tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// The zone in which times without one were read.
    pub time_zone: String,
    /// How dates were found; null: the file has none. The least sure of all that were needed.
    pub dates_from: Option<DatesFrom>,
    /// How often the file's clock was set.
    pub clock_changes: u64,
    /// Seconds of which nothing was recorded.
    pub unobserved_seconds: u64,
    /// The highest peak that a daemon says itself; null: none does.
    pub daemon_peak: Option<u64>,
    /// Each peak that a daemon says itself, beside ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daemon_peaks: Vec<DaemonPeakBeside>,
    /// Rows that the file makes. Those that cannot cross, because a name is longer than 255 bytes, are not
    /// among them.
    #[serde(default)]
    pub rows: u64,
    /// Rows that cannot cross.
    #[serde(default)]
    pub left_out: u64,
    /// What was assumed, doubted or left out, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Lines of one shape that were not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotUnderstood {
    /// The line with what differs replaced.
    pub shape: String,
    /// How many there were.
    pub count: u64,
    /// The first, with names replaced.
    pub example: String,
}

/// What is known of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedFeature {
    /// Product id.
    pub product: String,
    /// Lines that say that a use begins; null: the file is of snapshots, or of what is owned.
    pub checkouts: Option<u64>,
    /// Lines that say that a use ends; null as above.
    pub checkins: Option<u64>,
    /// Refusals; null as above.
    pub denials: Option<u64>,
    /// Waits; of snapshots the most seats that were waited for at once.
    pub queued: u64,
    /// Asks for it although the daemon does not serve it.
    pub unsupported: u64,
    /// People who used it.
    pub users: u64,
    /// There may be more people than `users`: not all names were kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub users_at_least: bool,
    /// The most at once.
    pub peak: ImportedPeak,
    /// Uses that run at the end.
    pub open_at_end: u64,
    /// Seats that are owned by the word of the file, or of the licence files that were given beside it;
    /// null: uncounted, or not told.
    #[serde(default)]
    pub owned: Option<u64>,
}

/// The most at once, each its own maximum at its first instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedPeak {
    /// Checkouts: a line with `(N licenses)` is one.
    pub lines: u64,
    /// When; null: there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lines_at: Option<Timestamp>,
    /// Different pairs of user and computer.
    pub users_hosts: u64,
    /// When; null: there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub users_hosts_at: Option<Timestamp>,
    /// Seats: a line with `(N licenses)` is N. Null: nothing says which checkouts share a seat, and
    /// `users_hosts` to `lines` is the range.
    pub seats: Option<u64>,
    /// When; null as `seats`, or there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seats_at: Option<Timestamp>,
}

/// How the dates of a file's lines were found, the surest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DatesFrom {
    /// Lines say their date, or the file has time stamps with dates.
    Timestamp,
    /// The file says when its server started.
    StartDate,
    /// Somebody gave the date.
    Option,
    /// The file's own time, that of its last change.
    FileTime,
}

/// A peak of a daemon beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DaemonPeakBeside {
    /// Product id; null: all clients of the daemon together.
    pub product: Option<String>,
    /// The daemon, if it is told.
    pub daemon: Option<String>,
    /// The daemon's count.
    pub seats: u64,
    /// When the daemon says that it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// Our count: seats if they are known, else checkouts; null: there is none of the kind.
    pub ours: Option<u64>,
}

/// `GET /v1/imports/{id}`, and an item of `GET /v1/imports`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its id.
    pub id: String,
    /// What kind of file it is.
    pub kind: ImportKind,
    /// Whose file it is.
    pub source: String,
    /// The zone that was asked for.
    pub time_zone: Option<String>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was finished; null: rows may follow.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// The number that the next body of rows has.
    pub next_number: u64,
    /// Rows that it added and that are there.
    pub rows: u64,
    /// The answer; null: it is not finished. Lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ImportAnswer>,
}

fn is_false(said: &bool) -> bool {
    !said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_a_use() -> ImportRow {
        ImportRow {
            key: "00ff:0".to_owned(),
            what: Imported::Use(ImportedUse {
                product: "MLM:Simulink".to_owned(),
                user: "ann".to_owned(),
                computer: "pc1".to_owned(),
                started_at: Timestamp::UNIX_EPOCH,
                ended_at: None,
                seen_until: Some(Timestamp::UNIX_EPOCH),
                seats: 2,
                version: None,
                program: None,
                ending: None,
            }),
        }
    }

    #[test]
    fn a_row_names_its_kind_beside_its_fields_and_is_read_back() {
        let rows = ImportRows {
            number: 1,
            rows: vec![of_a_use()],
        };
        let text = serde_json::to_value(&rows).unwrap();
        assert_eq!(text["rows"][0]["row"], "use");
        assert_eq!(text["rows"][0]["product"], "MLM:Simulink");
        assert!(text["rows"][0]["ended_at"].is_null());
        assert_eq!(serde_json::from_value::<ImportRows>(text).unwrap(), rows);
    }

    #[test]
    fn a_row_of_a_kind_that_is_not_known_is_read_as_one() {
        let text = r#"{"key": "1:0", "row": "borrow", "until": "2026-12-01T00:00:00Z"}"#;
        let row: ImportRow = serde_json::from_str(text).unwrap();
        assert_eq!(row.what, Imported::Unknown);
    }

    #[test]
    fn an_answer_has_the_summary_beside_what_was_added() {
        let answer = ImportAnswer {
            summary: ImportSummary {
                kind: ImportKind::FlexnetLog,
                lines: 3,
                understood: 2,
                not_understood: Vec::new(),
                not_understood_more: 0,
                features: Vec::new(),
                features_more: 0,
                from: None,
                to: None,
                time_zone: "Europe/Berlin".to_owned(),
                dates_from: Some(DatesFrom::StartDate),
                clock_changes: 0,
                unobserved_seconds: 0,
                daemon_peak: None,
                daemon_peaks: Vec::new(),
                rows: 0,
                left_out: 0,
                notes: Vec::new(),
            },
            id: None,
            added: None,
            already_there: None,
            completed: None,
        };
        let text = serde_json::to_value(&answer).unwrap();
        assert_eq!(text["kind"], "flexnet-log");
        assert_eq!(text["dates_from"], "start_date");
        assert!(text["added"].is_null() && text["daemon_peak"].is_null());
        assert_eq!(
            serde_json::from_value::<ImportAnswer>(text).unwrap(),
            answer
        );
    }
}
