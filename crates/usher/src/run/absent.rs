//! Waiting for the agent of this computer, which may be restarting: a command that waits for a seat
//! through the agent does not fail because of that.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use usher_api::client::ClientError;
use usher_api::{Code, Status};

use super::ask::Wait;
use super::bounds::NOTICED;
use super::door::{self, Door};
use super::order::Order;
use super::signals::Signals;
use crate::context::Context;
use crate::failure::absent::no_agent;
use crate::failure::{Failure, exit};
use crate::listing::eprintln_quiet;
use crate::output::shown_path;

/// How long an agent is waited for: a restart takes seconds, and on a computer without an agent
/// waiting is of no use.
const COMES_BACK: Duration = Duration::from_secs(60);
/// How often the agent is tried.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Finds out whom to ask. A command that waits since `begun` also waits for an agent, if it needs
/// one.
pub(super) async fn door(
    order: &Order,
    context: &Context,
    begun: Instant,
    signals: &mut Signals,
) -> Result<Door, Failure> {
    let for_another = order.user.is_some() || order.computer.is_some() || order.priority != 0;
    let patience = match order.wait {
        Some(Wait::For(how_long)) => how_long.min(COMES_BACK),
        Some(Wait::Forever) => COMES_BACK,
        None => Duration::ZERO,
    };
    let mut is_told = false;
    loop {
        let found = door::find(order.agent_socket.as_deref(), context, for_another).await;
        if patience.is_zero() || !needs_agent(&found, context).await {
            if is_told {
                eprintln_quiet("usher: the agent answers again");
            }
            return found;
        }
        let left = patience.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(found.err().unwrap_or_else(|| no_agent(context.starts())));
        }
        if !is_told {
            let at = order.agent_socket.as_deref();
            let at = at.map_or("on this computer".to_owned(), |it| {
                format!("at {}", shown_path(it))
            });
            eprintln_quiet(&format!("usher: waiting: no Usher agent answers {at}"));
            is_told = true;
        }
        tokio::select! {
            () = sleep(left.min(LOOK_AGAIN)) => {}
            signal = signals.ending() => return Err(Failure::Quiet(signal.exit_code())),
        }
    }
}

/// Whether nobody can be asked without an agent, and none answers.
async fn needs_agent(found: &Result<Door, Failure>, context: &Context) -> bool {
    let door = match found {
        Ok(door) => door,
        // The one that was named.
        Err(failure) => return failure.code() == exit::NO_SERVER,
    };
    if door.agent.is_some() || context.token().is_some() {
        return false;
    }
    if !context.server_given {
        return true;
    }
    match timeout(NOTICED, door.seats.get::<Status>("/v1/status")).await {
        Ok(Err(ClientError::Problem(problem))) => problem.is(Code::Unauthorized),
        _ => false,
    }
}
