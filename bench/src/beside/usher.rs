//! Usher itself: the built binary, durable, over HTTP, asked as a script would ask it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use rustix::process::Signal;
use usher_bench::engine::Plan;
use usher_bench::load::{self, Fixture, LoadOptions, LoadReport, Target, Work};

use super::private::{Folder, Server, bound_to_us};
use super::{Contender, MANY};

/// Something that speaks Usher's API.
pub(super) struct Ours {
    pub(super) name: &'static str,
    pub(super) server: Rc<Server>,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    pub(super) products: Vec<String>,
    pub(super) work: Work,
}

impl Contender for Ours {
    fn name(&self) -> &str {
        self.name
    }

    fn measure(&mut self, plan: &Plan) -> Result<LoadReport, String> {
        let options = LoadOptions {
            url: format!("http://{}", self.address),
            token: self.token.clone(),
            work: self.work,
            products: self.products.clone(),
            connections: plan.connections,
            threads: plan.threads,
            warm_up: plan.warm_up,
            duration: plan.duration,
            requests_limit: plan.requests_limit,
            server_pid: Some(self.server.pid()),
            ..LoadOptions::default()
        };
        load::run(&options).map_err(|error| error.to_string())
    }
}

/// Starts a metering server with one product and with a hundred.
pub(super) fn start(folder: &Folder, usher: &Path) -> Result<Vec<Box<dyn Contender>>, String> {
    let data = folder.path().join("usher");
    let log = folder.path().join("usher.log");
    let mut command = bound_to_us(usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped());
    let mut server = Server::start(&mut command, &log, Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    let token = std::fs::read_to_string(data.join("admin.token"))
        .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
    let token = token.trim().to_owned();
    let target = Target { address };
    let make = |name, count| {
        let fixture =
            Fixture::make(target, &token, name, count).map_err(|error| error.to_string())?;
        Ok::<_, String>(fixture.products().to_vec())
    };
    let (hot, many) = (make("bench-hot", 1)?, make("bench-many", MANY)?);
    let server = Rc::new(server);
    let one = |name, products: &[String], work| {
        Box::new(Ours {
            name,
            server: Rc::clone(&server),
            address,
            token: token.clone(),
            products: products.to_vec(),
            work,
        }) as Box<dyn Contender>
    };
    Ok(vec![
        one(
            "Usher, checkout and checkin, one hot product",
            &hot,
            Work::Pairs,
        ),
        one(
            "Usher, checkout and checkin, 100 products",
            &many,
            Work::Pairs,
        ),
        one(
            "Usher, checkout alone, one hot product",
            &hot,
            Work::Checkouts,
        ),
        one(
            "Usher, agents' exchanges of 100 items",
            &many,
            Work::Agents { items: 100 },
        ),
    ])
}
