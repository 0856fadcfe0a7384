//! What a server on trial is asked for, and what it has to answer.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use usher_api::client::{Client, ClientError};
use usher_api::{CheckoutAnswer, Code, ControlRequest, Lease, Service, ServiceControl, Status};

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(100);
/// How long a control may take to be obeyed.
const CONTROL: Duration = Duration::from_secs(40);
/// How long a pack may stand still.
const PACK_STANDS_STILL: Duration = Duration::from_secs(120);
/// Seconds that a lease of the rehearsal lives: longer than the rehearsal.
const TTL_SECONDS: u32 = 86_400;
/// Of whom the rehearsal's leases are.
const USER: &str = "usher upgrade";

fn said(doing: &str) -> impl Fn(ClientError) -> String {
    move |error| format!("{doing}: {error}")
}

pub(super) async fn status(client: &Client) -> Result<Status, String> {
    client
        .get("/v1/status")
        .await
        .map_err(said("asking for its status"))
}

/// A product of the rehearsal's own, with two seats, one of which is taken throughout: none if
/// the data was restored, and nothing is granted for a while.
pub(super) struct Stage {
    product: String,
    kept: Option<Lease>,
}

impl Stage {
    pub(super) async fn set(client: &Client) -> Result<Stage, String> {
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
    pub(super) async fn play(&self, client: &Client) -> Result<(), String> {
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
    pub(super) async fn is_kept(&self, client: &Client) -> Result<(), String> {
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
pub(super) async fn packs(client: &Client, moved: impl Fn()) -> Result<(), String> {
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
pub(super) async fn obeys(client: &Client, stage: &Stage) -> Result<(), String> {
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
