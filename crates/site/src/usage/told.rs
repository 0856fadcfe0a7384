//! Of which times other licence servers have told: use in any other is not known, which is not the same
//! as none.

use rusqlite::{Result, params};

use super::about::About;
use super::parts::gaps;
use crate::used::ToldElsewhere;

/// What each source that tells of the product has told of, of the time that is asked about.
pub(super) fn told(about: &About<'_>) -> Result<Vec<ToldElsewhere>> {
    let mut statement = about.connection.prepare_cached(
        "SELECT DISTINCT s.source, s.number, i.kind FROM ( \
         SELECT import FROM import_uses WHERE product = ?1 UNION \
         SELECT import FROM import_denials WHERE product = ?1 UNION \
         SELECT import FROM import_waits WHERE product = ?1) t \
         JOIN imports i ON i.number = t.import JOIN import_sources s ON s.number = i.source \
         WHERE i.state = 1 ORDER BY s.source, i.kind",
    )?;
    let mut rows = statement.query([about.product])?;
    let mut found: Vec<(String, i64, Spans)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (source, number): (String, i64) = (row.get(0)?, row.get(1)?);
        let of_kind = spans(about, number, &row.get::<_, String>(2)?)?;
        match found.last_mut().filter(|last| last.1 == number) {
            Some(last) => last.2.extend(of_kind),
            None => found.push((source, number, of_kind)),
        }
    }
    let each = found.into_iter().map(|(source, number, told)| {
        let until_ms = told.iter().map(|span| span.1).max();
        let mut untold = between(told, (about.time.from_ms, about.time.to_ms));
        untold.extend(silences(about, number)?);
        Ok(ToldElsewhere {
            source,
            until_ms,
            untold,
        })
    });
    each.collect()
}

/// From, included, to, not included.
pub(crate) type Spans = Vec<(i64, i64)>;

/// What the finished imports of a source and kind tell of.
fn spans(about: &About<'_>, source: i64, kind: &str) -> Result<Spans> {
    let read = |sql: &str| -> Result<Vec<Import>> {
        let mut statement = about.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![source, kind], |row| {
            Ok(Import {
                order: row.get(0)?,
                number: row.get(1)?,
                span: (row.get(2)?, row.get(3)?),
            })
        })?;
        rows.collect()
    };
    let imports = read(
        "SELECT finish_order, number, from_ms, coalesce(to_ms, from_ms) FROM imports \
         WHERE source = ?1 AND kind = ?2 AND state = 1 AND from_ms IS NOT NULL",
    )?;
    let removals = read(
        "SELECT finish_order, until_number, from_ms, to_ms FROM import_removals \
         WHERE source = ?1 AND kind = ?2",
    )?;
    Ok(left_of(&imports, &removals))
}

/// An import, or one that was taken out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Import {
    /// In which order they came to count.
    pub(crate) order: i64,
    /// Its number; of one that was taken out, the last number there was then.
    pub(crate) number: i64,
    /// From the first to the last instant of which it tells.
    pub(crate) span: (i64, i64),
}

/// The times of which imports of a source and kind tell, without what they had left out because one that
/// was taken out since had it.
pub(crate) fn left_of(imports: &[Import], removals: &[Import]) -> Spans {
    let mut spans = Vec::with_capacity(imports.len());
    for import in imports {
        let relied = |it: &&Import| it.order < import.order && import.number <= it.number;
        let gone: Spans = removals.iter().filter(relied).map(|it| it.span).collect();
        match gone.is_empty() {
            true => spans.push(import.span),
            false => spans.extend(between(gone, import.span)),
        }
    }
    spans
}

/// Of which a file says itself that nothing is known, within the time that is asked about.
fn silences(about: &About<'_>, source: i64) -> Result<Spans> {
    let mut statement = about.connection.prepare_cached(
        "SELECT max(from_ms, ?2), min(to_ms, ?3) FROM elsewhere_silences \
         WHERE source = ?1 AND from_ms < ?3 AND to_ms > ?2 \
         AND (daemon IS NULL OR substr(?4, 1, length(daemon) + 1) = daemon || ':')",
    )?;
    let asked = params![
        source,
        about.time.from_ms,
        about.time.to_ms,
        about.asked.product
    ];
    let rows = statement.query_map(asked, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// What of a time is in none of the spans.
pub(crate) fn between(mut spans: Spans, time: (i64, i64)) -> Spans {
    spans.sort_unstable();
    gaps(spans, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_out_is_known_by_earlier_and_by_newer_imports_alone() {
        let import = |order, number, from_ms, to_ms| Import {
            order,
            number,
            span: (from_ms, to_ms),
        };
        let days = [import(1, 1, 0, 10), import(3, 3, 0, 30)];
        let second = import(2, 3, 5, 20);
        assert_eq!(left_of(&days, &[]), [(0, 10), (0, 30)]);
        assert_eq!(left_of(&days, &[second]), [(0, 10), (0, 5), (20, 30)]);
        // Imported again, all of it is there.
        let again = [import(3, 3, 0, 30), import(4, 4, 5, 20)];
        assert_eq!(left_of(&again, &[second]), [(0, 5), (20, 30), (5, 20)]);
    }

    #[test]
    fn what_no_span_has_is_between_them() {
        let all = (10, 50);
        assert_eq!(between(Vec::new(), all), [all]);
        assert_eq!(between(vec![(0, 60)], all), []);
        let some = vec![(30, 40), (0, 12), (35, 38), (20, 30), (90, 99)];
        assert_eq!(between(some, all), [(12, 20), (40, 50)]);
        assert_eq!(between(vec![(60, 70)], all), [all]);
        assert_eq!(between(Vec::new(), (10, 10)), []);
    }
}
