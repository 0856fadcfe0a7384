//! A plain HTTP client for tests that count answers: one connection, one request at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// What a server said.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A connection with a token.
#[derive(Debug)]
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Http {
    /// Connects to `http://HOST:PORT`.
    pub(crate) fn connect(api: &str, token: &str) -> std::io::Result<Http> {
        let stream = TcpStream::connect(api.trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Http {
            stream: BufReader::new(stream),
            token: token.to_owned(),
        })
    }

    /// Asks and waits for the answer. An error means that none came: nobody knows what was done.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> std::io::Result<Answer> {
        self.send(method, path, "", body)
    }

    /// The same with an Idempotency-Key: sent again, it is done once.
    pub(crate) fn ask_keyed(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> std::io::Result<Answer> {
        self.send(
            method,
            path,
            &format!("Idempotency-Key: {key}\r\n"),
            Some(body),
        )
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        header: &str,
        body: Option<&Value>,
    ) -> std::io::Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\n{header}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    /// Begins to follow what a path streams: for as long as this is held, somebody listens.
    pub(crate) fn follow(mut self, path: &str) -> std::io::Result<Http> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        while self.stream.read_line(&mut line)? > 2 {
            line.clear();
        }
        Ok(self)
    }

    fn answer(&mut self) -> std::io::Result<Answer> {
        let ended = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ended());
        }
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .ok_or_else(ended)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(ended());
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(|_| ended())?;
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }
}

/// A checkout as most tests want it.
pub(crate) fn checkout(product: &str, user: &str) -> Value {
    serde_json::json!({
        "product": product, "user": user, "computer": "pc1", "ttl_seconds": 3600
    })
}
