//! What to look at where nothing answers at a server's URL, by what the system said.

/// Whether somebody answers with whom no word can be had: what is said of that says what to do, too.
pub fn is_of_tls(why: &str) -> bool {
    let words = ["certificate", "TLS", "https://"];
    words.iter().any(|word| why.contains(word))
}

/// What to check; none where `why` itself says what to do, as words about TLS do.
///
/// ```
/// use usher_api::what_to_check;
///
/// let check = what_to_check("Connection refused (os error 111)");
/// assert!(check.is_some_and(|check| check.contains("port")));
/// assert_eq!(what_to_check("the certificate has expired: make another"), None);
/// ```
pub fn what_to_check(why: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if is_of_tls(why) {
        return None;
    }
    Some(
        if says(&["lookup", "dns", "resolve", "Name or service", "known host"]) {
            "the name does not resolve on this computer: check its spelling in the URL, and look with \
         `getent hosts NAME`"
        } else if says(&["refused"]) {
            "nothing listens on that port there: check the port in the URL (8470 unless the server was \
         given another), and on the server's computer `systemctl status usher-server`"
        } else {
            "check the URL, that the server's computer is on, and that no firewall between keeps its \
         port (8470 unless it was given another) shut"
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_a_wrong_port_and_silence_each_have_something_to_check() {
        for (why, words) in [
            (
                "dns error: failed to lookup address information: Name or service not known",
                "getent hosts",
            ),
            ("Connection refused (os error 111)", "port in the URL"),
            ("No route to host (os error 113)", "firewall"),
            ("no answer in time", "firewall"),
        ] {
            let check = what_to_check(why).unwrap();
            assert!(check.contains(words), "{why}: {check}");
        }
    }
}
