//! The tree of resources: type, name, language, and the data behind them.

use crate::bytes::{Source, dword, short};
use crate::headers::Image;

/// The type of version resources, `RT_VERSION`.
const VERSION: u32 = 16;
/// The name that Windows looks a version resource up by, `VS_VERSION_INFO`.
const VERSION_NAME: u32 = 1;
/// The entries that are looked at in one directory.
const ENTRIES_LIMIT: usize = 4096;
/// The version resources that are looked at: there is one for each language, which are few.
const BLOCKS_LIMIT: usize = 16;
/// A block gives its own length in 16 bits.
const BLOCK_LIMIT_BYTES: usize = 1 << 16;
/// An offset with this bit leads to a directory, one without it to data.
const IS_DIRECTORY: u32 = 1 << 31;

/// English of the United States, and no language: what programs are labelled with as a rule.
const USUAL_LANGUAGES: [u32; 2] = [0x0409, 0];

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    offset: u32,
}

/// The version resources of an image, in the order in which they are to be believed.
pub(crate) fn version_blocks<'a>(
    file: &'a Source<'a>,
    image: &'a Image,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let types = directory(file, image, 0);
    let names = types
        .iter()
        .find(|entry| entry.id == VERSION)
        .and_then(|entry| entry.directory())
        .map(|offset| ordered(directory(file, image, offset), &[VERSION_NAME]))
        .unwrap_or_default();
    names
        .into_iter()
        .take(BLOCKS_LIMIT)
        .filter_map(|name| name.directory())
        .flat_map(move |offset| ordered(directory(file, image, offset), &USUAL_LANGUAGES))
        .take(BLOCKS_LIMIT)
        .filter_map(move |language| data(file, image, language))
}

/// Entries with one of the `first` ids before the others, which stay in their order.
fn ordered(mut entries: Vec<Entry>, first: &[u32]) -> Vec<Entry> {
    let rank = |id| first.iter().position(|known| *known == id);
    entries.sort_by_key(|entry| rank(entry.id).unwrap_or(first.len()));
    entries
}

impl Entry {
    fn directory(self) -> Option<u32> {
        (self.offset & IS_DIRECTORY != 0).then_some(self.offset & !IS_DIRECTORY)
    }
}

/// The entries of the directory at `offset` behind the beginning of the resources.
fn directory(file: &Source<'_>, image: &Image, offset: u32) -> Vec<Entry> {
    let Some(address) = image.resources.checked_add(offset) else {
        return Vec::new();
    };
    let header = image.bytes(file, address, 16);
    let count = |at| short(&header, at).map_or(0, usize::from);
    let count = (count(12) + count(14)).min(ENTRIES_LIMIT);
    let Some(address) = address.checked_add(16) else {
        return Vec::new();
    };
    let entries = image.bytes(file, address, count * 8);
    entries
        .chunks_exact(8)
        .filter_map(|entry| {
            Some(Entry {
                id: dword(entry, 0)?,
                offset: dword(entry, 4)?,
            })
        })
        .collect()
}

/// The data behind an entry.
fn data(file: &Source<'_>, image: &Image, entry: Entry) -> Option<Vec<u8>> {
    if entry.directory().is_some() {
        return None;
    }
    let description = image.bytes(file, image.resources.checked_add(entry.offset)?, 16);
    let (address, length) = (dword(&description, 0)?, dword(&description, 4)?);
    let length = usize::try_from(length).ok()?.min(BLOCK_LIMIT_BYTES);
    Some(image.bytes(file, address, length))
}
