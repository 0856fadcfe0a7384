//! Options from the environment and from `usher.toml`, behind those of the command line.
//!
//! Each long option `--some-thing` of each command is also `USHER_SOME_THING` and the key
//! `some-thing` (or `some_thing`) of the file. `[people]` is a table: its key `realms` is the option
//! `--people-realms`, and of a table of texts each pair is one value, `KEY=TEXT`. A key that is no
//! option is an error that names the nearest one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use crate::failure::Failure;

/// The tables of the file.
const TABLES: [&str; 1] = ["people"];

/// A settings file that was read.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
}

impl File {
    /// Finds the file that `args`, the environment or the usual places name, and reads it.
    pub(crate) fn find(args: &[OsString]) -> Result<File, Failure> {
        if let Some(path) = named(args) {
            return File::read(&path);
        }
        match usual_places().into_iter().find(|path| path.is_file()) {
            Some(path) => File::read(&path),
            None => Ok(File::default()),
        }
    }

    fn read(path: &Path) -> Result<File, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the settings file {}: {error}",
                path.display()
            ))
        })?;
        File::from_text(path, &text)
    }

    fn from_text(path: &Path, text: &str) -> Result<File, Failure> {
        let table: toml::Table = text.parse().map_err(|error| {
            Failure::usage(format!(
                "the settings file {} is not TOML: {error}",
                path.display()
            ))
        })?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            match value {
                toml::Value::Table(settings) if TABLES.contains(&key.as_str()) => {
                    for (part, value) in settings {
                        let words = pairs(&value).or_else(|| words(&value));
                        let of = format!("{key}.{part}");
                        let words = words.ok_or_else(|| wrong_kind(path, &of))?;
                        values.insert(format!("{key}-{}", part.replace('_', "-")), words);
                    }
                }
                value => {
                    let words = words(&value).ok_or_else(|| wrong_kind(path, &key))?;
                    values.insert(key.replace('_', "-"), words);
                }
            }
        }
        Ok(File {
            path: path.to_owned(),
            values,
        })
    }

    /// Whether the file sets that option.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Checks that each key is an option of some command.
    pub(crate) fn check_keys(&self, command: &Command) -> Result<(), Failure> {
        let mut known = Vec::new();
        long_options(command, &mut known);
        for key in self.values.keys() {
            if known.contains(key) {
                continue;
            }
            let nearest = known
                .iter()
                .min_by_key(|option| strsim::damerau_levenshtein(option, key));
            let failure = Failure::usage(format!(
                "{}: there is no setting {key}",
                self.path.display()
            ));
            return Err(match nearest {
                Some(nearest) => failure.next(format!("Did you mean {nearest}?")),
                None => failure,
            });
        }
        Ok(())
    }

    /// Says so where an error is about a value that came from the file.
    pub(crate) fn explain(&self, error: clap::Error) -> Failure {
        let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else {
            return error.into();
        };
        let long = arg
            .trim_start_matches('-')
            .split([' ', '=', '['])
            .next()
            .unwrap_or_default();
        if !self.has(long) {
            return error.into();
        }
        let text = error.to_string();
        let text = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        Failure::usage(text).next(format!("The value comes from {}.", self.path.display()))
    }
}

fn wrong_kind(path: &Path, key: &str) -> Failure {
    Failure::usage(format!(
        "{}: {key} must be a text, a number, true, false or a list of these",
        path.display()
    ))
}

/// The file that the command line or the environment names. What stands behind `--` belongs to the
/// command that is to be run.
fn named(args: &[OsString]) -> Option<PathBuf> {
    let mut args = args.iter().skip(1).take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("USHER_CONFIG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if !rustix::process::geteuid().is_root() {
        let home = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")));
        places.extend(home.map(|home| home.join("usher/usher.toml")));
    }
    places.push(PathBuf::from("/etc/usher/usher.toml"));
    places
}

fn words(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(yes) => Some(vec![yes.to_string()]),
        toml::Value::Datetime(time) => Some(vec![time.to_string()]),
        toml::Value::Array(items) => {
            let words: Option<Vec<Vec<String>>> = items.iter().map(words).collect();
            words.map(|words| words.concat())
        }
        toml::Value::Float(_) | toml::Value::Table(_) => None,
    }
}

/// `{ sss = "corp.example" }` as `sss=corp.example`.
fn pairs(value: &toml::Value) -> Option<Vec<String>> {
    let pairs = value.as_table()?.iter();
    pairs
        .map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect()
}

fn long_options(command: &Command, into: &mut Vec<String>) {
    into.extend(
        command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(|arg| arg.get_long().map(str::to_owned)),
    );
    for sub in command.get_subcommands() {
        long_options(sub, into);
    }
}

