//! Names of accounts: from `/etc/passwd`, else asked of the system's name service by `getent`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names that are remembered; when there are more, all are asked for again.
const NAMES_LIMIT: usize = 4_096;
/// How long a name is believed.
const NAME_LIFE: Duration = Duration::from_secs(600);
/// How long the name service may take; a number is a name, too.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Names by uid.
#[derive(Debug)]
pub(crate) struct Accounts {
    passwd: PathBuf,
    names: HashMap<u32, (String, Instant)>,
}

impl Accounts {
    /// Accounts of this computer.
    pub(crate) fn new() -> Self {
        Accounts {
            passwd: PathBuf::from("/etc/passwd"),
            names: HashMap::new(),
        }
    }

    /// The name of an account; its number where it has none.
    pub(crate) fn name(&mut self, uid: u32) -> String {
        if let Some((name, asked)) = self.names.get(&uid)
            && asked.elapsed() < NAME_LIFE
        {
            return name.clone();
        }
        let name = self
            .in_passwd(uid)
            .or_else(|| by_name_service(uid))
            .filter(|name| {
                !name.is_empty() && name.len() <= 255 && !name.contains(usher_api::is_unseen)
            })
            .unwrap_or_else(|| uid.to_string());
        if self.names.len() >= NAMES_LIMIT {
            self.names.clear();
        }
        self.names.insert(uid, (name.clone(), Instant::now()));
        name
    }

    fn in_passwd(&self, uid: u32) -> Option<String> {
        let text = std::fs::read(&self.passwd).ok()?;
        let text = String::from_utf8_lossy(&text);
        let wanted = uid.to_string();
        text.lines().find_map(|line| name_if(line, &wanted))
    }
}

/// The name in a line of passwd, if it is that of `uid`.
fn name_if(line: &str, uid: &str) -> Option<String> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    (fields.nth(1)? == uid).then(|| name.to_owned())
}

fn by_name_service(uid: u32) -> Option<String> {
    // Without a name service, passwd was all there is.
    let configured = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let beyond_files = configured
        .lines()
        .find_map(|line| line.trim().strip_prefix("passwd:"))
        .is_some_and(|sources| {
            sources
                .split_whitespace()
                .any(|s| s != "files" && s != "compat")
        });
    if !beyond_files {
        return None;
    }
    let mut child = Command::new("getent")
        .args(["passwd", &uid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > ANSWER_LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    name_if(text.lines().next()?, &uid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_name_and_an_unknown_one_its_number() {
        let mut accounts = Accounts::new();
        assert_eq!(accounts.name(0), "root");
        assert_eq!(accounts.name(3_999_999_999), "3999999999");
    }
}
