//! Delivers a message: to the system log, a webhook, a mail address or a program.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use usher_api::StatusMessage;
use usher_core::messages::is_address;
use usher_platform::process::{Held, Word, in_own_group};
use usher_platform::system_log::{self, Weight};

use crate::mail::{self, MailOptions};
use crate::reach::innermost;
use crate::smtp;
use crate::targets::{Errand, Webhook};
use crate::undelivered::{Again, Undelivered};

const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
const MAIL_TIMEOUT_SECONDS: u32 = 30;
/// How long a program that is told to end has before it is killed.
const GRACE: Duration = Duration::from_secs(1);
/// The usual way to send mail from a Unix computer, whatever its mail system is.
const SENDMAIL: &str = "/usr/sbin/sendmail";
/// Exit codes of it for which a repeat is useless: wrong use, data or address (EX_USAGE,
/// EX_DATAERR, EX_NOUSER).
const NEVER_BY_SENDMAIL: [i32; 3] = [64, 65, 67];
/// The header that carries a webhook's signature.
const SIGNATURE: &str = "Usher-Signature";

/// The means of delivery.
#[derive(Debug, Clone)]
pub(crate) struct Means {
    pub(crate) http: reqwest::Client,
    pub(crate) mail: MailOptions,
    /// A certificate authority (PEM) to trust for relays.
    pub(crate) authority: Option<Vec<u8>>,
}

/// One delivery: one action for one message.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    /// The name of the rule that it comes from.
    pub(crate) rule: String,
    /// The action.
    pub(crate) errand: Errand,
    /// The message.
    pub(crate) message: Arc<StatusMessage>,
    /// Its number in the site database; none: it is not stored there.
    pub(crate) kept: Option<i64>,
}

/// The destination of an errand in words for people, without secrets that an address may contain.
pub(crate) fn destination(errand: &Errand) -> String {
    match errand {
        Errand::SystemLog => "the system log".to_owned(),
        Errand::Webhook(Webhook { url, .. }) => {
            let host = reqwest::Url::parse(url).ok();
            let host = host.as_ref().and_then(|url| url.host_str());
            format!("the webhook at {}", host.unwrap_or("no host"))
        }
        Errand::Mail { to } => format!("mail to {to}"),
        Errand::Run { command, .. } => {
            let program = command.first().map_or("", String::as_str);
            format!("the program {program}")
        }
        Errand::Unknown(_) => "what no setting names".to_owned(),
    }
}

/// Tries an errand once.
pub(crate) async fn once(
    message: &StatusMessage,
    errand: &Errand,
    means: &Means,
) -> Result<(), Undelivered> {
    match errand {
        Errand::Unknown(why) => Err(Undelivered::for_good(why.clone())),
        Errand::SystemLog => {
            system_log(message).map_err(|error| Undelivered::perhaps(error.to_string()))
        }
        Errand::Webhook(target) => webhook(message, &means.http, target).await,
        Errand::Mail { to } => mail(message, to, means).await,
        Errand::Run {
            command,
            timeout_seconds,
        } => {
            // What a program does twice it says itself, by what it is.
            let run = run_program(message, command, *timeout_seconds, None).await;
            run.map_err(|ended| Undelivered::perhaps(ended.why))
        }
    }
}

/// Writes to the system log; on a computer without one, the message is in the manager's own log.
fn system_log(message: &StatusMessage) -> io::Result<()> {
    let weight = match message.severity.as_str() {
        "error" => Weight::Error,
        "warning" => Weight::Warning,
        _ => Weight::Information,
    };
    let text = format!("{} {}", message.id, message.text);
    system_log::write("usher-manager", weight, &text)
}

async fn webhook(
    message: &StatusMessage,
    http: &reqwest::Client,
    Webhook { url, secret_file }: &Webhook,
) -> Result<(), Undelivered> {
    let secret = std::fs::read(secret_file)
        .map_err(|error| format!("cannot read the secret {}: {error}", secret_file.display()))
        .map_err(Undelivered::now)?;
    let body =
        serde_json::to_vec(message).map_err(|error| Undelivered::for_good(error.to_string()))?;
    let response = http
        .post(url)
        .timeout(WEBHOOK_TIMEOUT)
        .header("Content-Type", "application/json")
        .header(SIGNATURE, signature(secret.trim_ascii(), &body))
        .body(body)
        .send()
        .await
        .map_err(|error| Undelivered::now(format!("{url}: {}", innermost(&error))))?;
    let status = response.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(Undelivered {
            why: format!("{url} answered {status}"),
            // It is busy or has a fault; another refusal stays one.
            again: match status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
                true => Again::Later,
                false => Again::Never,
            },
        }),
    }
}

/// `sha256=HEX`, HMAC-SHA-256 (RFC 2104) of the body.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut text = "sha256=".to_owned();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        mac.update(body);
        HEXLOWER.encode_append(&mac.finalize().into_bytes(), &mut text);
    }
    text
}

