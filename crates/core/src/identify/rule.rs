//! One program rule: its text and what the text means.
//!
//! `KEY=VALUE[,version=RANGE][,role=helper]`, where KEY is `name`, `path`, `original-name`,
//! `package`, `sha256` or `publisher`. Without a key it is a path if it contains `/`, else a
//! file name. In globs `*` and `?` stop at `/`, `**` does not, `[ab]` and `{a,b}` choose, and `\`
//! takes the next character as it is. A comma inside braces, or behind `\`, belongs to the value.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobBuilder};

use super::VersionRange;

/// The longest text of a rule, in bytes.
const RULE_LIMIT_BYTES: usize = 4096;
const KEYS: &str = "name, path, original-name, package, sha256, publisher";

/// A program rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What the rule compares.
    pub matcher: Matcher,
    /// The versions that it matches; none: all, also unknown ones.
    pub version: Option<VersionRange>,
    /// What the program is to its product.
    pub role: ProgramRole,
}

/// What a rule compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// The file name, by a glob.
    Name(Glob),
    /// The whole path, by a glob.
    Path(Glob),
    /// The original name in the version resource of a PE file, ignoring case.
    OriginalName(String),
    /// The package that installed the file.
    Package(String),
    /// The SHA-256 of the file's contents.
    Sha256([u8; 32]),
    /// The publisher that signed the file.
    Publisher(String),
}

/// What a program is to its product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgramRole {
    /// It is the product itself: it takes a seat and keeps it.
    #[default]
    Main,
    /// It comes with the product, and neither takes nor keeps a seat.
    Helper,
}

/// What is wrong with the text of a rule, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule \"{rule}\" cannot be used: {why}")]
pub struct RuleError {
    rule: String,
    why: String,
}

impl Rule {
    /// Reads the text of a rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse(text).map_err(|why| RuleError {
            rule: shortened(text),
            why,
        })
    }

    /// The one path that the rule means, if it means one file and not a pattern.
    pub fn literal_path(&self) -> Option<&str> {
        let Matcher::Path(glob) = &self.matcher else {
            return None;
        };
        (!glob.glob().contains(['*', '?', '[', '{', '\\'])).then(|| glob.glob())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Rule::parse(text)
    }
}

/// A given text, shortened for an error message.
fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

fn parse(text: &str) -> Result<Rule, String> {
    if text.trim().is_empty() {
        return Err(
            "it is empty; write a file name (app), a path (/opt/app/bin/app) or \
                    KEY=VALUE with one of the keys "
                .to_owned()
                + KEYS,
        );
    }
    if text.len() > RULE_LIMIT_BYTES {
        return Err(format!("it is longer than {RULE_LIMIT_BYTES} bytes"));
    }
    if text.contains('\0') {
        return Err("it contains a NUL, which no path can".to_owned());
    }
    let (head, options) = split_options(text);
    let matcher = parse_matcher(head)?;
    let mut rule = Rule {
        matcher,
        version: None,
        role: ProgramRole::Main,
    };
    let mut role_said = false;
    for option in options {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        match key {
            "version" if rule.version.is_some() => {
                return Err("it says version= twice; write one range, such as \
                            version=>=3 <4"
                    .to_owned());
            }
            "version" => {
                rule.version = Some(VersionRange::parse(value).map_err(|why| {
                    format!("{why}; write version=2.1 (2.1 and 2.1.x), version=>=3 <4 or version=3.0..4.0")
                })?);
            }
            "role" if role_said => return Err("it says role= twice".to_owned()),
            "role" if value == "helper" => {
                rule.role = ProgramRole::Helper;
                role_said = true;
            }
            "role" => {
                return Err(format!(
                    "there is no role \"{value}\"; write role=helper, or nothing for the program itself"
                ));
            }
            _ => {
                return Err(format!(
                    "after the comma only version=RANGE and role=helper are allowed, not \
                     \"{key}=\"; a comma that belongs to the value is written \\,"
                ));
            }
        }
    }
    Ok(rule)
}

/// Splits at each comma that is followed by `word=`, outside braces and not after a backslash.
fn split_options(text: &str) -> (&str, Vec<&str>) {
    let bytes = text.as_bytes();
    let mut cuts = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 && begins_with_key(&bytes[at + 1..]) => cuts.push(at),
            _ => {}
        }
        at += 1;
    }
    let head_end = cuts.first().copied().unwrap_or(text.len());
    let ends = cuts.iter().skip(1).copied().chain([text.len()]);
    let options = cuts
        .iter()
        .zip(ends)
        .map(|(start, end)| &text[start + 1..end]);
    (&text[..head_end], options.collect())
}

