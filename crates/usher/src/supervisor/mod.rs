//! `usher up`: a process for each role, started, restarted and ended together.
//!
//! Promises: a role that dies is started again, ever more slowly while it keeps dying; all roles end
//! when this process ends, also when it is killed; the agent is stopped before the server, so that
//! it can hand over what it has; what does not stop in time is killed. It is itself one thread: the
//! kernel ties a child's life to the thread that started it.

pub(crate) mod account;
mod backoff;
mod child;
pub(crate) mod control;
mod enrol;
mod ready;
mod role;
mod stop;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use account::Account;
use control::{Answer, Control, Question, RoleName, Told};
use role::{First, Role};
pub(crate) use stop::StopSignals;
use usher_vital::log;

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::line;

pub(crate) use enrol::TOKEN_FILE;
pub(crate) use ready::ready_line;

/// How long the agent may take to stop.
const AGENT_GRACE: Duration = Duration::from_secs(10);
/// How long the manager may take to stop.
const MANAGER_GRACE: Duration = Duration::from_secs(10);
/// Where the console is unless something else is said.
const USUAL_CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);
/// How often the manager looks at the server beside it; it looks at once when it hears no more.
const POLL: &str = "1m";
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
    /// The names that this certificate is for.
    pub(crate) names: Vec<String>,
    /// The certificate that the server shows, which the agent then trusts.
    pub(crate) certificate: Option<PathBuf>,
    /// The console's address; none: the usual one, or any free port if that is taken.
    pub(crate) console: Option<SocketAddr>,
    /// Where the id of this computer is kept for all its agents, if it is.
    pub(crate) computer_id_file: Option<PathBuf>,
    /// Options for the agent role; none if there is to be no agent.
    pub(crate) agent_options: Option<Vec<OsString>>,
    /// The account that the server takes, as root.
    pub(crate) account: Option<Account>,
}

/// Runs everything until it is told to stop; returns the exit code.
pub(crate) async fn run(plan: Plan, context: &Context) -> Result<u8, Failure> {
    account::prepare_data(context.data(), plan.account.as_ref())?;
    let mut stop = StopSignals::take()?;
    // This process holds the address: connections that come while the server is started again wait,
    // and none is refused.
    let listener = usher_server::bind(plan.listen)?;
    let address = listener.local_addr().map_err(|error| {
        Failure::failed(format!("cannot learn the address that was taken: {error}"))
    })?;
    let mut words = server_words(&plan, address, context);
    if plan.begin_anew {
        words.push("--begin-anew".into());
    }
    let mut server = Role::with_listener("server", words, listener)?;
    let api = match server.first_start(&mut stop).await? {
        First::Ready(line) => ready::api_of(&line)?,
        First::Ended(code) => return Ok(code),
        First::Stopped => {
            let clean = server.stop(SERVER_GRACE, &mut stop).await;
            return Ok(if clean { exit::DONE } else { exit::FAILED });
        }
    };
    // Only the first start may make an empty data file.
    server.set_words(server_words(&plan, address, context));
    let mut roles = Roles {
        names: plan.names.clone(),
        server,
        manager: None,
        agent: None,
    };
    let console = match start_manager(&plan, &api, context, &mut stop).await {
        Ok((role, First::Ready(line))) => {
            roles.manager = Some(role);
            ready::console_of(&line)?
        }
        Ok((role, other)) => {
            roles.manager = Some(role);
            return roles.not_begun(other, &mut stop).await;
        }
        Err(failure) => {
            roles.shut(&mut stop).await?;
            return Err(failure);
        }
    };
    if let Some(options) = &plan.agent_options {
        match start_agent(&plan, options, &api, context, &mut stop).await {
            Ok((role, First::Ready(_))) => roles.agent = Some(role),
            Ok((role, other)) => {
                roles.agent = Some(role);
                return roles.not_begun(other, &mut stop).await;
            }
            Err(failure) => {
                roles.shut(&mut stop).await?;
                return Err(failure);
            }
        }
    }
    let control = Control::open(context.data());
    let said = line(ready::all_ready_line(&api, &console, context.data()));
    usher_service::tell_ready();
    // It serves all the same if nobody reads the line.
    if let Err(failure) = said
        && failure.code() != exit::DONE
    {
        log::line(&failure.to_string());
    }
    loop {
        tokio::select! {
            () = stop.next() => break,
            () = roles.server.tend() => {}
            () = tend(&mut roles.manager) => {}
            () = tend(&mut roles.agent) => {}
            (question, stream) = control.next() => {
                let answer = roles.answer(question, &api, &console, &mut stop).await;
                control::reply(stream, &answer).await;
            }
        }
    }
    roles.shut(&mut stop).await
}

/// The roles that run.
struct Roles {
    /// The names that the server's certificate is for.
    names: Vec<String>,
    server: Role,
    manager: Option<Role>,
    agent: Option<Role>,
}

