//! `cargo xtask bpf`: builds the agent's program for the kernel, and records what it was built of.
//!
//! The object file is committed: nobody needs a compiler for it to build Usher. `cargo xtask tidy`
//! holds that it belongs to the source beside it.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::process::Runner;
use crate::setup;

const FOLDER: &str = "crates/agent/src/watch";
const SOURCE: &str = "exec.bpf.c";
const OBJECT: &str = "exec.bpf.o";
/// As `sha256sum` writes and checks it.
const SUMS: &str = "exec.bpf.sha256";

/// Builds it with Debian's clang.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let runner = Runner::new()?;
    setup::debian(&runner, setup::BPF)?;
    let folder = root.join(FOLDER);
    // The kernel's headers for programs lie in a folder of the machine that builds.
    let headers = format!("/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    runner.run(
        Command::new("clang")
            .current_dir(&folder)
            .args([
                "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Werror",
            ])
            .args(["-fdebug-compilation-dir=.", "-idirafter", &headers])
            .args(["-c", SOURCE, "-o", OBJECT]),
    )?;
    // The kernel's type format stays, the debugger's goes.
    runner.run(
        Command::new("llvm-strip")
            .current_dir(&folder)
            .args(["-g", OBJECT]),
    )?;
    let path = folder.join(SUMS);
    fs::write(&path, sums(&folder)?)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// What is wrong with the committed object; none if it was built of the committed source.
pub(crate) fn stale(root: &Path) -> Option<String> {
    let folder = root.join(FOLDER);
    let recorded = fs::read_to_string(folder.join(SUMS)).unwrap_or_default();
    match sums(&folder) {
        Ok(now) if now == recorded => None,
        Ok(_) => Some(format!(
            "{OBJECT} was not built of this {SOURCE}: run `cargo xtask bpf`"
        )),
        Err(why) => Some(why),
    }
}

/// The path that a finding names.
pub(crate) fn place() -> String {
    format!("{FOLDER}/{OBJECT}")
}

fn sums(folder: &Path) -> Result<String, String> {
    let mut lines = String::new();
    for name in [SOURCE, OBJECT] {
        let path = folder.join(name);
        let bytes =
            fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        lines.push_str(&format!("{hash}  {name}\n"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_another_source_is_found() {
        let root = std::env::temp_dir().join(format!("xtask-bpf-{}", std::process::id()));
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        assert!(stale(&root).is_some(), "there is none");
        fs::write(folder.join(SOURCE), "int f;").unwrap();
        fs::write(folder.join(OBJECT), "built").unwrap();
        fs::write(folder.join(SUMS), sums(&folder).unwrap()).unwrap();
        let sound = stale(&root);
        fs::write(folder.join(SOURCE), "int g;").unwrap();
        let changed = stale(&root);
        fs::write(folder.join(SOURCE), "int f;").unwrap();
        fs::write(folder.join(OBJECT), "built by hand").unwrap();
        let swapped = stale(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(sound, None);
        assert!(changed.is_some() && swapped.is_some());
    }
}
