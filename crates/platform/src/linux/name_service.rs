//! `getent` of the C library: `getent group`, `getent passwd`, `getent initgroups`.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::process::{Group, in_own_group};
use crate::terms::{NameService, SystemAccount, SystemGroup, Word};

pub(crate) const PROGRAM: &str = "getent";
/// The longest answer that is read, in bytes; a longer one is an error.
const ANSWER_LIMIT: u64 = 64 << 20;
/// Exit codes of `getent`: all was found; some keys were not; the service lists nothing.
const FOUND: i32 = 0;
const SOME_NOT_FOUND: i32 = 2;
const NO_ENUMERATION: i32 = 3;

pub(crate) async fn groups(
    service: &NameService,
    keys: &[String],
    within: Duration,
) -> io::Result<Vec<SystemGroup>> {
    let text = ask(service, "group", keys, within).await?;
    Ok(text.lines().filter_map(group).collect())
}

pub(crate) async fn accounts(
    service: &NameService,
    names: &[String],
    within: Duration,
) -> io::Result<Vec<SystemAccount>> {
    let text = ask(service, "passwd", names, within).await?;
    Ok(text.lines().filter_map(account).collect())
}

pub(crate) async fn groups_of(
    service: &NameService,
    names: &[String],
    within: Duration,
) -> io::Result<Vec<(String, Vec<u32>)>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let text = ask(service, "initgroups", names, within).await?;
    let asked = names.iter().filter(|name| is_key(name));
    let told = asked.zip(text.lines());
    Ok(told
        .filter_map(|(name, line)| numbers(name, line))
        .collect())
}

async fn ask(
    service: &NameService,
    database: &str,
    keys: &[String],
    within: Duration,
) -> io::Result<String> {
    let program = service.program().display().to_string();
    let own: &[&str] = match service.is_of_own_files() {
        true => &["-s", "files"],
        false => &[],
    };
    let asked = async {
        let mut command = Command::new(service.program());
        in_own_group(command.as_std_mut());
        let mut child = command
            .args(own)
            .arg(database)
            .args(keys.iter().filter(|key| is_key(key)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let held = Held(child.id().and_then(|leader| Group::of(leader).ok()));
        let mut answer = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            pipe.take(ANSWER_LIMIT + 1).read_to_end(&mut answer).await?;
        }
        if answer.len() as u64 > ANSWER_LIMIT {
            let why = format!(
                "{program} {database} says more than {} MiB",
                ANSWER_LIMIT >> 20
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        let status = child.wait().await?;
        // Its number may be another's from now on.
        held.let_go();
        check(status, &program, database)?;
        // A name that is no UTF-8 is not the name of anybody known here.
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    match tokio::time::timeout(within, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            let seconds = within.as_secs_f64();
            let why = format!("{program} {database} did not answer within {seconds} s");
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        }
    }
}

/// Whoever gives up kills all that was started.
struct Held(Option<Group>);

impl Held {
    fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(group) = &self.0 {
            // They may have ended this instant.
            let _ = group.tell(Word::Kill);
        }
    }
}

fn check(status: ExitStatus, program: &str, database: &str) -> io::Result<()> {
    match status.code() {
        Some(FOUND | SOME_NOT_FOUND | NO_ENUMERATION) => Ok(()),
        _ => Err(io::Error::other(format!(
            "{program} {database} failed: {status}"
        ))),
    }
}

/// Whether it can be asked for: what begins with a dash is an option, and no system has such a name.
fn is_key(key: &str) -> bool {
    !key.is_empty() && !key.starts_with('-')
}

/// `name:password:number:member,member`
fn group(line: &str) -> Option<SystemGroup> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let number = fields.nth(1)?.parse().ok()?;
    let members = fields.next().unwrap_or_default().split(',');
    let members = members.filter(|member| !member.is_empty());
    Some(SystemGroup {
        name: name.to_owned(),
        number,
        members: members.map(str::to_owned).collect(),
    })
}

/// `name:password:uid:number of the main group:...`
fn account(line: &str) -> Option<SystemAccount> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    Some(SystemAccount {
        name: name.to_owned(),
        group: fields.nth(2)?.parse().ok()?,
    })
}

/// `name   number number`, with a line for each name, in their order. A name may have blanks.
fn numbers(name: &str, line: &str) -> Option<(String, Vec<u32>)> {
    let rest = line.strip_prefix(name)?;
    let numbers = rest.split_whitespace().map(str::parse);
    let numbers: Result<Vec<u32>, _> = numbers.collect();
    Some((name.to_owned(), numbers.ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_of_getent_are_read_and_others_left_out() {
        let read = group("domain users:*:20513:ann,bob").unwrap();
        assert_eq!((&*read.name, read.number), ("domain users", 20_513));
        assert_eq!(read.members, ["ann", "bob"]);
        assert_eq!(group("wheel:x:10:").unwrap().members, Vec::<String>::new());
        assert_eq!(group("wheel:x:ten:ann"), None);
        assert_eq!(group("wheel"), None);
        let read = account("ann:x:1000:100:Ann,,,:/home/ann:/bin/sh").unwrap();
        assert_eq!((&*read.name, read.group), ("ann", 100));
        assert_eq!(account("ann:x:1000"), None);
        let read = numbers("ann", "ann                   100 27").unwrap();
        assert_eq!(read.1, [100, 27]);
        assert_eq!(numbers("ann", "ann").unwrap().1, Vec::<u32>::new());
        assert_eq!(numbers("ann", "anna 100"), None);
    }

    #[tokio::test]
    async fn the_systems_own_groups_and_accounts_are_told() {
        let service = NameService::of_this_computer();
        let within = Duration::from_secs(20);
        let all = service.groups(&[], within).await.unwrap();
        let root = all.iter().find(|group| group.name == "root").unwrap();
        assert_eq!(root.number, 0);
        let keys = ["0".to_owned(), "no-such-group-here".to_owned()];
        let named = service.groups(&keys, within).await.unwrap();
        assert_eq!(named.as_slice(), std::slice::from_ref(root));
        let names = ["root".to_owned()];
        let accounts = service.accounts(&names, within).await.unwrap();
        assert_eq!((&*accounts[0].name, accounts[0].group), ("root", 0));
        let of = service.groups_of(&names, within).await.unwrap();
        assert_eq!(of[0].0, "root");
        let own = service.of_own_files().groups(&[], within).await.unwrap();
        assert!(own.contains(root), "{own:?}");
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_in_time_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("getent");
        // Of all that it has started nothing is left.
        let hangs = "#!/bin/sh\nsleep 600 &\necho $! > \"$0.pid\"\nwait\n";
        std::fs::write(&program, hangs).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        let service = NameService::asked_by(program.clone());
        let error = service.groups(&[], Duration::from_secs(1)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let missing = NameService::asked_by(folder.path().join("none"));
        let error = missing.groups(&[], Duration::from_secs(20)).await;
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
        let pid = std::fs::read_to_string(folder.path().join("getent.pid")).unwrap();
        let process = std::path::PathBuf::from(format!("/proc/{}/stat", pid.trim()));
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        let is_gone = || {
            let stat = std::fs::read_to_string(&process);
            stat.is_err() || stat.is_ok_and(|it| it.contains(") Z "))
        };
        while !is_gone() {
            assert!(std::time::Instant::now() < deadline, "it still runs");
            // tidy: sleep, the pause between two looks at a process that is to end
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
