//! Options from the environment and from `usher.toml`, behind those of the command line.
//!
//! Each long option `--some-thing` of each command is also `USHER_SOME_THING` and the key
//! `some-thing` (or `some_thing`) of the file. `[people]`, `[groups]` and `[retention]` are tables: the key `realms`
//! of `[people]` is the option `--people-realms`, and of a table of texts each pair is one value,
//! `KEY=TEXT`. What stands in `[role.manager]`, or another role's table, holds for that role alone and counts before
//! the rest; a server's certificate is never the manager's unless that table says so. A key that is
//! no option is an error that names the nearest one, or the role that has it. What is wrong with a
//! value is reported with its origin: the command line, a variable, or the file.

mod file;
mod origin;
mod wrong;

use std::ffi::OsString;

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

pub(crate) use self::file::File;
#[cfg(target_os = "linux")]
pub(crate) use self::file::Watch;
pub(crate) use self::file::Watches;
pub(crate) use self::origin::Origins;
pub(crate) use self::wrong::explain;

/// Puts the environment, but for the options that are `withheld`, and the file behind each option of
/// `command` and of what is under it.
pub(crate) fn layered(command: Command, file: &File, withheld: &[String]) -> Command {
    command
        .mut_args(|arg| layer(arg, file, withheld))
        .mut_subcommands(|sub| layered(sub, file, withheld))
}

/// The option, set only by the environment, that a typed option excludes. The typed option counts,
/// so the variable is ignored.
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
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    // A setting of that name is what the manager calls its site.
    if is_flag && long == "site" {
        return arg;
    }
    let variable = origin::variable(&long).filter(|_| !withheld.contains(&long));
    let mut arg = match variable {
        Some(variable) => arg.env(variable).hide_env(true),
        None => arg,
    };
    if is_flag {
        arg = arg.value_parser(BoolishValueParser::new());
    }
    match file.setting(&long) {
        Some(setting) => arg
            .required(false)
            .default_values(setting.words.clone())
            .hide_default_value(!is_flag),
        None => arg,
    }
}

#[cfg(test)]
mod tests;
