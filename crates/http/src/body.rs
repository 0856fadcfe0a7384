//! Reads the bodies of requests completely, within limits.

use std::cell::Cell;
use std::pin::Pin;

use hyper::Request;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use usher_api::{BODY_LIMIT_BYTES, Code};

use crate::limits::BODY_SECONDS;
use crate::problem::Refusal;
use crate::watch::ConnectionWatch;

/// Bytes of bodies that a thread holds at once, of requests that are not answered yet: what waits in
/// queues is bounded by it, however many requests that is.
const HELD_LIMIT_BYTES: usize = 64 * BODY_LIMIT_BYTES;

/// The bodies of one thread's requests that are not answered yet.
#[derive(Debug, Default)]
pub struct Bodies(Cell<usize>);

impl Bodies {
    /// Room for one body; dropping it gives the room back.
    pub fn hold(&self) -> Held<'_> {
        Held {
            bodies: self,
            bytes: 0,
        }
    }
}

/// See [`Bodies::hold`].
#[derive(Debug)]
pub struct Held<'a> {
    bodies: &'a Bodies,
    bytes: usize,
}

impl Held<'_> {
    fn add(&mut self, bytes: usize) -> Result<(), Refusal> {
        let all = self.bodies.0.get().saturating_add(bytes);
        if all > HELD_LIMIT_BYTES {
            return Err(Refusal::new(
                Code::Busy,
                "the bodies of requests that wait for an answer have reached the limit: try again \
                 in a moment",
            ));
        }
        self.bodies.0.set(all);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let all = self.bodies.0.get();
        self.bodies.0.set(all.saturating_sub(self.bytes));
    }
}

/// Reads a request's body, if it comes in time: at most 1 MiB, JSON if there is any. What it takes
/// is held until `held` goes, which is when the request is answered.
///
/// # Errors
/// It is too large, too slow, no JSON or not framed as HTTP says; or too much is held already.
pub async fn read_in_time(
    connection: &ConnectionWatch,
    request: &mut Request<Incoming>,
    held: &mut Held<'_>,
) -> Result<Bytes, Refusal> {
    let reading = connection.reading();
    tokio::select! {
        biased;
        body = read(request, held) => body,
        () = reading.late() => Err(Refusal::new(
            Code::RequestTimeout,
            format!("the body did not arrive whole within {BODY_SECONDS} seconds: send it again"),
        )),
    }
}

async fn read(request: &mut Request<Incoming>, held: &mut Held<'_>) -> Result<Bytes, Refusal> {
    if request.body().is_end_stream() {
        return Ok(Bytes::new());
    }
    let said = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let is_json = is_json(
        request
            .headers()
            .get(CONTENT_TYPE)
            .map(HeaderValue::as_bytes),
    );
    let body = request.body_mut();
    if said.is_some_and(|length| length > BODY_LIMIT_BYTES as u64) {
        return Err(refuse_large(body).await);
    }
    let Some(first) = next(body).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > BODY_LIMIT_BYTES {
        return Err(refuse_large(body).await);
    }
    held.add(first.len())?;
    let whole = match body.is_end_stream() {
        true => first,
        false => {
            let mut whole = Vec::with_capacity(said.map_or(8 * 1024, |n| n as usize));
            whole.extend_from_slice(&first);
            while let Some(more) = next(body).await? {
                if whole.len() + more.len() > BODY_LIMIT_BYTES {
                    return Err(refuse_large(body).await);
                }
                held.add(more.len())?;
                whole.extend_from_slice(&more);
            }
            whole.into()
        }
    };
    match is_json || whole.is_empty() {
        true => Ok(whole),
        false => Err(no_json()),
    }
}

/// Holds a body that has come as a whole, of a request with that Content-Type.
///
/// # Errors
/// It is no JSON; or too much is held already.
pub fn hold_whole(
    body: &[u8],
    content_type: Option<&[u8]>,
    held: &mut Held<'_>,
) -> Result<(), Refusal> {
    held.add(body.len())?;
    match body.is_empty() || is_json(content_type) {
        true => Ok(()),
        false => Err(no_json()),
    }
}

fn no_json() -> Refusal {
    Refusal::new(
        Code::UnsupportedMediaType,
        "the request does not say that its body is JSON: send Content-Type: application/json",
    )
}

/// How much of a body beyond the limit is read and discarded before the request is refused.
const SWALLOWED_LIMIT_BYTES: usize = 8 * BODY_LIMIT_BYTES;
/// For how long it is read.
const SWALLOW_PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// Reads on a while before it refuses: a connection that is closed on one who still sends is
/// reset, and the refusal is lost with it.
async fn refuse_large(body: &mut Incoming) -> Refusal {
    let swallow = async {
        let mut swallowed = 0;
        while swallowed < SWALLOWED_LIMIT_BYTES {
            match next(body).await {
                Ok(Some(more)) => swallowed += more.len(),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // Who pauses longer than this is told now.
    let _ = tokio::time::timeout(SWALLOW_PATIENCE, swallow).await;
    too_large()
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_trailers) => continue,
            },
            Some(Err(error)) => {
                return Err(Refusal::invalid(format!(
                    "the body broke off or is not framed as HTTP says ({error}): send it again"
                )));
            }
        }
    }
}

fn is_json(content_type: Option<&[u8]>) -> bool {
    let kind = content_type.unwrap_or_default();
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence
        .trim_ascii()
        .eq_ignore_ascii_case(b"application/json")
}

fn too_large() -> Refusal {
    Refusal::new(
        Code::BodyTooLarge,
        "the body is over 1 MiB, which is more than any request needs: send less at a time",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_wait_for_an_answer_hold_only_so_much_and_give_it_back() {
        let bodies = Bodies::default();
        let mut held: Vec<Held<'_>> = Vec::new();
        for _ in 0..64 {
            let mut one = bodies.hold();
            one.add(BODY_LIMIT_BYTES).unwrap();
            held.push(one);
        }
        let mut more = bodies.hold();
        assert!(more.add(1).is_err());
        held.pop();
        more.add(1).unwrap();
        drop((held, more));
        assert_eq!(bodies.0.get(), 0);
    }
}
