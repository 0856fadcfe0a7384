//! Reads a text with lines that are not valid TOML: reports each of them once, and reads the rest
//! without them to report its other faults, too.

use std::collections::BTreeMap;

use toml::de::{DeTable, Error};

use super::fields::Page;

/// The text without the lines that are no TOML, each place in it as before; none if the rest
/// cannot be read without them. Faults each of these lines.
pub(super) fn without(page: &mut Page<'_>, text: &str, errors: &[Error]) -> Option<String> {
    // What is wrong in a line makes all behind it in this line wrong: the first is told.
    let mut wrong: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        wrong.entry(page.line(at)).or_insert((at, error.message()));
    }
    let rest = rest(text, &wrong, &mut page.lost);
    let mut lines = (1..).zip(text.lines());
    let count = wrong.len();
    for (number, (line, (at, message))) in wrong.into_iter().enumerate() {
        let text = lines.find(|(number, _)| *number == line);
        let mut what = said(text.map_or("", |(_, text)| text), message);
        if rest.is_none() && number + 1 == count {
            what += "; nothing else in this file was looked at";
        }
        page.fault(at, what);
    }
    rest
}

fn rest(
    text: &str,
    wrong: &BTreeMap<usize, (usize, &str)>,
    lost: &mut Vec<String>,
) -> Option<String> {
    let mut rest = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if !wrong.contains_key(&number) {
            rest.push_str(line);
            continue;
        }
        lost.push(key(line)?.to_owned());
        let bare = line.trim_end_matches(['\r', '\n']);
        rest.extend(std::iter::repeat_n(' ', bare.len()));
        rest.push_str(&line[bare.len()..]);
    }
    // An error at the end of the text is in none of its lines.
    let is_mended = DeTable::parse_recoverable(&rest).1.is_empty();
    is_mended.then_some(rest)
}

/// The key of a line, if it has one.
fn key(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (!key.is_empty() && key.chars().all(is_bare)).then_some(key)
}

/// What is wrong with a line, in terms of its field if that is known.
fn said(line: &str, message: &str) -> String {
    if let Some(amount) = amount(line) {
        return format!(
            "`amount` is {amount}: write a decimal point and no other sign, such as 12000.50, or \
             put it in quotes"
        );
    }
    match key(line) {
        Some(key @ ("from" | "to")) => {
            let (_, value) = line.split_once('=').unwrap_or_default();
            let value = value.split('#').next().unwrap_or_default().trim();
            format!(
                "`{key}` is {value}: give a day that there is, such as 2026-12-31, or an instant \
                 with its offset such as 2026-12-31T18:00:00Z"
            )
        }
        _ => format!("this is not TOML: {message}"),
    }
}

/// An amount written as people write it, which TOML does not accept as a number.
fn amount(line: &str) -> Option<&str> {
    let (_, behind) = line.split_once("amount")?;
    let value = behind.trim_start().strip_prefix('=')?.trim_start();
    let is_of_it = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'');
    let end = value.find(|c| !is_of_it(c)).unwrap_or(value.len());
    // A comma behind it sets the next key apart.
    let amount = value[..end].trim_end_matches(',');
    let is_number = !amount.contains([',', '\'']) && amount.matches('.').count() < 2;
    (!is_number).then_some(amount)
}
