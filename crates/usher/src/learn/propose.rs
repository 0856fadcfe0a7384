//! From what was executed to the rules of a product.
//!
//! Shells, interpreters, loaders and everyday tools are no part of a product: a rule for them would
//! meter everybody's use of them. Of the rest, what ran longest is the program itself, and the others
//! are helpers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use usher_core::identify::system_role;

/// Packages of everyday tools.
const TOOL_PACKAGES: [&str; 24] = [
    "base-files",
    "bsdutils",
    "coreutils",
    "debianutils",
    "diffutils",
    "findutils",
    "gawk",
    "grep",
    "gzip",
    "hostname",
    "libc-bin",
    "login",
    "mawk",
    "mount",
    "ncurses-bin",
    "ncurses-base",
    "procps",
    "sed",
    "tar",
    "util-linux",
    "which",
    "xz-utils",
    "bzip2",
    "less",
];

/// Above this many helpers in one folder, one rule for the folder is proposed.
const HELPERS_BY_NAME: usize = 5;

/// A program that was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Seen {
    /// The executable.
    pub(crate) path: PathBuf,
    /// The script that it interpreted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<PathBuf>,
    /// How often it was started.
    pub(crate) starts: u64,
    /// How long its longest run lasted.
    #[serde(rename = "longest_seconds", serialize_with = "as_seconds")]
    pub(crate) longest: Duration,
    /// The package that installed it, or its script.
    pub(crate) package: Option<String>,
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Seen {
    /// Seen for the first time.
    pub(super) fn new(path: &Path, script: Option<&Path>) -> Self {
        Seen {
            path: path.to_owned(),
            script: script.map(Path::to_owned),
            starts: 0,
            longest: Duration::ZERO,
            package: None,
        }
    }

    /// What a rule would name: the script where there is one, else the executable.
    pub(crate) fn file(&self) -> &Path {
        self.script.as_deref().unwrap_or(&self.path)
    }

    /// Why no rule is proposed for it.
    pub(crate) fn not_proposed(&self) -> Option<String> {
        use std::os::unix::ffi::OsStrExt;
        if let Some(role) = system_role(self.file().as_os_str().as_bytes()) {
            return Some(role.description().to_owned());
        }
        if self
            .package
            .as_deref()
            .is_some_and(|package| TOOL_PACKAGES.contains(&package))
        {
            return Some("an everyday tool".to_owned());
        }
        if self.file().to_str().is_none() {
            return Some("its path is not UTF-8: name it by package or sha256".to_owned());
        }
        None
    }
}

/// Rules for a product.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Proposal {
    /// The rules, the program itself first.
    pub(crate) rules: Vec<String>,
    /// The program itself.
    #[serde(skip)]
    pub(crate) main: Option<PathBuf>,
    /// What to think of before using them.
    pub(crate) warnings: Vec<String>,
}

impl Proposal {
    /// What a program is in it, in words.
    pub(crate) fn part_of(&self, seen: &Seen) -> String {
        if self.main.as_deref() == Some(seen.file()) {
            return "the program".to_owned();
        }
        match seen.not_proposed() {
            Some(why) => format!("no: {why}"),
            None => "helper".to_owned(),
        }
    }
}

/// Proposes rules for what was executed.
pub(crate) fn propose(programs: &[Seen]) -> Proposal {
    let mut parts: Vec<&Seen> = programs
        .iter()
        .filter(|seen| seen.not_proposed().is_none())
        .collect();
    let mut warnings = Vec::new();
    let Some(main) = main(&parts) else {
        let Some(first) = programs
            .first()
            .filter(|seen| seen.file().to_str().is_some())
        else {
            return Proposal {
                rules: Vec::new(),
                main: None,
                warnings,
            };
        };
        warnings.push(format!(
            "{} is {}: a rule for it meters every use of it on the computer",
            first.file().display(),
            first.not_proposed().unwrap_or_default()
        ));
        return Proposal {
            rules: vec![rule(first.file())],
            main: Some(first.file().to_owned()),
            warnings,
        };
    };
    parts.retain(|seen| seen.file() != main.file());
    let mut rules = vec![rule(main.file())];
    let mut folders: Vec<&Path> = Vec::new();
    for seen in &parts {
        let folder = seen.file().parent().unwrap_or(Path::new("/"));
        let together = parts
            .iter()
            .filter(|other| other.file().parent() == Some(folder))
            .count();
        // The program itself would be hit by a pattern for its own folder.
        if together <= HELPERS_BY_NAME || main.file().parent() == Some(folder) {
            rules.push(format!("{},role=helper", rule(seen.file())));
        } else if !folders.contains(&folder) {
            folders.push(folder);
            rules.push(format!("path={}/*,role=helper", escaped(folder)));
        }
    }
    if programs
        .iter()
        .any(|seen| seen.path.to_string_lossy().ends_with(" (deleted)"))
    {
        warnings.push("a program was deleted while it ran: its rule will match nothing".to_owned());
    }
    Proposal {
        rules,
        main: Some(main.file().to_owned()),
        warnings,
    }
}

