//! Tags and texts of an XML document that comes line by line. A tag may go over several lines; a bad one
//! ends nothing.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::reading::LINE_LIMIT_BYTES;

/// What waits for its end, in bytes; more is dropped.
const PENDING_LIMIT_BYTES: usize = 2 * LINE_LIMIT_BYTES;
/// Lines that a tag may go over; more is dropped.
const PENDING_LIMIT_LINES: usize = 1_000;
/// Attributes of a tag that are read.
const ATTRIBUTES_LIMIT: usize = 64;

/// What is counted as not understood if a document's end is missing.
pub(crate) const CUT: &str = "the document ends within a tag or a text";

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// `<NAME ...>` or `<NAME .../>`.
    Open(Element),
    /// `</NAME>`, and the end of `<NAME .../>`.
    Close(String),
    /// Text between tags, without blanks around it.
    Text(String),
}

/// A tag that opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// An attribute's value, if it is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name)?;
        let value = found.1.trim();
        (!value.is_empty()).then_some(value)
    }

    /// An attribute's number.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.parse().ok()
    }
}

/// Cuts lines into pieces.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pending: String,
    lines: usize,
}

impl Pieces {
    /// Takes in a line and gives what it completes; false: something in it is no XML, or too long.
    pub(crate) fn line(&mut self, line: &str, pieces: &mut Vec<Piece>) -> bool {
        self.lines = self.lines.saturating_add(1);
        let length = self.pending.len().saturating_add(line.len());
        if length > PENDING_LIMIT_BYTES || self.lines > PENDING_LIMIT_LINES {
            *self = Pieces::default();
            return false;
        }
        self.pending.push_str(line);
        self.pending.push('\n');
        let mut good = true;
        let mut done = 0;
        while let Some(rest) = self.pending.get(done..) {
            let Some(start) = rest.find('<') else { break };
            let (text, tag) = rest.split_at(start);
            let Some(length) = tag_bytes(tag) else { break };
            let (tag, _) = tag.split_at(length);
            good &= take_text(text, pieces);
            good &= take_tag(tag, pieces);
            done = done.saturating_add(start).saturating_add(length);
        }
        self.pending.drain(..done);
        if done > 0 || self.pending.trim().is_empty() {
            self.lines = 0;
        }
        if self.pending.trim().is_empty() {
            self.pending.clear();
        }
        good
    }

    /// Whether the document ended within a tag or a text.
    pub(crate) fn is_cut(&self) -> bool {
        !self.pending.is_empty()
    }
}

/// How long the tag is that begins here; none: its end is not there yet.
fn tag_bytes(tag: &str) -> Option<usize> {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>")] {
        if tag.starts_with(start) {
            let at = tag.get(start.len()..)?.find(end)?;
            return Some(start.len() + at + end.len());
        }
    }
    let mut quote = None;
    for (at, letter) in tag.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

fn take_text(text: &str, pieces: &mut Vec<Piece>) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return true;
    }
    match quick_xml::escape::unescape(text) {
        Ok(text) => {
            pieces.push(Piece::Text(text.into_owned()));
            true
        }
        Err(_) => false,
    }
}

fn take_tag(tag: &str, pieces: &mut Vec<Piece>) -> bool {
    let cdata = tag
        .strip_prefix("<![CDATA[")
        .and_then(|rest| rest.strip_suffix("]]>"));
    if let Some(text) = cdata {
        pieces.push(Piece::Text(text.trim().to_owned()));
        return true;
    }
    let mut reader = Reader::from_str(tag);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    match reader.read_event() {
        Ok(Event::Start(start)) => take_start(&start, pieces).is_some(),
        Ok(Event::Empty(start)) => match take_start(&start, pieces) {
            Some(name) => {
                pieces.push(Piece::Close(name));
                true
            }
            None => false,
        },
        Ok(Event::End(end)) => {
            pieces.push(Piece::Close(lossy(end.name().as_ref())));
            true
        }
        // A declaration, a comment, an instruction or a document type says nothing of use.
        Ok(_) => true,
        Err(_) => false,
    }
}

fn take_start(start: &BytesStart<'_>, pieces: &mut Vec<Piece>) -> Option<String> {
    let name = lossy(start.name().as_ref());
    let mut attributes = Vec::new();
    let mut all = start.attributes();
    all.with_checks(false);
    for attribute in all.take(ATTRIBUTES_LIMIT) {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        attributes.push((lossy(attribute.key.as_ref()), value.into_owned()));
    }
    pieces.push(Piece::Open(Element {
        name: name.clone(),
        attributes,
    }));
    Some(name)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(document: &str) -> (Vec<String>, bool) {
        let (mut pieces, mut all) = (Pieces::default(), Vec::new());
        let mut good = true;
        for line in document.lines() {
            good &= pieces.line(line, &mut all);
        }
        let shown = all.iter().map(|piece| match piece {
            Piece::Open(element) => format!("<{}", element.name),
            Piece::Close(name) => format!("/{name}"),
            Piece::Text(text) => text.clone(),
        });
        (shown.collect(), good && !pieces.is_cut())
    }

    #[test]
    fn tags_are_read_over_lines_and_a_sign_in_quotes_ends_none() {
        let (pieces, good) = read(
            "<?xml version=\"1.0\"?>\n<a b='1 > 0'\n c=\"2\"/><!-- <x> -->\n<d>e &amp; f</d><![CDATA[<g>]]>",
        );
        assert!(good);
        assert_eq!(pieces, ["<a", "/a", "<d", "e & f", "/d", "<g>"]);
    }

    #[test]
    fn an_attribute_is_read_with_its_entities_and_an_empty_one_is_none() {
        let mut all = Vec::new();
        assert!(Pieces::default().line("<a b='x&quot;y' c='' n='7'>", &mut all));
        let [Piece::Open(element)] = all.as_slice() else {
            panic!("{all:?}");
        };
        assert_eq!(element.get("b"), Some("x\"y"));
        assert_eq!(element.get("c"), None);
        assert_eq!(element.number::<u32>("n"), Some(7));
        assert_eq!(element.number::<u32>("b"), None);
    }

    #[test]
    fn a_tag_without_an_end_is_dropped_at_the_limit_and_the_rest_is_read() {
        let document = format!("<a {}\n<b/>", "x\n".repeat(PENDING_LIMIT_LINES));
        let (pieces, good) = read(&document);
        assert!(!good);
        assert_eq!(pieces, ["<b", "/b"]);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(document in "[<>/!a-c=\"'&;\\[\\]\\- \nü]{0,80}") {
            let _ = read(&document);
        }
    }
}
