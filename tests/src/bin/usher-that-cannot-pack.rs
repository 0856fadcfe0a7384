//! A planted fault for the tests of upgrades: a version that does all but pack. It passes everything
//! on to the real program, which the file `real` beside it names, and says of packs that they fail.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("the planted program cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> std::io::Result<ExitCode> {
    let own = std::env::current_exe()?;
    let real = std::fs::read_to_string(own.with_file_name("real"))?;
    let mut real = Command::new(real.trim())
        .args(std::env::args_os().skip(1))
        .stdout(Stdio::piped())
        .spawn()?;
    let said = real.stdout.take().into_iter();
    for line in said.flat_map(|said| BufReader::new(said).lines()) {
        let line = line?;
        let api = line
            .split(' ')
            .find_map(|word| word.strip_prefix("api=http://"));
        match api {
            Some(api) => println!("{}", line.replace(api, &stand_before(api)?)),
            None => println!("{line}"),
        }
    }
    let code = real.wait()?.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Takes connections for the server at `api`; answers the address that it listens on.
fn stand_before(api: &str) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let api = api.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let api = api.clone();
            // A connection that fails is over.
            std::thread::spawn(move || pass_on(client, &api));
        }
    });
    Ok(address)
}

/// Passes requests on, one write each as the client sends them, and answers those about packs.
fn pass_on(mut client: TcpStream, api: &str) -> std::io::Result<()> {
    let mut server = TcpStream::connect(api)?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = client.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        let request = &chunk[..read];
        let (begins, asks): (&[u8], &[u8]) = (b"POST /v1/pack ", b"GET /v1/pack ");
        let (status, body) = if request.starts_with(begins) {
            ("202 Accepted", r#"{"state": "running", "progress": 0}"#)
        } else if request.starts_with(asks) {
            (
                "200 OK",
                r#"{"state": "idle", "progress": 0, "last": {"result": "failed"}}"#,
            )
        } else {
            server.write_all(request)?;
            continue;
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        client.write_all((head + body).as_bytes())?;
    }
}
