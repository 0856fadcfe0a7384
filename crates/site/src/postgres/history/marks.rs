//! Marks collected items that are no longer on their server after a restore.
//!
//! A server may have millions of them, and PostgreSQL ends a statement that takes long. So a transaction
//! looks at [`PIECE`] rows at most, in the order of the keys, and `history_marks` has where the next goes
//! on. Nothing that the server tells meanwhile is appended before all are marked.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, params};
use crate::collected::{Place, Point};
use crate::columns::{signed, unsigned};

/// Rows that a transaction looks at.
const PIECE: i64 = 5_000;

/// A table that says where items were collected.
struct Table {
    name: &'static str,
    /// The columns of its key.
    key: &'static str,
    /// Narrows down what is looked at to rows of the server `$1`, if the key begins with it.
    of_source: &'static str,
}

/// A table whose key begins with the server.
const fn of_server(name: &'static str) -> Table {
    Table {
        name,
        key: "source, made_in, made_by",
        of_source: "source = $1 AND",
    }
}

const TABLES: [Table; 4] = [
    Table {
        name: "history_session_keys",
        key: "computer, agent_incarnation, session",
        // Of all servers: a session is known by what its agent made.
        of_source: "",
    },
    of_server("history_leases"),
    of_server("history_denials"),
    of_server("history_waits"),
];

/// What a key is compared with: after which one a piece begins.
type Key = [i64; 3];
/// Before all of them.
const BEGIN: Key = [i64::MIN; 3];

/// What a server goes on from.
pub(super) struct Target<'a> {
    /// Its number.
    pub(super) source: i64,
    /// The point; none: the beginning.
    pub(super) from: Option<Point>,
    /// The places whose lives were left.
    pub(super) left: &'a [Place],
}

/// A marking that goes on over several transactions.
struct Work {
    /// When it began: the mark of its rows.
    gone_ms: i64,
    /// Which of [`TABLES`] is under way.
    table: usize,
    /// After which key.
    after: Key,
    /// How many were marked so far that were not.
    marked: u64,
}

/// What a look at rows came to.
struct Looked {
    rows: i64,
    marked: i64,
    last: Key,
}

/// Whether a marking of this server has begun and not ended.
pub(super) fn is_under_way(db: &Db, source: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM history_marks WHERE source = $1";
    db.exists(sql, &params![source])
}

/// Marks the next rows of a server that goes on from a point, and knows nothing of the lives that were
/// left: what was collected of these and behind the point is marked. What the life of the point had up to
/// it is on the server, also if it was marked before. From the beginning all is marked, and comes back by
/// being collected again. How many are marked that were not; none: there are more rows to look at.
pub(super) fn put_back(db: &Db, target: &Target<'_>, at_ms: i64) -> Result<Option<u64>> {
    let mut work = begun(db, target, at_ms)?;
    let mut left = PIECE;
    while let Some(table) = TABLES.get(work.table) {
        let Some(looked) = look(db, table, target, &work, left)? else {
            work.table += 1;
            work.after = BEGIN;
            continue;
        };
        work.after = looked.last;
        work.marked += unsigned(looked.marked);
        left -= looked.rows;
        if left <= 0 {
            note(db, target.source, &work)?;
            return Ok(None);
        }
    }
    let sql = "DELETE FROM history_marks WHERE source = $1";
    db.run(sql, &params![target.source])?;
    Ok(Some(work.marked))
}

