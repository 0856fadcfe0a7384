//! The URL of a server or manager: what is taken for one, and whether it is of this computer.

/// Checks the URL of a server or manager: `http://HOST:PORT`, or `https`, with the path of a proxy
/// if need be. What is wrong with it, as the end of a sentence.
///
/// # Errors
/// It is no such URL, or holds what is no part of one: a password, a query, a fragment, `/v1`.
pub fn check_url(text: &str) -> Result<(), String> {
    let like = "write it like http://127.0.0.1:8470";
    let is_http = text.starts_with("http://") || text.starts_with("https://");
    let url = match reqwest::Url::parse(text) {
        Ok(url) if is_http => url,
        Err(error) if is_http => return Err(format!("is not a URL ({error}): {like}")),
        _ => return Err(format!("is not a URL: {like}")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "holds a user or password, which every list would show: {like}, and give a token"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("holds a query or fragment: {like}"));
    }
    if url.port() == Some(0) {
        return Err(format!("has port 0, where nothing answers: {like}"));
    }
    if url.path().trim_end_matches('/').ends_with("/v1") {
        return Err(format!("ends with /v1, which Usher adds by itself: {like}"));
    }
    Ok(())
}

/// Whether the server of a URL is on this computer, as far as can be told: its name stands for
/// addresses of this computer alone. Waits for the name service.
pub fn is_here(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let addresses = url.socket_addrs(|| None).unwrap_or_default();
    let is_own = |ip| std::net::UdpSocket::bind((ip, 0)).is_ok();
    !addresses.is_empty() && addresses.iter().all(|address| is_own(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 192.0.2.0/24 is nobody's (RFC 5737).
    #[test]
    fn a_server_is_here_if_its_address_is_this_computers() {
        for here in [
            "http://127.0.0.1:8470",
            "https://[::1]:8470",
            "http://localhost:1/usher",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["http://192.0.2.1:8470", "https://192.0.2.1", "nonsense"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_url_of_a_server_is_a_host_and_a_port_and_nothing_secret() {
        for right in [
            "http://127.0.0.1:8470",
            "http://127.0.0.1:8470/",
            "https://[::1]:8470",
            "https://licences.example.org",
            "https://proxy.example.org/usher",
        ] {
            assert_eq!(check_url(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "alpha",
            "ftp://alpha",
            "http://",
            "http://:8470",
            "http://alpha:99999",
            "http://alpha:0",
            "http://user:secret@alpha:8470",
            "http://user@alpha:8470",
            "http://alpha:8470?x=1",
            "http://alpha:8470#x",
            "http://alpha:8470/v1",
            "http://alpha:8470/v1/",
            "http://al pha",
        ] {
            assert!(check_url(wrong).is_err(), "{wrong} was taken");
        }
    }
}
