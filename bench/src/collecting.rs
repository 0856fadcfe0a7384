//! A manager that collects the history of a server while that is measured.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use usher_site::{Site as _, SqliteSite};

use crate::beside::private::{Folder, Server, bound_to_us};

/// A private manager that watches one server.
pub(crate) struct Collecting {
    manager: Server,
    data: PathBuf,
}

impl Collecting {
    /// Starts a manager of the program `usher`, in a folder of that name, and has it watch the server at
    /// `url`, of which `token_file` has the administrator's token.
    pub(crate) fn start(
        folder: &Folder,
        name: &str,
        usher: &Path,
        (url, token_file): (&str, &Path),
    ) -> Result<Collecting, String> {
        let data = folder.path().join(name);
        let mut command = bound_to_us(usher);
        command
            .args([
                "manager",
                "--console",
                "127.0.0.1:0",
                "--heal",
                "off",
                "--data",
            ])
            .arg(&data)
            .stdout(Stdio::piped());
        let log = folder.path().join(format!("{name}.log"));
        let mut manager = Server::start(&mut command, &log, Signal::TERM)?;
        let console = manager.wait_for_line("ready console=...", |line| {
            let mut words = line.strip_prefix("ready ")?.split_whitespace();
            words.find_map(|word| Some(word.strip_prefix("console=")?.to_owned()))
        })?;
        let mut add = bound_to_us(usher);
        add.args(["servers", "add", "measured", "--url", url, "--token-file"])
            .arg(token_file)
            .args(["--manager", console.trim_end_matches('/'), "--data"])
            .arg(&data);
        let added = add
            .output()
            .map_err(|error| format!("cannot start {}: {error}", usher.display()))?;
        if !added.status.success() {
            let said = String::from_utf8_lossy(&added.stderr);
            return Err(format!("the manager does not watch the server: {said}"));
        }
        Ok(Collecting { manager, data })
    }

    /// Stops it; the number of the last event of the server that it has collected.
    pub(crate) fn end(self) -> Result<u64, String> {
        let Collecting { manager, data } = self;
        drop(manager);
        let site = SqliteSite::open(&data).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| format!("cannot wait for the site database: {error}"))?;
        let record = runtime
            .block_on(site.used_record())
            .map_err(|error| error.to_string())?;
        let events = record.sources.iter().map(|source| source.through.event);
        Ok(events.max().unwrap_or(0))
    }
}
