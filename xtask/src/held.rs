//! A program that does not run before somebody sees to its end.
//!
//! Between the start of a program and the moment at which another process knows that it has to end
//! it, this one may be killed: the program would run on for ever. So it is a shell at first that
//! waits for a word. If none comes, because whoever was to say it is gone, it ends.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// It becomes what follows its name, with nothing to read.
const SCRIPT: &str = r#"read -r go && exec "$@" </dev/null"#;

/// One that waits.
#[derive(Debug)]
pub(crate) struct Held {
    child: Child,
}

impl Held {
    /// Starts it, leading a process group of its own. `set` says where its output goes; its
    /// environment and folder are those of `command`.
    pub(crate) fn start(command: &Command, set: impl FnOnce(&mut Command)) -> io::Result<Held> {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", SCRIPT, "xtask"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        set(&mut shell);
        let child = shell.stdin(Stdio::piped()).process_group(0).spawn()?;
        Ok(Held { child })
    }

    /// Its process, which stays the same when it runs.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it run.
    pub(crate) fn let_go(mut self) -> io::Result<Child> {
        if let Some(mut word) = self.child.stdin.take() {
            word.write_all(b"go\n")?;
        }
        Ok(self.child)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Output;

    use super::*;

    fn held(script: &str) -> Held {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("USHER_HELD", "as told");
        Held::start(&command, |shell| {
            shell.stdout(Stdio::piped());
        })
        .unwrap()
    }

    fn said(ended: io::Result<Output>) -> (bool, String) {
        let ended = ended.unwrap();
        let text = String::from_utf8(ended.stdout).unwrap();
        (ended.status.success(), text)
    }

    #[test]
    fn a_program_whose_starter_dies_before_its_end_is_seen_to_never_runs() {
        let mut held = held("echo ran");
        // The end of the pipe is what is left of a process that was killed.
        drop(held.child.stdin.take());
        assert_eq!(said(held.child.wait_with_output()), (false, String::new()));
    }

    #[test]
    fn one_that_is_let_go_is_the_same_process_and_has_nothing_to_read() {
        let held = held("read line; echo \"$$ $line$USHER_HELD\"");
        let expected = format!("{} as told\n", held.id());
        let output = held.let_go().unwrap().wait_with_output();
        assert_eq!(said(output), (true, expected));
    }
}
