//! What `cargo metadata` says of the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Clippy as `test` runs it.
pub(crate) const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--locked",
    "--",
    "-D",
    "warnings",
];
/// Binaries and tests in one go: one set of features, so nothing is compiled twice.
pub(crate) const BUILD: &[&str] = &["build", "--workspace", "--bins", "--tests", "--locked"];

/// The whole document, resolved as Cargo.lock says, without asking a registry if that will do.
pub(crate) fn read(root: &Path) -> Result<Value, String> {
    let output = cargo()
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot start cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata gave something else than JSON: {error}"))
}

/// Where cargo builds.
pub(crate) fn target_directory(metadata: &Value) -> Result<PathBuf, String> {
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

/// The cargo that runs this, without what it told this program of its own package: ring's build
/// script looks at such variables, so ring and all that stands on it would be built again each time
/// that the one or the other cargo builds.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    for (name, _) in std::env::vars_os() {
        let is_of_a_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_of_a_package {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_tells_this_program_of_its_package_is_not_passed_on() {
        let command = cargo();
        let removed = |wanted: &str| {
            command
                .get_envs()
                .any(|(name, value)| name == wanted && value.is_none())
        };
        assert!(removed("CARGO_PKG_NAME") && removed("CARGO_MANIFEST_DIR"));
        assert!(!removed("CARGO_TARGET_DIR"));
    }
}
