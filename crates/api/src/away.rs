//! What to check if nothing answers at a server's URL, depending on the system's error.

/// Whether the reason is a failure of TLS: the text about that already says what to do.
pub fn is_of_tls(why: &str) -> bool {
    let words = ["certificate", "TLS", "https://"];
    words.iter().any(|word| why.contains(word))
}

/// What to check; none if `why` itself says what to do, as texts about TLS do.
///
/// ```
/// use usher_api::what_to_check;
///
/// let check = what_to_check("Connection refused (os error 111)");
/// assert!(check.is_some_and(|check| check.contains("port")));
/// assert_eq!(what_to_check("the certificate has expired: make another"), None);
/// ```
pub fn what_to_check(why: &str) -> Option<&'static str> {
    what_to_check_of(Listener::Server, why)
}

/// The role that should have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// A metering server.
    Server,
    /// A manager.
    Manager,
}

impl Listener {
    /// Its name in texts for people, and the name of the option for its URL.
    pub fn name(self) -> &'static str {
        match self {
            Listener::Server => "server",
            Listener::Manager => "manager",
        }
    }
}

/// What to check for a server or a manager: each has a port and a unit of its own.
pub fn what_to_check_of(listener: Listener, why: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if is_of_tls(why) {
        return None;
    }
    Some(
        if says(&["lookup", "dns", "resolve", "Name or service", "known host"]) {
            "the name does not resolve on this computer: check its spelling in the URL, and look with \
         `getent hosts NAME`"
        } else if says(&["refused"]) {
            match listener {
                Listener::Server => {
                    "nothing listens on that port there: check the port in the URL (8470 unless \
                     the server was given another), and on the server's computer `systemctl \
                     status usher-server`"
                }
                Listener::Manager => {
                    "nothing listens on that port there: check the port in the URL (8480 unless \
                     the manager was given another), and on the manager's computer `systemctl \
                     status usher-manager`"
                }
            }
        } else if says(&["took the connection"]) {
            match listener {
                Listener::Server => {
                    "its process is there and hangs, or its computer is overloaded: on that \
                     computer see `systemctl status usher-server` and the server's log; a restart \
                     helps one that hangs"
                }
                Listener::Manager => {
                    "its process is there and hangs, or its computer is overloaded: on that \
                     computer see `systemctl status usher-manager` and the manager's log; a restart \
                     helps one that hangs"
                }
            }
        } else {
            match listener {
                Listener::Server => {
                    "check the URL, that the server's computer is on, and that no firewall \
                     between keeps its port (8470 unless it was given another) shut"
                }
                Listener::Manager => {
                    "check the URL, that the manager's computer is on, and that no firewall \
                     between keeps its port (8480 unless it was given another) shut"
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_looked_for_at_its_own_port_and_unit() {
        let check = what_to_check_of(Listener::Manager, "Connection refused").unwrap();
        assert!(
            check.contains("8480") && check.contains("usher-manager"),
            "{check}"
        );
        assert!(
            !check.contains("8470") && !check.contains("usher-server"),
            "{check}"
        );
    }

    #[test]
    fn a_wrong_name_a_wrong_port_and_silence_each_have_something_to_check() {
        for (why, words) in [
            (
                "dns error: failed to lookup address information: Name or service not known",
                "getent hosts",
            ),
            ("Connection refused (os error 111)", "port in the URL"),
            ("No route to host (os error 113)", "firewall"),
            ("no connection came about in 5 s", "firewall"),
            (
                "it took the connection and has not answered in time",
                "hangs",
            ),
        ] {
            let check = what_to_check(why).unwrap();
            assert!(check.contains(words), "{why}: {check}");
        }
    }
}
