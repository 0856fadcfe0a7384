//! As much of HTTP/1.1 as a load generator needs: answers with a length, on kept connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer's head that is longer is not HTTP.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;
/// A body that is longer is none of `/v1`.
const BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// An answer that has arrived whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    /// Bytes that it took, head included.
    pub length: usize,
    /// Whether the server closes the connection after it.
    pub closes: bool,
}

/// The answer at the head of `input`; none while it has not arrived whole.
pub fn parse(input: &[u8]) -> Result<Option<Answer<'_>>, String> {
    let Some(end) = find(input, b"\r\n\r\n") else {
        if input.len() > HEAD_LIMIT_BYTES {
            return Err("the answer's head does not end".to_owned());
        }
        return Ok(None);
    };
    let head = &input[..end];
    let status = status(head)?;
    let mut body_length = 0;
    let mut closes = false;
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        if let Some(value) = header(line, b"content-length:") {
            body_length = number(value)
                .filter(|length| *length <= BODY_LIMIT_BYTES)
                .ok_or("the answer has a length that cannot be")?;
        } else if let Some(value) = header(line, b"connection:") {
            closes = value.eq_ignore_ascii_case(b"close");
        } else if header(line, b"transfer-encoding:").is_some() {
            return Err("the answer comes in chunks, which /v1 never sends".to_owned());
        }
    }
    let begin = end + 4;
    let length = begin + body_length;
    Ok(input.get(begin..length).map(|body| Answer {
        status,
        body,
        length,
        closes,
    }))
}

fn status(head: &[u8]) -> Result<u16, String> {
    head.strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(number)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(|| {
            let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            format!("this is not HTTP/1.1: {}", String::from_utf8_lossy(line))
        })
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (key, value) = line.split_at_checked(name.len())?;
    key.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len())
        .position(|window| window == needle)
}

/// One request on a connection of its own, waited for: for setting up and clearing away.
pub fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> Result<(u16, Vec<u8>), String> {
    let failed = |error: std::io::Error| format!("{method} {path} at {address}: {error}");
    let timeout = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&address, timeout).map_err(failed)?;
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
    );
    if !body.is_empty() {
        let length = body.len();
        request.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        ));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut input = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut piece).map_err(failed)?;
        input.extend_from_slice(&piece[..count]);
        if let Some(answer) = parse(&input)? {
            return Ok((answer.status, answer.body.to_vec()));
        }
        if count == 0 {
            return Err(format!(
                "{method} {path}: the connection ended within the answer"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &[u8] =
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}HTTP";

    #[test]
    fn an_answer_is_taken_off_the_head_of_what_has_arrived() {
        let answer = parse(CREATED).unwrap().unwrap();
        assert_eq!((answer.status, answer.body), (201, &b"{}"[..]));
        assert_eq!(&CREATED[answer.length..], b"HTTP");
        assert!(!answer.closes);
    }

    #[test]
    fn an_answer_that_is_torn_anywhere_is_waited_for() {
        for end in 0..CREATED.len() - 4 {
            assert_eq!(parse(&CREATED[..end]), Ok(None), "at {end}");
        }
    }

    #[test]
    fn an_answer_without_a_body_ends_with_its_head() {
        let answer = parse(b"HTTP/1.1 204 No Content\r\nconnection: Close\r\n\r\n");
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        assert!(answer.closes);
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(parse(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse(&[b'x'; HEAD_LIMIT_BYTES + 1]).is_err());
    }
}
