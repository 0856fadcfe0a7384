//! The headers of a PE file: the position of its resources, and the position in the file of an
//! address of the loaded image. Names are those of Microsoft's "PE Format".

use crate::bytes::{Source, dword, short};

/// The largest optional header that is read, in bytes; linkers write 224 or 240.
const OPTIONAL_LIMIT_BYTES: usize = 4096;
/// The most sections that are looked at: what Windows before Vista loads at most.
const SECTIONS_LIMIT: usize = 96;
/// The index of the resources among the data directories.
const RESOURCES: usize = 2;
/// `PointerToRawData` is rounded down to a sector, as the loader of Windows does.
const SECTOR_BYTES: u32 = 512;

/// What is needed of the headers.
#[derive(Debug)]
pub(crate) struct Image {
    /// The address of the resource directory.
    pub(crate) resources: u32,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    /// Its address in the loaded image.
    address: u32,
    /// Where it is in the file, and how many bytes.
    offset: u32,
    length: u32,
}

impl Image {
    /// None if it is no PE file or has no resources.
    pub(crate) fn read(file: &Source<'_>) -> Option<Image> {
        let dos = file.bytes(0, 64);
        if dos.get(..2)? != b"MZ" {
            return None;
        }
        let at = u64::from(dword(&dos, 0x3c)?);
        let coff = file.bytes(at, 24);
        if coff.get(..4)? != b"PE\0\0" {
            return None;
        }
        let sections = usize::from(short(&coff, 6)?).min(SECTIONS_LIMIT);
        let optional_bytes = usize::from(short(&coff, 20)?);
        if optional_bytes > OPTIONAL_LIMIT_BYTES {
            return None;
        }
        let optional = file.bytes(at + 24, optional_bytes);
        let table = file.bytes(at + 24 + optional_bytes as u64, sections * 40);
        let (count_at, alignment_at) = match short(&optional, 0)? {
            0x10b => (92, 36),
            0x20b => (108, 36),
            _ => return None,
        };
        if dword(&optional, count_at)? as usize <= RESOURCES {
            return None;
        }
        let resources = dword(&optional, count_at + 4 + RESOURCES * 8)?;
        if resources == 0 {
            return None;
        }
        let by_sectors = dword(&optional, alignment_at)? >= SECTOR_BYTES;
        let sections = table
            .chunks_exact(40)
            .filter_map(|entry| Section::read(entry, by_sectors))
            .collect();
        Some(Image {
            resources,
            sections,
        })
    }

    /// The bytes at an address of the image, at most `limit` and at most to the end of its section.
    pub(crate) fn bytes(&self, file: &Source<'_>, address: u32, limit: usize) -> Vec<u8> {
        let found = self.sections.iter().find_map(|section| {
            let into = address.checked_sub(section.address)?;
            let left = section.length.checked_sub(into)?;
            (left > 0).then_some((u64::from(section.offset) + u64::from(into), left))
        });
        match found {
            Some((offset, left)) => file.bytes(offset, limit.min(left as usize)),
            None => Vec::new(),
        }
    }
}

impl Section {
    fn read(entry: &[u8], by_sectors: bool) -> Option<Section> {
        let offset = dword(entry, 20)?;
        Some(Section {
            address: dword(entry, 12)?,
            offset: match by_sectors {
                true => offset / SECTOR_BYTES * SECTOR_BYTES,
                false => offset,
            },
            length: dword(entry, 16)?,
        })
    }
}
