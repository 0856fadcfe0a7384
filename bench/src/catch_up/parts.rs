//! The server, the manager and the database, each of which can be killed and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use usher_bench::http;

use super::backlog::{PRODUCTS, name_of};
use super::kills::Victim;
use crate::beside::postgres::{self, Cluster};
use crate::beside::private::{Folder, Server, bound_to_us, free_port};

const SEATS: u64 = 1_000;

/// A site of one server.
pub(super) struct Parts {
    usher: PathBuf,
    folder: PathBuf,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    /// Where the manager answers.
    console: Option<SocketAddr>,
    server: Option<Server>,
    manager: Option<Server>,
    cluster: Cluster,
    database: Option<Server>,
}

impl Parts {
    /// Starts the server and the database.
    pub(super) fn start(folder: &Folder, usher: &Path) -> Result<Parts, String> {
        let cluster = Cluster::make(folder, &[])?;
        let mut parts = Parts {
            usher: usher.to_owned(),
            folder: folder.path().to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], free_port()?)),
            token: String::new(),
            console: None,
            server: None,
            manager: None,
            database: Some(cluster.start()?),
            cluster,
        };
        parts.serve()?;
        let token = std::fs::read_to_string(parts.folder.join("server/admin.token"))
            .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
        token.trim().clone_into(&mut parts.token);
        for product in 0..PRODUCTS {
            let id = name_of(product);
            parts.post("/v1/products", &serde_json::json!({ "id": id }))?;
            let seats = serde_json::json!({ "product": id, "seats": SEATS });
            parts.post("/v1/entitlements", &seats)?;
        }
        Ok(parts)
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> Result<(), String> {
        let call = http::call(self.address, "POST", path, &self.token, &body.to_string());
        match call? {
            (200..300, _) => Ok(()),
            (status, answer) => Err(format!(
                "POST {path} was answered with {status}: {}",
                String::from_utf8_lossy(&answer)
            )),
        }
    }

    fn serve(&mut self) -> Result<(), String> {
        let mut command = bound_to_us(&self.usher);
        command.args(["server", "--listen", &self.address.to_string(), "--data"]);
        command
            .arg(self.folder.join("server"))
            .stdout(Stdio::piped());
        let mut server = self.begin(&mut command, "server.log")?;
        server.wait_for_ready_line()?;
        self.server = Some(server);
        Ok(())
    }

    fn begin(&self, command: &mut Command, log: &str) -> Result<Server, String> {
        Server::start(command, &self.folder.join(log), Signal::TERM)
    }

    /// Starts the manager; where its console is.
    fn manage(&mut self) -> Result<String, String> {
        let mut command = bound_to_us(&self.usher);
        command.args(["manager", "--console", "127.0.0.1:0", "--heal", "off"]);
        let database = format!("postgres://postgres@{}/postgres", self.cluster.address);
        command.args(["--database", &database, "--data"]);
        command
            .arg(self.folder.join("manager"))
            .stdout(Stdio::piped());
        let mut manager = self.begin(&mut command, "manager.log")?;
        let console = manager.wait_for_line("ready console=...", |line| {
            let mut words = line.strip_prefix("ready ")?.split_whitespace();
            words.find_map(|word| Some(word.strip_prefix("console=")?.to_owned()))
        })?;
        self.manager = Some(manager);
        let address = console.trim_start_matches("http://").trim_end_matches('/');
        self.console = address.parse().ok();
        Ok(console)
    }

    /// Starts the manager for the first time, and has it watch the server.
    pub(super) fn collect(&mut self) -> Result<(), String> {
        let console = self.manage()?;
        let mut add = bound_to_us(&self.usher);
        add.args(["servers", "add", "alpha", "--url"])
            .arg(format!("http://{}", self.address))
            .arg("--token-file")
            .arg(self.folder.join("server/admin.token"))
            .args(["--manager", console.trim_end_matches('/'), "--data"])
            .arg(self.folder.join("manager"));
        let added = add
            .output()
            .map_err(|error| format!("cannot start {}: {error}", self.usher.display()))?;
        match added.status.success() {
            true => Ok(()),
            false => Err(format!(
                "the manager does not watch the server: {}",
                String::from_utf8_lossy(&added.stderr)
            )),
        }
    }

    /// Kills one without a word, and starts it again.
    pub(super) fn kill(&mut self, victim: Victim) -> Result<(), String> {
        match victim {
            Victim::Server => {
                if let Some(server) = self.server.take() {
                    server.kill();
                }
                self.serve()
            }
            Victim::Manager => {
                if let Some(manager) = self.manager.take() {
                    manager.kill();
                }
                self.manage().map(drop)
            }
            Victim::Database => {
                if let Some(database) = self.database.take() {
                    database.kill();
                }
                self.database = Some(self.cluster.start_again()?);
                Ok(())
            }
        }
    }

    /// The resident memory of the server and of the manager, in KiB.
    pub(super) fn resident_kib(&self) -> (u64, u64) {
        let of = |it: &Option<Server>| it.as_ref().and_then(|it| it.resident_kib().ok());
        let (server, manager) = (of(&self.server), of(&self.manager));
        (server.unwrap_or(0), manager.unwrap_or(0))
    }

    /// How many sessions of a product the manager tells since an instant (Unix milliseconds), and for how
    /// many seconds they were open.
    pub(super) fn usage(&self, product: &str, from_ms: i64) -> Result<(u64, f64), String> {
        let console = self
            .console
            .ok_or("the manager does not say where it answers")?;
        let token = std::fs::read_to_string(self.folder.join("manager/admin.token"))
            .map_err(|error| format!("cannot read the manager's admin.token: {error}"))?;
        let from = jiff::Timestamp::from_millisecond(from_ms).map_err(|error| error.to_string())?;
        let path = format!("/v1/usage?product={product}&from={from}");
        let (status, answer) = http::call(console, "GET", &path, token.trim(), "")?;
        let text = String::from_utf8_lossy(&answer);
        let page: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| format!("GET {path} was answered with {status}: {error}"))?;
        let item = &page["items"][0];
        match (item["sessions"].as_u64(), item["open_seconds"].as_f64()) {
            (Some(sessions), Some(seconds)) => Ok((sessions, seconds)),
            _ => Err(format!("GET {path} was answered with {status}: {text}")),
        }
    }

    /// What the site answers to a question with one number.
    pub(super) fn number(&self, sql: &str) -> Result<i64, String> {
        postgres::number(self.cluster.address, sql)
    }
}
