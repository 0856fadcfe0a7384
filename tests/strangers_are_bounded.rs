//! Nobody takes from others what is there for all: places at the agent's socket, exchanges with the
//! server, connections with slow bodies, and the room for requests that wait.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::http::Http;
use crate::support::{Ended, Folder, Running, finish, program, said, stdout, usher};

/// An agent's socket, and programs that every account may start.
struct Computer {
    folder: Folder,
    socket: PathBuf,
    _running: Running,
}

impl Computer {
    fn new() -> Option<Computer> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root may be several accounts");
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let stranger = env!("CARGO_BIN_EXE_usher-stranger");
        fs::copy(stranger, folder.path("usher-stranger")).unwrap();
        fs::copy(program(), folder.path("usher")).unwrap();
        let socket = folder.path("agent.sock");
        let mut up = usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]);
        let running = Running::start(up.arg("--agent-socket").arg(&socket), &folder.path("data"));
        Some(Computer {
            folder,
            socket,
            _running: running,
        })
    }

    fn as_account(&self, uid: u32, program: &str) -> Command {
        let mut command = Command::new(self.folder.path(program));
        command.env_clear().env("HOME", "/nonexistent");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).uid(uid).gid(uid);
        command
    }

    fn stranger(&self, uid: u32, what: &str, count: usize) -> Command {
        let mut command = self.as_account(uid, "usher-stranger");
        command.arg(&self.socket).arg(what).arg(count.to_string());
        command
    }
}

#[test]
fn accounts_that_sit_on_all_places_of_the_agents_socket_keep_nobody_out() {
    let Some(computer) = Computer::new() else {
        return;
    };
    let mut sitting = Vec::new();
    for uid in 12_301..12_305 {
        let mut child = computer.stranger(uid, "sit", 128).spawn().unwrap();
        let mut line = String::new();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        says.read_line(&mut line).unwrap();
        assert_eq!(line, "128\n");
        sitting.push(child);
    }
    for uid in [12_310, 12_311] {
        let mut ask = computer.as_account(uid, "usher");
        ask.args(["agent", "status", "--json", "--agent-socket"]);
        let answer = ask.arg(&computer.socket).ended();
        assert!(answer.status.success(), "{}", said(&answer));
    }
    for mut child in sitting {
        drop(child.stdin.take());
        assert!(finish(child).status.success());
    }
}

#[test]
fn an_account_that_asks_for_exchanges_without_end_is_told_to_wait_and_others_are_not() {
    if let Some(computer) = Computer::new() {
        has_only_so_many(&computer, "refresh", 60);
    }
}

#[test]
fn an_account_that_looks_at_the_server_without_end_is_told_to_wait_and_others_are_not() {
    if let Some(computer) = Computer::new() {
        // A look is answered sooner than an exchange, and what may be asked grows with time.
        has_only_so_many(&computer, "look", 2_000);
    }
}

fn has_only_so_many(computer: &Computer, what: &str, count: usize) {
    let asked = computer.stranger(12_301, what, count).ended();
    assert!(asked.status.success(), "{}", said(&asked));
    let answers = stdout(&asked);
    let busy = answers.lines().filter(|line| *line == "503").count();
    let done = answers.lines().filter(|line| line.starts_with('2')).count();
    assert_eq!(busy + done, count, "{answers}");
    assert!(done >= 20, "{answers}");
    assert!(busy > 0, "{answers}");
    let other = stdout(&computer.stranger(12_302, what, 1).ended());
    assert!(other.starts_with('2'), "{other}");
}

fn server() -> (Folder, Running, String) {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let token = running.data.join("admin.token");
    let token = fs::read_to_string(&token).unwrap_or_else(|error| panic!("{token:?}: {error}"));
    (folder, running, token.trim().to_owned())
}

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.api.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// Just enough of HTTP/2 to leave a body unfinished beside other requests.
struct Http2 {
    stream: TcpStream,
    token: String,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Http2 {
    fn connect(running: &Running, token: &str) -> Http2 {
        let mut http = Http2 {
            stream: connect(running),
            token: token.to_owned(),
        };
        http.stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        http.send(SETTINGS, 0, 0, &[]);
        http
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).unwrap();
    }

