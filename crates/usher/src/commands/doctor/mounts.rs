//! Each mount of this computer: whether starts from it are enforced, tracked, or neither.
//!
//! A process that looks at a mount may hang, and cannot even be killed then. So another process
//! looks, with a thread for each mount, and is left behind if it does not finish in time.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use usher_agent::mounts::{Known, Mount, Outlook, Reach, judge, judge_elsewhere, parse};
use usher_api::AgentStatus;
use usher_platform::files;

use super::finding::Finding;
use crate::output::counted;

/// How long mounts may take to answer, all together.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many mounts are looked at and shown; the others are counted.
const MOUNTS_LIMIT: usize = 500;
/// How many other mount namespaces are looked at.
const NAMESPACES_LIMIT: usize = 64;

/// A finding for each mount.
pub(super) fn findings(agent: Option<&AgentStatus>) -> Vec<Finding> {
    let Ok(table) = std::fs::read("/proc/self/mountinfo") else {
        return Vec::new();
    };
    let mut mounts = parse(&table);
    mounts.retain(|mount| !mount.holds_no_programs());
    let left_out = mounts.len().saturating_sub(MOUNTS_LIMIT);
    mounts.truncate(MOUNTS_LIMIT);
    let known = Known {
        watching: agent.map(|agent| agent.watching),
        marks: agent.and_then(|agent| agent.marks.as_deref()),
        enforcement_off: agent.and_then(|agent| agent.enforcement.as_ref()?.why_off.as_deref()),
    };
    let mut outlooks = judge(&mounts, &hung(&mounts), &known);
    let elsewhere = elsewhere(&mounts);
    outlooks.extend(
        elsewhere
            .iter()
            .map(|(mount, whose)| judge_elsewhere(mount, whose, &known)),
    );
    let mut found = told(&outlooks, agent.is_some());
    if left_out > 0 {
        let text = format!("{left_out} more, which were not looked at");
        found.push(Finding::warn(
            "mount",
            text,
            "Look at fewer: unmount what nobody needs.",
        ));
    }
    found
}

/// A finding for each mount; one for all of them if no agent answers, as then none is watched.
fn told(outlooks: &[Outlook], by_agent: bool) -> Vec<Finding> {
    let is_told = |outlook: &&Outlook| by_agent || outlook.is_its_own;
    let mut found: Vec<Finding> = outlooks.iter().filter(is_told).map(finding).collect();
    let left = outlooks.len() - found.len();
    if left > 0 {
        let are = if left == 1 { "is" } else { "are" };
        let mounts = counted(left as u64, "mount");
        let text = format!("{mounts} {are} blind: no agent answers on this computer");
        found.push(Finding::note("mount", text));
    }
    found
}

fn finding(outlook: &Outlook) -> Finding {
    let Outlook {
        path, fs_type, why, ..
    } = outlook;
    let said = |word: &str| format!("{path} ({fs_type}) is {word}: {why}");
    match outlook.reach {
        Reach::Enforced => Finding::alike("mount", "enforced", said("enforced")),
        Reach::Tracked => Finding::alike("mount", "tracked", said("tracked")),
        // The lines of the agent warn of it, once for all mounts.
        Reach::Blind if !outlook.is_its_own => Finding::note("mount", said("blind")),
        Reach::Blind => Finding::warn(
            "mount",
            said("blind"),
            "What is started from it may go unseen.",
        ),
    }
}

/// The paths that do not answer in time.
fn hung(mounts: &[Mount]) -> HashSet<Vec<u8>> {
    let paths: Vec<&[u8]> = mounts.iter().map(|mount| &*mount.path).collect();
    // Who cannot look at all cannot say that one hangs.
    let Ok(answered) = answering(&paths) else {
        return HashSet::new();
    };
    let silent = paths.into_iter().filter(|path| !answered.contains(*path));
    silent.map(<[u8]>::to_vec).collect()
}

