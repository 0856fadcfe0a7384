//! Of which times other licence servers have told: use in any other is not known, which is not the same
//! as none.

use super::super::failure::Result;
use super::super::values::{Row, params};
use super::about::About;
use crate::usage::{Import, Spans, between, left_of};
use crate::used::ToldElsewhere;

/// What each source that tells of the product has told of, of the time that is asked about.
pub(super) fn told(about: &About<'_>) -> Result<Vec<ToldElsewhere>> {
    let sql = "SELECT DISTINCT s.source, s.number, i.kind FROM ( \
               SELECT import FROM import_uses WHERE product = $1 UNION \
               SELECT import FROM import_denials WHERE product = $1 UNION \
               SELECT import FROM import_waits WHERE product = $1) t \
               JOIN imports i ON i.number = t.import JOIN import_sources s ON s.number = i.source \
               WHERE i.state = 1 ORDER BY s.source, i.kind";
    let kinds = about.db.all(sql, &params![about.product], |row| {
        Ok((
            row.get::<String>(0)?,
            row.get::<i64>(1)?,
            row.get::<String>(2)?,
        ))
    })?;
    let mut found: Vec<(String, i64, Spans)> = Vec::new();
    for (source, number, kind) in kinds {
        let of_kind = spans(about, number, &kind)?;
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

/// What the finished imports of a source and kind tell of.
fn spans(about: &About<'_>, source: i64, kind: &str) -> Result<Spans> {
    let values = params![source, kind];
    let imports = "SELECT finish_order, number, from_ms, coalesce(to_ms, from_ms) FROM imports \
                   WHERE source = $1 AND kind = $2 AND state = 1 AND from_ms IS NOT NULL";
    let removals = "SELECT finish_order, until_number, from_ms, to_ms FROM import_removals \
                    WHERE source = $1 AND kind = $2";
    let imports = about.db.all(imports, &values, import)?;
    let removals = about.db.all(removals, &values, import)?;
    Ok(left_of(&imports, &removals))
}

fn import(row: &Row) -> Result<Import> {
    Ok(Import {
        order: row.get(0)?,
        number: row.get(1)?,
        span: (row.get(2)?, row.get(3)?),
    })
}

/// Of which a file says itself that nothing is known, within the time that is asked about.
fn silences(about: &About<'_>, source: i64) -> Result<Spans> {
    let sql = "SELECT greatest(from_ms, $2), least(to_ms, $3) FROM elsewhere_silences \
               WHERE source = $1 AND from_ms < $3 AND to_ms > $2 \
               AND (daemon IS NULL OR left($4::text, length(daemon) + 1) = daemon || ':')";
    let values = params![
        source,
        about.time.from_ms,
        about.time.to_ms,
        about.asked.product
    ];
    about
        .db
        .all(sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}
