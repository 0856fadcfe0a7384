//! What is wrong with a command line, or with a value from a variable or the settings file.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use super::origin::{Origin, Origins};
use crate::failure::Failure;
use crate::hints;

/// What is wrong with a line of `command`, and the place in which the wrong value was set.
pub(crate) fn explain(
    error: clap::Error,
    args: &[OsString],
    command: &Command,
    origins: &Origins,
) -> Failure {
    if let Some(failure) = of_setting(&error, args, command, origins) {
        return failure;
    }
    match hints::of(&error, args, command) {
        Some(hint) => Failure::usage(hint.message).next(hint.next),
        None => hints::without_guesses(error).into(),
    }
}

/// What is wrong with a value that was not typed.
fn of_setting(
    error: &clap::Error,
    args: &[OsString],
    command: &Command,
    origins: &Origins,
) -> Option<Failure> {
    let rejected = hints::Rejected::of(error)?;
    let option = rejected.name.strip_prefix("--")?;
    let origin = origins.of(option)?;
    if origin == Origin::CommandLine {
        return None;
    }
    let (subject, value) = (origin.subject(option), &rejected.value);
    let arg = hints::argument(&rejected.name, args, command);
    let is_flag = |arg: &&Arg| matches!(arg.get_action(), ArgAction::SetTrue);
    if arg.filter(is_flag).is_some() {
        return Some(Failure::usage(format!("{subject} is {value:?}")).next("Give true or false."));
    }
    if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue)
        && let Some((last, others)) = words.split_last()
    {
        let words = match others.is_empty() {
            true => last.clone(),
            false => format!("{} or {last}", others.join(", ")),
        };
        let failure = Failure::usage(format!("{subject} is {value:?}"));
        return Some(failure.next(format!("It can be {words}.")));
    }
    if let Some((least, most)) = arg.and_then(hints::range_of) {
        let message = match value.parse::<i128>() {
            Ok(_) => format!("{subject} is {value}"),
            Err(_) => format!("{subject} is {value:?}, which is no whole number"),
        };
        let next = format!("Give a whole number from {least} to {most}.");
        return Some(Failure::usage(message).next(next));
    }
    Some(Failure::usage(match rejected.why.as_deref() {
        // It quotes the value.
        Some(why) if why.contains(&format!("{value:?}")) => format!("{subject}: {why}"),
        Some(why) => format!("{subject} is {value:?}: {why}"),
        None => format!("{subject} is {value:?}, which it may not be"),
    }))
}
