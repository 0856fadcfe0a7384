//! Which readers there are, with what is built for each and where its first inputs come from.

/// A reader that is given made-up bytes.
#[derive(Debug)]
pub(super) struct Target {
    /// As it is called on the command line and in the table.
    pub(super) name: &'static str,
    /// The package of its program, from the root.
    pub(super) package: &'static str,
    /// Its program.
    pub(super) program: &'static str,
    /// The kind of files, if the program reads several.
    pub(super) kind: Option<&'static str>,
    /// What it begins with.
    pub(super) seeds: Seeds,
}

/// The first inputs of a target.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seeds {
    /// The texts of the tests in a folder, which is named from the root.
    TextsOfTests(&'static str),
    /// Small programs of Windows.
    Programs,
}

const IMPORTS: &str = "crates/imports/fuzz";

/// A kind of files that `usher import` reads.
const fn kind(name: &'static str, tests: &'static str) -> Target {
    Target {
        name,
        package: IMPORTS,
        program: "files",
        kind: Some(name),
        seeds: Seeds::TextsOfTests(tests),
    }
}

impl Target {
    /// All of them, in the order of the table; the kinds as the API lists them.
    pub(super) const ALL: &[Target] = &[
        kind("flexnet-licence", "crates/imports/src/flexnet/licence"),
        kind("flexnet-options", "crates/imports/src/flexnet/options"),
        kind("flexnet-log", "crates/imports/src/flexnet/log"),
        kind("lmstat", "crates/imports/src/flexnet/lmstat"),
        kind("rlm-log", "crates/imports/src/rlm/report"),
        kind("rlmstat", "crates/imports/src/rlm/rlmstat"),
        kind("lmx", "crates/imports/src/lmx"),
        kind("dsls", "crates/imports/src/dsls"),
        kind("lsmon", "crates/imports/src/lsmon"),
        kind("olicense", "crates/imports/src/olicense"),
        kind("lstc", "crates/imports/src/lstc"),
        kind("slurm", "crates/imports/src/slurm"),
        kind("configmgr", "crates/imports/src/configmgr"),
        kind("sessions-csv", "crates/imports/src/sessions_csv"),
        Target {
            name: "watched",
            package: IMPORTS,
            program: "watched",
            kind: None,
            seeds: Seeds::TextsOfTests("crates/imports/src/import"),
        },
        Target {
            name: "map",
            package: IMPORTS,
            program: "map",
            kind: None,
            seeds: Seeds::TextsOfTests("crates/imports/src/summary"),
        },
        Target {
            name: "version-resource",
            package: "crates/pe/fuzz",
            program: "version_resource",
            kind: None,
            seeds: Seeds::Programs,
        },
    ];

    /// The one of that name.
    pub(super) fn of_name(name: &str) -> Result<&'static Target, String> {
        let found = Target::ALL.iter().find(|target| target.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = Target::ALL.iter().map(|target| target.name).collect();
            format!(
                "there is no fuzz target {name:?}; there are {}",
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_source_and_where_its_first_inputs_come_from() {
        let root = crate::workspace_root();
        for target in Target::ALL {
            let source = format!("{}/fuzz_targets/{}.rs", target.package, target.program);
            assert!(root.join(&source).is_file(), "{source}");
            if let Seeds::TextsOfTests(folder) = target.seeds {
                assert!(root.join(folder).exists(), "{folder}");
            }
        }
    }

    #[test]
    fn each_kind_that_is_imported_has_a_target() {
        let root = crate::workspace_root();
        let api = std::fs::read_to_string(root.join("crates/api/src/imports.rs")).unwrap();
        let (_, words) = api.split_once("pub fn word(self)").unwrap();
        let (words, _) = words.split_once("/// The kind of that word").unwrap();
        let words: Vec<&str> = words.split('"').skip(1).step_by(2).collect();
        let kinds: Vec<&str> = Target::ALL
            .iter()
            .filter_map(|target| target.kind)
            .collect();
        assert!(words.len() > 10, "{words:?}");
        assert_eq!(words, kinds);
    }
}
