//! A private Usher for a measurement: the built program with a server, and what is asked of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::beside::private::{Folder, Server, bound_to_us};

/// A running role that serves, in a folder of its own.
#[derive(Debug)]
pub(crate) struct Site {
    /// Ended before the folder goes.
    _server: Server,
    folder: Folder,
    url: String,
    program: PathBuf,
}

impl Site {
    /// Starts `role` with the program at `usher`, in a folder that other accounts can get into.
    pub(crate) fn start(usher: &Path, parent: &Path, role: &[&str]) -> Result<Site, String> {
        let folder = Folder::make(parent)?;
        let program = folder.path().join("usher");
        fs::copy(usher, &program)
            .and_then(|_| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("cannot copy {}: {error}", usher.display()))?;
        let mut command = bound_to_us(&program);
        command
            .args(role)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("USHER_AGENT_SOCKET", folder.path().join("agent.sock"))
            .stdout(Stdio::piped());
        let log = folder.path().join("log");
        let mut server = Server::start(&mut command, &log, Signal::TERM)?;
        let address = server.wait_for_ready_line().map_err(|why| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            format!("{why}\n{said}")
        })?;
        Ok(Site {
            _server: server,
            folder,
            url: format!("http://{address}"),
            program,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The program, for an account that has no token but finds the server and the agent.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("USHER_SERVER", &self.url)
            .env("USHER_AGENT_SOCKET", self.folder.path().join("agent.sock"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program as the administrator, to its end; gives what it printed.
    pub(crate) fn administer(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command(arguments);
        let output = command
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .output()
            .map_err(|error| format!("cannot start {}: {error}", self.program.display()))?;
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(format!(
                "usher {} failed: {}",
                arguments.join(" "),
                text(&output.stderr)
            )),
        }
    }
}

/// The middle one of some values; of an even number the upper middle one. 0 for none.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, 0 to 1. 0 for none.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    let place = place.min(values.len().saturating_sub(1));
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(median(&values), 3.0);
        assert_eq!(quantile(&values, 1.0), 5.0);
        assert_eq!(median(&[]), 0.0);
    }
}