impl Roles {
    /// One of them did not come up: the others end, too.
    async fn not_begun(self, first: First, stop: &mut StopSignals) -> Result<u8, Failure> {
        let stopped = self.shut(stop).await?;
        match first {
            First::Ended(code) => Ok(code),
            First::Ready(_) | First::Stopped => Ok(stopped),
        }
    }

    async fn answer(
        &mut self,
        question: Question,
        api: &str,
        console: &str,
        stop: &mut StopSignals,
    ) -> Answer {
        match question {
            Question::Tell => {
                let all = [RoleName::Server, RoleName::Manager, RoleName::Agent];
                let is_given_up = |name: &RoleName| {
                    let (role, _) = self.named(*name);
                    role.is_some_and(|role| role.is_given_up())
                };
                let given_up = all.into_iter().filter(is_given_up).collect();
                Answer::Told(Told {
                    program: self.server.program().to_owned(),
                    server_pid: self.server.pid(),
                    api: ready::reachable(api, &self.names),
                    roles: all.into_iter().filter(|name| self.has(*name)).collect(),
                    given_up,
                    console: Some(console.to_owned()),
                })
            }
            Question::Restart { role } => match self.named(role) {
                (Some(role), grace) => match role.restart(grace, stop).await {
                    Ok(()) => Answer::Done,
                    Err(why) => Answer::Failed { why },
                },
                (None, _) => Answer::Failed {
                    why: "`usher up` runs no such role".to_owned(),
                },
            },
        }
    }

    /// A role, and how long it may take to stop.
    fn named(&mut self, name: RoleName) -> (Option<&mut Role>, Duration) {
        match name {
            RoleName::Server => (Some(&mut self.server), SERVER_GRACE),
            RoleName::Manager => (self.manager.as_mut(), MANAGER_GRACE),
            RoleName::Agent => (self.agent.as_mut(), AGENT_GRACE),
        }
    }

    fn has(&self, name: RoleName) -> bool {
        match name {
            RoleName::Server => true,
            RoleName::Manager => self.manager.is_some(),
            RoleName::Agent => self.agent.is_some(),
        }
    }

    /// Stops them: the manager first, which would call the end of the server trouble; then the
    /// agent, which hands over what it has. A second signal ends them at once. One that was given
    /// up is no good end.
    async fn shut(self, stop: &mut StopSignals) -> Result<u8, Failure> {
        let mut clean = true;
        let mut given_up = false;
        for (role, grace) in [
            (self.manager, MANAGER_GRACE),
            (self.agent, AGENT_GRACE),
            (Some(self.server), SERVER_GRACE),
        ] {
            if let Some(role) = role {
                if role.is_given_up() {
                    given_up = true;
                    let said = control::said_of_given_up(role.name());
                    log::line(&format!("usher: {said}: what it said last is above"));
                }
                clean &= role.stop(grace, stop).await;
            }
        }
        if !clean {
            log::line("usher: not everything stopped by itself in time, the rest was killed");
            return Ok(exit::FAILED);
        }
        Ok(if given_up { exit::FAILED } else { exit::DONE })
    }
}

async fn tend(role: &mut Option<Role>) {
    match role {
        Some(role) => role.tend().await,
        None => std::future::pending().await,
    }
}

async fn start_manager(
    plan: &Plan,
    api: &str,
    context: &Context,
    stop: &mut StopSignals,
) -> Result<(Role, First), Failure> {
    let words = |console: SocketAddr, or_any_port: bool| {
        let data = context.data().join("manager");
        let mut words: Vec<OsString> = vec!["manager".into(), "--data".into(), data.into()];
        if let Some(config) = context.config() {
            words.extend(["--config".into(), config.into()]);
        }
        words.extend(["--console".into(), console.to_string().into()]);
        if or_any_port {
            words.push("--or-any-port".into());
        }
        words.extend(["--poll".into(), POLL.into()]);
        words.extend([
            "--own-server".into(),
            ready::reachable(api, &plan.names).into(),
        ]);
        words.extend(["--own-data".into(), context.data().into()]);
        let certificate = plan.certificate.as_deref();
        if let Some(authority) = context.ca_file().or(certificate) {
            words.extend(["--ca-file".into(), authority.into()]);
        }
        if let Some(account) = &plan.account {
            words.extend(["--run-as".into(), account.name.clone().into()]);
        }
        words
    };
    // Nobody asked for the usual address: another will do.
    let first = words(
        plan.console.unwrap_or(USUAL_CONSOLE),
        plan.console.is_none(),
    );
    let mut role = Role::new("manager", first)?;
    let first = role.first_start(stop).await?;
    if let First::Ready(line) = &first
        && let Some(address) = ready::address_of(&ready::console_of(line)?)
    {
        // Whoever knows the address goes on with it after a restart.
        role.set_words(words(address, false));
    }
    Ok((role, first))
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
        ready::reachable(api, &plan.names)
    };
    let authority = context
        .ca_file()
        .map(PathBuf::from)
        .or_else(|| plan.certificate.clone());
    let id_file = plan.computer_id_file.as_deref();
    let token = enrol::agent_token(context.data(), &server, authority.as_deref(), id_file).await?;
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
