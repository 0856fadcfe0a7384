//! Policies in files, for tests of what becomes of them.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{Ended, Folder, Running};

/// Writes a file of a policy.
pub(crate) fn write(folder: &Folder, name: &str, text: &str) -> PathBuf {
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// `usher policy WORD FILE MORE...`
pub(crate) fn policy(running: &Running, word: &str, file: &Path, more: &[&str]) -> Output {
    let words = ["policy", word, file.to_str().unwrap()];
    running.usher(&[&words[..], more].concat()).ended()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn entitlements(running: &Running) -> Vec<Value> {
    let list = running.json(&["entitlement", "list"]);
    list["items"].as_array().unwrap().clone()
}

pub(crate) const CAD: &str = r#"policy = 1

[[product]]
id = "cad"
name = "CAD 3D"
programs = ["path=/opt/cad/bin/*"]

[[entitlement]]
name = "cad-2026"
product = "cad"
seats = 25
from = 2026-01-01
to = 2199-12-31
price = { amount = 12000.50, currency = "EUR", per = "year" }
"#;
