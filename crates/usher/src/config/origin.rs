//! Where the value of an option comes from, as a message names it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::file::File;
use crate::failure::Failure;

/// Where the value of an option comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was typed on the command line.
    CommandLine,
    /// From that variable of the environment.
    Variable(String),
    /// It was set in the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The key in the file.
        key: String,
    },
}

impl Origin {
    /// Names the origin of `--option`: `keep-days in /etc/usher/usher.toml`.
    pub(super) fn subject(&self, option: &str) -> String {
        match self {
            Origin::CommandLine => format!("--{option}"),
            Origin::Variable(name) => name.clone(),
            Origin::File { path, key } => format!("{key} in {}", path.display()),
        }
    }
}

/// Where the values of all options come from.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    typed: BTreeSet<String>,
    /// Options whose variable is not read, because a typed option excludes them.
    withheld: BTreeSet<String>,
    file: File,
}

impl Origins {
    /// For a command line with that settings file, and the environment without the options that are
    /// `withheld`.
    pub(crate) fn new(args: &[OsString], withheld: &[String], file: File) -> Origins {
        // What stands behind `--` belongs to the command that is to be run.
        let own = args.iter().skip(1).take_while(|word| *word != "--");
        let typed = own.filter_map(|word| word.to_str()?.strip_prefix("--"));
        let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        Origins {
            typed: typed.map(name).collect(),
            withheld: withheld.iter().cloned().collect(),
            file,
        }
    }

    /// What a manager watches of other licence servers by the settings file, and that file.
    #[allow(dead_code, reason = "a manager runs on Linux alone")]
    pub(crate) fn watches(&self) -> (&std::path::Path, &super::file::Watches) {
        self.file.watches()
    }

    /// Where the value of `--option` comes from; `None` if it was not given.
    pub(super) fn of(&self, option: &str) -> Option<Origin> {
        if self.typed.contains(option) {
            return Some(Origin::CommandLine);
        }
        let variable = variable(option).filter(|_| !self.withheld.contains(option));
        match variable {
            Some(name) => Some(Origin::Variable(name)),
            None => self.file.place(option).map(|(path, key)| Origin::File {
                path: path.to_owned(),
                key: key.to_owned(),
            }),
        }
    }

    /// The failure, with the origin of each option that it names, unless the option was typed.
    pub(crate) fn told(&self, failure: Failure) -> Failure {
        let named = failure.message().map(options).unwrap_or_default();
        named.iter().rev().fold(failure, |failure, option| {
            match self.of(option).filter(|it| *it != Origin::CommandLine) {
                Some(origin) => failure.first(&format!(
                    "The value of --{option} comes from {}.",
                    origin.subject(option)
                )),
                None => failure,
            }
        })
    }
}

/// The variable of the environment that sets `--option`, if it is set. An empty one means that it is
/// not set, as scripts and unit files write that.
pub(super) fn variable(option: &str) -> Option<String> {
    // That one says how much is logged.
    if option == "log" {
        return None;
    }
    let name = format!("USHER_{}", option.to_uppercase().replace('-', "_"));
    let is_set = std::env::var_os(&name).is_some_and(|value| !value.is_empty());
    is_set.then_some(name)
}

/// The options that a text names, each once, without their dashes.
fn options(text: &str) -> Vec<String> {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let mut named = Vec::new();
    for (at, _) in text.match_indices("--") {
        let is_within = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
        let rest = &text[at + 2..];
        let name: String = rest.chars().take_while(|c| is_of_name(*c)).collect();
        let name = name.trim_end_matches('-').to_owned();
        if !is_within
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !named.contains(&name)
        {
            named.push(name);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_options_that_a_text_names_are_found_once_each() {
        let text = "--mail-from \"a--b\" is none: give --mail-from=X, --tls-key (--tls-cert), --, \
                    ---x or --1 instead of --beat-url.";
        assert_eq!(
            options(text),
            ["mail-from", "tls-key", "tls-cert", "beat-url"]
        );
    }

    #[test]
    fn an_option_that_is_named_is_told_with_where_it_was_given_unless_it_was_typed() {
        let text = "mail-from = \"x\"\nsite = \"y\"\n[role.manager]\nsmtp_relay = \"z\"";
        let file = File::from_text(Path::new("/etc/usher/usher.toml"), text).unwrap();
        let args = ["usher", "manager", "--site", "b", "--", "--mail-from"].map(OsString::from);
        let origins = Origins::new(&args, &[], file.narrowed("manager"));
        let failure = Failure::usage("--mail-from, --site and --smtp-relay, and no --poll")
            .next("Write them otherwise.");
        insta::assert_snapshot!(origins.told(failure), @r"
        usher: --mail-from, --site and --smtp-relay, and no --poll
          The value of --mail-from comes from mail-from in /etc/usher/usher.toml.
          The value of --smtp-relay comes from role.manager.smtp_relay in /etc/usher/usher.toml.
          Write them otherwise.
        ");
    }
}
