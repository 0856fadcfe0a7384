//! What a computer that is lived in has of its own, hidden from a test.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Where the agent of a computer listens: programs ask it that are told of no other.
const AGENT: &str = "/run/usher";

/// Hides the agent of this computer, if there is one, from this thread and from all that it starts
/// later. Only root can; others are told.
pub fn without_an_agent() {
    hide(Path::new(AGENT));
}

/// A command that starts `program`, and with it all that it starts, apart from this computer: no
/// settings of this computer reach it, it makes or takes no id of this computer, and it holds no
/// start here. A role that is a computer of its own is given a file for its id.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    without_an_agent();
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("USHER_") {
            command.env_remove(name);
        }
    }
    command
        // Nobody can make it: real programs that a test starts would keep settings there for the next.
        .env("XDG_CONFIG_HOME", "/proc/none")
        .env("NO_COLOR", "1")
        // No start on this computer is held by a test: on this one nothing can be marked.
        .env("USHER_GATE_ONLY", "/proc")
        // Many tests' agents are computers of their own.
        .env("USHER_COMPUTER_ID_FILE", "/proc/none/computer-id")
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Hides what a folder holds, if it holds anything.
fn hide(folder: &Path) {
    let holds = folder.read_dir().is_ok_and(|mut all| all.next().is_some());
    if !holds {
        return;
    }
    let none: Option<&str> = None;
    let hidden = unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none))
        .and_then(|()| mount(none, folder, Some("tmpfs"), MsFlags::empty(), none));
    if let Err(why) = hidden {
        let folder = folder.display();
        eprintln!(
            "{folder} of this computer cannot be hidden ({why}): its agent may answer a test"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_folder_holds_is_hidden_from_what_is_started_later() {
        let folder = std::env::temp_dir().join(format!("usher-test-{}-hidden", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("agent.sock"), "").unwrap();
        let sees = || {
            let mut list = std::process::Command::new("ls");
            list.arg(&folder).output().unwrap().stdout.len()
        };
        let is_root = nix::unistd::geteuid().is_root();
        std::thread::scope(|scope| {
            let within = scope.spawn(|| {
                hide(&folder);
                sees()
            });
            assert_eq!(within.join().unwrap() == 0, is_root);
        });
        assert_ne!(sees(), 0, "others see it");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
