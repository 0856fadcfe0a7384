//! What is wrong with the value of an option or an argument.

use std::error::Error;
use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command};

use super::{Hint, called, context, is_figure, words};

/// A value that is not accepted.
pub(crate) struct Rejected {
    /// `--option`, or the name of an argument without an option.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
    /// The parser's message, if the value is not one of a list of words.
    pub(crate) why: Option<String>,
    /// Whether the value has to follow `=`, because it may be left out.
    takes_equals: bool,
}

impl Rejected {
    /// The value that an error is about; `None` if it is about something else.
    pub(crate) fn of(error: &clap::Error) -> Option<Rejected> {
        let is_value = [ErrorKind::ValueValidation, ErrorKind::InvalidValue];
        if !is_value.contains(&error.kind()) {
            return None;
        }
        let named = context(error, ContextKind::InvalidArg)?;
        let name = match named.split([' ', '=', '[']).next() {
            Some(option) if option.starts_with("--") => option,
            // The name of an argument without an option.
            _ => named.trim_matches(['<', '>', '[', ']', '.']),
        };
        Some(Rejected {
            name: name.to_owned(),
            value: context(error, ContextKind::InvalidValue).unwrap_or_default(),
            why: error.source().map(ToString::to_string),
            takes_equals: named.contains("[="),
        })
    }
}

/// The definition of the argument of that name.
pub(crate) fn argument<'c>(name: &str, args: &[OsString], command: &'c Command) -> Option<&'c Arg> {
    let (_, called) = called(&words(args), command);
    let is_meant = |arg: &&Arg| match name.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => {
            let mut names = arg.get_value_names().unwrap_or_default().iter();
            arg.get_long().is_none() && names.any(|it| it.as_str() == name)
        }
    };
    // What every command takes is defined once.
    called
        .get_arguments()
        .find(is_meant)
        .or_else(|| command.get_arguments().find(is_meant))
}

/// The smallest and the greatest whole number that an argument accepts; `None` if it accepts other
/// values.
pub(crate) fn range_of(arg: &Arg) -> Option<(String, String)> {
    // Its reader tells the range of a number that is outside of it, and there is no other way to ask.
    const OUTSIDE: [&str; 2] = ["-9223372036854775808", "18446744073709551615"];
    let probe = Arg::new("probe")
        .long("probe")
        .value_parser(arg.get_value_parser().clone());
    let command = Command::new("probe").arg(probe);
    OUTSIDE.iter().find_map(|number| {
        let line = ["probe".to_owned(), format!("--probe={number}")];
        let error = command.clone().try_get_matches_from(line).err()?;
        range_in(&error.source()?.to_string())
    })
}

/// The range in the message of a number's parser: `0 is not in 1..=9`.
fn range_in(why: &str) -> Option<(String, String)> {
    let (_, range) = why.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=")?;
    Some((least.to_owned(), most.to_owned()))
}

/// What is wrong with a number.
pub(super) fn number(error: &clap::Error, args: &[OsString], command: &Command) -> Option<Hint> {
    let rejected = Rejected::of(error)?;
    let (name, value, why) = (&rejected.name, &rejected.value, rejected.why.as_deref()?);
    let range = || {
        let known = range_in(why);
        let (least, most) = known.or_else(|| range_of(argument(name, args, command)?))?;
        Some(format!("Give a whole number from {least} to {most}."))
    };
    if range_in(why).is_some() {
        return Hint::new(format!("{name} is {value}"), range()?);
    }
    match why {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            let figures = || match name.starts_with("--") {
                true => format!("Give it in figures, such as {name} 5."),
                false => "Give it in figures, such as 5.".to_owned(),
            };
            Hint::new(
                format!("{name} is {value:?}, which is no whole number"),
                range().unwrap_or_else(figures),
            )
        }
        "number too large to fit in target type" | "number too small to fit in target type" => {
            Hint::new(
                format!("{name} is {value}, which is out of bounds"),
                range().unwrap_or_else(|| "`--help` says what it is.".to_owned()),
            )
        }
        _ if name.starts_with("--") && value.starts_with('-') && is_figure(value) => {
            below_zero(name, value, rejected.takes_equals)
        }
        _ => None,
    }
}

/// A hint for a negative value, if none below 0 is accepted. If the option's value may be left out,
/// the value has to follow `=`.
pub(super) fn below_zero(option: &str, value: &str, takes_equals: bool) -> Option<Hint> {
    let positive = value.trim_start_matches('-');
    let between = if takes_equals { "=" } else { " " };
    Hint::new(
        format!("{option} is {value}: it takes no value below 0"),
        format!("Leave the minus out: {option}{between}{positive}"),
    )
}
