//! Whom `usher run` asks: the agent of this computer if there is one, else the server itself.
//!
//! Through the agent no token is needed: the kernel tells it who the user is. With a token, or if
//! another server than the agent's is named, `usher run` asks the server directly; it still tells
//! the agent which seat covers the command, so that the command takes no second one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::timeout;
use usher_api::AgentStatus;
use usher_api::client::{Client, Endpoint};

use crate::context::{Context, told_of};
use crate::failure::{Failure, exit};

/// The socket of a computer's agent, if root has started it.
pub(crate) const SYSTEM_SOCKET: &str = usher_api::client::AGENT_SOCKET;

/// How long an agent on the same computer may take to answer that it is there.
const GREETING: Duration = Duration::from_secs(2);

/// Whom to ask.
#[derive(Debug)]
pub(crate) struct Door {
    /// Who decides about seats.
    pub(crate) seats: Client,
    /// Whether that is the agent.
    pub(crate) through_agent: bool,
    /// The agent, if it is to be told of the seat.
    pub(crate) agent: Option<Client>,
}

/// The paths at which an agent's socket may be, the likeliest first.
pub(crate) fn sockets(named: Option<&Path>, context: &Context) -> Vec<PathBuf> {
    if let Some(path) = named {
        return vec![path.to_owned()];
    }
    let own = context.data().join("agent/agent.sock");
    let system = PathBuf::from(SYSTEM_SOCKET);
    match context.data_given {
        true => vec![own, system],
        false => vec![system, own],
    }
}

/// The first agent that answers, and its state.
pub(crate) async fn agent(
    named: Option<&Path>,
    context: &Context,
) -> Result<Option<(Client, AgentStatus)>, Failure> {
    for path in sockets(named, context) {
        if !path.exists() {
            continue;
        }
        let client = Client::new(Endpoint::Socket(path), None, None)?;
        if let Ok(Ok(status)) = timeout(GREETING, client.get::<AgentStatus>("/v1/agent")).await {
            return Ok(Some((told_of(client), status)));
        }
    }
    context.miss_agent();
    Ok(None)
}

/// The agent that is told at once of a change of products.
#[derive(Debug, Default, Args)]
pub(crate) struct ToldAgent {
    /// The socket of this computer's agent, which goes by the change at once
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

impl ToldAgent {
    /// If the agent belongs to the same server, it has taken over the change when this returns.
    /// That is only faster: agents look every few seconds anyway.
    pub(crate) async fn products_changed(&self, context: &Context) {
        if let Ok(Some((agent, status))) = agent(self.agent_socket.as_deref(), context).await
            && same(&status.server, context.server())
        {
            let nothing = serde_json::json!({});
            let _ = timeout(GREETING, agent.tell("/v1/refresh", &nothing)).await;
        }
    }
}

/// Finds out whom to ask. For another user or computer that is the server: the agent asks only for
/// the user that the kernel names.
pub(crate) async fn find(
    named: Option<&Path>,
    context: &Context,
    for_another: bool,
) -> Result<Door, Failure> {
    if for_another && context.token().is_none() {
        return Err(of_another());
    }
    let Some((agent, status)) = agent(named, context).await? else {
        if let Some(path) = named {
            return Err(Failure::new(
                exit::NO_SERVER,
                format!("no Usher agent answers at {}", path.display()),
            )
            .next("Is one running? Leave --agent-socket out to ask the server itself."));
        }
        return Ok(Door {
            seats: context.client()?,
            agent: None,
            through_agent: false,
        });
    };
    let same_server = is_meant(&status, context);
    let through_agent = same_server && !context.token_given && !for_another;
    let seats = if through_agent {
        agent.clone()
    } else {
        context.client()?
    };
    Ok(Door {
        seats,
        agent: same_server.then_some(agent),
        through_agent,
    })
}

/// Why the agent cannot ask for another user or computer: it asks only for the user that the kernel
/// names.
pub(crate) fn of_another() -> Failure {
    Failure::new(
        exit::REFUSED,
        "without a token a seat is asked for by the agent, for you, on this computer and in your \
         place of the queue: --user, --computer and --priority take a token that may ask so",
    )
    .next("Give one with --token or USHER_TOKEN: an operator's, or a client's for its own user.")
}

/// Whether an agent's server is the one that is meant: the one that was named, else the agent's
/// own.
pub(crate) fn is_meant(status: &AgentStatus, context: &Context) -> bool {
    !context.server_given || same(&status.server, context.server())
}

/// Whether two addresses are of one server.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}
