//! One entry of the catalogue, and its text with the values of a message.

use super::super::fields;
use super::super::grade::{Kind, Severity};
use super::components::SERVER_MANAGER;

/// What all messages of one number have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The message number: 9399, 9405 or 9406 as in SMS 2.0, or one of 9410 to 9499.
    pub id: u16,
    /// The component that the message concerns: the one that is described, not the one that writes.
    pub component: &'static str,
    /// How severe it is.
    pub severity: Severity,
    /// Milestone, detail or audit.
    pub kind: Kind,
    /// The text. `{0}`, `{1}` ... stand for the values; `{0#seat|seats}` is the first word if value 0
    /// is `1`, else the second.
    pub text: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to check, and what to do.
    pub check: &'static str,
    /// What Usher does itself.
    pub does: &'static str,
}

impl Entry {
    /// Whether the number and its meaning come from SMS 2.0.
    pub fn is_of_sms(&self) -> bool {
        matches!(self.id, 9399 | 9405 | 9406)
    }

    /// Whether it belongs to `component`. In earlier versions the manager's verdicts on a metering
    /// server belonged to `server_manager`; a rule or a query for that component still matches them.
    pub fn is_of(&self, component: &str) -> bool {
        self.component == component || component == SERVER_MANAGER && self.is_the_managers_word()
    }

    fn is_the_managers_word(&self) -> bool {
        matches!(self.id, 9406 | 9410..=9416 | 9425..=9428 | 9438 | 9439 | 9444)
    }

    /// How many values the text has places for; at most 10.
    pub fn values(&self) -> usize {
        (0..10)
            .take_while(|n| self.text.contains(&format!("{{{n}}}")))
            .count()
    }

    /// The text with `values` in their places. A missing value leaves its place empty. Braces inside
    /// a value are not expanded.
    pub fn fill(&self, values: &[String]) -> String {
        let value = |index: usize| values.get(index).map_or("", String::as_str);
        self.filled(|place| match place.words {
            None => value(place.index).to_owned(),
            Some((one, _)) if value(place.index) == "1" => one.to_owned(),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// The text as the catalogue shows it: with `{0}`, `{1}` ... for values, and the plural of words
    /// that follow a count.
    pub fn shown(&self) -> String {
        self.filled(|place| match place.words {
            None => format!("{{{}}}", place.index),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// The text as `usher messages explain` prints it: each value is named, as in `<server>`.
    pub fn worded(&self) -> String {
        self.filled(|place| match place.words {
            None => format!("<{}>", self.fields().get(place.index).unwrap_or(&"value")),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// What to check for a message with these values: its commands name the product, entitlement,
    /// server or rule of the message. A value that could mean something else to a shell is left out.
    pub fn check_of(&self, values: &[String]) -> String {
        let mut check = self.check.to_owned();
        for (place, field) in PLACES {
            let index = self.fields().iter().position(|it| *it == field);
            let Some(value) = index.and_then(|index| values.get(index)) else {
                continue;
            };
            let word = id_in(value);
            if is_plain(word) {
                check = with_word(&check, place, word);
            }
        }
        check
    }

    /// The name of each value, in the order of the values.
    pub fn fields(&self) -> &'static [&'static str] {
        fields::of(self.id)
    }

    fn filled(&self, fill: impl Fn(Place) -> String) -> String {
        let mut filled = String::with_capacity(self.text.len() + 64);
        let mut rest = self.text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            match Place::first(&rest[at..]) {
                Some((place, after)) => {
                    filled.push_str(&fill(place));
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = &rest[at + 1..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// A place in a text: for a value, or for a word that follows a count.
struct Place {
    index: usize,
    /// Singular and plural.
    words: Option<(&'static str, &'static str)>,
}

impl Place {
    /// The place at the start of `text`, and the text after it.
    fn first(text: &'static str) -> Option<(Place, &'static str)> {
        let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
        let (index, words) = match inner.split_once('#') {
            None => (inner, None),
            Some((index, words)) => (index, Some(words.split_once('|')?)),
        };
        let index = index.parse().ok()?;
        Some((Place { index, words }, after))
    }
}

/// Placeholders in commands, and the value that replaces each.
const PLACES: [(&str, &str); 4] = [
    ("ID", "product"),
    ("ENTITLEMENT", "entitlement"),
    ("NAME", "server"),
    ("RULE", "rule"),
];

/// The id in the name of a product or an entitlement: `CAD T (tcad)`, `cad-2026 (E12, contract
/// A-4711)`, or the id first, as in `E12 (contract A-4711)`.
fn id_in(value: &str) -> &str {
    let inner = value.strip_suffix(')').and_then(|it| it.rsplit_once(" ("));
    let Some((first, inner)) = inner else {
        return value;
    };
    let id = inner.split_once(", ").map_or(inner, |(id, _)| id);
    if is_plain(id) { id } else { first }
}

fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain)
}

/// `text` with `word` for each `place` in its commands. A command is what backquotes enclose.
fn with_word(text: &str, place: &str, word: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces: Vec<String> = pieces
        .map(|(index, piece)| {
            let words = piece.split(' ');
            let words = words.map(|it| if it == place { word } else { it });
            match index % 2 {
                1 => words.collect::<Vec<_>>().join(" "),
                _ => piece.to_owned(),
            }
        })
        .collect();
    pieces.join("`")
}
