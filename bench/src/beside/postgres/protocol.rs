//! As much of PostgreSQL's protocol (version 3.0, "Message Formats") as the peer needs: prepared
//! statements with one bigint in and one bigint out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);
/// A message that is longer is none of those expected.
const MESSAGE_LIMIT_BYTES: usize = 1024 * 1024;

/// An answer, up to and with ReadyForQuery.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Bytes that it took.
    pub(super) length: usize,
    /// The bigint of its last row.
    pub(super) value: Option<i64>,
}

/// A connection of user postgres, with statements prepared.
pub(super) fn connect(
    address: SocketAddr,
    statements: &[(&str, &str)],
) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| format!("PostgreSQL at {address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let mut body = 196_608_i32.to_be_bytes().to_vec();
    body.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    let mut output = Vec::new();
    output.extend_from_slice(&length_of(body.len()));
    output.extend_from_slice(&body);
    stream.write_all(&output).map_err(failed)?;
    read_answer(&mut stream)?;
    if !statements.is_empty() {
        output.clear();
        for (name, text) in statements {
            message(&mut output, b'P', |body| {
                body.extend_from_slice(name.as_bytes());
                body.push(0);
                body.extend_from_slice(text.as_bytes());
                body.extend_from_slice(&[0, 0, 0]);
            });
        }
        message(&mut output, b'S', |_| ());
        stream.write_all(&output).map_err(failed)?;
        read_answer(&mut stream)?;
    }
    stream.set_read_timeout(None).map_err(failed)?;
    Ok(stream)
}

/// Runs statements on a connection of their own.
pub(super) fn execute(address: SocketAddr, text: &str) -> Result<(), String> {
    let mut stream = connect(address, &[])?;
    let failed = |error: std::io::Error| format!("PostgreSQL at {address}: {error}");
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let mut output = Vec::new();
    message(&mut output, b'Q', |body| {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    });
    stream.write_all(&output).map_err(failed)?;
    read_answer(&mut stream).map(drop)
}

/// What a statement without parameters answers that selects one bigint.
pub(super) fn number(address: SocketAddr, sql: &str) -> Result<Option<i64>, String> {
    let mut stream = connect(address, &[("number", sql)])?;
    let failed = |error: std::io::Error| format!("PostgreSQL at {address}: {error}");
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let mut output = Vec::new();
    message(&mut output, b'B', |body| {
        // No parameters; one format for all columns, binary.
        body.extend_from_slice(b"\0number\0\0\0\0\0\0\x01\0\x01");
    });
    message(&mut output, b'E', |body| body.extend_from_slice(&[0; 5]));
    message(&mut output, b'S', |_| ());
    stream.write_all(&output).map_err(failed)?;
    Ok(read_answer(&mut stream)?.value)
}

/// Appends Bind, Execute and Sync of a prepared statement: one transaction of its own.
pub(super) fn call(output: &mut Vec<u8>, statement: &str, value: i64) {
    message(output, b'B', |body| {
        body.push(0);
        body.extend_from_slice(statement.as_bytes());
        body.push(0);
        // One format for all parameters, binary; one parameter; one format for all columns, binary.
        body.extend_from_slice(&[0, 1, 0, 1, 0, 1, 0, 0, 0, 8]);
        body.extend_from_slice(&value.to_be_bytes());
        body.extend_from_slice(&[0, 1, 0, 1]);
    });
    message(output, b'E', |body| body.extend_from_slice(&[0; 5]));
    message(output, b'S', |_| ());
}

