//! Programs of Windows that only tests need: no code, but headers, a tree of resources and the
//! version resource, byte by byte as Microsoft's "PE Format" and "VS_VERSIONINFO" describe them.

/// A version resource.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// The product version in the fixed part; none: there is no fixed part.
    pub fixed: Option<[u16; 4]>,
    /// The tables of strings: language and character set in hexadecimal, keys and values.
    pub tables: Vec<(String, Vec<(String, String)>)>,
    /// Language and character set, those that are shown first before others.
    pub translations: Vec<(u16, u16)>,
    /// An empty string has its NUL and a length of one, as some linkers write it, instead of none.
    pub ends_empty_strings: bool,
}

/// A file with resources.
#[derive(Debug, Clone)]
pub struct Program {
    /// PE32+ rather than PE32.
    pub is_64_bit: bool,
    /// The name of the section that holds the resources.
    pub section: [u8; 8],
    /// The blocks of data of the version resource, by language.
    pub versions: Vec<(u32, Vec<u8>)>,
}

impl Version {
    /// One table in English with these strings.
    pub fn english(strings: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Version {
            tables: vec![("040904B0".into(), strings.iter().map(owned).collect())],
            translations: vec![(0x0409, 0x04b0)],
            ..Version::default()
        }
    }

    /// The block of data.
    pub fn block(&self) -> Vec<u8> {
        let tables = self.tables.iter().map(|(language, strings)| {
            let strings = strings.iter().map(|(key, value)| self.string(key, value));
            node(language, 0, true, &[], strings.collect())
        });
        let tables = node("StringFileInfo", 0, true, &[], tables.collect());
        let pairs: Vec<u8> = self
            .translations
            .iter()
            .flat_map(|(language, charset)| [language.to_le_bytes(), charset.to_le_bytes()])
            .flatten()
            .collect();
        let length = u16::try_from(pairs.len()).unwrap_or(u16::MAX);
        let translation = node("Translation", length, false, &pairs, Vec::new());
        let vars = node("VarFileInfo", 0, true, &[], vec![translation]);
        let fixed = self.fixed.map(fixed).unwrap_or_default();
        let length = u16::try_from(fixed.len()).unwrap_or(u16::MAX);
        node("VS_VERSION_INFO", length, false, &fixed, vec![tables, vars])
    }

    fn string(&self, key: &str, value: &str) -> Vec<u8> {
        if value.is_empty() && !self.ends_empty_strings {
            return node(key, 0, true, &[], Vec::new());
        }
        let value = utf16(value);
        let units = u16::try_from(value.len() / 2).unwrap_or(u16::MAX);
        node(key, units, true, &value, Vec::new())
    }
}

impl Program {
    /// A 64-bit program with one version resource, in English.
    pub fn of(version: &Version) -> Self {
        Program {
            is_64_bit: true,
            section: *b".rsrc\0\0\0",
            versions: vec![(0x0409, version.block())],
        }
    }

    /// The whole file.
    pub fn bytes(&self) -> Vec<u8> {
        const ADDRESS: u32 = 0x1000;
        const OFFSET: u32 = 0x400;
        let resources = self.resources(ADDRESS);
        let length = u32::try_from(resources.len()).unwrap_or(u32::MAX);
        let mut file = vec![0; OFFSET as usize];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3c, &0x80_u32.to_le_bytes());
        put(0x80, b"PE\0\0");
        let (machine, magic, optional_bytes, count_at) = match self.is_64_bit {
            true => (0x8664_u16, 0x20b_u16, 240_u16, 108),
            false => (0x14c, 0x10b, 224, 92),
        };
        put(0x84, &machine.to_le_bytes());
        put(0x86, &1_u16.to_le_bytes());
        put(0x94, &optional_bytes.to_le_bytes());
        let optional = 0x98;
        put(optional, &magic.to_le_bytes());
        put(optional + 32, &0x1000_u32.to_le_bytes());
        put(optional + 36, &0x200_u32.to_le_bytes());
        put(optional + 56, &0x2000_u32.to_le_bytes());
        put(optional + 60, &OFFSET.to_le_bytes());
        put(optional + count_at, &16_u32.to_le_bytes());
        put(optional + count_at + 4 + 16, &ADDRESS.to_le_bytes());
        put(optional + count_at + 4 + 20, &length.to_le_bytes());
        let section = optional + usize::from(optional_bytes);
        put(section, &self.section);
        put(section + 8, &length.to_le_bytes());
        put(section + 12, &ADDRESS.to_le_bytes());
        put(section + 16, &length.to_le_bytes());
        put(section + 20, &OFFSET.to_le_bytes());
        file.extend(resources);
        file
    }

    /// A manifest in front of the version, as most programs have one behind it.
    fn resources(&self, address: u32) -> Vec<u8> {
        const IS_DIRECTORY: u32 = 1 << 31;
        let count = u32::try_from(self.versions.len()).unwrap_or(0);
        let descriptions = 16 + 2 * 8 + 16 + 8 + 16 + count * 8;
        let mut tree = directory(&[(10, 0x7fff_0000), (16, IS_DIRECTORY | 32)]);
        tree.extend(directory(&[(1, IS_DIRECTORY | 56)]));
        let languages: Vec<(u32, u32)> = (0..)
            .zip(&self.versions)
            .map(|(index, (language, _))| (*language, descriptions + 16 * index))
            .collect();
        tree.extend(directory(&languages));
        let mut at = descriptions + 16 * count;
        let mut data = Vec::new();
        for (_, block) in &self.versions {
            let length = u32::try_from(block.len()).unwrap_or(0);
            for number in [address + at, length, 0, 0] {
                tree.extend(number.to_le_bytes());
            }
            data.extend(block);
            data.resize(data.len().next_multiple_of(8), 0);
            at = descriptions + 16 * count + u32::try_from(data.len()).unwrap_or(0);
        }
        tree.extend(data);
        tree
    }
}

fn directory(entries: &[(u32, u32)]) -> Vec<u8> {
    let mut bytes = vec![0; 14];
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    bytes.extend(count.to_le_bytes());
    for (id, offset) in entries {
        bytes.extend(id.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
    }
    bytes
}

/// Its own length in front, the padding behind it not counted.
fn node(key: &str, value_length: u16, is_text: bool, value: &[u8], nodes: Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = vec![0; 2];
    bytes.extend(value_length.to_le_bytes());
    bytes.extend(u16::from(is_text).to_le_bytes());
    bytes.extend(utf16(key));
    for part in std::iter::once(value.to_vec()).chain(nodes) {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(part);
    }
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn fixed(version: [u16; 4]) -> Vec<u8> {
    let [a, b, c, d] = version.map(u32::from);
    let numbers = [0xfeef_04bd, 0x1_0000, 0, 0, a << 16 | b, c << 16 | d];
    let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.resize(52, 0);
    bytes
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}