    /// Begins a request; its body is to follow.
    fn begin(&mut self, stream: u32, method: &str, path: &str) {
        let bearer = format!("Bearer {}", self.token);
        let fields = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "x"),
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ];
        let mut block = Vec::new();
        for (name, value) in fields {
            // Literal, never indexed, no Huffman; shorter than a length of one byte.
            block.push(0x10);
            for text in [name, value] {
                assert!(text.len() < 127);
                block.push(u8::try_from(text.len()).unwrap());
                block.extend(text.as_bytes());
            }
        }
        self.send(HEADERS, END_HEADERS, stream, &block);
    }

    /// The next frame of one of these kinds: its kind, flags, stream and payload.
    fn next(&mut self) -> (u8, u8, u32, Vec<u8>) {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).unwrap();
        (head[3], head[4], stream, payload)
    }

    /// Waits for the whole answer on a stream; its body.
    fn answer(&mut self, wanted: u32) -> String {
        let mut body = Vec::new();
        loop {
            let (kind, flags, stream, payload) = self.next();
            match kind {
                SETTINGS if flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => self.send(PING, ACK, 0, &payload),
                DATA if stream == wanted => body.extend(&payload),
                _ => {}
            }
            let is_answer = matches!(kind, DATA | HEADERS) && stream == wanted;
            if is_answer && flags & END_STREAM != 0 {
                return String::from_utf8(body).unwrap();
            }
        }
    }
}

#[test]
fn a_slow_body_ends_its_stream_and_the_others_of_its_connection_go_on() {
    let (_folder, running, token) = server();
    running.ok(&["product", "add", "cad", "--seats", "9"]);
    let mut http = Http2::connect(&running, &token);
    http.begin(1, "POST", "/v1/checkouts");
    http.send(DATA, 0, 1, b"{\"product\":");
    let body = json!({ "product": "cad", "user": "ann", "computer": "c1" }).to_string();
    let ask = |http: &mut Http2, stream| {
        http.begin(stream, "POST", "/v1/checkouts");
        http.send(DATA, END_STREAM, stream, body.as_bytes());
        let answer = http.answer(stream);
        assert!(answer.contains("\"id\":\"L"), "{answer}");
    };
    ask(&mut http, 3);
    let slow = http.answer(1);
    assert!(
        slow.contains("request_timeout") && slow.contains("408"),
        "{slow}"
    );
    ask(&mut http, 5);
}

#[test]
fn bodies_that_wait_take_only_so_much_memory_and_looks_go_on() {
    const BODY: usize = 1 << 20;
    /// Bodies that a core holds.
    const OF_A_CORE: usize = 64;
    let (_folder, running, token) = server();
    let cores = std::thread::available_parallelism().unwrap().get();
    let head = format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {BODY}\r\n\r\n"
    );
    let almost_all = vec![b' '; BODY - 1];
    let mut waiting = Vec::new();
    let mut refused = String::new();
    for _ in 0..cores * OF_A_CORE + cores {
        let mut stream = connect(&running);
        stream.write_all(head.as_bytes()).unwrap();
        // One that is refused may be closed before all of it was sent.
        if stream.write_all(&almost_all).is_ok() {
            waiting.push(stream);
            continue;
        }
        drop(stream.read_to_string(&mut refused));
    }
    for stream in &mut waiting {
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut answer = [0; 4096];
        if let Ok(length @ 1..) = stream.read(&mut answer) {
            refused += &String::from_utf8_lossy(&answer[..length]);
        }
    }
    assert!(refused.contains("503"), "{refused}");
    assert!(refused.contains("\"busy\""), "{refused}");
    let mut looks = Http::connect(&running.api, &token).unwrap();
    assert_eq!(looks.ask("GET", "/v1/products", None).unwrap().status, 200);
    drop(waiting);
    crate::support::wait_for("the room to be given back", || {
        let body = json!({ "id": "cad" });
        let mut http = Http::connect(&running.api, &token).ok()?;
        let answer = http.ask("POST", "/v1/products", Some(&body)).ok()?;
        (answer.status == 201).then_some(())
    });
}
