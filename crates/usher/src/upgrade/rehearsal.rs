//! All that a new version will have to do, done first on a copy of the real data.

mod play;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use usher_store::Inventory;

use self::play::{Stage, obeys, packs, status};
use super::trial::Trial;

/// How long a server may take to stop: it ends itself by force before.
const STOP: Duration = Duration::from_secs(75);
/// How long a start may take, and a second more for so many bytes of data.
const START: Duration = Duration::from_secs(60);
const BYTES_A_SECOND: u64 = 5 << 20;

/// What is rehearsed.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    /// The new version's program.
    pub(crate) new: PathBuf,
    /// The program that must be able to take over again, if it is there.
    pub(crate) old: Option<PathBuf>,
    /// A folder with `cache.db`, a copy of the real one: it is changed.
    pub(crate) data: PathBuf,
}

/// A thing that was rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// It opens the data, moves it to its schema, and serves.
    Starts,
    /// It grants seats as many as there are, and takes them back.
    Grants,
    /// It packs from the beginning to the end.
    Packs,
    /// It obeys every control, and ends when it is to.
    Obeys,
    /// After a kill it knows what it had answered.
    ComesBack,
    /// The version before takes the data over from it.
    GoesBack,
    /// No lease that was out is gone.
    LosesNothing,
}

impl Step {
    /// The word for it in records and in the output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Starts => "starts",
            Step::Grants => "grants",
            Step::Packs => "packs",
            Step::Obeys => "obeys",
            Step::ComesBack => "comes-back",
            Step::GoesBack => "goes-back",
            Step::LosesNothing => "loses-nothing",
        }
    }

    /// What is done, for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Step::Starts => "starts on a copy of the data",
            Step::Grants => "grants a seat and takes it back",
            Step::Packs => "packs",
            Step::Obeys => "obeys every control, and stops",
            Step::ComesBack => "knows after a kill what it answered",
            Step::GoesBack => "hands the data back to the version before",
            Step::LosesNothing => "has lost no lease",
        }
    }
}

/// How a rehearsal comes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moved {
    /// A step is done, in so much time.
    Done(Step, Duration),
    /// Something within a step has moved.
    Within(Step),
}

/// A rehearsal moves at the most so often.
pub(crate) const MOVES: u64 = 10_000;

/// Why a version is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The step that failed.
    pub(crate) step: Step,
    /// Why it failed.
    pub(crate) why: String,
}

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rehearsed {
    /// Leases that were out on the copy.
    pub(crate) leases: usize,
    /// What was done, and how long it took.
    pub(crate) steps: Vec<(Step, Duration)>,
}

/// Rehearses. `told` hears how it comes on.
///
/// # Errors
/// The first thing that went wrong.
pub(crate) async fn rehearse(
    rehearsal: &Rehearsal,
    told: impl Fn(Moved),
) -> Result<Rehearsed, Fault> {
    let file = rehearsal.data.join("cache.db");
    let before = Inventory::of(&file).map_err(|error| fault(Step::Starts, error))?;
    let patience = patience(&file);
    let start = |program: &Path| {
        let program = program.to_owned();
        async move { Trial::start(&program, &rehearsal.data, patience).await }
    };
    let mut steps = Vec::new();
    let mut began = Instant::now();
    let mut done = |step: Step| {
        let took = began.elapsed();
        began = Instant::now();
        told(Moved::Done(step, took));
        steps.push((step, took));
    };

    let server = start(&rehearsal.new).await.map_err(of(Step::Starts))?;
    status(&server.client).await.map_err(of(Step::Starts))?;
    done(Step::Starts);

    let stage = Stage::set(&server.client).await.map_err(of(Step::Grants))?;
    stage.play(&server.client).await.map_err(of(Step::Grants))?;
    done(Step::Grants);

    packs(&server.client, || told(Moved::Within(Step::Packs)))
        .await
        .map_err(of(Step::Packs))?;
    done(Step::Packs);

    obeys(&server.client, &stage)
        .await
        .map_err(of(Step::Obeys))?;
    server.ends(STOP).await.map_err(of(Step::Obeys))?;
    let server = start(&rehearsal.new).await.map_err(of(Step::Obeys))?;
    stage
        .is_kept(&server.client)
        .await
        .map_err(of(Step::Obeys))?;
    server.stop(STOP).await.map_err(of(Step::Obeys))?;
    done(Step::Obeys);

    let server = start(&rehearsal.new).await.map_err(of(Step::ComesBack))?;
    stage
        .play(&server.client)
        .await
        .map_err(of(Step::ComesBack))?;
    server.kill().await;
    let server = start(&rehearsal.new).await.map_err(of(Step::ComesBack))?;
    stage
        .is_kept(&server.client)
        .await
        .map_err(of(Step::ComesBack))?;
    stage
        .play(&server.client)
        .await
        .map_err(of(Step::ComesBack))?;
    match &rehearsal.old {
        // What the old one finds is then as a kill leaves it.
        Some(_) => server.kill().await,
        None => server.stop(STOP).await.map_err(of(Step::ComesBack))?,
    }
    done(Step::ComesBack);

    if let Some(old) = &rehearsal.old {
        let server = start(old).await.map_err(of(Step::GoesBack))?;
        stage
            .is_kept(&server.client)
            .await
            .map_err(of(Step::GoesBack))?;
        stage
            .play(&server.client)
            .await
            .map_err(of(Step::GoesBack))?;
        server.stop(STOP).await.map_err(of(Step::GoesBack))?;
        done(Step::GoesBack);
    }

    none_is_lost(&before, &file)?;
    done(Step::LosesNothing);
    Ok(Rehearsed {
        leases: before.leases(),
        steps,
    })
}

/// Rehearses only that `old` takes over a copy of the data: for the way back.
///
/// # Errors
/// The first thing that went wrong.
pub(crate) async fn takes_over(old: &Path, data: &Path) -> Result<(), Fault> {
    let file = data.join("cache.db");
    let before = Inventory::of(&file).map_err(|error| fault(Step::GoesBack, error))?;
    let back = of(Step::GoesBack);
    let server = Trial::start(old, data, patience(&file))
        .await
        .map_err(&back)?;
    let stage = Stage::set(&server.client).await.map_err(&back)?;
    stage.play(&server.client).await.map_err(&back)?;
    server.stop(STOP).await.map_err(&back)?;
    none_is_lost(&before, &file)
}

/// How long a server may take to start with this file.
fn patience(file: &Path) -> Duration {
    let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
    START + Duration::from_secs(bytes / BYTES_A_SECOND)
}

fn none_is_lost(before: &Inventory, file: &Path) -> Result<(), Fault> {
    let lost = before
        .lost_in(file)
        .map_err(|error| fault(Step::LosesNothing, error))?;
    let Some(first) = lost.first() else {
        return Ok(());
    };
    let (count, of) = (lost.len(), before.leases());
    let why = format!("{count} of {of} leases are gone, {first} first");
    Err(fault(Step::LosesNothing, why))
}

fn fault(step: Step, why: impl ToString) -> Fault {
    Fault {
        step,
        why: why.to_string(),
    }
}

fn of(step: Step) -> impl Fn(String) -> Fault {
    move |why| fault(step, why)
}