/// The marking of a server. One that began with another target, because the server was restored again
/// meanwhile, begins anew, and takes back its own marks.
fn begun(db: &Db, target: &Target<'_>, at_ms: i64) -> Result<Work> {
    let sql = "INSERT INTO history_marks (source, target, gone_ms, part, one, two, three, marked) \
               VALUES ($1, $2, $3, 0, $4, $4, $4, 0) ON CONFLICT (source) DO UPDATE SET \
               part = CASE WHEN history_marks.target = excluded.target THEN history_marks.part \
               ELSE 0 END, \
               one = CASE WHEN history_marks.target = excluded.target THEN history_marks.one \
               ELSE excluded.one END, \
               two = CASE WHEN history_marks.target = excluded.target THEN history_marks.two \
               ELSE excluded.two END, \
               three = CASE WHEN history_marks.target = excluded.target THEN history_marks.three \
               ELSE excluded.three END, target = excluded.target \
               RETURNING gone_ms, part, one, two, three, marked";
    let values = params![target.source, target.text(), at_ms, BEGIN[0]];
    db.one(sql, &values, |row| {
        Ok(Work {
            gone_ms: row.get(0)?,
            table: usize::try_from(row.get::<i64>(1)?).unwrap_or(0),
            after: [row.get(2)?, row.get(3)?, row.get(4)?],
            marked: unsigned(row.get(5)?),
        })
    })
}

fn note(db: &Db, source: i64, work: &Work) -> Result<()> {
    let sql = "UPDATE history_marks SET part = $2, one = $3, two = $4, three = $5, marked = $6 \
               WHERE source = $1";
    let table = i64::try_from(work.table).unwrap_or(i64::MAX);
    let [one, two, three] = work.after;
    let values = params![source, table, one, two, three, signed(work.marked)];
    db.run(sql, &values).map(drop)
}

/// Marks what of the next rows of a table is to be marked, and takes back marks; none: there are no more
/// rows.
fn look(
    db: &Db,
    table: &Table,
    target: &Target<'_>,
    work: &Work,
    limit: i64,
) -> Result<Option<Looked>> {
    let Table {
        name,
        key,
        of_source,
    } = table;
    // Rows are found again by where they are, not by a join, which might read the whole table.
    let sql = format!(
        "WITH piece AS MATERIALIZED (SELECT ctid AS place, {key} FROM {name} \
         WHERE {of_source} ({key}) > ($6::bigint, $7::bigint, $8::bigint) \
         ORDER BY {key} LIMIT $9), \
         changed AS (UPDATE {name} t SET gone_ms = CASE WHEN {IS_GONE} THEN $4::bigint END \
         WHERE t.ctid = ANY (ARRAY(SELECT place FROM piece)) AND t.source = $1 \
         AND CASE WHEN {IS_GONE} THEN t.gone_ms IS NULL ELSE t.gone_ms IS NOT NULL \
         AND ({IS_BACK} OR t.gone_ms = $4::bigint) END RETURNING t.gone_ms) \
         SELECT (SELECT count(*) FROM piece), (SELECT count(gone_ms) FROM changed), {key} \
         FROM piece ORDER BY ({key}) DESC LIMIT 1"
    );
    let (life, event) = match target.from {
        Some(from) => (Some(from.incarnation), signed(from.event)),
        None => (None, 0),
    };
    let [one, two, three] = work.after;
    let mut values = params![target.source, life, event, work.gone_ms].to_vec();
    values.push(target.lives());
    values.extend(params![one, two, three, limit]);
    db.optional(&sql, &values, |row| {
        Ok(Looked {
            rows: row.get(0)?,
            marked: row.get(1)?,
            last: [row.get(2)?, row.get(3)?, row.get(4)?],
        })
    })
}

/// Whether the server does not have it, of a row `t`: `$2` and `$3` are the point that it goes on from, `$5`
/// the lives that were left.
const IS_GONE: &str = "($2::bigint IS NULL OR t.incarnation = $2 AND t.event > $3::bigint \
    OR t.incarnation <> $2 AND t.incarnation = ANY ($5::bigint[]))";
/// Whether it is known to have it.
const IS_BACK: &str = "(t.incarnation = $2 AND t.event <= $3)";

impl Target<'_> {
    /// The lives that were left.
    fn lives(&self) -> Param {
        let lives = self.left.iter();
        Param::Ints(
            lives
                .map(|place| Some(i64::from(place.point.incarnation)))
                .collect(),
        )
    }

    /// What tells it from others of the same server.
    fn text(&self) -> String {
        let lives: Vec<u32> = self.left.iter().map(|it| it.point.incarnation).collect();
        format!("{:?} {lives:?}", self.from)
    }
}
