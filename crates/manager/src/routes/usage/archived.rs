//! What an answer read of the archive.

use usher_api::Cut;
use usher_site::Archived;

use crate::clock::date;

/// What could not be read of it.
pub(in crate::routes) fn cuts(archived: &Archived) -> Vec<Cut> {
    let named = archived.missing.iter().map(|it| Cut {
        what: format!(
            "{} sessions or leases from {} to {}, of all products,",
            it.rows,
            date(it.first_ms),
            date(it.last_ms)
        ),
        why: format!(
            "they are in the archive, and its file {} cannot be read: {}",
            it.file, it.why
        ),
        before: None,
    });
    let more = (archived.missing_more > 0).then(|| Cut {
        what: format!(
            "what is in {} more files of the archive",
            archived.missing_more
        ),
        why: "they cannot be read either".to_owned(),
        before: None,
    });
    named.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use usher_site::MissingPart;

    use super::*;

    #[test]
    fn what_could_not_be_read_of_the_archive_is_said_file_by_file() {
        assert_eq!(cuts(&Archived::default()), []);
        let archived = Archived {
            missing: vec![MissingPart {
                file: "f00/sessions-1970-01-000001-00aa.parquet".to_owned(),
                rows: 17,
                first_ms: 1_000,
                last_ms: 90_000,
                why: "No such file or directory (os error 2)".to_owned(),
            }],
            missing_more: 3,
            missing_until_ms: Some(90_000),
            ..Archived::default()
        };
        let said = cuts(&archived);
        let said: Vec<String> = said
            .iter()
            .map(|it| format!("{} {}", it.what, it.why))
            .collect();
        assert_eq!(
            said,
            [
                "17 sessions or leases from 1970-01-01T00:00:01Z to 1970-01-01T00:01:30Z, of all \
                 products, they are in the archive, and its file \
                 f00/sessions-1970-01-000001-00aa.parquet cannot be read: No such file or directory \
                 (os error 2)",
                "what is in 3 more files of the archive they cannot be read either",
            ]
        );
    }
}
