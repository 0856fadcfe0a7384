//! Where load goes: to loopback, or to a server whose owner says so.

use std::net::{SocketAddr, ToSocketAddrs};

use super::LoadError;

/// A server to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Target {
    /// The server at `url` (`http://HOST:PORT`). An address beyond loopback is refused unless
    /// `owned` is said.
    pub fn new(url: &str, owned: bool) -> Result<Self, LoadError> {
        let usage = |text: String| Err(LoadError::Usage(text));
        let Some(authority) = url.strip_prefix("http://") else {
            return usage(format!(
                "`{url}` is not http://HOST:PORT: load is put on without TLS"
            ));
        };
        let authority = authority.trim_end_matches('/');
        let address = match authority.to_socket_addrs() {
            Ok(mut addresses) => addresses.next(),
            Err(error) => return usage(format!("`{url}` is not http://HOST:PORT: {error}")),
        };
        let Some(address) = address else {
            return usage(format!("`{url}` has no address"));
        };
        if !address.ip().is_loopback() && !owned {
            return usage(format!(
                "{address} is not on this computer; load may be put on a server by its owner \
                 alone: --i-own-this-server"
            ));
        }
        Ok(Target { address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_beyond_loopback_is_refused_unless_its_owner_says_so() {
        let refused = Target::new("http://192.0.2.1:8470", false);
        assert!(refused.is_err_and(|error| error.to_string().contains("--i-own-this-server")));
        assert!(Target::new("http://192.0.2.1:8470", true).is_ok());
        assert!(Target::new("http://127.0.0.1:8470/", false).is_ok());
        assert!(Target::new("http://[::1]:8470", false).is_ok());
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(Target::new("https://127.0.0.1:8470", false).is_err());
        assert!(Target::new("http://127.0.0.1", false).is_err());
        assert!(Target::new("", false).is_err());
    }
}
