//! All that a new version will have to do, done first on a copy of the real data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use usher_api::client::{Client, ClientError};
use usher_api::{CheckoutAnswer, Code, ControlRequest, Lease, Service, ServiceControl, Status};
use usher_store::Inventory;

use super::trial::Trial;

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(100);
/// How long a server may take to stop: it ends itself by force before.
const STOP: Duration = Duration::from_secs(75);
/// How long a control may take to be obeyed.
const CONTROL: Duration = Duration::from_secs(40);
/// How long a pack may stand still.
const PACK_STANDS_STILL: Duration = Duration::from_secs(120);
/// How long a start may take, and a second more for so many bytes of data.
const START: Duration = Duration::from_secs(60);
const BYTES_A_SECOND: u64 = 5 << 20;
/// Seconds that a lease of the rehearsal lives: longer than the rehearsal.
const TTL_SECONDS: u32 = 86_400;
/// Of whom the rehearsal's leases are.
const USER: &str = "usher upgrade";

/// What is rehearsed.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    /// The new version's program.
    pub(crate) new: PathBuf,
    /// The program that has to be able to take over again, where it is there.
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
    /// What it cannot do.
    pub(crate) step: Step,
    /// What happened.
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

fn said(doing: &str) -> impl Fn(ClientError) -> String {
    move |error| format!("{doing}: {error}")
}

async fn status(client: &Client) -> Result<Status, String> {
    client
        .get("/v1/status")
        .await
        .map_err(said("asking for its status"))
}

/// A product of the rehearsal's own, with two seats, one of which is taken throughout: none if
/// the data was restored, and nothing is granted for a while.
struct Stage {
    product: String,
    kept: Option<Lease>,
}

impl Stage {
    async fn set(client: &Client) -> Result<Stage, String> {
        let product = format!("usher-upgrade-{}", crate::host::request_key());
        let (add, own) = (
            json!({ "id": product }),
            json!({ "product": product, "seats": 2 }),
        );
        client
            .post::<_, Value>("/v1/products", &add)
            .await
            .map_err(said("adding a product"))?;
        client
            .post::<_, Value>("/v1/entitlements", &own)
            .await
            .map_err(said("adding an entitlement"))?;
        let kept = match checkout(client, &product).await {
            Err(error) if error.problem().is_some_and(|p| p.is(Code::RestoreHold)) => None,
            answer => Some(lease_of(answer)?),
        };
        Ok(Stage { product, kept })
    }

    /// Takes the other seat, is refused a third, renews, gives back, and finds it free.
    async fn play(&self, client: &Client) -> Result<(), String> {
        for _ in 0..2 {
            if self.kept.is_none() {
                break;
            }
            let lease = granted(client, &self.product).await?;
            match checkout(client, &self.product).await {
                Err(error) if error.problem().is_some_and(|p| p.status == 403) => {}
                Err(error) => return Err(said("asking for one seat too many")(error)),
                Ok(_) => return Err("it granted one seat more than there are".to_owned()),
            }
            let path = format!("/v1/leases/{}", lease.id);
            client
                .post_empty::<Lease>(&format!("{path}/renew"))
                .await
                .map_err(said("renewing a lease"))?;
            client
                .delete(&path)
                .await
                .map_err(said("giving a seat back"))?;
        }
        client
            .post_empty::<Value>("/v1/canary")
            .await
            .map_err(said("sending a canary"))
            .map(drop)
    }

    /// The seat that was taken at first is still taken.
    async fn is_kept(&self, client: &Client) -> Result<(), String> {
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        client
            .post_empty::<Lease>(&format!("/v1/leases/{}/renew", kept.id))
            .await
            .map_err(said("renewing a lease of before its last start"))
            .map(drop)
    }
}

async fn checkout(client: &Client, product: &str) -> Result<CheckoutAnswer, ClientError> {
    let body = json!({
        "product": product, "user": USER, "computer": crate::host::computer(),
        "ttl_seconds": TTL_SECONDS,
    });
    client
        .post_keyed("/v1/checkouts", &crate::host::request_key(), &body)
        .await
}

async fn granted(client: &Client, product: &str) -> Result<Lease, String> {
    lease_of(checkout(client, product).await)
}

fn lease_of(answer: Result<CheckoutAnswer, ClientError>) -> Result<Lease, String> {
    match answer {
        Ok(CheckoutAnswer::Granted { lease, .. }) => Ok(lease),
        Ok(other) => Err(format!("asking for a free seat: it answered {other:?}")),
        Err(error) => Err(said("asking for a free seat")(error)),
    }
}

/// A whole pack, as long as it goes on.
async fn packs(client: &Client, moved: impl Fn()) -> Result<(), String> {
    client
        .post_empty::<Value>("/v1/pack")
        .await
        .map_err(said("asking for a pack"))?;
    let mut progress = -1.0;
    let mut until = Instant::now() + PACK_STANDS_STILL;
    loop {
        let pack: Value = client
            .get("/v1/pack")
            .await
            .map_err(said("asking how its pack goes"))?;
        if pack["state"] == "idle" {
            let last = &pack["last"];
            return match last["result"].as_str() {
                Some("done") => Ok(()),
                _ => Err(format!("its pack did not get done: {last}")),
            };
        }
        let now = pack["progress"].as_f64().unwrap_or(-1.0);
        // A hundredth at least, so that there are not more moves than are counted.
        if now >= progress + 0.01 {
            moved();
        }
        if now > progress {
            progress = now;
            until = Instant::now() + PACK_STANDS_STILL;
        }
        if Instant::now() > until {
            let seconds = PACK_STANDS_STILL.as_secs();
            return Err(format!("its pack has not moved for {seconds} s: {pack}"));
        }
        sleep(LOOK).await;
    }
}

/// Each control from each state that takes it; the last ends the process.
async fn obeys(client: &Client, stage: &Stage) -> Result<(), String> {
    control(client, ServiceControl::Interrogate, "running").await?;
    control(client, ServiceControl::Pause, "paused").await?;
    control(client, ServiceControl::Interrogate, "paused").await?;
    match checkout(client, &stage.product).await {
        Err(error) if error.problem().is_some_and(|p| p.status == 503) => {}
        Err(error) => return Err(said("asking for a seat while it is paused")(error)),
        Ok(_) => return Err("it granted a seat while it was paused".to_owned()),
    }
    stage.is_kept(client).await?;
    control(client, ServiceControl::Continue, "running").await?;
    stage.play(client).await?;
    let request = ControlRequest {
        control: ServiceControl::Stop,
    };
    let told: Service = client
        .post("/v1/service/controls", &request)
        .await
        .map_err(said("telling it to stop"))?;
    match told.state.as_str() {
        "stop_pending" | "stopped" => Ok(()),
        other => Err(format!("told to stop, it says that it is {other}")),
    }
}

/// Sends a control, and waits for the state that it leads to.
async fn control(client: &Client, control: ServiceControl, state: &str) -> Result<(), String> {
    let request = ControlRequest { control };
    let mut told: Service = client
        .post("/v1/service/controls", &request)
        .await
        .map_err(said(&format!("sending it the control {control:?}")))?;
    let until = Instant::now() + CONTROL;
    while told.state != state {
        if Instant::now() > until {
            return Err(format!(
                "{} s after the control {control:?} it is {}, not {state}",
                CONTROL.as_secs(),
                told.state
            ));
        }
        sleep(LOOK).await;
        told = client
            .get("/v1/service")
            .await
            .map_err(said("asking for its state"))?;
    }
    Ok(())
}
