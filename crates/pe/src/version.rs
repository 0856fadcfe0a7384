//! A `VS_VERSIONINFO` block: nodes in nodes, each with its length, the length of its value, a key
//! that ends with NUL, the value and further nodes, all but the lengths aligned to four bytes.

use crate::bytes::{dword, short};
use crate::{PeFacts, VALUE_LIMIT};

/// Length, length of the value, type.
const HEADER_BYTES: usize = 6;
/// `VS_FIXEDFILEINFO` begins with this.
const FIXED_SIGNATURE: u32 = 0xfeef_04bd;
/// Translations that are looked at.
const TRANSLATIONS_LIMIT: usize = 64;

/// What one block says.
pub(crate) fn facts(block: &[u8]) -> PeFacts {
    let Some((root, _)) = Node::first(block) else {
        return PeFacts::default();
    };
    if !root.is("VS_VERSION_INFO") {
        return PeFacts::default();
    }
    let tables = tables(&root);
    let string = |key: &str| tables.iter().find_map(|table| table.string(key));
    PeFacts {
        original_name: string("OriginalFilename"),
        version: string("ProductVersion")
            .or_else(|| string("FileVersion"))
            .or_else(|| fixed_version(root.bytes_value())),
    }
}

/// The tables of strings, one a language: first that of the first translation, which Windows
/// itself shows.
fn tables<'a>(root: &Node<'a>) -> Vec<Node<'a>> {
    let (mut tables, mut translations) = (Vec::new(), Vec::new());
    for child in root.children(root.bytes_value().len()) {
        if child.is("StringFileInfo") {
            tables.extend(child.children(0));
        } else if child.is("VarFileInfo") {
            translations.extend(child.children(0).flat_map(|var| var.translations()));
        }
    }
    translations.truncate(TRANSLATIONS_LIMIT);
    let rank = |table: &Node<'_>| {
        let key = String::from_utf16_lossy(&table.key);
        translations
            .iter()
            .position(|known| *known == key.to_ascii_lowercase())
    };
    tables.sort_by_cached_key(|table| rank(table).unwrap_or(usize::MAX));
    tables
}

/// `1.2.3.4`, as the fixed part has it; none if it is not set.
fn fixed_version(fixed: &[u8]) -> Option<String> {
    if dword(fixed, 0)? != FIXED_SIGNATURE {
        return None;
    }
    let (high, low) = (dword(fixed, 16)?, dword(fixed, 20)?);
    if high == 0 && low == 0 {
        return None;
    }
    let (upper, lower) = (|word: u32| word >> 16, |word: u32| word & 0xffff);
    Some(format!(
        "{}.{}.{}.{}",
        upper(high),
        lower(high),
        upper(low),
        lower(low)
    ))
}

/// A node of the block.
#[derive(Debug)]
struct Node<'a> {
    key: Vec<u16>,
    /// In bytes or in UTF-16 units, whichever the kind of the node, and at times the linker, takes.
    value_length: usize,
    /// Value and further nodes, up to the node's end.
    rest: &'a [u8],
}

impl<'a> Node<'a> {
    /// The node that `bytes` begin with, and what is behind it. `bytes` begin at a multiple of four.
    fn first(bytes: &'a [u8]) -> Option<(Node<'a>, &'a [u8])> {
        let length = usize::from(short(bytes, 0)?).min(bytes.len());
        let node = bytes.get(..length)?;
        let key: Vec<u16> = units(node.get(HEADER_BYTES..)?)
            .take_while(|unit| *unit != 0)
            .collect();
        let value_at = aligned(HEADER_BYTES + (key.len() + 1) * 2);
        let node = Node {
            key,
            value_length: usize::from(short(node, 2)?),
            rest: node.get(value_at..).unwrap_or_default(),
        };
        Some((node, bytes.get(aligned(length)..).unwrap_or_default()))
    }

    fn is(&self, key: &str) -> bool {
        let lower = |unit: u16| char::from_u32(u32::from(unit)).map(|c| c.to_ascii_lowercase());
        self.key.len() == key.len()
            && self
                .key
                .iter()
                .zip(key.chars())
                .all(|(unit, c)| lower(*unit) == Some(c.to_ascii_lowercase()))
    }

    /// The nodes behind a value of `value_bytes`.
    fn children(&self, value_bytes: usize) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let mut rest = self.rest.get(aligned(value_bytes)..).unwrap_or_default();
        // A node is at least its header, so each step takes something off the rest.
        std::iter::from_fn(move || {
            let (node, behind) = Node::first(rest)?;
            rest = behind;
            Some(node)
        })
    }

    /// The value of a node whose value is bytes.
    fn bytes_value(&self) -> &'a [u8] {
        self.rest.get(..self.value_length).unwrap_or(self.rest)
    }

    /// A string of a table of strings; none if it is empty, too long or no text.
    fn string(&self, key: &str) -> Option<String> {
        let node = self.children(0).find(|node| node.is(key))?;
        if node.value_length == 0 {
            return None;
        }
        // The length is in units by the documentation and in bytes by some linkers: the value ends
        // with its NUL, or with the node.
        let value: Vec<u16> = units(node.rest)
            .take_while(|unit| *unit != 0)
            .take(VALUE_LIMIT + 1)
            .collect();
        if value.len() > VALUE_LIMIT {
            return None;
        }
        let text = String::from_utf16(&value).ok()?;
        let text = text.trim();
        (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
    }

    /// The languages and character sets of a `Translation`, as the keys of tables have them.
    fn translations(&self) -> Vec<String> {
        if !self.is("Translation") {
            return Vec::new();
        }
        let pairs = self.bytes_value().chunks_exact(4);
        let key = |pair: &[u8]| {
            let (language, charset) = (short(pair, 0)?, short(pair, 2)?);
            Some(format!("{language:04x}{charset:04x}"))
        };
        pairs.take(TRANSLATIONS_LIMIT).filter_map(key).collect()
    }
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn aligned(at: usize) -> usize {
    at.next_multiple_of(4)
}
