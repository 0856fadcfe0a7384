//! The settings file: finds it, reads it, and checks it for unknown keys.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};

use crate::failure::Failure;
use crate::host;
use crate::near::nearest;

/// The tables of the file.
const TABLES: [&str; 3] = ["people", "groups", "retention"];
/// The table of tables of roles, and the roles: each with those whose settings hold for it, the
/// first before the next.
const ROLE: &str = "role";
/// The table of what a manager watches of other licence servers, a table each.
const WATCH: &str = "watch";
const ROLES: [(&str, &[&str]); 4] = [
    ("server", &["server"]),
    ("manager", &["manager"]),
    ("agent", &["agent"]),
    ("up", &["up", "server"]),
];
/// Settings of the whole file that are only the server's: another account runs the manager, and
/// another name leads to it.
const SERVERS_OWN: [&str; 3] = ["tls-cert", "tls-key", "plain-http"];

type Values = BTreeMap<String, Setting>;

/// The file's value of one option.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Its name in the file: `keep-days`, `people.realms`, `role.server.listen`.
    key: String,
    pub(super) words: Vec<String>,
}

impl Setting {
    /// Of a value that the file has under `key`.
    fn of(path: &Path, key: String, words: Option<Vec<String>>) -> Result<Setting, Failure> {
        match words {
            Some(words) => Ok(Setting { key, words }),
            None => Err(wrong_kind(path, &key)),
        }
    }
}

/// A settings file that was read.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: PathBuf,
    values: Values,
    /// What holds for one role alone.
    roles: BTreeMap<String, Values>,
    /// What a manager watches, by name.
    watches: Watches,
}

/// The settings of one watch: each key with its words.
pub(crate) type Watch = BTreeMap<String, Vec<String>>;
/// What a manager watches, by name.
pub(crate) type Watches = BTreeMap<String, Watch>;

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

    pub(super) fn from_text(path: &Path, text: &str) -> Result<File, Failure> {
        let table: toml::Table = text.parse().map_err(|error| {
            Failure::usage(format!(
                "the settings file {} is not TOML: {error}",
                path.display()
            ))
        })?;
        let mut values = BTreeMap::new();
        let mut roles = BTreeMap::new();
        let mut watches = BTreeMap::new();
        for (key, value) in table {
            match value {
                toml::Value::Table(tables) if key == ROLE => {
                    for (role, settings) in tables {
                        let settings = role_values(path, &role, settings)?;
                        roles.insert(role, settings);
                    }
                }
                toml::Value::Table(tables) if key == WATCH => {
                    for (name, settings) in tables {
                        let settings = watch_values(path, &name, settings)?;
                        watches.insert(name, settings);
                    }
                }
                toml::Value::Table(settings) if TABLES.contains(&key.as_str()) => {
                    for (part, value) in settings {
                        let words = pairs(&value).or_else(|| words(&value));
                        let setting = Setting::of(path, format!("{key}.{part}"), words)?;
                        values.insert(format!("{key}-{}", part.replace('_', "-")), setting);
                    }
                }
                value => {
                    let option = key.replace('_', "-");
                    values.insert(option, Setting::of(path, key, words(&value))?);
                }
            }
        }
        Ok(File {
            path: path.to_owned(),
            values,
            roles,
            watches,
        })
    }

    /// What a manager watches of other licence servers, and the file that says so.
    #[allow(dead_code, reason = "a manager runs on Linux alone")]
    pub(super) fn watches(&self) -> (&Path, &Watches) {
        (&self.path, &self.watches)
    }

    /// Whether the file sets that option.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// What the file says of that option.
    pub(super) fn setting(&self, option: &str) -> Option<&Setting> {
        self.values.get(option)
    }

    /// The file's path and its key for that option, if it sets the option.
    pub(super) fn place(&self, option: &str) -> Option<(&Path, &str)> {
        let setting = self.values.get(option)?;
        Some((&self.path, &setting.key))
    }

    /// Whether it has settings that are not for every command.
    pub(crate) fn differs_by_command(&self) -> bool {
        !self.roles.is_empty() || SERVERS_OWN.iter().any(|key| self.has(key))
    }

    /// What holds for `command`, which starts that role if it is the name of one.
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
                .extend(own.map(|(option, setting)| (option.clone(), setting.clone())));
        }
        self
    }

    /// Checks that each key is an option of some command, and has as many values as that takes.
    pub(crate) fn check_keys(&self, command: &Command) -> Result<(), Failure> {
        let all = self
            .values
            .iter()
            .chain(self.roles.values().flat_map(BTreeMap::iter));
        for name in self.watches.keys() {
            usher_watch::check_name(name)
                .map_err(|why| Failure::usage(format!("{}: {why}", self.path.display())))?;
        }
        let mut not_one = all.filter(|(_, setting)| setting.words.len() != 1);
        if let Some((_, setting)) = not_one.find(|(option, _)| takes_one(command, option)) {
            return Err(Failure::usage(format!(
                "{}: {} is a list of {}, and takes one value",
                self.path.display(),
                setting.key,
                setting.words.len()
            ))
            .next("Write one value without [ ], or leave the line out."));
        }
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
        "{}: {key} must be a text, a whole number, true, false or a list of these",
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
        let option = key.replace('_', "-");
        Ok((
            option,
            Setting::of(path, format!("{of}.{key}"), words(&value))?,
        ))
    });
    read.collect()
}

/// The settings of one watch.
fn watch_values(path: &Path, name: &str, settings: toml::Value) -> Result<Watch, Failure> {
    let of = format!("{WATCH}.{name}");
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

/// The file that the command line or the environment names. Words behind `--` belong to the command
/// that is to be run.
pub(super) fn named(args: &[OsString]) -> Option<PathBuf> {
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

/// Whether an option is known and no command takes more than one value of it.
fn takes_one(command: &Command, option: &str) -> bool {
    fn look<'c>(command: &'c Command, option: &str, found: &mut Vec<&'c Arg>) {
        let args = command.get_arguments();
        found.extend(args.filter(|arg| arg.get_long() == Some(option)));
        for sub in command.get_subcommands() {
            look(sub, option, found);
        }
    }
    let mut found = Vec::new();
    look(command, option, &mut found);
    let takes_many = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Append);
    !found.is_empty() && !found.iter().any(takes_many)
}

fn long_options(command: &Command, into: &mut Vec<String>) {
    own_options(command, into);
    for sub in command.get_subcommands() {
        long_options(sub, into);
    }
}

pub(super) fn own_options(command: &Command, into: &mut Vec<String>) {
    into.extend(
        command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(|arg| arg.get_long().map(str::to_owned)),
    );
}
