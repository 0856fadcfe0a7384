//! Options from the environment and from `usher.toml`, behind those of the command line.
//!
//! Each long option `--some-thing` of each command is also `USHER_SOME_THING` and the key
//! `some-thing` (or `some_thing`) of the file. `[people]` is a table: its key `realms` is the option
//! `--people-realms`, and of a table of texts each pair is one value, `KEY=TEXT`. What
//! stands in `[role.manager]`, or another role's table, holds for that role alone and counts before
//! the rest; a server's certificate is never the manager's unless that table says so. A key that is
//! no option is an error that names the nearest one, or the role that has it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::failure::Failure;
use crate::hints;
use crate::host;
use crate::near::nearest;

/// The tables of the file.
const TABLES: [&str; 1] = ["people"];
/// The table of tables of roles, and the roles: each with those whose settings hold for it, the
/// first before the next.
const ROLE: &str = "role";
const ROLES: [(&str, &[&str]); 4] = [
    ("server", &["server"]),
    ("manager", &["manager"]),
    ("agent", &["agent"]),
    ("up", &["up", "server"]),
];
/// Settings of a whole file that are the server's: another account runs the manager, and another
/// name leads to it.
const SERVERS_OWN: [&str; 3] = ["tls-cert", "tls-key", "plain-http"];

type Values = BTreeMap<String, Vec<String>>;

/// A settings file that was read.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: PathBuf,
    values: Values,
    /// What holds for one role alone.
    roles: BTreeMap<String, Values>,
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
        let mut roles = BTreeMap::new();
        for (key, value) in table {
            match value {
                toml::Value::Table(tables) if key == ROLE => {
                    for (role, settings) in tables {
                        let settings = role_values(path, &role, settings)?;
                        roles.insert(role, settings);
                    }
                }
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
            roles,
        })
    }

    /// Whether the file sets that option.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Whether it holds something that is not for every command.
    pub(crate) fn differs_by_command(&self) -> bool {
        !self.roles.is_empty() || SERVERS_OWN.iter().any(|key| self.has(key))
    }

    /// What holds for `command`, which starts that role where it is the name of one.
    pub(crate) fn narrowed(mut self, command: &str) -> File {
        // `usher service` installs any role.
        if ["manager", "service"].contains(&command) {
            self.values
                .retain(|key, _| !SERVERS_OWN.contains(&key.as_str()));
        }
        let role = ROLES.iter().find(|(name, _)| *name == command);
        for role in role.map_or(&[][..], |(_, from)| from).iter().rev() {
            let own = self.roles.get(*role).into_iter().flatten();
            self.values
                .extend(own.map(|(key, words)| (key.clone(), words.clone())));
        }
        self
    }

    /// Checks that each key is an option of some command.
    pub(crate) fn check_keys(&self, command: &Command) -> Result<(), Failure> {
        let mut known = Vec::new();
        long_options(command, &mut known);
        self.check_values("", &self.values, &known)?;
        for (role, values) in &self.roles {
            let mut known = Vec::new();
            own_options(command, &mut known);
            if let Some(command) = command.find_subcommand(role) {
                long_options(command, &mut known);
            }
            self.check_values(&format!("role.{role}."), values, &known)
                .map_err(|failure| match owner(command, role, values, &known) {
                    Some(owner) => failure.next(owner),
                    None => failure,
                })?;
        }
        Ok(())
    }

    fn check_values(&self, under: &str, values: &Values, known: &[String]) -> Result<(), Failure> {
        for key in values.keys() {
            if known.contains(key) {
                continue;
            }
            let nearest = nearest(key, known.iter().map(String::as_str));
            let failure = Failure::usage(format!(
                "{}: there is no setting {under}{key}",
                self.path.display()
            ));
            return Err(match nearest {
                Some(nearest) => failure.next(format!("Did you mean {nearest}?")),
                None => failure,
            });
        }
        Ok(())
    }

    /// What is wrong with a line of `command`, and that it came from the file where it did.
    pub(crate) fn explain(
        &self,
        error: clap::Error,
        args: &[OsString],
        command: &Command,
    ) -> Failure {
        let hint = hints::of(&error, args, command);
        let arg = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(arg)) => arg.clone(),
            _ => String::new(),
        };
        let long = arg
            .trim_start_matches('-')
            .split([' ', '=', '['])
            .next()
            .unwrap_or_default();
        if !self.has(long) {
            return match hint {
                Some(hint) => Failure::usage(hint.message).next(hint.next),
                None => hints::without_guesses(error).into(),
            };
        }
        let text = error.to_string();
        let first = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        let text = hint.map_or_else(|| first.to_owned(), |hint| hint.message);
        Failure::usage(text).next(format!("The value comes from {}.", self.path.display()))
    }
}

