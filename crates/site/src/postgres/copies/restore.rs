//! Puts a copy in the place of a site: the tables are made anew, all in one transaction.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;

use super::super::address::PostgresAddress;
use super::super::connect::LOCK;
use super::super::db::Db;
use super::super::failure::Error;
use super::super::history::days;
use super::super::usage::make_missing;
use super::super::values::params;
use super::super::{schema, settings};
use super::back_up::{count, facts_of, quoted};
use super::contents::{self, Made};
use super::{Failed, must_be_ours, open};
use crate::copied::{
    CopyError, CopyFacts, CopyOutlook, CopyStep, CopyTold, SiteRestored, damaged, disk, not_a_copy,
};
use crate::framed::{FrameError, Header, Next, Reader, Sequence};
use crate::settings::{ALIVE, SITE_ID};

/// Checks all of the copy, and puts it in the place of the site if that is agreed to.
pub(crate) fn restore(
    address: &PostgresAddress,
    mut copy: File,
    name: &Path,
    agree: &mut dyn FnMut(&CopyOutlook) -> bool,
    told: CopyTold<'_>,
) -> Result<SiteRestored, CopyError> {
    let length = copy.metadata().map_err(disk("read", name))?.len();
    let mut step = |done, bytes| {
        told(CopyStep {
            done,
            bytes,
            all_bytes: Some(length),
        });
    };
    let (header, facts) = check(&mut copy, name, &mut |bytes| step("checked", bytes))?;
    let failed = |failed: Failed| failed.told("restore what is", "read", name);
    let db = open(address).map_err(|error| failed(error.into()))?;
    let place = address.to_string();
    let before = hold(&db, &place).map_err(failed)?;
    let outlook = CopyOutlook {
        copy: facts,
        present: before.facts.clone(),
    };
    if !agree(&outlook) {
        return Err(CopyError::NotAgreed);
    }
    let mut put = || {
        make_tables(&db, &before, &header)?;
        copy.seek(SeekFrom::Start(0)).map_err(Failed::Disk)?;
        fill(&db, &copy, name, &mut |bytes| step("restored", bytes))?;
        finish(&db, &before, &header)
    };
    put().map_err(failed)?;
    db.batch("COMMIT").map_err(|error| match error.is_lost() {
        true => CopyError::Unknown(error.to_string()),
        false => failed(error.into()),
    })?;
    Ok(SiteRestored {
        outlook,
        ..SiteRestored::default()
    })
}

/// Reads all of a copy.
fn check(
    copy: &mut File,
    name: &Path,
    told: &mut dyn FnMut(u64),
) -> Result<(Header, CopyFacts), CopyError> {
    let (header, mut reader) = Reader::open(BufReader::new(copy)).map_err(of_frame(name))?;
    let steps: Vec<schema::Step> = (1..).zip(header.schema.iter().cloned()).collect();
    must_be_ours(&schema::found(&steps), &name.display().to_string())?;
    let made = Made::by(&header.schema);
    let mut facts = facts_of(&header);
    for table in &header.tables {
        if !made.tables.contains(&table.name) && days::made_by_name(&table.name).is_none() {
            return Err(not_a_copy(
                name,
                format!("its table {:?} is none of a site", table.name),
            ));
        }
        loop {
            match reader.next(&table.name).map_err(of_frame(name))? {
                Next::Piece(_) => told(reader.bytes()),
                Next::End(end) => {
                    count(&mut facts, &table.name, end.rows);
                    break;
                }
            }
        }
    }
    reader.finish().map_err(of_frame(name))?;
    Ok((header, facts))
}

fn of_frame(name: &Path) -> impl Fn(FrameError) -> CopyError + '_ {
    move |error| match error {
        FrameError::Disk(source) => disk("read", name)(source),
        FrameError::Other | FrameError::Version(_) => not_a_copy(name, error.to_string()),
        FrameError::Cut(_) | FrameError::Sum(_) | FrameError::Garbled(_) => {
            damaged(name, error.to_string())
        }
    }
}

/// What is in the database before.
struct Before {
    made: Made,
    facts: Option<CopyFacts>,
    epoch: i64,
    sequences: Vec<Sequence>,
    /// By table.
    grants: Vec<(String, String)>,
}

/// Begins the transaction, and has the site for itself until its end; what is there.
fn hold(db: &Db, place: &str) -> Result<Before, Failed> {
    db.batch("BEGIN; SET LOCAL datestyle = 'ISO'; SET LOCAL timezone = 'UTC'")?;
    let alone = "SELECT pg_try_advisory_xact_lock($1::bigint)";
    if !db.one::<bool>(alone, &params![LOCK], |row| row.get(0))? {
        return Err(CopyError::Running {
            database: place.to_owned(),
            by: holders(db)?,
        }
        .into());
    }
    let steps = schema::made(db)?;
    must_be_ours(&schema::found(&steps), place)?;
    let steps: Vec<String> = steps.into_iter().map(|(_, text)| text).collect();
    let made = Made::by(&steps);
    let has = |name: &str| made.tables.iter().any(|it| it == name);
    let count = |sql: &str| db.one::<i64>(sql, &[], |row| row.get(0));
    let epoch = match has("site_leader") {
        true => count("SELECT epoch FROM site_leader")?,
        false => 0,
    };
    let facts = match steps.is_empty() {
        true => None,
        false => Some(CopyFacts {
            site_id: settings::get(db, SITE_ID)?,
            schema: i64::try_from(steps.len()).unwrap_or(i64::MAX),
            known_schema: i64::try_from(schema::known()).unwrap_or(i64::MAX),
            as_of_ms: settings::get(db, ALIVE)?.and_then(|at| at.parse().ok()),
            servers: count("SELECT count(*) FROM servers")?.unsigned_abs(),
            sessions: count("SELECT count(*) FROM history_sessions")?.unsigned_abs(),
        }),
    };
    Ok(Before {
        facts,
        epoch,
        sequences: contents::sequences(db, &made)?,
        grants: contents::grants(db, &made)?,
        made,
    })
}

