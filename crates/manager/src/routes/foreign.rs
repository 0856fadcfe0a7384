//! Requests that a page of somebody else's has a browser send: the browser adds the password that it
//! was once given, whoever asks.

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request};
use usher_api::Code;

use crate::problem::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Admits requests that only read, and changes that no foreign page can have sent.
pub(crate) fn must_not_be<B>(request: &Request<B>) -> Result<(), Refusal> {
    match why(request) {
        None => Ok(()),
        Some(refusal) => Err(refusal),
    }
}

fn why<B>(request: &Request<B>) -> Option<Refusal> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return None;
    }
    let headers = request.headers();
    let host = text(headers, &HOST).or_else(|| {
        request
            .uri()
            .authority()
            .map(|authority| authority.as_str())
    });
    let is_foreign_site =
        text(headers, &SEC_FETCH_SITE).is_some_and(|site| !["same-origin", "none"].contains(&site));
    // One that cannot be read is none of ours.
    let is_foreign_origin = headers.get(ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().ok();
        let own = origin.and_then(|origin| origin.split_once("://"));
        own.is_none_or(|(_, authority)| Some(authority) != host)
    });
    if is_foreign_site || is_foreign_origin {
        return Some(Refusal::new(
            Code::Forbidden,
            "a page of another site has sent this; the manager is changed from its own console \
             and by the command line",
        ));
    }
    // What a form can send without asking is never JSON.
    let is_json = text(headers, &CONTENT_TYPE).map(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    });
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || text(headers, &CONTENT_LENGTH).is_some_and(|length| length != "0");
    match is_json {
        Some(true) => None,
        None if !has_body => None,
        _ => Some(Refusal::new(
            Code::UnsupportedMediaType,
            "send JSON, as Content-Type: application/json",
        )),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/v1/message-rules");
        for (name, value) in [("host", "127.0.0.1:8480")].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        why(&request.body(()).unwrap()).is_none()
    }

    #[test]
    fn what_a_foreign_page_can_send_changes_nothing() {
        let json = ("content-type", "application/json");
        let foreign: [&[(&str, &str)]; 7] = [
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "text/plain"), ("content-length", "9")],
            &[("content-length", "9")],
            &[json, ("origin", "https://evil.example")],
            &[json, ("origin", "null")],
            &[json, ("origin", "http://127.0.0.1:8481")],
            &[json, ("sec-fetch-site", "cross-site")],
        ];
        for headers in foreign {
            for method in ["POST", "PUT", "DELETE"] {
                assert!(!taken(method, headers), "{method} {headers:?}");
            }
            assert!(taken("GET", headers), "{headers:?}");
        }
    }

    #[test]
    fn the_command_line_and_a_page_of_its_own_are_heard() {
        let json = ("content-type", "application/json; charset=utf-8");
        let own: [&[(&str, &str)]; 4] = [
            &[json, ("content-length", "9")],
            &[("content-length", "0")],
            &[],
            &[
                json,
                ("origin", "http://127.0.0.1:8480"),
                ("sec-fetch-site", "same-origin"),
            ],
        ];
        for headers in own {
            assert!(taken("PUT", headers), "{headers:?}");
        }
    }
}
