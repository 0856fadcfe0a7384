//! The shape of a line: what differs from line to line replaced, so that a thousand lines that nobody
//! understood are one, and an example shows nobody's name.
//!
//! Which word of a line that was not understood is a name nobody can tell. So only words that licence
//! servers are known to write, numbers, and words in capitals that begin a line or a message stay.

mod vocabulary;

use std::fmt;

/// A longer line is cut.
const SHOWN_CHARS: usize = 200;

/// A line with its numbers, quoted texts and names replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape(String);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a word is, by what can be shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The word stays as it is.
    Known,
    /// Digits and signs: a number, a date, a version.
    Number,
    /// Somebody at a computer.
    Address,
    /// A path.
    Path,
    /// Perhaps a name.
    Name,
}

/// The shape of a line: words that are known stay, what holds a digit is `#`, what holds `@` is `@`, what
/// is quoted is `""`, and any other word is `*`.
pub(crate) fn of(line: &str) -> Shape {
    Shape(replaced(
        line,
        &|word, is_first| match judged(word, is_first) {
            Word::Known => word.to_owned(),
            Word::Number => around(word, "#"),
            Word::Address => "@".to_owned(),
            Word::Path => around(word, "*"),
            Word::Name => match word.chars().any(|letter| letter.is_ascii_digit()) {
                true => around(word, "#"),
                false => around(word, "*"),
            },
        },
    ))
}

/// A line for people to look at: words that are known and numbers stay, what else it says is replaced.
pub(crate) fn example(line: &str) -> String {
    replaced(line, &|word, is_first| match judged(word, is_first) {
        Word::Known | Word::Number => word.to_owned(),
        Word::Address => "USER@HOST".to_owned(),
        Word::Path => around(word, "PATH"),
        Word::Name => around(word, "NAME"),
    })
}

/// A reason in a server's own words: what is quoted and what holds `@` is replaced, the rest stays.
pub(crate) fn reason(words: &str) -> String {
    replaced(words, &|word, _| match word.contains('@') {
        true => "USER@HOST".to_owned(),
        false => word.to_owned(),
    })
}

fn judged(word: &str, is_first: bool) -> Word {
    let bare = bare(word);
    if word.contains('@') && !word.starts_with("(@") {
        return Word::Address;
    }
    if !bare.chars().any(char::is_alphabetic) {
        return match is_address_of_host(bare) {
            true => Word::Name,
            false => Word::Number,
        };
    }
    let has_digit = bare.chars().any(|letter| letter.is_ascii_digit());
    if has_digit {
        return match is_version(bare) || is_dated(bare) {
            true => Word::Number,
            false => Word::Name,
        };
    }
    if vocabulary::has(bare) {
        return Word::Known;
    }
    if bare.contains(['/', '\\']) {
        return Word::Path;
    }
    let is_capital = bare
        .chars()
        .all(|letter| letter.is_ascii_uppercase() || letter == '_');
    let is_keyword =
        is_first || word.ends_with(':') || word.starts_with('(') && word.ends_with(')');
    match is_capital && is_keyword {
        true => Word::Known,
        false => Word::Name,
    }
}

/// The word without the signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
}

/// The signs around a word, with something else between them.
fn around(word: &str, inner: &str) -> String {
    let core = bare(word);
    match word.split_once(core) {
        Some((before, after)) if !core.is_empty() => format!("{before}{inner}{after}"),
        _ => inner.to_owned(),
    }
}

/// `192.0.2.1`
fn is_address_of_host(bare: &str) -> bool {
    let parts: Vec<&str> = bare.split('.').collect();
    parts.len() == 4
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `v11.19`
fn is_version(bare: &str) -> bool {
    let number = bare.strip_prefix(['v', 'V']).unwrap_or_default();
    number.starts_with(|letter: char| letter.is_ascii_digit())
        && number
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.')
}

/// `2026-11-30T18:19:37Z`, `31-dec-2026`
fn is_dated(bare: &str) -> bool {
    let mut runs = bare.split(|letter: char| !letter.is_alphabetic());
    let is_mark =
        |run: &str| run.is_empty() || run == "T" || run == "Z" || vocabulary::is_month(run);
    runs.all(is_mark) && bare.matches(['-', ':', '/']).count() >= 2
}

fn replaced(line: &str, word: &dyn Fn(&str, bool) -> String) -> String {
    let mut parts = Vec::new();
    let (mut quoted, mut is_first) = (false, true);
    for part in line.split('"') {
        parts.push(match quoted {
            true => "\"\"".to_owned(),
            false => {
                let words = part.split_whitespace().map(|it| {
                    let told = cells(it, word, is_first);
                    is_first = false;
                    told
                });
                words.collect::<Vec<String>>().join(" ")
            }
        });
        quoted = !quoted;
    }
    let shape = parts.join(" ");
    shape.chars().take(SHOWN_CHARS).collect()
}

/// A word of a table has several, set apart by signs.
fn cells(text: &str, word: &dyn Fn(&str, bool) -> String, is_first: bool) -> String {
    let mut told = String::new();
    for piece in text.split_inclusive([',', ';', '|', '=', '!']) {
        let cell = piece.trim_end_matches([',', ';', '|', '=', '!']);
        if !cell.is_empty() {
            told.push_str(&word(cell, is_first));
        }
        told.push_str(piece.get(cell.len()..).unwrap_or_default());
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_differ_in_numbers_and_names_have_one_shape() {
        let first = of("12:01:07 (MLM) FROB: \"Simulink\" ann@pc1  (shm)");
        let second = of("13:59:00 (MLM) FROB: \"MATLAB\" bob@pc22 (shm)");
        assert_eq!(first, second);
        assert_eq!(first.to_string(), "# (MLM) FROB: \"\" @ (shm)");
        let first = of("    ann pc1 pc1 (v1.0), start Mon 11/30");
        let second = of("  bob pc22 pc22 (v2.10), start Tue 12/1");
        assert_eq!(first.to_string(), "* # # (#), start * #");
        assert_eq!(second.to_string(), "* # # (#), start * #");
    }

    #[test]
    fn an_example_shows_what_servers_write_and_no_names() {
        for (line, expected) in [
            ("FROB: \"Simulink\" ann@pc1 17", "FROB: \"\" USER@HOST 17"),
            (
                "    ann pc1 /dev/pts/3 (v1.0) (lic1/27000 101), start Mon 11/30 9:05",
                "NAME NAME /NAME (v1.0) (NAME 101), start NAME 11/30 9:05",
            ),
            (
                "cad,ann,pc1,2026-11-30T08:00:00Z",
                "NAME,NAME,NAME,2026-11-30T08:00:00Z",
            ),
            ("METER_DEC ann pc1 10.0.0.7", "METER_DEC NAME NAME NAME"),
            ("", ""),
        ] {
            assert_eq!(example(line), expected);
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_shape(line in "[a-zA-Zé0-9@\"',;:/()\\\\. \t]{0,60}") {
            let _ = (of(&line), example(&line), reason(&line));
        }

        #[test]
        fn a_name_is_in_no_shape_and_in_no_example(name in "[a-z]{3,8}qx") {
            let line = format!("IN: {name} {name}1 \"{name}\" {name}@pc ({name}) x,{name};1 C:\\{name}\\a");
            prop_assert!(!example(&line).contains(&name));
            prop_assert!(!of(&line).to_string().contains(&name));
        }
    }
}