/// Runs that differ by less are as long: starting and ending takes about that.
const AS_LONG: Duration = Duration::from_millis(10);

/// What ran longest; of a launcher and what it launched, which run as long, the latter. The parts
/// are in the order of their first start.
fn main<'a>(parts: &[&'a Seen]) -> Option<&'a Seen> {
    let longest = parts.iter().map(|seen| seen.longest).max()?;
    let nearly = longest.mul_f64(0.5).min(longest.saturating_sub(AS_LONG));
    let by_script = |scripts: bool| {
        let alike = || {
            parts
                .iter()
                .filter(|seen| seen.script.is_some() == scripts && seen.longest >= nearly)
        };
        let longest = alike().map(|seen| seen.longest).max()?;
        alike()
            .rfind(|seen| seen.longest + AS_LONG > longest)
            .copied()
    };
    by_script(false).or_else(|| by_script(true))
}

fn rule(file: &Path) -> String {
    format!("path={}", escaped(file))
}

/// A path as a pattern that means just this path.
fn escaped(path: &Path) -> String {
    let mut out = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, script: Option<&str>, seconds: f64) -> Seen {
        let mut seen = Seen::new(Path::new(path), script.map(Path::new));
        seen.starts = 1;
        seen.longest = Duration::from_secs_f64(seconds);
        seen
    }

    #[test]
    fn what_ran_longest_is_the_program_and_the_rest_are_helpers() {
        let proposal = propose(&[
            seen("/usr/bin/dash", Some("/opt/cad/start"), 10.1),
            seen("/opt/cad/bin/cad", None, 10.0),
            seen("/opt/cad/bin/licence-splash", None, 0.5),
            seen("/usr/bin/python3.11", None, 3.0),
        ]);
        assert_eq!(
            proposal.rules,
            [
                "path=/opt/cad/bin/cad",
                "path=/opt/cad/start,role=helper",
                "path=/opt/cad/bin/licence-splash,role=helper"
            ]
        );
        assert!(proposal.warnings.is_empty());
    }

    #[test]
    fn of_a_launcher_and_a_program_that_run_as_long_the_one_that_was_started_last_is_the_program() {
        for (launcher, program) in [(0.004, 0.001), (0.0, 0.0), (10.003, 10.0)] {
            let proposal = propose(&[
                seen("/opt/cad/launch", None, launcher),
                seen("/opt/cad/bin/cad", None, program),
            ]);
            assert_eq!(proposal.rules[0], "path=/opt/cad/bin/cad");
        }
        let by_script = propose(&[
            seen("/usr/bin/dash", Some("/opt/cad/start"), 0.006),
            seen("/opt/cad/bin/cad", None, 0.001),
        ]);
        assert_eq!(by_script.rules[0], "path=/opt/cad/bin/cad");
    }

    #[test]
    fn a_script_is_the_program_where_it_is_all_there_is() {
        let proposal = propose(&[seen("/usr/bin/python3.11", Some("/opt/solve.py"), 3.0)]);
        assert_eq!(proposal.rules, ["path=/opt/solve.py"]);
    }

    #[test]
    fn many_helpers_in_one_folder_are_one_rule() {
        let mut programs = vec![seen("/opt/cad/bin/cad", None, 10.0)];
        programs.extend((0..6).map(|n| seen(&format!("/opt/cad/lib/h{n}"), None, 1.0)));
        assert_eq!(
            propose(&programs).rules,
            ["path=/opt/cad/bin/cad", "path=/opt/cad/lib/*,role=helper"]
        );
    }

    #[test]
    fn a_rule_for_a_program_of_the_system_comes_with_a_warning() {
        let proposal = propose(&[seen("/usr/bin/bash", None, 1.0)]);
        assert_eq!(proposal.rules, ["path=/usr/bin/bash"]);
        assert_eq!(proposal.warnings.len(), 1);
    }

    #[test]
    fn a_proposed_rule_means_just_the_file_that_was_seen() {
        for path in [
            "/opt/a,b/app",
            "/opt/a,role=x/[1]*?{y}",
            "/opt/a b/ü",
            "/opt/back\\slash",
        ] {
            let proposal = propose(&[seen(path, None, 1.0)]);
            let rule = usher_core::identify::Rule::parse(&proposal.rules[0]).unwrap();
            let rules = [rule];
            let set = usher_core::identify::RuleSet::new([rules.as_slice()]).unwrap();
            assert!(
                set.identify(&mut Named(path)).is_some(),
                "{path}: {}",
                proposal.rules[0]
            );
            assert!(set.identify(&mut Named("/opt/other")).is_none());
        }
    }

    struct Named(&'static str);

    impl usher_core::identify::Facts for Named {
        fn path(&self) -> &[u8] {
            self.0.as_bytes()
        }
    }
}