/// Puts the environment and the file behind each option of `command` and of what is under it.
pub(crate) fn layered(command: Command, file: &File) -> Command {
    command
        .mut_args(|arg| layer(arg, file))
        .mut_subcommands(|sub| layered(sub, file))
}

fn layer(arg: Arg, file: &File) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else {
        return arg;
    };
    if arg.is_hide_set() {
        return arg;
    }
    let variable = format!("USHER_{}", long.to_uppercase().replace('-', "_"));
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    // An empty one means that it is not set, as scripts and unit files write that.
    let is_set = std::env::var_os(&variable).is_some_and(|value| !value.is_empty());
    let mut arg = match is_set {
        true => arg.env(variable).hide_env(true),
        false => arg,
    };
    if is_flag {
        arg = arg.value_parser(BoolishValueParser::new());
    }
    match file.values.get(&long) {
        Some(words) => arg
            .required(false)
            .default_values(words.clone())
            .hide_default_value(!is_flag),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn file(text: &str) -> Result<File, Failure> {
        let file = File::from_text(Path::new("usher.toml"), text)?;
        file.check_keys(&cli::command())?;
        Ok(file)
    }

    fn server(file: &File, line: &[&str]) -> String {
        let matches = layered(cli::command(), file)
            .try_get_matches_from(line)
            .unwrap();
        matches.get_one::<String>("server").unwrap().clone()
    }

    #[test]
    fn a_flag_counts_before_the_file_and_the_file_before_the_default() {
        let file = file("server = \"http://file:1\"").unwrap();
        assert_eq!(server(&file, &["usher", "status"]), "http://file:1");
        assert_eq!(
            server(&file, &["usher", "status", "--server", "http://flag:1"]),
            "http://flag:1"
        );
        assert_eq!(
            server(&File::default(), &["usher", "status"]),
            cli::DEFAULT_SERVER
        );
    }

    #[test]
    fn a_key_that_is_no_option_is_refused_and_the_nearest_named() {
        let failure = file("sever = \"http://file:1\"").unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usher: usher.toml: there is no setting sever
          Did you mean server?
        ");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        let failure = file("server = { url = \"x\" }").unwrap_err();
        insta::assert_snapshot!(failure, @"usher: usher.toml: server must be a text, a number, true, false or a list of these");
    }

    #[test]
    fn a_table_of_the_file_sets_the_options_that_begin_with_its_name() {
        let text = "[people]\nlocal_accounts = \"by_name\"\n\
                    realms = { sss = \"corp.example\", CORP = \"corp.example\" }";
        let file = file(text).unwrap();
        let line = ["usher", "agent"];
        let matches = layered(cli::command(), &file)
            .try_get_matches_from(line)
            .unwrap();
        let (_, agent) = matches.subcommand().unwrap();
        let realms: Vec<&String> = agent.get_many("people_realms").unwrap().collect();
        assert_eq!(realms, ["CORP=corp.example", "sss=corp.example"]);
        assert_eq!(
            file.values.get("people-local-accounts"),
            Some(&vec!["by_name".to_owned()])
        );
    }

    #[test]
    fn a_table_of_the_file_takes_no_key_that_is_no_option() {
        let failure = file("[people]\nrealm = { sss = \"x\" }").unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usher: usher.toml: there is no setting people-realm
          Did you mean people-realms?
        ");
        let failure = file("[people]\nrealms = { sss = 1.5 }").unwrap_err();
        insta::assert_snapshot!(failure, @"usher: usher.toml: people.realms must be a text, a number, true, false or a list of these");
    }

    #[test]
    fn an_error_in_a_value_of_the_file_names_the_file() {
        let file = file("listen = \"nowhere\"").unwrap();
        let error = layered(cli::command(), &file)
            .try_get_matches_from(["usher", "up"])
            .unwrap_err();
        insta::assert_snapshot!(file.explain(error), @r"
        usher: invalid value 'nowhere' for '--listen <ADDR>': invalid socket address syntax
          The value comes from usher.toml.
        ");
    }

    #[test]
    fn a_flag_can_be_switched_on_in_the_file() {
        let file = file("json = true").unwrap();
        let matches = layered(cli::command(), &file)
            .try_get_matches_from(["usher", "status"])
            .unwrap();
        assert!(matches.get_flag("json"));
    }

    #[test]
    fn the_options_of_the_command_that_is_run_are_not_read() {
        let args = ["usher", "run", "--", "tool", "--config", "/nowhere"].map(OsString::from);
        assert_eq!(named(&args), None);
    }
}
