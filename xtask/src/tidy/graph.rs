//! The dependency direction: binary, shells, core, one way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;

/// What each package of ours may depend on among ours. A new package is added here.
const ALLOWED: &[(&str, &[&str])] = &[
    ("usher-core", &[]),
    ("usher-child", &["usher-platform"]),
    ("usher-tls", &[]),
    ("usher-api", &["usher-tls"]),
    ("usher-imports", &["usher-api"]),
    (
        "usher-watch",
        &[
            "usher-api",
            "usher-child",
            "usher-imports",
            "usher-platform",
        ],
    ),
    ("usher-parquet", &[]),
    (
        "usher-report",
        &["usher-core", "usher-api", "usher-parquet"],
    ),
    ("usher-platform", &[]),
    ("usher-pe", &["usher-testing"]),
    ("usher-tables", &[]),
    (
        "usher-store",
        &[
            "usher-core",
            "usher-platform",
            "usher-tables",
            "usher-vital",
        ],
    ),
    (
        "usher-http",
        &[
            "usher-api",
            "usher-core",
            "usher-platform",
            "usher-tls",
            "usher-vital",
        ],
    ),
    (
        "usher-server",
        &[
            "usher-core",
            "usher-api",
            "usher-store",
            "usher-http",
            "usher-platform",
            "usher-tls",
            "usher-vital",
        ],
    ),
    (
        "usher-site",
        &[
            "usher-core",
            "usher-parquet",
            "usher-platform",
            "usher-tables",
            "usher-testing",
            "usher-vital",
        ],
    ),
    (
        "usher-manager",
        &[
            "usher-core",
            "usher-api",
            "usher-http",
            "usher-platform",
            "usher-report",
            "usher-site",
            "usher-tls",
            "usher-vital",
            "usher-watch",
        ],
    ),
    (
        "usher-agent",
        &[
            "usher-child",
            "usher-core",
            "usher-api",
            "usher-platform",
            "usher-gate",
            "usher-pe",
            "usher-tables",
            "usher-testing",
            "usher-vital",
        ],
    ),
    ("usher-gate", &["usher-testing"]),
    ("usher-service", &["usher-child", "usher-core"]),
    ("usher-sim", &["usher-core", "usher-store"]),
    ("usher-vital", &[]),
    (
        "usher",
        &[
            "usher-child",
            "usher-core",
            "usher-api",
            "usher-store",
            "usher-server",
            "usher-manager",
            "usher-site",
            "usher-agent",
            "usher-imports",
            "usher-platform",
            "usher-report",
            "usher-gate",
            "usher-pe",
            "usher-service",
            "usher-sim",
            "usher-tls",
            "usher-vital",
            "usher-watch",
            "usher-bench",
            "usher-testing",
        ],
    ),
    (
        "usher-bench",
        &[
            "usher-child",
            "usher-core",
            "usher-api",
            "usher-store",
            "usher-site",
        ],
    ),
    ("usher-tests", &["usher-api", "usher-testing"]),
    ("usher-testing", &[]),
    ("xtask", &["usher-child", "usher-testing"]),
];

/// What core may use; dev-dependencies are free.
const CORE_USES: &[&str] = &[
    "csv",
    "foldhash",
    "globset",
    "hashbrown",
    "icu_normalizer",
    "itoa",
    "jiff",
    "rustc-hash",
    "serde",
    "smallvec",
    "strsim",
    "thiserror",
    "toml",
];

/// What must not come into core by any way: crates that talk to the world.
const WORLDLY: &[&str] = &[
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "nix",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "tokio",
    "tracing-subscriber",
    "windows-sys",
];

/// All findings in what `cargo metadata` says.
pub(crate) fn check(metadata: &Value) -> Vec<Finding> {
    let packages = packages(metadata);
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| package.is_ours) {
        findings.extend(direction(package, &packages));
    }
    findings.extend(core_is_pure(metadata, &packages));
    findings
}

#[derive(Debug)]
struct Package<'a> {
    id: &'a str,
    name: &'a str,
    is_ours: bool,
    /// Name and kind (`None` is a normal dependency).
    dependencies: Vec<(&'a str, Option<&'a str>)>,
}

fn packages(metadata: &Value) -> Vec<Package<'_>> {
    let members: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
    list(&metadata["packages"])
        .filter_map(|package| {
            let id = package["id"].as_str()?;
            Some(Package {
                id,
                name: package["name"].as_str()?,
                is_ours: members.contains(id),
                dependencies: list(&package["dependencies"])
                    .filter_map(|edge| Some((edge["name"].as_str()?, edge["kind"].as_str())))
                    .collect(),
            })
        })
        .collect()
}