/// The answer at the head of `input`; none while it has not arrived whole.
pub(super) fn parse(input: &[u8]) -> Result<Option<Answer>, String> {
    let mut at = 0;
    let mut value = None;
    while let Some(head) = input.get(at..at + 5) {
        let length = i32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let length = usize::try_from(length)
            .ok()
            .filter(|length| (4..=MESSAGE_LIMIT_BYTES).contains(length))
            .ok_or("PostgreSQL sent a message of a length that cannot be")?;
        let Some(body) = input.get(at + 5..at + 1 + length) else {
            return Ok(None);
        };
        at += 1 + length;
        match head[0] {
            b'E' => return Err(error_text(body)),
            b'R' if body != [0; 4] => return Err("PostgreSQL asks for a password".to_owned()),
            b'D' => value = bigint(body),
            b'Z' => return Ok(Some(Answer { length: at, value })),
            _ => {}
        }
    }
    Ok(None)
}

/// The one column of a DataRow.
fn bigint(row: &[u8]) -> Option<i64> {
    let column = row.strip_prefix(&[0, 1, 0, 0, 0, 8])?;
    Some(i64::from_be_bytes(column.try_into().ok()?))
}

/// The human-readable field of an ErrorResponse.
fn error_text(body: &[u8]) -> String {
    let message = body
        .split(|&byte| byte == 0)
        .find_map(|field| field.strip_prefix(b"M"))
        .unwrap_or(b"an error without a message");
    format!("PostgreSQL: {}", String::from_utf8_lossy(message))
}

fn read_answer(stream: &mut TcpStream) -> Result<Answer, String> {
    let mut input = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream
            .read(&mut piece)
            .map_err(|error| format!("PostgreSQL: {error}"))?;
        input.extend_from_slice(&piece[..count]);
        if let Some(answer) = parse(&input)? {
            return Ok(answer);
        }
        if count == 0 {
            return Err("PostgreSQL ended the connection".to_owned());
        }
    }
}

fn message(output: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    output.push(kind);
    let at = output.len();
    output.extend_from_slice(&[0; 4]);
    write(output);
    let length = length_of(output.len() - at - 4);
    output[at..at + 4].copy_from_slice(&length);
}

/// A length counts itself.
fn length_of(body: usize) -> [u8; 4] {
    i32::try_from(body + 4).unwrap_or(i32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(row: Option<i64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        message(&mut bytes, b'2', |_| ());
        if let Some(value) = row {
            message(&mut bytes, b'D', |body| {
                body.extend_from_slice(&[0, 1, 0, 0, 0, 8]);
                body.extend_from_slice(&value.to_be_bytes());
            });
        }
        message(&mut bytes, b'C', |body| {
            body.extend_from_slice(b"INSERT 0 1\0")
        });
        message(&mut bytes, b'Z', |body| body.push(b'I'));
        bytes
    }

    #[test]
    fn the_row_of_an_answer_is_read_once_it_has_arrived_whole() {
        let bytes = answered(Some(77));
        let whole = Answer {
            length: bytes.len(),
            value: Some(77),
        };
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Ok(None), "at {end}");
        }
        assert_eq!(parse(&bytes), Ok(Some(whole)));
    }

    #[test]
    fn no_row_is_no_seat() {
        assert_eq!(parse(&answered(None)).unwrap().unwrap().value, None);
    }

    #[test]
    fn an_error_is_told_in_its_own_words() {
        let mut bytes = Vec::new();
        message(&mut bytes, b'E', |body| {
            body.extend_from_slice(b"SERROR\0C42P01\0Mrelation does not exist\0\0");
        });
        assert_eq!(
            parse(&bytes),
            Err("PostgreSQL: relation does not exist".to_owned())
        );
    }

    #[test]
    fn a_call_is_three_messages_whose_lengths_are_right() {
        let mut output = Vec::new();
        call(&mut output, "checkin", 5);
        let mut kinds = Vec::new();
        let mut rest = &output[..];
        while let [kind, a, b, c, d, ..] = *rest {
            kinds.push(kind);
            rest = &rest[1 + usize::try_from(i32::from_be_bytes([a, b, c, d])).unwrap()..];
        }
        assert_eq!((kinds.as_slice(), rest.len()), (&b"BES"[..], 0));
    }
}
