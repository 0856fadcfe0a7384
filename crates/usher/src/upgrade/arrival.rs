//! A new version finds the data of an older one, as after an upgrade by a package manager: it keeps
//! a snapshot and rehearses on a copy before it touches the data.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use usher_server::Prepare;
use usher_store::{SnapshotReason, Snapshots, Taken};

use super::record::Record;
use super::rehearsal::{self, Fault, Moved, Rehearsal};
use super::trial::REHEARSED;
use super::{folder, program};
use crate::failure::Failure;

/// How many snapshots are kept when a new version arrives.
const SNAPSHOTS_KEPT: u32 = 3;

/// What a server of this version has to do before it touches the data in `data`: usually nothing.
pub(crate) fn prepare(data: &Path) -> Result<Option<Prepare>, Failure> {
    if std::env::var_os(REHEARSED).is_some() {
        return Ok(None);
    }
    let found = match usher_store::found(data) {
        Ok(Some(found)) if found.is_older() => found,
        // What is wrong with it is told by who opens it.
        _ => return Ok(None),
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot tell which program this is: {error}")))?;
    let is_known = Record::read(data).is_some_and(|record| {
        record.to == usher_store::VERSION
            && program::hash_of(&program).is_ok_and(|hash| hash == record.sha256)
    });
    if is_known {
        return Ok(None);
    }
    let from = found.served_by.map_or_else(
        || format!("schema {}", found.schema),
        |served| served.version,
    );
    let data = data.to_owned();
    Ok(Some(Box::new(move |left| {
        arrive(&data, program, &from, left)
    })))
}

fn arrive(data: &Path, program: PathBuf, from: &str, left: &dyn Fn(u64)) -> Result<(), String> {
    let version = usher_store::VERSION;
    tracing::info!(
        from,
        to = version,
        "rehearsing this version on a copy of older data"
    );
    let not_begun = |why: String| {
        format!(
            "the data in {} is of an older version ({from}), and this one ({version}) could not \
             be rehearsed on a copy: {why}; nothing was changed",
            data.display()
        )
    };
    // What another process holds is told of by who opens it; a copy could not be trusted.
    let snapshot = match Snapshots::of(data).take(SnapshotReason::Upgrade, SNAPSHOTS_KEPT) {
        Ok(Taken::Kept(snapshot)) => snapshot,
        Ok(Taken::Skipped(why)) => return Err(not_begun(why)),
        Err(error) => return Err(not_begun(error.to_string())),
    };
    let copy = folder::Rehearsing::begin(data).map_err(|error| not_begun(error.to_string()))?;
    std::fs::copy(&snapshot.path, copy.path().join("cache.db"))
        .map_err(|error| not_begun(error.to_string()))?;
    let rehearsal = Rehearsal {
        new: program,
        old: None,
        data: copy.path().to_owned(),
    };
    let moves = Mutex::new(rehearsal::MOVES);
    let told = |moved: Moved| {
        if let Ok(mut moves) = moves.lock() {
            *moves = moves.saturating_sub(1);
            left(*moves);
        }
        if let Moved::Done(step, took) = moved {
            tracing::info!(
                seconds = took.as_secs_f64(),
                "this version {}",
                step.words()
            );
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| not_begun(error.to_string()))?;
    let rehearsed = runtime.block_on(Box::pin(rehearsal::rehearse(&rehearsal, told)));
    // What was started is ended before the copy goes.
    drop(runtime);
    match rehearsed {
        Ok(_) => Ok(()),
        Err(Fault { step, why }) => Err(format!(
            "the data in {} is of an older version ({from}), and on a copy of it this one \
             ({version}) failed when it {}: {why}; nothing was changed: start the former version \
             again, its data is as it was",
            data.display(),
            step.words()
        )),
    }
}