/// A package depends on none of ours but those it may.
fn direction(package: &Package<'_>, all: &[Package<'_>]) -> Vec<Finding> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
        let what =
            "a package that tidy does not know: say in xtask/src/tidy/graph.rs what it may use";
        return vec![Finding::new(package.name, 0, what)];
    };
    let ours: BTreeSet<&str> = all
        .iter()
        .filter(|other| other.is_ours)
        .map(|other| other.name)
        .collect();
    package
        .dependencies
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| ours.contains(name) && !allowed.contains(name) && *name != package.name)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|name| Finding::new(package.name, 0, format!("depends on {name}; it may not")))
        .collect()
}

/// Core uses only what is listed, and nothing worldly comes with it.
fn core_is_pure(metadata: &Value, packages: &[Package<'_>]) -> Vec<Finding> {
    let Some(core) = packages.iter().find(|package| package.name == "usher-core") else {
        return vec![Finding::new("usher-core", 0, "there is no such package")];
    };
    let direct = core
        .dependencies
        .iter()
        .filter(|(name, kind)| kind.is_none() && !CORE_USES.contains(name))
        .map(|(name, _)| format!("uses {name}, which is not in its list"));
    let names: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.id, package.name))
        .collect();
    let brought = closure(metadata, core.id)
        .into_iter()
        .filter_map(|id| names.get(id).copied())
        .filter(|name| WORLDLY.contains(name))
        .map(|name| format!("brings in {name}, which talks to the world"));
    direct
        .chain(brought)
        .map(|what| Finding::new("usher-core", 0, what))
        .collect()
}

/// Ids of what a package is built with, itself left out: normal dependencies of any depth.
fn closure<'a>(metadata: &'a Value, from: &'a str) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id) else { continue };
        for edge in list(&node["deps"]) {
            let normal = list(&edge["dep_kinds"]).any(|kind| {
                kind["kind"].is_null() && !kind["target"].as_str().is_some_and(is_foreign)
            });
            if let Some(to) = edge["pkg"].as_str()
                && normal
                && seen.insert(to)
            {
                open.push(to);
            }
        }
    }
    seen
}

/// A dependency for platforms that the binary is not made for.
fn is_foreign(target: &str) -> bool {
    target.contains("wasm") || target.contains("hermit") || target.contains("wasi")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> = uses
            .iter()
            .map(|(name, kind)| json!({"name": name, "kind": kind}))
            .collect();
        json!({"id": name, "name": name, "dependencies": dependencies})
    }

    fn workspace(packages: &[Value], members: &[&str], edges: &[(&str, &str)]) -> Value {
        let nodes: Vec<Value> = packages
            .iter()
            .map(|package| {
                let deps: Vec<Value> = edges
                    .iter()
                    .filter(|(from, _)| package["id"] == *from)
                    .map(
                        |(_, to)| json!({"pkg": to, "dep_kinds": [{"kind": null, "target": null}]}),
                    )
                    .collect();
                json!({"id": package["id"], "deps": deps})
            })
            .collect();
        json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}})
    }

    fn whats(metadata: &Value) -> Vec<String> {
        check(metadata).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_shell_that_uses_another_shell_is_found() {
        let packages = [
            package("usher-core", &[]),
            package("usher-store", &[("usher-core", None)]),
            package(
                "usher-agent",
                &[("usher-core", None), ("usher-store", Some("dev"))],
            ),
        ];
        let metadata = workspace(
            &packages,
            &["usher-core", "usher-store", "usher-agent"],
            &[],
        );
        assert_eq!(
            whats(&metadata),
            ["usher-agent: depends on usher-store; it may not"]
        );
    }

    #[test]
    fn core_that_uses_what_is_not_listed_is_found() {
        let packages = [package(
            "usher-core",
            &[("serde", None), ("rand", None), ("proptest", Some("dev"))],
        )];
        let metadata = workspace(&packages, &["usher-core"], &[]);
        assert_eq!(
            whats(&metadata),
            ["usher-core: uses rand, which is not in its list"]
        );
    }

    #[test]
    fn core_that_brings_in_io_by_a_detour_is_found() {
        let packages = [
            package("usher-core", &[("globset", None)]),
            package("globset", &[("tokio", None)]),
            package("tokio", &[]),
        ];
        let edges = [("usher-core", "globset"), ("globset", "tokio")];
        let metadata = workspace(&packages, &["usher-core"], &edges);
        assert_eq!(
            whats(&metadata),
            ["usher-core: brings in tokio, which talks to the world"]
        );
    }

    #[test]
    fn a_package_that_nobody_gave_a_place_is_found() {
        let packages = [package("usher-core", &[]), package("usher-new", &[])];
        let metadata = workspace(&packages, &["usher-core", "usher-new"], &[]);
        assert_eq!(whats(&metadata).len(), 1);
    }
}