fn begins_with_key(bytes: &[u8]) -> bool {
    let word = bytes
        .iter()
        .take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'-')
        .count();
    word > 0 && bytes.get(word) == Some(&b'=')
}

fn parse_matcher(head: &str) -> Result<Matcher, String> {
    let (key, value) = match head.split_once('=') {
        // "/opt/a=b/app" and "./x=1" are paths that happen to contain "=".
        Some((key, value)) if !key.contains(['/', '*', '?', '[', '{', '\\', '.']) => (key, value),
        _ if head.contains('/') => ("path", head),
        _ => ("name", head),
    };
    if value.is_empty() {
        return Err(format!("nothing is written behind {key}="));
    }
    match key {
        "name" => name(value),
        "path" => path(value),
        "original-name" => Ok(Matcher::OriginalName(plain(value))),
        "package" => package(value),
        "sha256" => sha256(value),
        "publisher" => Ok(Matcher::Publisher(plain(value))),
        _ => Err(format!(
            "there is no key \"{}\"; the keys are {KEYS}",
            shortened(key)
        )),
    }
}

fn name(value: &str) -> Result<Matcher, String> {
    if value.contains('/') {
        return Err("a file name has no \"/\"; write path=GLOB for a whole path".to_owned());
    }
    glob(value).map(Matcher::Name)
}

fn path(value: &str) -> Result<Matcher, String> {
    if !value.starts_with(['/', '*']) {
        return Err(
            "a path is matched whole, so it begins with / or **; write path=/opt/app/bin/app \
             or path=**/bin/app"
                .to_owned(),
        );
    }
    let steps = value.split('/');
    if steps.clone().any(|step| step == "." || step == "..") || value.contains("//") {
        return Err(
            "a path that the kernel tells has no \".\", \"..\" or \"//\" in it; write it without"
                .to_owned(),
        );
    }
    if value.ends_with('/') {
        return Err(
            "it ends with \"/\", which no file does; write /** behind a folder to mean \
                    everything below it"
                .to_owned(),
        );
    }
    glob(value).map(Matcher::Path)
}

pub(super) fn glob(value: &str) -> Result<Glob, String> {
    GlobBuilder::new(value)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| {
            format!(
                "{}; put \\ before a character that is meant as it is",
                error.kind()
            )
        })
}

fn package(value: &str) -> Result<Matcher, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-._:@".contains(c);
    if !value.chars().all(allowed) {
        return Err(format!(
            "\"{}\" is not the name of a package",
            shortened(value)
        ));
    }
    Ok(Matcher::Package(value.to_owned()))
}

fn sha256(value: &str) -> Result<Matcher, String> {
    let mut hash = [0; 32];
    if value.len() != 64 || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(
            "a SHA-256 is 64 hexadecimal digits, as `sha256sum FILE` prints them".to_owned(),
        );
    }
    for (byte, pair) in hash.iter_mut().zip(value.as_bytes().chunks_exact(2)) {
        *byte = hex(pair[0]) << 4 | hex(pair[1]);
    }
    Ok(Matcher::Sha256(hash))
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_lowercase().saturating_sub(b'a') + 10,
    }
}

/// `\,` stands for a comma in values that are not globs.
fn plain(value: &str) -> String {
    value.replace("\\,", ",")
}

impl fmt::Display for Rule {
    /// Writes the canonical text, which parses to the same rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |value: &str| value.replace(',', "\\,");
        match &self.matcher {
            Matcher::Name(glob) => write!(f, "name={}", glob.glob())?,
            Matcher::Path(glob) => write!(f, "path={}", glob.glob())?,
            Matcher::OriginalName(name) => write!(f, "original-name={}", escaped(name))?,
            Matcher::Package(name) => write!(f, "package={name}")?,
            Matcher::Publisher(name) => write!(f, "publisher={}", escaped(name))?,
            Matcher::Sha256(hash) => {
                f.write_str("sha256=")?;
                for byte in hash {
                    write!(f, "{byte:02x}")?;
                }
            }
        }
        if let Some(range) = &self.version {
            write!(f, ",version={range}")?;
        }
        if self.role == ProgramRole::Helper {
            f.write_str(",role=helper")?;
        }
        Ok(())
    }
}
