//! A computer whose agent answers every account on it, with a server of its own.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use nix::sys::signal::Signal;

use crate::support::{Folder, Running, finish, signal, usher};

pub(crate) struct Accounts {
    pub(crate) running: Running,
    pub(crate) socket: PathBuf,
    pub(crate) folder: Folder,
}

impl Accounts {
    /// None, with a line that says so, if accounts cannot be changed.
    pub(crate) fn new() -> Option<Accounts> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: commands of other accounts need root");
            return None;
        }
        let folder = Folder::new();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(""), open).unwrap();
        let socket = folder.path("agent.sock");
        let mut up = usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .arg("--agent-socket")
            .arg(&socket);
        let running = Running::start(&mut up, &folder.path("data"));
        Some(Accounts {
            running,
            socket,
            folder,
        })
    }

    /// A command of an account, which has no token unless it is given one.
    pub(crate) fn command(&self, uid: u32, args: &[&str]) -> Command {
        let mut command = usher();
        command
            .args(args)
            .env("USHER_AGENT_SOCKET", &self.socket)
            .env("XDG_DATA_HOME", "/nonexistent")
            .env("TZ", "UTC")
            .uid(uid)
            .gid(uid);
        command
    }
}

/// Ends a `usher run`, and so its command.
pub(crate) fn end(run: Child) {
    signal(run.id(), Signal::SIGTERM);
    finish(run);
}
