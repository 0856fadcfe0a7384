//! What is kept of an import, as it is shown.

use usher_api::{Code, Import, ImportAnswer, ImportKind, ImportSummary};
use usher_site::ImportRecord;

use crate::clock::date;
use crate::problem::Refusal;

/// The kind of an import.
pub(super) fn kind_of(record: &ImportRecord) -> Result<ImportKind, Refusal> {
    let word = serde_json::Value::String(record.kind.clone());
    serde_json::from_value(word).map_err(|error| unreadable(record, &error))
}

/// An import without its answer.
pub(super) fn listed(record: &ImportRecord) -> Result<Import, Refusal> {
    Ok(Import {
        id: record.id.clone(),
        kind: kind_of(record)?,
        source: record.source.clone(),
        time_zone: record.time_zone.clone(),
        created_at: date(record.begun_ms),
        finished_at: record.finished_ms.map(date),
        live: record.live,
        next_number: record.next_number,
        rows: record.added,
        answer: None,
    })
}

/// The answer of an import that is finished.
pub(super) fn answer(record: &ImportRecord) -> Result<ImportAnswer, Refusal> {
    let text = record.summary.as_deref().unwrap_or_default();
    let summary: ImportSummary =
        serde_json::from_str(text).map_err(|error| unreadable(record, &error))?;
    Ok(ImportAnswer {
        summary,
        id: Some(record.id.clone()),
        added: Some(record.added),
        already_there: Some(record.already_there),
        completed: Some(record.completed),
    })
}

fn unreadable(record: &ImportRecord, error: &serde_json::Error) -> Refusal {
    Refusal::new(
        Code::StorageFailed,
        format!(
            "what the site database has of import {} cannot be read ({error}): another version of \
             usher wrote it",
            record.id
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str) -> ImportRecord {
        ImportRecord {
            number: 7,
            id: "i-1".to_owned(),
            kind: kind.to_owned(),
            source: "lic1".to_owned(),
            time_zone: None,
            begun_ms: 0,
            finished_ms: None,
            live: false,
            next_number: 1,
            added: 0,
            already_there: 0,
            completed: 0,
            summary: None,
        }
    }

    #[test]
    fn a_kind_is_kept_as_the_word_that_people_give() {
        for kind in [
            ImportKind::FlexnetLog,
            ImportKind::Lmstat,
            ImportKind::SessionsCsv,
        ] {
            let shown = listed(&record(kind.word())).unwrap();
            assert_eq!(shown.kind, kind);
        }
        assert!(listed(&record("borrowed-log")).is_err());
    }
}
