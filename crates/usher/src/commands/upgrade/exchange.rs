//! Puts the new program in the place of the old one, and the old one back if the new one does not
//! serve.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use usher_api::Status;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::line;
use crate::upgrade::host::ServerHost;
use crate::upgrade::program::{self, Program};

/// How long a restarted server may take to answer as it should.
const ANSWERS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Exchanges the program and restarts the server; puts the old one back if the new does not serve.
pub(super) async fn exchange(
    host: &ServerHost,
    new: &Program,
    old: &Program,
    context: &Context,
) -> Result<(), Failure> {
    let installed = &host.program;
    program::exchange(installed, new, old).map_err(|error| {
        Failure::failed(format!(
            "cannot exchange {}: {error}; the version that ran serves on",
            installed.display()
        ))
    })?;
    let Err(why) = serves_anew(host, &new.version, context).await else {
        for (role, done) in host.restart_others().await {
            if let Err(why) = done {
                line(format!("The {role} could not be started again: {why}"))?;
            }
        }
        return Ok(());
    };
    let put_back = program::exchange(installed, old, new).map_err(|e| e.to_string());
    let back = match put_back {
        Ok(()) => serves_anew(host, &old.version, context).await,
        Err(error) => Err(error),
    };
    let failure = Failure::failed(format!(
        "{} does not serve in the place of {}: {why}",
        new.version, old.version
    ));
    Err(match back {
        Ok(()) => failure.next(format!(
            "{} is back in its place and serves, on the same data; the other program is kept as {}.",
            old.version,
            program::previous(installed).display()
        )),
        Err(error) => failure.next(format!(
            "Nor does {} serve again: {error}. Its program is at {}.",
            old.version,
            installed.display()
        )),
    })
}

/// Starts the server again, and sees to it that it is that version and does its work.
async fn serves_anew(host: &ServerHost, version: &str, context: &Context) -> Result<(), String> {
    host.restart_server().await?;
    let api = host.api.as_deref().unwrap_or(context.server());
    let client = context
        .client_of(api, context.token_for(api))
        .map_err(|failure| failure.to_string())?;
    let until = Instant::now() + ANSWERS;
    loop {
        let looked = async {
            let status: Status = client.get("/v1/status").await.map_err(|e| e.to_string())?;
            if status.server.version != version {
                let other = status.server.version;
                return Err(format!("it says that it is {other}, not {version}"));
            }
            let canary = client.post_empty::<Value>("/v1/canary").await;
            canary.map(drop).map_err(|e| e.to_string())
        };
        match looked.await {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() > until => return Err(why),
            Err(_) => sleep(LOOK).await,
        }
    }
}
