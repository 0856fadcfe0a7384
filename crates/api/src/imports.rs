//! What other licence servers know, as it comes into a site: a file is read and understood where it lies,
//! and crosses as rows that each have a key, so that the same or a grown file adds only what is new.
//!
//! An import is begun ([`ImportCreate`]), takes in numbered bodies of rows ([`ImportRows`]), and ends with
//! [`ImportFinish`], which is answered with [`ImportAnswer`]. Every step may be repeated: a body of a
//! number that is known, or a row of a key that is known for the source, adds nothing.

mod rows;
mod summary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::rows::*;
pub use self::summary::*;

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

impl ImportKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [ImportKind; 14] = [
        ImportKind::FlexnetLicence,
        ImportKind::FlexnetOptions,
        ImportKind::FlexnetLog,
        ImportKind::Lmstat,
        ImportKind::RlmLog,
        ImportKind::Rlmstat,
        ImportKind::Lmx,
        ImportKind::Dsls,
        ImportKind::Lsmon,
        ImportKind::Olicense,
        ImportKind::Lstc,
        ImportKind::Slurm,
        ImportKind::Configmgr,
        ImportKind::SessionsCsv,
    ];

    /// The word in JSON and on a command line, such as `flexnet-log`.
    pub fn word(self) -> &'static str {
        match self {
            ImportKind::FlexnetLicence => "flexnet-licence",
            ImportKind::FlexnetOptions => "flexnet-options",
            ImportKind::FlexnetLog => "flexnet-log",
            ImportKind::Lmstat => "lmstat",
            ImportKind::RlmLog => "rlm-log",
            ImportKind::Rlmstat => "rlmstat",
            ImportKind::Lmx => "lmx",
            ImportKind::Dsls => "dsls",
            ImportKind::Lsmon => "lsmon",
            ImportKind::Olicense => "olicense",
            ImportKind::Lstc => "lstc",
            ImportKind::Slurm => "slurm",
            ImportKind::Configmgr => "configmgr",
            ImportKind::SessionsCsv => "sessions-csv",
        }
    }

    /// The kind of that word, if there is one.
    pub fn of_word(word: &str) -> Option<ImportKind> {
        ImportKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl std::fmt::Display for ImportKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
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
    /// For who follows a log or asks a server again and again: its rows count as soon as they are taken
    /// in, and it may be finished at any time after, or never.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
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
    /// Of a live import: the times of which it tells so far. Others say it at their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ImportTold>,
}

/// Times of which a live import tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportTold {
    /// The first instant.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The last instant. What an import has told of stays told: the earliest and the latest of all
    /// bodies count.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
}

/// The answer to [`ImportRows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportRowsTaken {
    /// The number that the next body has.
    pub next_number: u64,
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
    /// Rows may follow, and those that are there count.
    #[serde(default)]
    pub live: bool,
    /// The number that the next body of rows has.
    pub next_number: u64,
    /// Rows that it added and that are there.
    pub rows: u64,
    /// The answer; null: it is not finished. Lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ImportAnswer>,
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
    fn the_word_of_a_kind_is_that_of_its_json() {
        for kind in ImportKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert_eq!(ImportKind::of_word(kind.word()), Some(kind));
        }
        assert_eq!(ImportKind::of_word("lmx2"), None);
    }

    #[test]
    fn a_row_names_its_kind_beside_its_fields_and_is_read_back() {
        let rows = ImportRows {
            number: 1,
            rows: vec![of_a_use()],
            told: None,
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