/// Why no mail can be sent, as far as that is known before a try: no relay is named, and this
/// computer has no sendmail.
pub(crate) async fn mail_why_not(means: &Means) -> Option<String> {
    let may_go =
        means.mail.relay.is_some() || tokio::fs::try_exists(SENDMAIL).await.unwrap_or(true);
    (!may_go).then(|| {
        format!(
            "the manager's computer has no {SENDMAIL}, and no relay is named: smtp-relay in \
             /etc/usher/usher.toml there (or `usher manager --smtp-relay`) names one"
        )
    })
}

async fn mail(message: &StatusMessage, to: &str, means: &Means) -> Result<(), Undelivered> {
    if !is_address(to) {
        return Err(Undelivered::for_good(format!(
            "{to:?} is no address such as ops@example.org"
        )));
    }
    let usual = format!("usher@{}", message.computer);
    let from = means.mail.from.as_deref().unwrap_or(&usual);
    let envelope = mail::Envelope {
        from,
        to,
        link: means.mail.link.as_deref(),
    };
    let text = mail::text(message, &envelope, &jiff::tz::TimeZone::system());
    let Some(relay) = &means.mail.relay else {
        let command = [SENDMAIL.to_owned(), "-t".to_owned(), "-i".to_owned()];
        let sent = run_program(message, &command, MAIL_TIMEOUT_SECONDS, Some(text)).await;
        return sent.map_err(|ended| Undelivered {
            again: match ended.code {
                Some(code) if NEVER_BY_SENDMAIL.contains(&code) => Again::Never,
                _ => Again::Later,
            },
            why: format!(
                "{}; --smtp-relay (smtp-relay in usher.toml) names a relay to send by",
                ended.why
            ),
        });
    };
    let mail = smtp::Mail {
        from,
        to,
        text: &text,
    };
    let limit = Duration::from_secs(u64::from(MAIL_TIMEOUT_SECONDS));
    let sent = smtp::send(&mail, relay, means.authority.as_deref());
    match tokio::time::timeout(limit, sent).await {
        Ok(sent) => sent,
        Err(_) => Err(Undelivered::now(format!(
            "the relay {}:{} took longer than {MAIL_TIMEOUT_SECONDS} s",
            relay.host, relay.port
        ))),
    }
}

/// A program that failed.
struct Ended {
    why: String,
    /// Its exit code; none: it did not end by itself.
    code: Option<i32>,
}

impl From<String> for Ended {
    fn from(why: String) -> Self {
        Ended { why, code: None }
    }
}

/// Runs a program with the message in its environment; ends it at its time limit.
async fn run_program(
    message: &StatusMessage,
    command: &[String],
    timeout_seconds: u32,
    input: Option<String>,
) -> Result<(), Ended> {
    let Some((program, arguments)) = command.split_first() else {
        return Err("no program is named".to_owned().into());
    };
    let mut command = Command::new(program);
    in_own_group(command.as_std_mut());
    let mut child = command
        .args(arguments)
        .env("USHER_MESSAGE_ID", message.id.to_string())
        .env("USHER_MESSAGE_SEVERITY", &message.severity)
        .env(
            "USHER_MESSAGE_SERVER",
            message.server.as_deref().unwrap_or(""),
        )
        .env("USHER_MESSAGE_TEXT", &message.text)
        .env("USHER_MESSAGE_COUNT", message.count.to_string())
        .stdin(match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    // Whoever gives it up, or ends, kills all that it has started.
    let group = Held::of(child.id());
    let work = async {
        if let (Some(mut stdin), Some(text)) = (child.stdin.take(), input) {
            stdin.write_all(text.as_bytes()).await?;
        }
        child.wait().await
    };
    let limit = Duration::from_secs(u64::from(timeout_seconds));
    let done = tokio::time::timeout(limit, work).await;
    let Ok(done) = done else {
        group.tell(Word::End);
        // It is not waited for meanwhile, so that the number of the group stays its own.
        tokio::time::sleep(GRACE).await;
        drop(group);
        let why = format!("{program} took longer than {timeout_seconds} s and was ended");
        return Err(why.into());
    };
    group.let_go();
    match done {
        Err(error) => Err(format!("{program}: {error}").into()),
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Ended {
            why: format!("{program} ended with {status}"),
            code: status.code(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> StatusMessage {
        let at = jiff::Timestamp::UNIX_EPOCH;
        StatusMessage {
            record_id: 1,
            id: 9411,
            severity: "warning".to_owned(),
            kind: "milestone".to_owned(),
            component: String::new(),
            computer: String::new(),
            site: String::new(),
            server: None,
            time: at,
            values: Vec::new(),
            text: "it is so".to_owned(),
            count: 1,
            first_at: at,
            last_at: at,
            recovered_at: None,
        }
    }

    #[tokio::test]
    async fn a_program_that_is_late_is_ended_with_what_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > '{}'; wait", pid.display());
        let command = ["sh", "-c", &script].map(str::to_owned);
        let late = run_program(&message(), &command, 1, None).await;
        let why = late.err().unwrap().why;
        assert_eq!(why, "sh took longer than 1 s and was ended");
        let started = std::fs::read_to_string(pid).unwrap();
        let is_gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", started.trim()));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !is_gone() {
            assert!(std::time::Instant::now() < deadline, "it still runs");
            tokio::task::yield_now().await;
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_what_the_standard_says() {
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
