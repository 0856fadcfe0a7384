//! A planted fault: a server that answers that it is well and grants nothing. Reality does not
//! produce it on demand, so this stands in front of a real server, passes its answers on, and holds
//! back those by which seats are granted.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// What becomes of requests for seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// They are passed on like all others.
    None,
    /// They are refused, as if there were no seat.
    Denies,
    /// They are taken and never answered.
    Ignores,
}

/// The stand-in. It ends with the test's process.
#[derive(Debug)]
pub(crate) struct Planted {
    pub(crate) url: String,
    fault: Arc<AtomicU8>,
}

const DENIAL: &str = r#"{"seated":false,"why":"no_seat","took_seconds":0.0,"type":"about:blank",
"title":"denied","status":200,"code":"denied","decision":"denied","reason":"no_seat"}"#;

impl Planted {
    /// Stands in front of `http://HOST:PORT`, without a fault at first.
    pub(crate) fn before(api: &str) -> Planted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fault = Arc::new(AtomicU8::new(Fault::None as u8));
        let (server, planted) = (api.trim_start_matches("http://").to_owned(), fault.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, planted) = (server.clone(), planted.clone());
                thread::spawn(move || stand_between(client, &server, &planted));
            }
        });
        Planted { url, fault }
    }

    pub(crate) fn plant(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }
}

/// One connection. A manager takes a new one for each question, so the first bytes say which it is.
fn stand_between(mut client: TcpStream, server: &str, fault: &AtomicU8) {
    let mut first = [0_u8; 16 * 1024];
    let Ok(length) = client.read(&mut first) else {
        return;
    };
    let asked = String::from_utf8_lossy(&first[..length]);
    let for_seats = asked.starts_with("POST /v1/canary") || asked.starts_with("POST /v1/checkouts");
    let fault = fault.load(Ordering::SeqCst);
    if for_seats && fault == Fault::Denies as u8 {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let _ = write!(
            client,
            "{head}Content-Length: {}\r\n\r\n{DENIAL}",
            DENIAL.len()
        );
    } else if for_seats && fault == Fault::Ignores as u8 {
        // Until who asked has had enough.
        let _ = client.read(&mut first);
    } else {
        let _ = pass_on(client, server, &first[..length]);
    }
}

fn pass_on(mut client: TcpStream, server: &str, first: &[u8]) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    server.write_all(first)?;
    let (mut asks, mut takes) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut asks, &mut takes);
        let _ = takes.shutdown(std::net::Shutdown::Write);
    });
    let mut told = [0_u8; 64 * 1024];
    loop {
        match server.read(&mut told)? {
            0 => return client.shutdown(std::net::Shutdown::Both),
            length => {
                name_another(&mut told[..length]);
                client.write_all(&told[..length])?;
            }
        }
    }
}

/// One server is not watched under two names: this one says that it is another than that behind it.
fn name_another(told: &mut [u8]) {
    const NAMED: &[u8] = br#""server_id":""#;
    let named = told.windows(NAMED.len()).position(|it| it == NAMED);
    if let Some(digit) = named.and_then(|at| told.get_mut(at + NAMED.len())) {
        *digit = if *digit == b'f' { b'e' } else { b'f' };
    }
}
