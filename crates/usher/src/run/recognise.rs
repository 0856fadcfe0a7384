//! Which product a command is, where nobody named one.

use std::path::Path;

use usher_api::client::Client;
use usher_api::{IdentifyAnswer, IdentifyRequest};

use super::door::Door;
use crate::failure::Failure;

/// The product whose rules match `file`; none where no rule does.
pub(crate) async fn product(door: &Door, file: &Path) -> Result<Option<String>, Failure> {
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    match &door.agent {
        Some(agent) => ask_agent(agent, &file).await,
        None => Ok(None),
    }
}

async fn ask_agent(agent: &Client, file: &Path) -> Result<Option<String>, Failure> {
    let Some(path) = file.to_str() else {
        return Ok(None);
    };
    let request = IdentifyRequest { path: path.into() };
    let answer: IdentifyAnswer = agent.post("/v1/identify", &request).await?;
    Ok(answer.product)
}
