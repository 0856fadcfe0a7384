//! Names of accounts: from `/etc/passwd`, else asked of the system's name service by `getent`.
//!
//! A name service may take its time, or hang. So it is asked only where nobody but who needs the
//! name waits ([`Accounts::learn`]); everybody else goes by what is known ([`Accounts::name`]).

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock;

/// Names that are remembered; when there are more, all are asked for again.
const NAMES_LIMIT: usize = 4_096;
/// How long a name is believed.
const NAME_LIFE: Duration = Duration::from_secs(600);
/// How long the name service may take; a number is a name, too.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// Bytes of its answer, at the most.
const LINE_LIMIT: usize = 4_096;
/// How long one that took longer is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// Names by uid.
#[derive(Debug)]
pub(crate) struct Accounts {
    passwd: PathBuf,
    /// What is asked with the arguments `passwd UID`; none: there is no name service.
    service: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    names: HashMap<u32, (String, Instant)>,
    /// When the name service did last not answer in time.
    silent: Option<Instant>,
}

impl Accounts {
    /// Accounts of this computer.
    pub(crate) fn new() -> Self {
        Accounts {
            passwd: PathBuf::from("/etc/passwd"),
            service: has_name_service().then(|| PathBuf::from("getent")),
            known: Mutex::default(),
        }
    }

    /// The name of an account as far as it is known without asking a name service; else its
    /// number.
    pub(crate) fn name(&self, uid: u32) -> String {
        self.at_hand(uid).unwrap_or_else(|| uid.to_string())
    }

    /// Whether [`learn`](Self::learn) has nothing to ask first.
    pub(crate) fn knows(&self, uid: u32) -> bool {
        self.at_hand(uid).is_some()
    }

    /// Learns the name of an account, anew after ten minutes. This may take a second.
    pub(crate) fn learn(&self, uid: u32) {
        let is_fresh = |(_, asked): &(String, Instant)| asked.elapsed() < NAME_LIFE;
        if lock(&self.known).names.get(&uid).is_some_and(is_fresh) {
            return;
        }
        let name = match self.in_passwd(uid) {
            Some(name) => Some(name),
            None => match self.by_name_service(uid) {
                Ok(name) => name,
                // It is asked again when it speaks.
                Err(Silent) => return,
            },
        };
        self.remember(uid, name.unwrap_or_else(|| uid.to_string()));
    }

    /// The same, while others go on.
    pub(crate) async fn learn_aside(self: Arc<Self>, uid: u32) {
        // A panic in it has been printed; then its number is its name.
        let _ = tokio::task::spawn_blocking(move || self.learn(uid)).await;
    }

    fn at_hand(&self, uid: u32) -> Option<String> {
        if let Some((name, _)) = lock(&self.known).names.get(&uid) {
            return Some(name.clone());
        }
        let name = self.in_passwd(uid).or_else(|| {
            let is_all = self.service.is_none();
            is_all.then(|| uid.to_string())
        })?;
        self.remember(uid, name.clone());
        Some(name)
    }

    fn remember(&self, uid: u32, name: String) {
        let names = &mut lock(&self.known).names;
        if names.len() >= NAMES_LIMIT {
            names.clear();
        }
        names.insert(uid, (name, Instant::now()));
    }

    fn in_passwd(&self, uid: u32) -> Option<String> {
        let text = std::fs::read(&self.passwd).ok()?;
        let text = String::from_utf8_lossy(&text);
        let wanted = uid.to_string();
        text.lines().find_map(|line| name_if(line, &wanted))
    }

    fn by_name_service(&self, uid: u32) -> Result<Option<String>, Silent> {
        let Some(service) = &self.service else {
            return Ok(None);
        };
        let silent = lock(&self.known).silent;
        if silent.is_some_and(|since| since.elapsed() < LEFT_ALONE) {
            return Err(Silent);
        }
        let answer = ask(service, uid);
        if answer.is_err() {
            lock(&self.known).silent = Some(Instant::now());
            tracing::warn!(
                uid,
                "the name service does not answer: numbers are names for now"
            );
        }
        let lines = answer?;
        let line = lines.as_deref().and_then(|lines| lines.lines().next());
        Ok(line.and_then(|line| name_if(line, &uid.to_string())))
    }
}

/// The name service has not answered in time.
struct Silent;

/// What it says of an account; none: it cannot be asked.
fn ask(service: &Path, uid: u32) -> Result<Option<String>, Silent> {
    let started = Command::new(service)
        .args(["passwd", &uid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = started else {
        return Ok(None);
    };
    let begun = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if begun.elapsed() > ANSWER_LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Silent);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(child.stdout.take().and_then(written))
}

/// What was written into a pipe until now: whoever has its other end open may keep it.
fn written(mut pipe: ChildStdout) -> Option<String> {
    rustix::io::ioctl_fionbio(&pipe, true).ok()?;
    let mut line = [0; LINE_LIMIT];
    let length = pipe.read(&mut line).ok()?;
    String::from_utf8(line.get(..length)?.to_vec()).ok()
}

/// The name in a line of passwd, if it is that of `uid` and can be one.
fn name_if(line: &str, uid: &str) -> Option<String> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let is_name = !name.is_empty() && name.len() <= 255 && !name.contains(usher_api::is_unseen);
    (fields.nth(1)? == uid && is_name).then(|| name.to_owned())
}

/// Without a name service, passwd is all there is.
fn has_name_service() -> bool {
    let configured = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let mut lines = configured.lines();
    lines
        .find_map(|line| line.trim().strip_prefix("passwd:"))
        .is_some_and(|sources| {
            let mut sources = sources.split_whitespace();
            sources.any(|source| source != "files" && source != "compat")
        })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// An account that no passwd has.
    const FAR: u32 = 3_999_999_999;

    /// Accounts whose name service is a script.
    fn at_service(folder: &tempfile::TempDir, script: &str) -> Accounts {
        let service = folder.path().join("service");
        fs::write(&service, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&service, fs::Permissions::from_mode(0o755)).unwrap();
        Accounts {
            service: Some(service),
            ..Accounts::new()
        }
    }

    #[test]
    fn an_account_has_its_name_and_an_unknown_one_its_number() {
        let accounts = Accounts::new();
        assert_eq!(accounts.name(0), "root");
        accounts.learn(FAR);
        assert_eq!(accounts.name(FAR), FAR.to_string());
        assert!(accounts.knows(FAR));
    }

    #[test]
    fn a_name_service_is_asked_by_who_learns_a_name_and_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = at_service(&folder, r#"echo "far:x:$2:0::/:""#);
        assert!(!accounts.knows(FAR));
        assert_eq!(accounts.name(FAR), FAR.to_string());
        accounts.learn(FAR);
        assert!(accounts.knows(FAR));
        assert_eq!(accounts.name(FAR), "far");
        assert!(accounts.knows(0), "it is in passwd");
    }

    #[test]
    fn a_name_service_that_hangs_is_left_alone_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let asked = folder.path().join("asked");
        let script = format!("echo >> {}; exec sleep 60", asked.display());
        let accounts = at_service(&folder, &script);
        accounts.learn(FAR);
        accounts.learn(FAR - 1);
        assert_eq!(accounts.name(FAR - 1), (FAR - 1).to_string());
        assert!(!accounts.knows(FAR), "it may yet be told");
        assert_eq!(fs::read_to_string(&asked).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_name_service_that_leaves_somebody_behind_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = at_service(&folder, r#"sleep 20 & echo "far:x:$2:0::/:""#);
        let begun = Instant::now();
        accounts.learn(FAR);
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert_eq!(accounts.name(FAR), "far");
    }
}
