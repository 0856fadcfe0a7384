//! The ready line: what a role prints once, when it serves.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::failure::Failure;
use crate::output::shown_path;

/// `ready api=URL data=DIR`.
pub(crate) fn ready_line(api: &str, data: &Path) -> String {
    format!("ready api={api} data={}", shown_path(data))
}

/// `ready api=URL console=URL data=DIR`.
pub(super) fn all_ready_line(api: &str, console: &str, data: &Path) -> String {
    format!(
        "ready api={api} console={console} data={}",
        shown_path(data)
    )
}

/// The server's URL in its ready line.
pub(super) fn api_of(line: &str) -> Result<String, Failure> {
    word_of(line, "api=")
}

/// The console's URL in the manager's ready line.
pub(super) fn console_of(line: &str) -> Result<String, Failure> {
    word_of(line, "console=")
}

fn word_of(line: &str, name: &str) -> Result<String, Failure> {
    line.split(' ')
        .find_map(|word| word.strip_prefix(name))
        .map(str::to_owned)
        .ok_or_else(|| Failure::failed(format!("a ready line has no {name}: {line}")))
}

/// The address in a URL.
pub(super) fn address_of(api: &str) -> Option<SocketAddr> {
    api.split_once("://")?.1.parse().ok()
}

/// The URL by which a role on this computer reaches the server: an address that stands for all is
/// none to go to, and a certificate is of names: `names` are those.
pub(super) fn reachable(api: &str, names: &[String]) -> String {
    let (Some(address), Some((scheme, _))) = (address_of(api), api.split_once("://")) else {
        return api.to_owned();
    };
    if scheme == "https" {
        let port = address.port();
        let has = |name: &str| names.iter().any(|it| it == name);
        let ip = address.ip();
        let is_here = ip.is_unspecified() || ip.is_loopback();
        let is_name = |it: &&String| {
            *it != "localhost" && !it.starts_with('*') && it.parse::<IpAddr>().is_err()
        };
        return match names.iter().find(is_name) {
            _ if is_here && has("localhost") => format!("https://localhost:{port}"),
            _ if has(&ip.to_string()) => api.to_owned(),
            _ if ip.is_unspecified() && has("127.0.0.1") => format!("https://127.0.0.1:{port}"),
            Some(name) => format!("https://{name}:{port}"),
            None => format!("https://localhost:{port}"),
        };
    }
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("http://[::1]:{}", address.port()),
        _ => api.to_owned(),
    }
}

#[cfg(test)]
mod tests;
