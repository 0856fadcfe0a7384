//! Where a site database on PostgreSQL is: `postgres://USER@HOST[:PORT][,HOST2[:PORT]...]/DB?...`.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// How many hosts may be named.
const HOSTS_LIMIT: usize = 16;
const PORT: u16 = 5432;

/// Where a site database on PostgreSQL is, and how it is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) hosts: Vec<Host>,
    pub(super) database: String,
    pub(super) tls: Tls,
    pub(super) client: Option<ClientPair>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) pass_file: Option<PathBuf>,
}

/// A host: a name, an address, or the folder of a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

/// What tells the server who connects: files of a certificate and of its private key (PEM).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientPair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    /// As `sslmode` is not given: on this computer not at all, else [`Tls::Full`].
    Usual,
    /// Not at all.
    Off,
    /// With a certificate that is checked, and has the host's name; its authority is one of the
    /// system's or of this file.
    Full(Option<PathBuf>),
}

impl Host {
    /// Whether it is a folder of Unix sockets.
    pub(super) fn is_folder(&self) -> bool {
        self.name.starts_with('/')
    }

    /// Whether nothing that is sent to it leaves this computer.
    pub(super) fn is_here(&self) -> bool {
        let is_loopback = |ip: IpAddr| ip.is_loopback();
        self.is_folder() || self.name == "localhost" || self.name.parse().is_ok_and(is_loopback)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { name, port } = self;
        match name.contains(':') {
            true => write!(f, "[{name}]:{port}"),
            false => write!(f, "{name}:{port}"),
        }
    }
}

/// Without the password.
impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        let (user, database) = (&self.user, &self.database);
        write!(f, "postgres://{user}@{}/{database}", hosts.join(","))
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PostgresAddress {
    /// Reads a URL.
    ///
    /// # Errors
    /// What in it cannot be, as a sentence; it has no password in it.
    pub fn parse(url: &str) -> Result<PostgresAddress, String> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or("it does not begin with postgres://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, database) = rest
            .split_once('/')
            .filter(|(_, database)| !database.is_empty())
            .ok_or("it names no database: postgres://USER@HOST/DATABASE")?;
        // The / was one of the password, and what is in front of it may be, too.
        if database.contains('@') {
            return Err(
                "it has an @ behind the first /: in a password and in the name of a database \
                        write %40 for @ and %2F for /"
                    .to_owned(),
            );
        }
        let (login, hosts) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (login, None),
        };
        if user.is_empty() {
            return Err("it names no user: postgres://USER@HOST/DATABASE".to_owned());
        }
        let mut address = PostgresAddress {
            user: decoded(user)?,
            password,
            hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
            database: decoded(database)?,
            tls: Tls::Usual,
            client: None,
            password_file: None,
            pass_file: None,
        };
        if address.hosts.len() > HOSTS_LIMIT {
            return Err(format!("it names more than {HOSTS_LIMIT} hosts"));
        }
        address.take(query)?;
        Ok(address)
    }

    /// Whether the URL has a password in it: it belongs into a file that only its owner can read.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Reads the password from that file before each connection.
    #[must_use]
    pub fn with_password_file(self, file: PathBuf) -> PostgresAddress {
        PostgresAddress {
            password_file: Some(file),
            ..self
        }
    }

    fn take(&mut self, query: &str) -> Result<(), String> {
        let (mut mode, mut authority) = (None, None);
        let (mut certificate, mut key) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            match name {
                "sslmode" => mode = Some(value),
                "sslrootcert" => authority = Some(PathBuf::from(value)),
                "sslcert" => certificate = Some(PathBuf::from(value)),
                "sslkey" => key = Some(PathBuf::from(value)),
                "passfile" => self.pass_file = Some(PathBuf::from(value)),
                "target_session_attrs" if value == "read-write" => {}
                "target_session_attrs" => {
                    return Err(format!(
                        "target_session_attrs={value} cannot be: a manager writes, so it looks for \
                         the host that takes writes (read-write)"
                    ));
                }
                // It may be the rest of a password that has a ?.
                _ if query.contains('@') => {
                    return Err(
                        "it has an unknown parameter, and an @ behind the ?: in a password \
                                write %40 for @ and %3F for ?"
                            .to_owned(),
                    );
                }
                other => {
                    return Err(format!(
                        "it has the unknown parameter {other:?}: sslmode, sslrootcert, sslcert, \
                         sslkey, passfile and target_session_attrs are known"
                    ));
                }
            }
        }
        self.client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(ClientPair { certificate, key }),
            (None, None) => None,
            _ => {
                return Err(
                    "it has only one of sslcert and sslkey: a certificate needs its private key"
                        .to_owned(),
                );
            }
        };
        self.tls = match mode.as_deref() {
            None if authority.is_none() && self.client.is_none() => Tls::Usual,
            Some("disable") if self.client.is_some() => {
                return Err(
                    "it has sslcert and sslmode=disable: without TLS no certificate is shown"
                        .to_owned(),
                );
            }
            None | Some("verify-full") => Tls::Full(authority),
            Some("disable") => Tls::Off,
            Some(other @ ("allow" | "prefer" | "require" | "verify-ca")) => {
                return Err(format!(
                    "sslmode={other} would take anybody's word for being the server: write \
                     sslmode=verify-full, with sslrootcert=FILE if its authority is not one of the \
                     system's, or sslmode=disable for no encryption"
                ));
            }
            Some(other) => {
                return Err(format!(
                    "sslmode={other} is not known: it is verify-full or disable"
                ));
            }
        };
        Ok(())
    }
}