/// The sessions that have the lock of the site, in words.
fn holders(db: &Db) -> Result<String, Error> {
    let sql = "SELECT a.pid::bigint, coalesce(nullif(a.application_name, ''), 'a program'), \
               coalesce(host(a.client_addr), 'this server''s computer') \
               FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
               WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() \
               AND l.classid::bigint = $1::bigint >> 32 \
               AND l.objid::bigint = $1::bigint & 4294967295 ORDER BY a.pid";
    let found = db.all(sql, &params![LOCK], |row| {
        let (process, program, host): (i64, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("{program} at {host} (session {process})"))
    })?;
    Ok(match found.is_empty() {
        true => "its lock is taken".to_owned(),
        false => found.join(", "),
    })
}

/// Makes the tables of the copy's schema anew, and the partitions.
fn make_tables(db: &Db, before: &Before, header: &Header) -> Result<(), Failed> {
    let Made { tables, views } = &before.made;
    for (kind, names) in [("VIEW", views), ("TABLE", tables)] {
        if !names.is_empty() {
            db.batch(&format!("DROP {kind} IF EXISTS {}", names.join(", ")))?;
        }
    }
    db.batch("DROP TABLE IF EXISTS site_schema")?;
    schema::carry_out(db, 0, header.schema.len())?;
    let made = Made::by(&header.schema);
    for table in &header.tables {
        if let Some(create) =
            days::made_by_name(&table.name).filter(|_| !made.tables.contains(&table.name))
        {
            db.batch(&create)?;
        }
    }
    Ok(())
}

/// Copies the rows into the tables; each checksum is looked at once more.
fn fill(db: &Db, copy: &File, name: &Path, told: &mut dyn FnMut(u64)) -> Result<(), Failed> {
    let frame = |error| Failed::Copy(of_frame(name)(error));
    let (header, mut reader) = Reader::open(BufReader::new(copy)).map_err(frame)?;
    let there = contents::tables(db, &Made::by(&header.schema))?;
    for table in &header.tables {
        if !there.contains(table) {
            let why = format!(
                "its table {} has other columns than this version's",
                table.name
            );
            return Err(not_a_copy(name, why).into());
        }
        let columns = quoted(&table.columns);
        db.batch(&format!("DELETE FROM {}", table.name))?;
        let mut end = None;
        let sql = format!("COPY {} ({columns}) FROM STDIN", table.name);
        let copied = db.copy_in(&sql, || {
            let bytes = reader.bytes();
            match reader.next(&table.name).map_err(frame)? {
                Next::Piece(piece) => {
                    told(bytes);
                    Ok::<_, Failed>(Some(Bytes::copy_from_slice(piece)))
                }
                Next::End(said) => {
                    end = Some(said);
                    Ok(None)
                }
            }
        })?;
        if end.map(|end| end.rows) != Some(copied) {
            let why = format!(
                "table {} has another number of rows than it says",
                table.name
            );
            return Err(damaged(name, why).into());
        }
    }
    reader.finish().map_err(frame)
}

/// Brings the tables up to date, and has nobody who led before write any more.
fn finish(db: &Db, before: &Before, header: &Header) -> Result<(), Failed> {
    let is_same = before
        .facts
        .as_ref()
        .is_some_and(|it| it.site_id == header.site_id);
    for sequence in &header.sequences {
        let Sequence {
            table,
            column,
            last,
        } = sequence;
        let given = before
            .sequences
            .iter()
            .find(|it| is_same && (&it.table, &it.column) == (table, column));
        // Others know messages by these numbers: none is given out twice.
        let last = given.map_or(*last, |given| given.last.max(*last));
        if last > 0 {
            let sql = "SELECT setval(pg_get_serial_sequence($1, $2), $3)";
            db.exists(sql, &params![table, column, last])?;
        }
    }
    schema::carry_out(db, header.schema.len(), schema::known())?;
    let epoch = before.epoch.max(header.epoch).saturating_add(1);
    db.run(
        "UPDATE site_leader SET epoch = $1, holder = '', name = '', address = '', since_ms = 0, \
         expires_ms = 0, given_up = true",
        &params![epoch],
    )?;
    make_missing(db)?;
    let made = Made::by(&schema::steps().collect::<Vec<_>>());
    for (of, grant) in &before.grants {
        if made.tables.contains(of) || made.views.contains(of) {
            db.batch(grant)?;
        }
    }
    let tables = made.tables.join(", ");
    db.batch(&format!("ANALYZE {tables}"))?;
    Ok(())
}
