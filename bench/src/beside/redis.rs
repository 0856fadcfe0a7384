//! Redis as a peer: the atomic checkout as a Lua script, each write on disk before its answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use rustix::process::Signal;
use usher_bench::engine::{self, Heard, Plan, Protocol};
use usher_bench::http::find;
use usher_bench::load::LoadReport;

use super::private::{self, Folder, Server, bound_to_us, free_port};
use super::{Contender, MANY};

const CHECKOUT: &str = "\
local pool = redis.call('HMGET', KEYS[1], 'used', 'total')
if tonumber(pool[1]) >= tonumber(pool[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], 'used', 1)
local id = redis.call('INCR', 'lease:next')
redis.call('HSET', 'leases', id, ARGV[1])
return id";

const CHECKIN: &str = "\
if redis.call('HDEL', 'leases', ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'used', -1) end
return 1";

/// Starts a Redis with one pool of seats and with a hundred.
pub(super) fn start(folder: &Folder) -> Result<Vec<Box<dyn Contender>>, String> {
    let data = folder.inside("redis", None)?;
    let port = free_port()?;
    let mut command = bound_to_us(&private::find("redis-server", "redis-server")?);
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
        .arg(&data)
        // No snapshots and no rewriting beside the load: the best that it can do.
        .args([
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .args(["--auto-aof-rewrite-percentage", "0", "--daemonize", "no"])
        .stdout(Stdio::null());
    let log = folder.path().join("redis.log");
    let mut server = Server::start(&mut command, &log, Signal::TERM)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    server.wait_until(|| command_of(address, &["PING"]).is_ok())?;
    let scripts = Scripts {
        checkout: load_script(address, CHECKOUT)?,
        checkin: load_script(address, CHECKIN)?,
    };
    for pool in 0..MANY {
        let pool = format!("pool:{pool}");
        command_of(address, &["HSET", &pool, "used", "0", "total", "10000000"])?;
    }
    let server = Rc::new(server);
    let one = |name, pools| {
        Box::new(Redis {
            name,
            server: Rc::clone(&server),
            protocol: Seats {
                address,
                scripts: scripts.clone(),
                pools,
            },
        }) as Box<dyn Contender>
    };
    Ok(vec![
        one("Redis, appendfsync always, one hot pool", 1),
        one("Redis, appendfsync always, 100 pools", MANY),
    ])
}

struct Redis {
    name: &'static str,
    server: Rc<Server>,
    protocol: Seats,
}

impl Contender for Redis {
    fn name(&self) -> &str {
        self.name
    }

    fn measure(&mut self, plan: &Plan) -> Result<LoadReport, String> {
        let plan = Plan {
            server_pid: Some(self.server.pid()),
            ..*plan
        };
        let tally = engine::run(&self.protocol, &plan)?;
        Ok(LoadReport::of(&tally, plan.connections, plan.threads))
    }
}

#[derive(Debug, Clone)]
struct Scripts {
    checkout: String,
    checkin: String,
}

/// The protocol: one script call outstanding on each connection.
struct Seats {
    address: SocketAddr,
    scripts: Scripts,
    pools: usize,
}

struct Talk {
    index: usize,
    pool: usize,
    /// Lease and its pool.
    held: Option<(u64, usize)>,
    checks_out: bool,
}

impl Seats {
    fn checkin(&self, talk: &mut Talk, lease: u64, pool: usize, output: &mut Vec<u8>) {
        talk.checks_out = false;
        let (key, lease) = (format!("pool:{pool}"), lease.to_string());
        write_command(
            output,
            &["EVALSHA", &self.scripts.checkin, "1", &key, &lease],
        );
    }
}

impl Protocol for Seats {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let talk = Talk {
            index,
            pool: index,
            held: None,
            checks_out: false,
        };
        Ok((TcpStream::connect(self.address)?, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        if self.settle(talk, output) {
            return;
        }
        let pool = talk.pool % self.pools;
        talk.pool = talk.pool.wrapping_add(1);
        talk.held = Some((0, pool));
        talk.checks_out = true;
        let (key, index) = (format!("pool:{pool}"), talk.index);
        let holder = format!("bench-user-{index} bench-computer-{index} 60");
        write_command(
            output,
            &["EVALSHA", &self.scripts.checkout, "1", &key, &holder],
        );
    }

    fn hear(&self, talk: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(end) = find(input, b"\r\n") else {
            return Ok(None);
        };
        let number = std::str::from_utf8(&input[..end])
            .ok()
            .and_then(|line| line.strip_prefix(':'))
            .and_then(|number| number.parse::<u64>().ok())
            .ok_or_else(|| String::from_utf8_lossy(&input[..end]).into_owned())?;
        if talk.checks_out {
            talk.held = talk
                .held
                .filter(|_| number > 0)
                .map(|(_, pool)| (number, pool));
        }
        Ok(Some(Heard {
            length: end + 2,
            status: if number > 0 { 200 } else { 500 },
            ok: number > 0,
            checkouts: u32::from(talk.checks_out && number > 0),
            decisions: 1,
            closes: false,
        }))
    }

    fn settle(&self, talk: &mut Talk, output: &mut Vec<u8>) -> bool {
        let Some((lease, pool)) = talk.held.take() else {
            return false;
        };
        self.checkin(talk, lease, pool, output);
        true
    }
}

fn write_command(output: &mut Vec<u8>, words: &[&str]) {
    // Writing to a Vec cannot fail.
    let _ = write!(output, "*{}\r\n", words.len());
    for word in words {
        let _ = write!(output, "${}\r\n{word}\r\n", word.len());
    }
}

/// One command on a connection of its own; answers that fit one line and one string.
fn command_of(address: SocketAddr, words: &[&str]) -> Result<String, String> {
    let failed = |error: io::Error| format!("Redis at {address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .map_err(failed)?;
    let mut output = Vec::new();
    write_command(&mut output, words);
    stream.write_all(&output).map_err(failed)?;
    let mut input = [0; 1024];
    let count = stream.read(&mut input).map_err(failed)?;
    let answer = String::from_utf8_lossy(&input[..count]).trim().to_owned();
    if answer.is_empty() || answer.starts_with('-') {
        return Err(format!("Redis refused {}: {answer}", words[0]));
    }
    Ok(answer)
}

fn load_script(address: SocketAddr, script: &str) -> Result<String, String> {
    let answer = command_of(address, &["SCRIPT", "LOAD", script])?;
    let digest = answer.lines().last().unwrap_or_default().trim().to_owned();
    if digest.len() != 40 {
        return Err(format!("Redis gave no digest of a script: {answer}"));
    }
    Ok(digest)
}
