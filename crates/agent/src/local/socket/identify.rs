//! Of which product a file is.

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use usher_api::{Code, IdentifyAnswer, IdentifyRequest};

use super::State;
use super::answers::{Answer, App, Body, Refusal, answer, parse};
use super::peer::Peer;
use crate::identity::file::Target;
use crate::system::{FileKey, procfs};

pub(super) async fn identify(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let request: IdentifyRequest<'_> = parse(&body)?;
    let path = request.path.into_owned();
    if !path.starts_with('/') {
        return Err(Refusal::new(
            Code::InvalidRequest,
            format!("{path:?} is not an absolute path"),
        ));
    }
    let turn = state.identifying.acquire().await;
    let looked_at = state.clone();
    let verdict = tokio::task::spawn_blocking(move || look_into(&looked_at, peer, &path))
        .await
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))??;
    drop(turn);
    answer(StatusCode::OK, &verdict)
}

fn look_into(state: &State, peer: Peer, path: &str) -> Result<IdentifyAnswer, Refusal> {
    let refuse = |why: &str| Refusal::new(Code::InvalidRequest, format!("{path:?}: {why}"));
    let failed = |error: std::io::Error| refuse(&error.to_string());
    let file = usher_platform::files::open_regular(path).map_err(failed)?;
    let (key, may_run) = FileKey::of_program(&file, peer.account).map_err(failed)?;
    // The agent may read more than who asks: what others may not run is not looked into.
    if !peer.is_root() && !may_run {
        return Err(refuse("not a program that this account may run"));
    }
    let target = Target {
        path: procfs::path_of_open(&file).map_err(failed)?,
        key,
        file: Some(file),
    };
    let verdict = state.shared.identifier.thorough(&target);
    Ok(IdentifyAnswer {
        product: verdict.as_ref().map(|matched| matched.product.to_string()),
        rule: verdict.as_ref().map(|matched| matched.rule.clone()),
    })
}
