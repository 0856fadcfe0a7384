//! The computer's name services: the order in which they are asked, and what they answer for an
//! account.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the name services may take together; after that the agent uses the account's number as
/// its name.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// How many bytes of an answer are read.
const LINE_LIMIT: usize = 4_096;
/// How many services are asked.
const SERVICES_LIMIT: usize = 8;

/// How name services are asked.
#[derive(Debug, Clone)]
pub(super) struct NameServices {
    /// The file that lists the services: `/etc/nsswitch.conf`.
    pub(super) order: PathBuf,
    /// The program that is run with `-s SERVICE passwd UID`, and with `passwd UID`.
    pub(super) getent: PathBuf,
}

/// No name service has answered in time.
#[derive(Debug)]
pub(super) struct Silent;

/// What the name services answered for an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: String,
    /// The service that answered; `None`: it is not known which.
    pub(super) service: Option<String>,
}

impl NameServices {
    /// The name services of this computer.
    pub(super) fn of_this_computer() -> Self {
        NameServices {
            order: PathBuf::from("/etc/nsswitch.conf"),
            getent: PathBuf::from("getent"),
        }
    }

    /// The services besides the computer's own files, in the order in which they are asked.
    pub(super) fn services(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.order).unwrap_or_default();
        in_order(&text)
    }

    /// The first service that knows an account, and the account's name there; `None`: no service
    /// knows it.
    pub(super) fn ask(&self, uid: u32) -> Result<Option<Told>, Silent> {
        let deadline = Instant::now() + ANSWER_LIMIT;
        let uid = uid.to_string();
        let services = self.services();
        for service in &services {
            let words = ["-s", service, "passwd", &uid];
            if let Some(name) = ask(&self.getent, &words, &uid, deadline)? {
                let service = Some(service.clone());
                return Ok(Some(Told { name, service }));
            }
        }
        if services.is_empty() {
            return Ok(None);
        }
        // A `getent` of another make may not know `-s`.
        let name = ask(&self.getent, &["passwd", &uid], &uid, deadline)?;
        Ok(name.map(|name| Told {
            name,
            service: None,
        }))
    }
}

/// The services in the line `passwd:`, without the computer's own files and without the actions
/// (`[NOTFOUND=return]`).
fn in_order(text: &str) -> Vec<String> {
    let line = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .find_map(|line| line.trim().strip_prefix("passwd:"));
    let mut services: Vec<String> = Vec::new();
    let mut rest = line.unwrap_or_default();
    while !rest.is_empty() {
        let (words, after) = rest.split_once('[').unwrap_or((rest, ""));
        services.extend(words.split_whitespace().map(str::to_owned));
        rest = after.split_once(']').map_or("", |(_, rest)| rest);
    }
    services.retain(|service| service != "files" && service != "compat");
    services.truncate(SERVICES_LIMIT);
    services
}

/// The name that a service answers for the account; `None`: it has none, or cannot be asked.
fn ask(
    program: &Path,
    words: &[&str],
    uid: &str,
    deadline: Instant,
) -> Result<Option<String>, Silent> {
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut asked) = usher_child::start(&mut command) else {
        return Ok(None);
    };
    let answer = asked.stdout();
    if asked.ended_by(deadline).is_none() {
        return Err(Silent);
    }
    let lines = answer.and_then(written);
    let line = lines.as_deref().and_then(|lines| lines.lines().next());
    Ok(line.and_then(|line| name_if(line, uid)))
}

/// What was written into a pipe until now: another process may keep its other end open.
fn written(mut pipe: ChildStdout) -> Option<String> {
    rustix::io::ioctl_fionbio(&pipe, true).ok()?;
    let mut line = [0; LINE_LIMIT];
    let length = pipe.read(&mut line).ok()?;
    String::from_utf8(line.get(..length)?.to_vec()).ok()
}

/// The name in a line of passwd, if the line is of `uid` and the name is valid.
pub(super) fn name_if(line: &str, uid: &str) -> Option<String> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let is_name = !name.is_empty()
        && name.len() <= usher_core::people::ACCOUNT_LIMIT_BYTES
        && !name.contains(usher_api::is_unseen);
    (fields.nth(1)? == uid && is_name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_asked_in_the_order_of_the_passwd_line() {
        for (text, services) in [
            ("passwd: files", vec![]),
            ("", vec![]),
            ("group: sss", vec![]),
            (
                "# passwd: nis\n passwd:\tfiles sss systemd\n",
                vec!["sss", "systemd"],
            ),
            (
                "passwd:compat [SUCCESS=merge NOTFOUND=continue] winbind [!UNAVAIL=return]ldap # x",
                vec!["winbind", "ldap"],
            ),
            ("passwd: sss [NOTFOUND=return", vec!["sss"]),
        ] {
            assert_eq!(in_order(text), services, "{text}");
        }
    }
}
