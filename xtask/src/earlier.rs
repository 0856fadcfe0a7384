//! An earlier version of `usher`, built in release mode from its own commit beside this tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::metadata::cargo;
use crate::process::Runner;

/// Builds `usher` of that commit, and returns the program. It is built once: a commit does not change.
///
/// Everything goes to `target/earlier`; all commits share what they are built of.
pub(crate) fn built(
    runner: &Runner,
    root: &Path,
    target: &Path,
    revision: &str,
) -> Result<PathBuf, String> {
    let commit = commit(root, revision)?;
    let folder = target.join("earlier");
    let program = folder.join(format!("usher-{commit}"));
    if program.exists() {
        return Ok(program);
    }
    let (_, source) = source(runner, root, target, &commit)?;
    let built_to = folder.join("target");
    runner.run(&mut release(&source, &built_to))?;
    // Renamed at the end: a program that is there is whole.
    let partial = folder.join("usher-partial");
    std::fs::copy(built_to.join("release/usher"), &partial)
        .and_then(|_| std::fs::rename(&partial, &program))
        .map_err(|error| {
            format!(
                "cannot keep the built program as {}: {error}",
                program.display()
            )
        })?;
    Ok(program)
}

/// The full number of a commit, and its files. The next commit that is asked for takes their place.
pub(crate) fn source(
    runner: &Runner,
    root: &Path,
    target: &Path,
    revision: &str,
) -> Result<(String, PathBuf), String> {
    let commit = commit(root, revision)?;
    let folder = target.join("earlier");
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let source = folder.join("source");
    if !source.join(".git").exists() {
        // A clone, not a worktree: whoever removes the target folder leaves nothing behind.
        runner.run(
            Command::new("git")
                .args(["clone", "--quiet", "--shared", "--no-checkout"])
                .arg(root)
                .arg(&source),
        )?;
    }
    // A shared clone sees the objects of its origin, so that each commit of the origin is there.
    runner.run(
        Command::new("git")
            .args(["checkout", "--quiet", "--force", "--detach", &commit])
            .current_dir(&source),
    )?;
    Ok((commit, source))
}

/// Builds `usher` of the tree at `source` in release mode.
pub(crate) fn release(source: &Path, target: &Path) -> Command {
    let mut command = cargo();
    command
        .args(["build", "--release", "--locked", "-p", "usher"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(source);
    command
}

/// The full number of a commit.
fn commit(root: &Path, revision: &str) -> Result<String, String> {
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{revision}^{{commit}}"))
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{revision}` is no commit of this repository: a clone that is not whole may lack it \
             (git fetch --unshallow)"
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_known_by_its_full_number_and_nothing_else_is_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        if !root.join(".git").exists() {
            return;
        }
        assert_eq!(commit(root, "HEAD").unwrap().len(), 40);
        let no = commit(root, "--help").unwrap_err();
        assert!(no.starts_with("`--help` is no commit"), "{no}");
    }
}
