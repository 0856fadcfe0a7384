//! Programs that a product's rules used to match and now do not: typically after an update.

use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};
use usher_core::identify::stem;

use super::History;
use crate::queue::requests::Failure;

/// How many events are searched: a limit on the rows read, however long the history is.
const EVENTS_LOOKED_AT: i64 = 500_000;
/// The largest number of programs that are reported.
const CHANGED_LIMIT: usize = 100;
/// How many rows of unmetered programs are read for one of them.
const NAMESAKES_LIMIT: i64 = 10_000;

/// A program that was recognised as a product's, and no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedProgram {
    /// Product id.
    pub product: String,
    /// The file name of the program.
    pub program: String,
    /// When it last counted as use of the product; Unix milliseconds, wall clock.
    pub last_at: i64,
    /// The program of no product that is started since then on the same computers.
    pub seen_as: String,
    /// On how many of these computers it is started.
    pub computers: u64,
    /// When that program was first seen; Unix milliseconds, wall clock.
    pub seen_since: i64,
}

/// The computer on which, and the time when, a program last counted as use of a product.
#[derive(Default)]
struct Used {
    last_at: i64,
    computers: FxHashSet<i64>,
}

/// The computer on which a program is started that may be the same one, and since when.
struct Namesake {
    computers: u64,
    since: i64,
}

impl History {
    /// Programs by which products were last used before an instant, and which are started on,
    /// under the same name or one like it, as programs of no product.
    pub fn changed_programs(&self, before_wall_ms: i64) -> Result<Vec<ChangedProgram>, Failure> {
        self.query(|connection| {
            let mut changed = Vec::new();
            for ((product, program), used) in used(connection)? {
                if used.last_at >= before_wall_ms || changed.len() >= CHANGED_LIMIT {
                    continue;
                }
                if let Some((seen_as, namesake)) = namesake(connection, &program, &used)? {
                    changed.push(ChangedProgram {
                        product,
                        program,
                        last_at: used.last_at,
                        seen_as,
                        computers: namesake.computers,
                        seen_since: namesake.since,
                    });
                }
            }
            changed.sort_by(|a, b| (&a.product, &a.program).cmp(&(&b.product, &b.program)));
            Ok(changed)
        })
    }
}

fn used(connection: &Connection) -> rusqlite::Result<FxHashMap<(String, String), Used>> {
    let mut statement = connection.prepare_cached(
        "SELECT p.id, s.program, s.computer, max(s.ended_at) FROM sessions s \
         JOIN products p ON p.number = s.product \
         WHERE s.number > (SELECT coalesce(max(number), 0) FROM sessions) - ?1 AND NOT p.removed \
         GROUP BY s.product, s.program, s.computer",
    )?;
    let mut rows = statement.query([EVENTS_LOOKED_AT])?;
    let mut used: FxHashMap<(String, String), Used> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let entry = used.entry((row.get(0)?, row.get(1)?)).or_default();
        entry.computers.insert(row.get(2)?);
        entry.last_at = entry.last_at.max(row.get(3)?);
    }
    Ok(used)
}

/// The program of no product that is started on most of the computers on which the other one was.
fn namesake(
    connection: &Connection,
    program: &str,
    used: &Used,
) -> rusqlite::Result<Option<(String, Namesake)>> {
    let stem_of = stem(program);
    let from = stem_of.unwrap_or(program);
    // Where there is no stem, the range is the name itself.
    let to = match stem_of {
        Some(stem) => format!("{stem}\u{10ffff}"),
        None => program.to_owned(),
    };
    let mut statement = connection.prepare_cached(
        "SELECT program, computer, first_at FROM programs \
         WHERE program BETWEEN ?1 AND ?2 AND last_at > ?3 LIMIT ?4",
    )?;
    let mut rows = statement.query(params![from, to, used.last_at, NAMESAKES_LIMIT])?;
    let mut found: FxHashMap<String, Namesake> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let (name, computer, first_at): (String, i64, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        // Of another name it has to be new: else it is a neighbour, such as a helper.
        let is_new = first_at > used.last_at && stem(&name) == stem_of;
        if used.computers.contains(&computer) && (name == program || is_new) {
            let since = first_at.max(used.last_at);
            let entry = found.entry(name).or_insert(Namesake {
                computers: 0,
                since,
            });
            entry.computers += 1;
            entry.since = entry.since.min(since);
        }
    }
    Ok(found
        .into_iter()
        .max_by(|(a_name, a), (b_name, b)| (a.computers, b_name).cmp(&(b.computers, a_name))))
}
