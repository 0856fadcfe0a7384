//! What is wrong with a command line, in words that help: the reader of the line guesses, and some
//! of its guesses mislead.

mod apart;
mod entitlements;
mod tokens;
mod value;

use std::ffi::OsString;
use std::fmt::Display;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

pub(crate) use self::value::{Rejected, argument, range_of};
use self::value::{below_zero, number};
use crate::output::{quoted, tame};

/// What is wrong, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) message: String,
    pub(crate) next: String,
}

impl Hint {
    fn new(message: impl Display, next: impl Display) -> Option<Hint> {
        Some(Hint {
            message: message.to_string(),
            next: next.to_string(),
        })
    }
}

/// What is better said in words of our own; none if the reader's are good. `command` is the
/// definition of the whole line.
pub(crate) fn of(error: &clap::Error, args: &[OsString], command: &Command) -> Option<Hint> {
    let is_of_a_word = matches!(
        error.kind(),
        ErrorKind::UnknownArgument | ErrorKind::InvalidValue | ErrorKind::ValueValidation
    );
    let of_a_time = || {
        let words = words(args);
        apart::words_of_a_time(&words, called(&words, command).1)
    };
    if let Some(hint) = is_of_a_word.then(of_a_time).flatten() {
        return Some(hint);
    }
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, args, command),
        ErrorKind::ValueValidation => number(error, args, command),
        ErrorKind::InvalidSubcommand => {
            let word = context(error, ContextKind::InvalidSubcommand)?;
            entitlements::word(&called(&words(args), command).0, &word)
        }
        ErrorKind::MissingRequiredArgument => rehearsal(error, args)
            .or_else(|| no_command(error))
            .or_else(|| {
                let missing = context(error, ContextKind::InvalidArg)?;
                tokens::bound(&called(&words(args), command).0, &missing)
            }),
        _ => None,
    }
}

/// The error without guesses that mislead: that something was meant as a value, for no id begins
/// with a minus, and options that only have letters in common with what was typed.
pub(crate) fn without_guesses(mut error: clap::Error) -> clap::Error {
    let guess = context(&error, ContextKind::SuggestedArg);
    let typed = context(&error, ContextKind::InvalidArg);
    if let (Some(guess), Some(typed)) = (guess, typed)
        && !is_near(&typed, &guess)
    {
        error.remove(ContextKind::SuggestedArg);
    }
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
        let kept = tips
            .iter()
            .filter(|tip| !tip.to_string().contains("as a value"));
        let kept = kept.cloned().collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(kept));
    }
    error
}

/// Whether one option may be a slip of the other: the beginning of it, or with a wrong letter in
/// three.
fn is_near(typed: &str, option: &str) -> bool {
    let name = |text: &str| text.trim_start_matches('-').to_lowercase();
    let (typed, option) = (name(typed), name(option));
    let letters_wrong = strsim::damerau_levenshtein(&typed, &option);
    option.starts_with(&typed) || letters_wrong <= (typed.chars().count() / 3).max(1)
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

fn words(args: &[OsString]) -> Vec<&str> {
    let own = args.iter().take_while(|arg| *arg != "--");
    own.filter_map(|arg| arg.to_str()).collect()
}

fn unknown(error: &clap::Error, args: &[OsString], command: &Command) -> Option<Hint> {
    let unknown = context(error, ContextKind::InvalidArg)?;
    let words = words(args);
    if unknown.starts_with('-') && is_figure(&unknown) {
        // The reader names the first letter alone.
        let at = words.iter().position(|word| word.starts_with(&*unknown))?;
        let (word, before) = (words[at], words[at.checked_sub(1)?]);
        if !before.starts_with("--") {
            return Hint::new(
                format!("{word} is no option"),
                "`usher help` lists the commands, and --help behind one its options.",
            );
        }
        return as_value(before, word, args, command).or_else(|| below_zero(before, word, false));
    }
    let (name, command) = called(&words, command);
    if unknown.starts_with('-') {
        return entitlements::option(&name, unknown.split('=').next()?);
    }
    if let Some(hint) = apart::wait(&words, command) {
        return Some(hint);
    }
    match &*name {
        "run" => run(&unknown, args),
        name => product(name, &unknown, command),
    }
}

/// A word that is none of `usher run`'s: the command, or its product if there is a command.
fn run(unknown: &str, args: &[OsString]) -> Option<Hint> {
    let behind = args.iter().skip_while(|word| *word != "--").skip(1);
    let behind: Vec<String> = behind.map(|word| quoted(&word.to_string_lossy())).collect();
    let message = format!("{unknown} stands where an option of `usher run` may stand");
    match behind.is_empty() {
        true => Hint::new(
            message,
            format!(
                "The command that is to run stands behind --: usher run [OPTIONS] -- {unknown}"
            ),
        ),
        false => Hint::new(
            message,
            format!(
                "If it is a product: usher run --product {} -- {}",
                quoted(unknown),
                tame(&behind.join(" "))
            ),
        ),
    }
}

/// The subcommand that the words call, with its name.
fn called<'c>(words: &[&str], whole: &'c Command) -> (String, &'c Command) {
    let mut names = Vec::new();
    let mut command = whole;
    for word in words.iter().skip(1) {
        if let Some(below) = command.find_subcommand(word) {
            names.push(*word);
            command = below;
        }
    }
    (names.join(" "), command)
}

/// Whether a word that begins with a minus goes on with a figure.
fn is_figure(word: &str) -> bool {
    word.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// What is wrong with `word` as the value of an option, as if `=` stood between them.
fn as_value(option: &str, word: &str, args: &[OsString], command: &Command) -> Option<Hint> {
    let at = args
        .windows(2)
        .position(|pair| pair[0] == option && pair[1] == word)?;
    let mut joined = args.to_vec();
    joined.splice(at..=at + 1, [OsString::from(format!("{option}={word}"))]);
    let error = command.clone().try_get_matches_from(joined).err()?;
    (error.kind() == ErrorKind::ValueValidation)
        .then(|| number(&error, args, command))
        .flatten()
}

/// A list of one product is asked for as people say it.
fn product(name: &str, word: &str, command: &Command) -> Option<Hint> {
    let has_product = command
        .get_arguments()
        .any(|arg| arg.get_long() == Some("product"));
    let instead = match (name, has_product) {
        ("status", _) => format!("usher product show {word}"),
        (_, true) => format!("usher {name} --product {word}"),
        _ => return None,
    };
    Hint::new(
        format!("`usher {name}` takes no {word}"),
        format!("If it is a product: {instead}"),
    )
}

/// `usher run` without the command that is to run.
fn no_command(error: &clap::Error) -> Option<Hint> {
    let missing = context(error, ContextKind::InvalidArg)?;
    match missing.contains("<CMD>") {
        true => Hint::new(
            "the command that is to run is missing",
            "It stands behind --, such as: usher run --product ID --wait -- COMMAND ARGUMENT...",
        ),
        false => None,
    }
}

/// Seats are not what a product has, but what is owned of it.
fn rehearsal(error: &clap::Error, args: &[OsString]) -> Option<Hint> {
    let missing = context(error, ContextKind::InvalidArg)?;
    let words = words(args);
    let is_edit = words.windows(2).any(|pair| pair == ["product", "edit"]);
    let has_seats = words.iter().any(|word| word.starts_with("--seats"));
    match is_edit && has_seats && missing == "--dry-run" {
        true => Hint::new(
            "--seats of `usher product edit` asks what so many seats would have meant, and takes \
             --dry-run",
            "`usher entitlement add` and `edit` change how many are owned.",
        ),
        false => None,
    }
}

#[cfg(test)]
mod tests;
