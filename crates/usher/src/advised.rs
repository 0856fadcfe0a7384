//! A test that each command which a text of Usher names between backquotes can be typed.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap::error::ErrorKind;

use crate::cli;

/// The source files of all crates, but for those of their tests.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = fs::read_dir(crates)
        .unwrap()
        .map(|folder| folder.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|it| it == "tests") {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|it| it == "rs") => files.push(path),
                false => {}
            }
        }
    }
    // This one has faults for its tests.
    files.retain(|file| !file.ends_with("advised.rs"));
    files.sort();
    files
}

/// The commands between backquotes in the texts of a source file, without its tests and comments.
fn commands(source: &str) -> Vec<String> {
    let own = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = own.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.starts_with("//"));
    // A text goes on behind a backslash at the end of its line.
    let mut text = String::new();
    for line in lines {
        match line.strip_suffix('\\') {
            Some(line) => text += line,
            None => {
                text += line;
                text += "\n";
            }
        }
    }
    let lines = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let commands = lines.filter(|it| it.starts_with("usher "));
    commands.map(str::to_owned).collect()
}

/// A word of a command, with a value in each place that the text leaves open.
fn word(word: &str) -> String {
    let is_open = |c: char| c.is_ascii_uppercase() || c == '-';
    let named = match word {
        "''" => "",
        "N" => "5",
        "DAY" => "2026-12-31",
        "DURATION" => "5m",
        "URL" => "http://localhost:8470",
        open if open.len() > 1 && open.chars().all(is_open) && !open.starts_with('-') => "x1",
        word => word,
    };
    // What a program puts in: a name, a number or an address.
    let mut rest = named;
    let mut filled = String::new();
    while let Some((before, behind)) = rest.split_once('{') {
        filled += before;
        filled += if before.ends_with("http") { "" } else { "1" };
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    filled + rest
}

/// The subcommand that the first words call, and the words behind them.
fn called<'c, 'w>(whole: &'c Command, words: &'w [String]) -> (&'c Command, &'w [String]) {
    let (mut command, mut rest) = (whole, &words[1..]);
    while let Some((first, behind)) = rest.split_first() {
        let Some(below) = command.find_subcommand(first) else {
            break;
        };
        (command, rest) = (below, behind);
    }
    (command, rest)
}

/// What is wrong with it as a command line. A command without any words behind it, or with an
/// option alone, is only named, and not checked.
fn fault(whole: &Command, command: &str) -> Option<String> {
    let words: Vec<String> = command.split(' ').map(word).collect();
    let (called, rest) = called(whole, &words);
    match rest {
        [] => return None,
        [option] if option.starts_with("--") => {
            let name = option.trim_start_matches('-').split('=').next();
            let mut named = called.get_arguments().chain(whole.get_arguments());
            let is_there = named.any(|arg| arg.get_long() == name) || option == "--help";
            return (!is_there).then(|| format!("there is no {option}"));
        }
        _ => {}
    }
    let error = whole.clone().try_get_matches_from(&words).err()?;
    let is_meant = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        // What is put in is of a kind that this test does not know.
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidSubcommand => {
            command.contains('{')
        }
        _ => command.starts_with("usher {"),
    };
    (!is_meant).then(|| error.to_string().lines().next().unwrap().to_owned())
}

#[test]
fn each_command_that_a_text_advises_can_be_typed_as_it_stands() {
    let whole = cli::command();
    let (mut count, mut faults) = (0, Vec::new());
    for file in sources() {
        let source = fs::read_to_string(&file).unwrap();
        for command in commands(&source) {
            count += 1;
            if let Some(fault) = fault(&whole, &command) {
                faults.push(format!("{}: `{command}`: {fault}", file.display()));
            }
        }
    }
    assert!(count > 100, "the texts were found: {count}");
    assert_eq!(faults.join("\n"), "");
}

#[test]
fn a_command_that_lacks_what_it_needs_is_found() {
    let whole = cli::command();
    let text = "next(\"so `usher entitlement edit --to today` ends \\\n  it, `usher entitlement \
                \\\n add PRODUCT --seats N`\");\n// `usher nothing`\n";
    let found = commands(text);
    assert_eq!(
        found,
        [
            "usher entitlement edit --to today",
            "usher entitlement add PRODUCT --seats N"
        ]
    );
    assert!(fault(&whole, &found[0]).is_some(), "it names none");
    assert_eq!(fault(&whole, &found[1]), None);
    assert!(fault(&whole, "usher token create --role none").is_some());
    assert!(fault(&whole, "usher token create --rolle").is_some());
    assert_eq!(fault(&whole, "usher product edit {id} --disable"), None);
}
