//! What supervises the server of a data directory: systemd, or `usher up`. It starts the server
//! again from the program that was exchanged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use usher_platform::files;
use usher_service::files::Role;

use crate::supervisor::control::{self, Answer, Question, RoleName, Told};

/// How long `usher up` may take to answer.
const TELL: Duration = Duration::from_secs(10);
/// How long a role may take until it has stopped and is ready again.
const RESTART: Duration = Duration::from_secs(32 * 60);

/// What supervises a server, and the program that it starts.
#[derive(Debug)]
pub(crate) struct ServerHost {
    by: By,
    /// The program that the server is started from, as its unit or `usher up` names it.
    pub(crate) program: PathBuf,
    /// The server's process.
    pid: u32,
    /// Where its API is, if the host knows.
    pub(crate) api: Option<String>,
}

#[derive(Debug)]
enum By {
    /// Nothing: then only a rehearsal is possible, with this program as the earlier version.
    Nobody,
    Systemd,
    Up {
        data: PathBuf,
        roles: Vec<RoleName>,
    },
}

impl ServerHost {
    /// What supervises the server of `data`; `None` if it was started by hand, or does not run.
    pub(crate) async fn find(data: &Path) -> Option<ServerHost> {
        if let Ok(Answer::Told(told)) = control::ask(data, &Question::Tell, TELL).await {
            return of_up(data, told);
        }
        let unit = usher_service::query(Role::Server.service()).ok()?;
        let pid = unit.main_pid?;
        if !serves(&unit.command, data) {
            return None;
        }
        Some(ServerHost {
            by: By::Systemd,
            program: unit.command.into_iter().next()?.into(),
            pid,
            api: None,
        })
    }

    /// For a server that nothing supervises, or that does not run: it counts as one of this very
    /// program.
    pub(crate) fn nobody() -> ServerHost {
        let pid = std::process::id();
        ServerHost {
            by: By::Nobody,
            program: std::env::current_exe().unwrap_or_else(|_| exe(pid)),
            pid,
            api: None,
        }
    }

    /// Checks that the server's process was started from the program file as it is now. The file of
    /// the process is only read, neither run nor installed, as it could be anything.
    ///
    /// # Errors
    /// It was not, or its file cannot be read.
    pub(crate) fn runs_its_program(&self) -> Result<(), String> {
        let named = files::identity(&self.program)
            .map_err(|error| format!("cannot look at {}: {error}", self.program.display()))?;
        let runs = files::identity(&exe(self.pid))
            .map_err(|error| format!("cannot look at process {}: {error}", self.pid))?;
        match named == runs {
            true => Ok(()),
            false => Err(format!(
                "the server (pid {}) does not run {}, which it is started from: the file was \
                 replaced since, or it runs another program",
                self.pid,
                self.program.display()
            )),
        }
    }

    /// Has the server stopped and started again; returns when the server says that it is ready.
    pub(crate) async fn restart_server(&self) -> Result<(), String> {
        self.restart(RoleName::Server).await
    }

    /// Has the other roles started again that run from the same program; returns the result for
    /// each.
    pub(crate) async fn restart_others(&self) -> Vec<(&'static str, Result<(), String>)> {
        let mut done = Vec::new();
        for (name, role) in [
            (RoleName::Manager, Role::Manager),
            (RoleName::Agent, Role::Agent),
        ] {
            let is_here = match &self.by {
                By::Up { roles, .. } => roles.contains(&name),
                By::Systemd => self.is_unit_of(role),
                By::Nobody => false,
            };
            if is_here {
                done.push((role.name(), self.restart(name).await));
            }
        }
        done
    }

    /// Whether a role's unit runs from the program that was exchanged.
    fn is_unit_of(&self, role: Role) -> bool {
        let unit = usher_service::query(role.service()).ok();
        unit.filter(|unit| unit.main_pid.is_some())
            .and_then(|unit| unit.command.into_iter().next())
            .is_some_and(|program| Path::new(&program) == self.program)
    }

    async fn restart(&self, name: RoleName) -> Result<(), String> {
        let role = match name {
            RoleName::Server => Role::Server,
            RoleName::Manager => Role::Manager,
            RoleName::Agent => Role::Agent,
        };
        match &self.by {
            By::Nobody => Err("nobody keeps the server".to_owned()),
            By::Systemd => systemd_restarts(role.service()).await,
            By::Up { data, .. } => {
                let question = Question::Restart { role: name };
                match control::ask(data, &question, RESTART).await {
                    Ok(Answer::Done) => Ok(()),
                    Ok(Answer::Failed { why }) => Err(why),
                    Ok(Answer::Told(_)) => Err("`usher up` answered something else".to_owned()),
                    Err(error) => Err(format!("`usher up` does not answer: {error}")),
                }
            }
        }
    }
}

/// Restarts the unit through systemd, which waits until it is ready; a unit that failed before is
/// started, too.
async fn systemd_restarts(unit: &'static str) -> Result<(), String> {
    let restart = move || usher_service::restart(&[unit]);
    match tokio::task::spawn_blocking(restart).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn of_up(data: &Path, told: Told) -> Option<ServerHost> {
    let pid = told.server_pid?;
    let by = By::Up {
        data: data.to_owned(),
        roles: told.roles,
    };
    Some(ServerHost {
        by,
        program: told.program,
        pid,
        api: Some(told.api),
    })
}

/// The executable of a process.
fn exe(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/exe"))
}

/// Whether a unit's command line says that it serves `data`.
fn serves(command: &[String], data: &Path) -> bool {
    let named = command.windows(2).find(|pair| pair[0] == "--data");
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    named.is_some_and(|pair| real(Path::new(&pair[1])).is_some_and(|it| Some(it) == real(data)))
}