/// What cannot be is not shown: of a password that is not percent-encoded, it can be the end.
fn host(text: &str) -> Result<Host, String> {
    let bad = || "one of its hosts is no HOST or HOST:PORT".to_owned();
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or_else(bad)?;
            (name, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let name = decoded(name)?;
    if name.is_empty() {
        return Err("it names no host: postgres://USER@HOST/DATABASE".to_owned());
    }
    let port = match port {
        Some(port) => port.parse().map_err(|_| bad())?,
        None => PORT,
    };
    Ok(Host { name, port })
}

/// With what is percent-encoded as it is.
fn decoded(text: &str) -> Result<String, String> {
    let bad = || "it has a % that two hexadecimal digits of a text do not follow".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|it| char::from(it).to_digit(16));
        let (high, low) = digit().zip(digit()).ok_or_else(bad)?;
        bytes.push((high * 16 + low) as u8);
    }
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    match text.contains('\0') {
        true => Err(bad()),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_several_hosts_is_read() {
        let url = "postgres://usher:s%40crt@db1.example,[::1]:5433,%2Frun%2Fpg/site?sslmode=disable\
                   &target_session_attrs=read-write&passfile=%2Fx";
        let it = PostgresAddress::parse(url).unwrap();
        let hosts: Vec<String> = it.hosts.iter().map(Host::to_string).collect();
        assert_eq!(hosts, ["db1.example:5432", "[::1]:5433", "/run/pg:5432"]);
        let here: Vec<bool> = it.hosts.iter().map(Host::is_here).collect();
        assert_eq!(here, [false, true, true]);
        assert_eq!((&*it.user, &*it.database), ("usher", "site"));
        assert_eq!(it.password.as_deref(), Some("s@crt"));
        assert_eq!((it.tls.clone(), it.has_password()), (Tls::Off, true));
        assert_eq!(it.pass_file, Some(PathBuf::from("/x")));
        for shown in [it.to_string(), format!("{it:?}")] {
            assert!(!shown.contains("crt"), "{shown}");
            assert!(shown.contains("usher@db1.example:5432"), "{shown}");
        }
    }

    #[test]
    fn a_certificate_is_checked_unless_nothing_is_encrypted() {
        let tls = |query: &str| {
            PostgresAddress::parse(&format!("postgres://u@h/d{query}")).map(|it| it.tls)
        };
        assert_eq!(tls(""), Ok(Tls::Usual));
        assert_eq!(tls("?sslmode=verify-full"), Ok(Tls::Full(None)));
        let file = Some(PathBuf::from("ca.pem"));
        assert_eq!(tls("?sslrootcert=ca.pem"), Ok(Tls::Full(file)));
        assert_eq!(tls("?sslcert=c.pem&sslkey=k.pem"), Ok(Tls::Full(None)));
        for mode in ["allow", "prefer", "require", "verify-ca", "verify-all"] {
            let refused = tls(&format!("?sslmode={mode}")).unwrap_err();
            assert!(refused.contains("verify-full"), "{refused}");
        }
    }

    #[test]
    fn a_password_that_is_not_encoded_is_not_shown() {
        for url in [
            "postgres://u:p@sec:ret/sec@h/d",
            "postgres://u:p@sec/ret@h/d",
            "postgres://u:p@sec:ret/d?sec@h/d",
            "postgres://u:p@h/d?sec=ret@h/d",
            "postgres://u:sec/ret@h/d",
            "postgres://u:sec?ret@h/d",
        ] {
            let refused = PostgresAddress::parse(url).unwrap_err();
            let is_shown = ["sec", "ret"].iter().any(|it| refused.contains(it));
            assert!(!is_shown, "{url}: {refused}");
        }
        // A file may have such a name.
        PostgresAddress::parse("postgres://u@h/d?passfile=/x@y").unwrap();
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (url, why) in [
            ("mysql://u@h/d", "begin with postgres://"),
            ("postgres://u@h", "names no database"),
            ("postgres://h/d", "names no user"),
            ("postgres://u@/d", "names no host"),
            ("postgres://u@h:x/d", "HOST:PORT"),
            ("postgres://u@h/d%0", "hexadecimal"),
            ("postgres://u@h/d%00", "hexadecimal"),
            ("postgres://u@h/d?port=1", "unknown parameter"),
            ("postgres://u@h/d?sslcert=c.pem", "only one of"),
            (
                "postgres://u@h/d?sslcert=c&sslkey=k&sslmode=disable",
                "without TLS",
            ),
            ("postgres://u@h/d?target_session_attrs=any", "read-write"),
        ] {
            let refused = PostgresAddress::parse(url).unwrap_err();
            assert!(refused.contains(why), "{url}: {refused}");
        }
    }
}
