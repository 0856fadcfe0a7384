//! Somebody with an account on this computer who asks an agent's socket for more than is due.
//!
//! `SOCKET sit COUNT` opens so many connections, says nothing on them, writes a line and keeps them
//! until its standard input ends. `SOCKET refresh COUNT` asks for so many exchanges with the server,
//! `SOCKET look COUNT` so often what the server knows; each writes the status of each answer on a
//! line.

#![forbid(unsafe_code)]

use std::io::{Error, Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [socket, what, count] = words.as_slice() else {
        return Err(Error::other("give SOCKET, what to do and how often"));
    };
    let count: usize = count.parse().map_err(Error::other)?;
    match what.as_str() {
        "sit" => sit(socket, count),
        "look" => ask(socket, "GET /v1/status", count),
        _ => ask(socket, "POST /v1/refresh", count),
    }
}

fn sit(socket: &str, count: usize) -> std::io::Result<()> {
    let open: Vec<UnixStream> = (0..count)
        .map(|_| UnixStream::connect(socket))
        .collect::<Result<_, _>>()?;
    println!("{}", open.len());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn ask(socket: &str, what: &str, count: usize) -> std::io::Result<()> {
    for _ in 0..count {
        let mut stream = UnixStream::connect(socket)?;
        let request = format!(
            "{what} HTTP/1.1\r\nhost: agent\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        println!("{}", answer.split(' ').nth(1).unwrap_or_default());
    }
    Ok(())
}