/// Which other roles have the first option that a role does not have, as a sentence.
fn owner(command: &Command, role: &str, values: &Values, known: &[String]) -> Option<String> {
    let key = values.keys().find(|key| !known.contains(key))?;
    let has_it = |name: &&str| {
        let mut own = Vec::new();
        if let Some(command) = command.find_subcommand(*name) {
            own_options(command, &mut own);
        }
        *name != role && own.contains(key)
    };
    let owners: Vec<String> = ROLES
        .iter()
        .map(|(name, _)| *name)
        .filter(has_it)
        .map(|name| format!("[role.{name}]"))
        .collect();
    (!owners.is_empty()).then(|| format!("It is a setting of {}.", owners.join(" and ")))
}

fn wrong_kind(path: &Path, key: &str) -> Failure {
    Failure::usage(format!(
        "{}: {key} must be a text, a number, true, false or a list of these",
        path.display()
    ))
}

/// The settings of one role.
fn role_values(path: &Path, role: &str, settings: toml::Value) -> Result<Values, Failure> {
    let names = ROLES.map(|(name, _)| name);
    if !names.contains(&role) {
        return Err(
            Failure::usage(format!("{}: there is no role {role}", path.display()))
                .next(format!("The roles are {}.", names.join(", "))),
        );
    }
    let of = format!("{ROLE}.{role}");
    let toml::Value::Table(settings) = settings else {
        return Err(Failure::usage(format!(
            "{}: {of} must be a table",
            path.display()
        )));
    };
    let read = settings.into_iter().map(|(key, value)| {
        let words = words(&value).ok_or_else(|| wrong_kind(path, &format!("{of}.{key}")))?;
        Ok((key.replace('_', "-"), words))
    });
    read.collect()
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
    let places = host::own_settings().into_iter().chain([host::settings()]);
    places.map(|place| place.join("usher/usher.toml")).collect()
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
    own_options(command, into);
    for sub in command.get_subcommands() {
        long_options(sub, into);
    }
}

fn own_options(command: &Command, into: &mut Vec<String>) {
    into.extend(
        command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(|arg| arg.get_long().map(str::to_owned)),
    );
}

/// Puts the environment, but for the options that are `withheld`, and the file behind each option of
/// `command` and of what is under it.
pub(crate) fn layered(command: Command, file: &File, withheld: &[String]) -> Command {
    command
        .mut_args(|arg| layer(arg, file, withheld))
        .mut_subcommands(|sub| layered(sub, file, withheld))
}

/// The option of the environment alone for which a line is refused: another that was typed excludes
/// it, and what is typed counts before what is said for all commands.
pub(crate) fn excluded(error: &clap::Error, args: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::ArgumentConflict {
        return None;
    }
    let named = [ContextKind::InvalidArg, ContextKind::PriorArg];
    let named = named.into_iter().filter_map(|kind| error.get(kind));
    let mut options = named.flat_map(|value| match value {
        ContextValue::String(one) => vec![one.clone()],
        ContextValue::Strings(many) => many.clone(),
        _ => Vec::new(),
    });
    options.find_map(|option| {
        let long = option.strip_prefix("--")?.split([' ', '=', '[']).next()?;
        let is_typed = |word: &OsString| {
            let word = word.to_str().and_then(|word| word.strip_prefix("--"));
            word.is_some_and(|word| word.split('=').next() == Some(long))
        };
        (!args.iter().any(is_typed)).then(|| long.to_owned())
    })
}

fn layer(arg: Arg, file: &File, withheld: &[String]) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else {
        return arg;
    };
    if arg.is_hide_set() {
        return arg;
    }
    let variable = format!("USHER_{}", long.to_uppercase().replace('-', "_"));
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    // An empty one means that it is not set, as scripts and unit files write that.
    let is_set = std::env::var_os(&variable).is_some_and(|value| !value.is_empty())
        && !withheld.contains(&long);
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
mod tests;
