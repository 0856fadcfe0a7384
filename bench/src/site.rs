//! A private Usher for a measurement: the built program with a server, and what is asked of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::beside::private::{Folder, Server, bound_to_us};
use crate::setting::Setting;

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
    /// Starts `role` in a folder that other accounts can get into.
    pub(crate) fn start(setting: &Setting, role: &[&str]) -> Result<Site, String> {
        let folder = Folder::make(&setting.place.folder)?;
        let program = folder.path().join("usher");
        fs::copy(&setting.usher, &program)
            .and_then(|_| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)))
            .map_err(|error| format!("cannot copy {}: {error}", setting.usher.display()))?;
        let mut command = bound_to_us(&program);
        command
            .args(role)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("USHER_AGENT_SOCKET", folder.path().join("agent.sock"))
            .stdout(Stdio::piped());
        let log = folder.path().join("log");
        let mut server = Server::start(&mut command, &log, Signal::TERM)?;
        let address = server.wait_for_ready_line()?;
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

    /// A file with a token for an agent whose data lies in `agent` in the folder.
    pub(crate) fn agent_token(&self) -> Result<PathBuf, String> {
        let token = self.folder().join("agent.token");
        let data = self.folder().join("agent");
        let computer = Command::new(&self.program)
            .args(["agent", "--print-computer-id", "--data"])
            .arg(&data)
            // The id of the computer that is measured is neither made nor taken.
            .env("USHER_COMPUTER_ID_FILE", "/proc/none/computer-id")
            .output()
            .map_err(|error| error.to_string())?;
        let computer = String::from_utf8_lossy(&computer.stdout).trim().to_owned();
        let made = self.administer(&[
            "token",
            "create",
            "--role",
            "agent",
            "--computer",
            &computer,
        ])?;
        fs::write(&token, made).map_err(|error| error.to_string())?;
        Ok(token)
    }
}
