//! What a computer that is lived in has of its own, hidden from a test.

use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Where the agent of a computer listens: programs ask it that are told of no other.
const AGENT: &str = "/run/usher";

/// Hides the agent of this computer, if there is one, from this thread and from all that it starts
/// later. Only root can; others are told.
pub fn without_an_agent() {
    hide(Path::new(AGENT));
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
