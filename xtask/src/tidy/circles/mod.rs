//! No modules of a crate need each other in a circle: each can be read with those below it alone.
//! Where a crate has floors ([`floors`]), each uses only those below it.

pub(super) mod floors;
mod levels;
mod modules;
mod names;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Finding;
use super::tree::File;
use levels::{Circle, Ties};
use modules::Modules;

/// A crate's package and the file of its root, from the repository's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) package: String,
    pub(super) file: String,
}

/// The libraries and binaries of the workspace; their tests may need what they like.
pub(super) fn roots(root: &Path, metadata: &Value) -> Vec<Root> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut roots = Vec::new();
    for package in list(&metadata["packages"]) {
        for target in list(&package["targets"]) {
            let is_code = list(&target["kind"])
                .iter()
                .any(|kind| ["lib", "bin"].iter().any(|code| kind == code));
            let file = target["src_path"]
                .as_str()
                .and_then(|file| Path::new(file).strip_prefix(root).ok());
            if let (true, true, Some(file), Some(package)) = (
                is_code,
                package["source"].is_null(),
                file,
                package["name"].as_str(),
            ) {
                roots.push(Root {
                    package: package.to_owned(),
                    file: file.to_string_lossy().replace('\\', "/"),
                });
            }
        }
    }
    roots
}

/// A crate as its source has it.
pub(super) struct Crate {
    package: String,
    /// The file of its root, from the repository's root.
    file: String,
    modules: Modules,
    /// Who needs whom, by the module below which both are.
    levels: BTreeMap<usize, Ties>,
}

/// A circle and the package that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    package: String,
    circle: Circle,
}

/// The crates of those roots, and what could not be read.
pub(super) fn read(roots: &[Root], files: &[File]) -> (Vec<Crate>, Vec<Finding>) {
    let text_of = |path: &str| {
        let at = files.binary_search_by(|file| file.path.as_str().cmp(path));
        at.ok().map(|at| files[at].text.as_str())
    };
    let mut crates = Vec::new();
    let mut unread = Vec::new();
    for root in roots {
        match Modules::read(&root.file, &text_of) {
            Ok(modules) => crates.push(Crate {
                package: root.package.clone(),
                file: root.file.clone(),
                levels: levels::ties(&modules),
                modules,
            }),
            Err(why) => unread.push(Finding::new(&root.package, 0, why)),
        }
    }
    (crates, unread)
}

/// All circles.
pub(super) fn find(crates: &[Crate]) -> Vec<Found> {
    let of = |krate: &Crate| {
        let circles = levels::circles(&krate.modules, &krate.levels).into_iter();
        let found = circles.map(|circle| Found {
            package: krate.package.clone(),
            circle,
        });
        found.collect::<Vec<_>>()
    };
    crates.iter().flat_map(of).collect()
}

/// A finding for each circle.
pub(super) fn check(found: &[Found]) -> Vec<Finding> {
    let told = |circle: &Found| {
        let what = format!(
            "its modules need each other in a circle: {}\n  move what closes it to a module that \
             both may use{}",
            circle.line(),
            circle.ties()
        );
        Finding::new(&circle.package, 0, what)
    };
    found.iter().map(told).collect()
}

impl Found {
    /// `PACKAGE LEVEL: MODULE, MODULE`
    fn line(&self) -> String {
        let members = self.circle.members.join(", ");
        format!("{} {}: {members}", self.package, self.circle.level)
    }

    /// What ties its modules.
    fn ties(&self) -> String {
        let mut text = String::new();
        for (from, to, ties) in &self.circle.ties {
            text += &format!("\n  {from} needs {to}:");
            for tie in ties {
                text += &format!("\n    {}:{}: {}", tie.file, tie.line, tie.item);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
