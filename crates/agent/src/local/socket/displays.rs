//! `POST /v1/displays`: the helper of a graphical session tells how long nobody has touched it.

use axum::extract::{ConnectInfo, State as AxumState};
use axum::http::StatusCode;
use usher_api::{Code, DisplaysAnswer, DisplaysReport, NAME_LIMIT_BYTES};
use usher_core::idle::Display;

use super::answers::{Answer, App, Body, Refusal, answer, parse};
use super::peer::Peer;
use crate::base::{clock, lock};

/// Displays in one report.
const DISPLAYS_LIMIT: usize = 4;
/// How soon the next report is wanted, while a product says something of idle programs and else.
const AGAIN_SECONDS: u32 = 2;
const AGAIN_LATER_SECONDS: u32 = 10;
/// How late a report may be, twice its time aside.
const LATE_MS: u64 = 5_000;

/// Takes a report for the displays of the account that asks, and of no other.
pub(super) async fn report(
    AxumState(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body,
) -> Answer {
    let request: DisplaysReport<'_> = parse(&body)?;
    let is_name = |name: &str| !name.is_empty() && name.len() <= NAME_LIMIT_BYTES;
    let names_fit = request.displays.iter().all(|name| is_name(name));
    if request.displays.is_empty() || request.displays.len() > DISPLAYS_LIMIT || !names_fit {
        return Err(Refusal::new(
            Code::InvalidRequest,
            format!("displays are 1 to {DISPLAYS_LIMIT} names of 1 to {NAME_LIMIT_BYTES} bytes"),
        ));
    }
    let mut agent = lock(&state.agent);
    let again_seconds = match agent.rulebook().has_idle_rules() {
        true => AGAIN_SECONDS,
        false => AGAIN_LATER_SECONDS,
    };
    let now = clock::awake_ms();
    let valid_ms = u64::from(again_seconds) * 2_000 + LATE_MS;
    let display = Display::reported(now, request.idle_ms, valid_ms);
    let mut names = request.displays.iter();
    let fit = names.all(|name| agent.is_reported(peer.account, name, now, display));
    drop(agent);
    if !fit {
        return Err(Refusal::new(
            Code::Busy,
            "too many displays are reported of: this one counts as in use",
        ));
    }
    answer(StatusCode::OK, &DisplaysAnswer { again_seconds })
}
