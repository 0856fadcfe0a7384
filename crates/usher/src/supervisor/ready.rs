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
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_as_it_is_written() {
        let line = ready_line("http://127.0.0.1:8470", Path::new("/var/lib/my data"));
        assert_eq!(
            line,
            "ready api=http://127.0.0.1:8470 data=/var/lib/my data"
        );
        assert_eq!(api_of(&line).unwrap(), "http://127.0.0.1:8470");
        assert_eq!(
            address_of("http://127.0.0.1:8470"),
            Some(([127, 0, 0, 1], 8470).into())
        );
        assert!(api_of("ready").is_err());
        let line = ready_line("http://127.0.0.1:8470", Path::new("/srv/a\nready api=b"));
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_eq!(api_of(&line).unwrap(), "http://127.0.0.1:8470");
    }

    #[test]
    fn an_address_for_all_is_reached_over_loopback() {
        assert_eq!(
            reachable("http://0.0.0.0:8470", &[]),
            "http://127.0.0.1:8470"
        );
        assert_eq!(reachable("http://[::]:8470", &[]), "http://[::1]:8470");
        assert_eq!(
            reachable("http://10.0.0.7:8470", &[]),
            "http://10.0.0.7:8470"
        );
        assert_eq!(
            reachable("https://10.0.0.7:8470", &[]),
            "https://localhost:8470"
        );
    }

    #[test]
    fn a_server_with_a_certificate_is_asked_by_a_name_that_it_is_for() {
        for (ip, names, url) in [
            ("0.0.0.0", "a.example localhost", "https://localhost:8470"),
            ("0.0.0.0", "127.0.0.1", "https://127.0.0.1:8470"),
            ("127.0.0.1", "127.0.0.1", "https://127.0.0.1:8470"),
            (
                "10.0.0.7",
                "localhost 127.0.0.1 10.0.0.7",
                "https://10.0.0.7:8470",
            ),
            (
                "10.0.0.7",
                "localhost *.lab.example a.example",
                "https://a.example:8470",
            ),
            ("10.0.0.7", "192.0.2.1", "https://localhost:8470"),
        ] {
            let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
            assert_eq!(reachable(&format!("https://{ip}:8470"), &names), url);
        }
    }
}
