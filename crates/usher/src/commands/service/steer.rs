//! Pauses a service and has it go on, and says how it is.

use std::time::{Duration, Instant};

use serde_json::json;
use usher_api::client::Client;
use usher_api::{ControlRequest, Service as Told, ServiceControl};
use usher_service::files::Role;

use super::told::{describe_told, describe_unit, unit_json};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json};

/// How long a server may take to pause or to go on before it is said how far it is.
const STEERED_WITHIN: Duration = Duration::from_secs(30);
const STEERED_POLL: Duration = Duration::from_millis(100);

/// Pausing is between the service and who asks: systemd knows no such state.
pub(super) fn steer(role: Role, control: ServiceControl, context: &Context) -> Result<(), Failure> {
    if role != Role::Server {
        return Err(Failure::usage(format!(
            "the {} cannot be paused: only the server grants seats",
            role.name()
        )));
    }
    context.block_on(async {
        let client = context.client()?;
        let told: Told = client
            .post("/v1/service/controls", &ControlRequest { control })
            .await?;
        if context.json() {
            return print_json(&told);
        }
        line(describe_told(&told))?;
        match is_under_way(&told) {
            true => line(describe_told(&done(&client, told).await?)),
            false => Ok(()),
        }
    })
}

/// The state once it is no longer on the way to another, or as it is when that takes too long.
async fn done(client: &Client, mut told: Told) -> Result<Told, Failure> {
    let until = Instant::now() + STEERED_WITHIN;
    while is_under_way(&told) && Instant::now() < until {
        tokio::time::sleep(STEERED_POLL).await;
        told = client.get("/v1/service").await?;
    }
    Ok(told)
}

fn is_under_way(told: &Told) -> bool {
    told.state.ends_with("_pending")
}

/// Says how a role is, as systemd and the role itself say.
pub(super) fn query(role: Role, context: &Context) -> Result<(), Failure> {
    let unit = match usher_service::query(role.service()) {
        Ok(unit) if unit.exists => Ok(unit),
        Ok(_) => Err(format!("{} is not installed", role.service())),
        Err(error) => Err(error.to_string()),
    };
    let told = match role {
        Role::Server => Some(context.block_on(async {
            let client = context.client()?;
            Ok(client.get::<Told>("/v1/service").await?)
        })),
        Role::Manager | Role::Agent => None,
    };
    if let (Err(why), Some(Err(_)) | None) = (&unit, &told) {
        let failure = Failure::failed(why.clone());
        return Err(match told {
            Some(Err(silence)) => failure.next(format!("Nor does it answer itself: {silence}")),
            _ => failure.next(format!(
                "`usher service install {}` installs it.",
                role.name()
            )),
        });
    }
    if context.json() {
        return print_json(&json!({
            "role": role.name(),
            "service_manager": unit.as_ref().ok().map(unit_json),
            "service": told.and_then(Result::ok),
        }));
    }
    line(match &unit {
        Ok(unit) => describe_unit(unit),
        Err(why) => format!("systemd    {why}"),
    })?;
    match told {
        None => Ok(()),
        Some(Ok(told)) => line(format!("itself     {}", describe_told(&told))),
        Some(Err(silence)) => {
            let silence = silence.to_string();
            let silence = silence.lines().next().unwrap_or_default();
            line(format!(
                "itself     {}",
                silence.trim_start_matches("usher: ")
            ))
        }
    }
}
