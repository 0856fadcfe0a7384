//! `usher up`: a process for each role, started, restarted and ended together.
//!
//! Promises: a role that dies is started again, ever more slowly while it keeps dying; all roles end
//! when this process ends, also when it is killed; the agent is stopped before the server, so that
//! it can hand over what it has; what does not stop in time is killed. It is itself one thread: the
//! kernel ties a child's life to the thread that started it.

pub(crate) mod account;
mod backoff;
pub(crate) mod bond;
mod enrol;
mod ready;
mod role;
mod stop;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use account::Account;
use role::{First, Role};
pub(crate) use stop::StopSignals;

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::eprintln_quiet;
use crate::output::line;

pub(crate) use enrol::TOKEN_FILE;
pub(crate) use ready::ready_line;

/// How long the agent may take to stop.
const AGENT_GRACE: Duration = Duration::from_secs(10);
/// How long the server may take to finish what is in flight; what stands still it ends by itself,
/// well before.
const SERVER_GRACE: Duration = Duration::from_secs(65);

/// What is to be started.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where the server listens.
    pub(crate) listen: SocketAddr,
    /// Options for the server role besides.
    pub(crate) server_options: Vec<OsString>,
    /// Whether the first start may begin with an empty data file; no later one does.
    pub(crate) begin_anew: bool,
    /// The certificate that the server shows, which the agent then trusts.
    pub(crate) certificate: Option<PathBuf>,
    /// Options for the agent role; none where there is to be no agent.
    pub(crate) agent_options: Option<Vec<OsString>>,
    /// The account that the server takes, as root.
    pub(crate) account: Option<Account>,
}

/// Runs everything until it is told to stop; returns the exit code.
pub(crate) async fn run(plan: Plan, context: &Context) -> Result<u8, Failure> {
    account::prepare_data(context.data(), plan.account.as_ref())?;
    let mut stop = StopSignals::take()?;
    let mut words = server_words(&plan, plan.listen, context);
    if plan.begin_anew {
        words.push("--begin-anew".into());
    }
    let mut server = Role::new("server", words)?;
    let api = match server.first_start(&mut stop).await? {
        First::Ready(line) => ready::api_of(&line)?,
        First::Ended(code) => return Ok(code),
        First::Stopped => return shut(None, server, &mut stop).await,
    };
    // Whoever knows the address goes on with it after a restart.
    server.set_words(server_words(
        &plan,
        ready::address_of(&api).unwrap_or(plan.listen),
        context,
    ));
    let mut agent = None;
    if let Some(options) = &plan.agent_options {
        let started = start_agent(&plan, options, &api, context, &mut stop).await;
        match started {
            Ok((role, First::Ready(_))) => agent = Some(role),
            Ok((role, First::Stopped)) => return shut(Some(role), server, &mut stop).await,
            Ok((role, First::Ended(code))) => {
                shut(Some(role), server, &mut stop).await?;
                return Ok(code);
            }
            Err(failure) => {
                shut(None, server, &mut stop).await?;
                return Err(failure);
            }
        }
    }
    let said = line(ready_line(&api, context.data()));
    usher_service::tell_ready();
    if let Err(failure) = said
        && failure.code() != exit::DONE
    {
        shut(agent, server, &mut stop).await?;
        return Err(failure);
    }
    loop {
        tokio::select! {
            () = stop.next() => break,
            () = server.tend() => {}
            () = tend(&mut agent) => {}
        }
    }
    shut(agent, server, &mut stop).await
}

async fn tend(role: &mut Option<Role>) {
    match role {
        Some(role) => role.tend().await,
        None => std::future::pending().await,
    }
}

async fn start_agent(
    plan: &Plan,
    options: &[OsString],
    api: &str,
    context: &Context,
    stop: &mut StopSignals,
) -> Result<(Role, First), Failure> {
    let server = if context.server_given {
        context.server().to_owned()
    } else {
        ready::reachable(api)
    };
    let authority = context
        .ca_file()
        .map(PathBuf::from)
        .or_else(|| plan.certificate.clone());
    let token = enrol::agent_token(context.data(), &server, authority.as_deref()).await?;
    let mut words = common_words("agent", context);
    words.extend(["--server".into(), server.into()]);
    words.extend(["--token-file".into(), token.into_os_string()]);
    if let Some(authority) = authority {
        words.extend(["--ca-file".into(), authority.into_os_string()]);
    }
    words.extend(options.iter().cloned());
    let mut role = Role::new("agent", words)?;
    let first = role.first_start(stop).await?;
    Ok((role, first))
}

fn common_words(role: &str, context: &Context) -> Vec<OsString> {
    let mut words = vec![role.into(), "--data".into(), context.data().into()];
    if let Some(config) = context.config() {
        words.extend(["--config".into(), config.into()]);
    }
    words
}

fn server_words(plan: &Plan, listen: SocketAddr, context: &Context) -> Vec<OsString> {
    let mut words = common_words("server", context);
    words.extend(["--listen".into(), listen.to_string().into()]);
    words.extend(plan.server_options.iter().cloned());
    if let Some(account) = &plan.account {
        words.extend(["--run-as".into(), account.name.clone().into()]);
    }
    words
}

/// Stops the roles, the agent first. A second signal ends them at once.
async fn shut(agent: Option<Role>, server: Role, stop: &mut StopSignals) -> Result<u8, Failure> {
    let mut clean = true;
    if let Some(agent) = agent {
        clean &= agent.stop(AGENT_GRACE, stop).await;
    }
    clean &= server.stop(SERVER_GRACE, stop).await;
    if !clean {
        eprintln_quiet("usher: not everything stopped by itself in time, the rest was killed");
        return Ok(exit::FAILED);
    }
    Ok(exit::DONE)
}
