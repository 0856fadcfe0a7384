//! `SERVER` and `VENDOR` lines: where a licence is served, and by which daemon.

/// A computer that serves licences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or address; also `this_host` or `ANY`.
    pub host: String,
    /// What binds the licence to it, as it is written.
    pub host_id: Option<String>,
    /// The TCP port of `lmgrd`; none: one of 27000 to 27009.
    pub port: Option<u16>,
}

impl Server {
    /// `SERVER host hostid [port]`; none: it names no host.
    pub(super) fn read(words: &[String]) -> Option<Server> {
        Some(Server {
            host: words.get(1)?.clone(),
            host_id: words.get(2).cloned(),
            port: words.iter().skip(3).find_map(|word| port(word)),
        })
    }
}

/// A vendor's daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// The daemon's name, as `FEATURE` and `INCREMENT` lines have it.
    pub daemon: String,
    /// The path of its program.
    pub program: Option<String>,
    /// The path of its options file.
    pub options: Option<String>,
    /// Its TCP port; none: any.
    pub port: Option<u16>,
}

impl Vendor {
    /// `VENDOR daemon [program] [[OPTIONS=]options] [[PORT=]port]`; none: it names no daemon.
    pub(super) fn read(words: &[String]) -> Option<Vendor> {
        let mut vendor = Vendor {
            daemon: words.get(1)?.clone(),
            program: None,
            options: None,
            port: None,
        };
        let mut paths = Vec::new();
        for word in words.iter().skip(2) {
            let (key, value) = word.split_once('=').unwrap_or(("", word.as_str()));
            if key.eq_ignore_ascii_case("options") {
                vendor.options = Some(value.to_owned());
            } else if let Some(port) = port(word) {
                vendor.port = Some(port);
            } else {
                paths.push(word);
            }
        }
        let mut paths = paths.into_iter().cloned();
        vendor.program = paths.next();
        vendor.options = vendor.options.or_else(|| paths.next());
        Some(vendor)
    }
}

/// `27000` or `PORT=27000`.
fn port(word: &str) -> Option<u16> {
    let (key, value) = word.split_once('=').unwrap_or(("port", word));
    let port = value.parse().ok()?;
    key.eq_ignore_ascii_case("port").then_some(port)
}
