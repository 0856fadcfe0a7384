//! Sending a mail through a relay by SMTP (RFC 5321), with TLS (RFC 8314, RFC 3207) and a login
//! (RFC 4954). One mail a connection; bounded in time by who calls, and in what is read.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::undelivered::{Again, Undelivered};

/// The largest answer that is read, in bytes.
const ANSWER_BYTES: u64 = 16 * 1024;

/// How a connection to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayTls {
    /// TLS from the first byte on, usually on port 465.
    Tls,
    /// TLS after STARTTLS, usually on port 587; a relay without STARTTLS gets no mail.
    StartTls,
    /// No encryption.
    Plain,
}

/// A mail relay, and the login for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relay {
    /// Its name or address; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: RelayTls,
    /// The user name for the login, and the file with the password; none: no login.
    pub login: Option<(String, PathBuf)>,
}

impl Relay {
    /// From `HOST` or `HOST:PORT`, and what else is set.
    ///
    /// # Errors
    /// What cannot be, as a sentence.
    pub fn parse(
        text: &str,
        tls: RelayTls,
        login: Option<(String, PathBuf)>,
    ) -> Result<Relay, String> {
        let usual = match tls {
            RelayTls::Tls => 465,
            RelayTls::StartTls => 587,
            RelayTls::Plain => 25,
        };
        let bad = || format!("--smtp-relay {text:?} is not HOST or HOST:PORT");
        let (host, port) = match text.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            Some((host, _)) if host.contains(':') && !host.ends_with(']') => (text, usual),
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (text, usual),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        ServerName::try_from(host.clone()).map_err(|_| bad())?;
        let is_here = host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        if login.is_some() && tls == RelayTls::Plain && !is_here {
            return Err(format!(
                "the password for {host} would travel in the clear: use --smtp-tls starttls or tls"
            ));
        }
        Ok(Relay {
            host,
            port,
            tls,
            login,
        })
    }
}

/// A mail with its addresses.
pub(crate) struct Mail<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    /// Headers and text; lines end with LF.
    pub(crate) text: &'a str,
}

/// Sends a mail; the error says why the relay did not accept it.
pub(crate) async fn send(
    mail: &Mail<'_>,
    relay: &Relay,
    trusted: Option<&[u8]>,
) -> Result<(), Undelivered> {
    let place = format!("{}:{}", relay.host, relay.port);
    let stream = TcpStream::connect((relay.host.as_str(), relay.port))
        .await
        .map_err(|error| Undelivered::now(format!("cannot reach the relay {place}: {error}")))?;
    let told = speak(stream, mail, relay, trusted).await;
    told.map_err(|it| it.told(|why| format!("the relay {place}: {why}")))
}

async fn speak(
    stream: TcpStream,
    mail: &Mail<'_>,
    relay: &Relay,
    trusted: Option<&[u8]>,
) -> Result<(), Undelivered> {
    match relay.tls {
        RelayTls::Plain => hand_over(Talk::new(stream), mail, relay, true).await,
        RelayTls::Tls => {
            let stream = secured(stream, relay, trusted).await?;
            hand_over(Talk::new(stream), mail, relay, true).await
        }
        RelayTls::StartTls => {
            let mut talk = Talk::new(stream);
            talk.expect(&[220]).await.map_err(Undelivered::later)?;
            talk.hello().await?;
            talk.say("STARTTLS", &[220]).await.map_err(|it| {
                it.told(|why| format!("it does not begin TLS ({why}): see --smtp-tls"))
                    .later()
            })?;
            let stream = secured(talk.into_inner()?, relay, trusted).await?;
            // Nothing of before counts any more, the greeting neither.
            hand_over(Talk::new(stream), mail, relay, false).await
        }
    }
}

async fn secured(
    stream: TcpStream,
    relay: &Relay,
    trusted: Option<&[u8]>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Undelivered> {
    use rustls::pki_types::pem::PemObject;
    let roots: Vec<CertificateDer<'static>> = match trusted {
        Some(pem) => CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| Undelivered::now(format!("cannot read the authority: {error}")))?,
        None => Vec::new(),
    };
    let failed = |error: &(dyn Error + 'static)| match usher_tls::told(error) {
        // What cures it at a metering server does not cure it at a relay.
        Some(told) => Undelivered::now(format!(
            "{}: --smtp-relay has to name it as its certificate does, --ca-file the authority of \
             that certificate, and --smtp-tls what its port speaks",
            told.what
        )),
        None => Undelivered::now(format!("TLS failed: {error}")),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
            .map_err(|error| failed(&error))?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let name = ServerName::try_from(relay.host.clone()).map_err(|error| failed(&error))?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| failed(&error))
}

async fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(
    mut talk: Talk<S>,
    mail: &Mail<'_>,
    relay: &Relay,
    is_greeted: bool,
) -> Result<(), Undelivered> {
    // Only what is said of this mail is said for good: a login or a greeting is of the relay.
    if is_greeted {
        talk.expect(&[220]).await.map_err(Undelivered::later)?;
    }
    talk.hello().await?;
    if let Some((name, file)) = &relay.login {
        let password = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read the password {}: {error}", file.display()))
            .map_err(Undelivered::now)?;
        let secret = format!("\0{name}\0{}", password.trim_end_matches(['\r', '\n']));
        let line = format!("AUTH PLAIN {}", STANDARD.encode(secret));
        talk.say(&line, &[235])
            .await
            .map_err(|it| it.told(|why| format!("it refused the login as {name}: {why}")))
            .map_err(Undelivered::later)?;
    }
    talk.say(&format!("MAIL FROM:<{}>", mail.from), &[250])
        .await?;
    // 251: it is not of here, and is forwarded.
    talk.say(&format!("RCPT TO:<{}>", mail.to), &[250, 251])
        .await?;
    talk.say("DATA", &[354]).await?;
    talk.write(&stuffed(mail.text)).await?;
    talk.say(".", &[250]).await?;
    // It has the mail; what it says of the end changes nothing.
    let _ = talk.say("QUIT", &[221]).await;
    Ok(())
}

/// The text with CRLF line ends, and a further dot before each line that begins with a dot. No CR
/// stands alone, because relays refuse that or read it as the end of a line.
fn stuffed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(&line.replace('\r', " "));
        out.push_str("\r\n");
    }
    out
}

/// Lines to and from a relay.
struct Talk<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(stream: S) -> Self {
        Talk {
            stream: BufReader::new(stream),
        }
    }

    /// The stream, if nothing was read ahead: that would be plain text pretending to come after
    /// TLS.
    fn into_inner(self) -> Result<S, Undelivered> {
        match self.stream.buffer().is_empty() {
            true => Ok(self.stream.into_inner()),
            // That is the relay's fault, and not the mail's.
            false => Err(Undelivered::now("it says more than was asked before TLS")),
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), Undelivered> {
        let wrote = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.flush().await
        };
        wrote
            .await
            .map_err(|error| Undelivered::now(format!("it broke off: {error}")))
    }

    async fn hello(&mut self) -> Result<(), Undelivered> {
        let name = usher_platform::host::computer_name();
        let said = self.say(&format!("EHLO {name}"), &[250]).await;
        said.map_err(Undelivered::later)
    }

    async fn say(&mut self, line: &str, wanted: &[u16]) -> Result<(), Undelivered> {
        self.write(&format!("{line}\r\n")).await?;
        self.expect(wanted).await
    }

    /// Reads an answer of one or several lines.
    async fn expect(&mut self, wanted: &[u16]) -> Result<(), Undelivered> {
        let mut answer = (&mut self.stream).take(ANSWER_BYTES);
        loop {
            let mut line = String::new();
            let read = answer.read_line(&mut line).await;
            read.map_err(|error| Undelivered::now(format!("it broke off: {error}")))?;
            if !line.ends_with('\n') {
                return Err(Undelivered::now("it broke off"));
            }
            let line = line.trim_end();
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            let code: Option<u16> = line.get(..3).and_then(|code| code.parse().ok());
            if code.is_some_and(|code| wanted.contains(&code)) {
                return Ok(());
            }
            return Err(Undelivered {
                why: format!("it answered {line:?}"),
                // 5yz is what is refused for good (RFC 5321, 4.2.1).
                again: match code {
                    Some(500..600) => Again::Never,
                    _ => Again::Later,
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_has_the_usual_port_of_its_tls_and_no_password_goes_in_the_clear() {
        let port = |text: &str, tls| Relay::parse(text, tls, None).map(|relay| relay.port);
        assert_eq!(port("mail.example.org", RelayTls::StartTls), Ok(587));
        assert_eq!(port("mail.example.org", RelayTls::Tls), Ok(465));
        assert_eq!(port("127.0.0.1:2525", RelayTls::Plain), Ok(2525));
        assert_eq!(port("[::1]:2525", RelayTls::Plain), Ok(2525));
        assert!(port("mail.example.org:x", RelayTls::Tls).is_err());
        assert!(port("a b", RelayTls::Tls).is_err());
        let login = || Some(("usher".to_owned(), PathBuf::from("/etc/usher/smtp")));
        assert!(Relay::parse("mail.example.org", RelayTls::Plain, login()).is_err());
        assert!(Relay::parse("localhost", RelayTls::Plain, login()).is_ok());
    }

    #[test]
    fn a_line_of_a_dot_does_not_end_a_mail() {
        assert_eq!(stuffed("a\n.\n.b\n"), "a\r\n..\r\n..b\r\n");
        assert_eq!(stuffed("a\r.\rb\n"), "a . b\r\n");
    }
}