/// The paths that answer, as another process finds them.
fn answering(paths: &[&[u8]]) -> std::io::Result<HashSet<Vec<u8>>> {
    let mut looker = Command::new("/proc/self/exe")
        .args(["doctor", "--look-at-mounts"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .current_dir("/")
        .spawn()?;
    let text = paths.join(&0);
    let (input, output) = (looker.stdin.take(), looker.stdout.take());
    let (Some(mut input), Some(output)) = (input, output) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    input.write_all(&text)?;
    drop(input);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(0).map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    let end = Instant::now() + PATIENCE;
    let mut answered = HashSet::new();
    while let Ok(path) = told.recv_timeout(end.saturating_duration_since(Instant::now())) {
        answered.insert(path);
    }
    // One that hangs in the kernel ends when it can; nobody waits for it.
    let _ = looker.kill();
    let _ = looker.try_wait();
    Ok(answered)
}

/// Runs in the process that looks: prints each path of stdin that answers.
pub(super) fn look_at_those_on_stdin() {
    let mut text = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut text).is_err() {
        return;
    }
    let (tell, told) = mpsc::channel();
    for path in text.split(|byte| *byte == 0).take(MOUNTS_LIMIT) {
        let (path, tell) = (files::path_of(path), tell.clone());
        std::thread::spawn(move || {
            // An error is an answer too.
            let _ = files::room(&path);
            let _ = tell.send(path);
        });
    }
    drop(tell);
    for path in told {
        let mut out = std::io::stdout().lock();
        let line = [path.as_os_str().as_encoded_bytes(), &[0]].concat();
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Mounts of file systems that only other mount namespaces have, with whose they are. Without root
/// only namespaces of the account's own processes can be seen.
fn elsewhere(own: &[Mount]) -> Vec<(Mount, String)> {
    let mut known: HashSet<String> = own.iter().map(|mount| mount.device.clone()).collect();
    let mut found = Vec::new();
    for (process, whose) in other_namespaces() {
        let table = std::fs::read(process.join("mountinfo")).unwrap_or_default();
        for mount in parse(&table) {
            let is_new = !mount.holds_no_programs() && !mount.is_noexec;
            if is_new && found.len() < MOUNTS_LIMIT && known.insert(mount.device.clone()) {
                found.push((mount, whose.clone()));
            }
        }
    }
    found
}

/// A process in each other mount namespace, with its pid and name for people.
fn other_namespaces() -> impl Iterator<Item = (PathBuf, String)> {
    let first = usher_agent::mounts::other_namespaces(NAMESPACES_LIMIT);
    first.into_iter().map(|pid| {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        (process, format!("process {pid}, {}", name.trim_end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blind(path: &str, why: &str, is_its_own: bool) -> Outlook {
        Outlook {
            path: path.to_owned(),
            fs_type: "ext4".to_owned(),
            reach: Reach::Blind,
            why: why.to_owned(),
            is_its_own,
        }
    }

    /// The lines of the agent warn of what holds for all mounts, once.
    #[test]
    fn mounts_that_nobody_watches_are_no_warnings_of_their_own() {
        let hung = blind("/far", "it does not answer", true);
        let polled = blind("/", "the agent only looks now and then", false);
        let nobody = |path| blind(path, "no agent answers", false);
        let lines = |outlooks: &[Outlook], by_agent| {
            let told = told(outlooks, by_agent);
            told.iter()
                .map(Finding::describe)
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(lines(&[polled, hung.clone()], true), @r"
        note  mount       / (ext4) is blind: the agent only looks now and then
        warn  mount       /far (ext4) is blind: it does not answer
                          What is started from it may go unseen.
        ");
        insta::assert_snapshot!(lines(&[nobody("/"), nobody("/home"), hung], false), @r"
        warn  mount       /far (ext4) is blind: it does not answer
                          What is started from it may go unseen.
        note  mount       2 mounts are blind: no agent answers on this computer
        ");
    }
}
