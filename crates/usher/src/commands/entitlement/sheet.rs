//! The text of a spreadsheet's file: its encoding, and what stands between its columns.

use std::io::Read;

/// A hundred thousand rows of a hundred bytes are ten million; in UTF-16 they are twice as much.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// What may stand between two columns: Excel writes what the user's language has for it.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// A table as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The header and the rows.
    pub(super) text: String,
    /// What stands between two columns.
    pub(super) separator: u8,
    /// The number of the header's line.
    pub(super) first_line: u64,
}

/// Reads a table whose header is of these columns, as spreadsheets write it.
pub(super) fn read(source: impl Read, columns: &[&str]) -> Result<Sheet, String> {
    let mut bytes = Vec::new();
    let read = source.take(LIMIT_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > LIMIT_BYTES {
        return Err(format!("it is longer than {} MiB", LIMIT_BYTES >> 20));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("it is a workbook, not text; save it as CSV".to_owned());
    }
    let text = decoded(bytes)?;
    // A line for Excel's eyes, which it does not show.
    let (said, text) = match text.split_once('\n') {
        Some((line, rest)) if line.to_lowercase().starts_with("sep=") => (
            line["sep=".len()..].trim_end_matches('\r').chars().next(),
            rest.to_owned(),
        ),
        _ => (None, text),
    };
    let header = text.lines().next().unwrap_or_default();
    let is_it = |separator: &&char| {
        header
            .split(**separator)
            .all(|name| columns.contains(&&*plain(name)))
    };
    // No name of a column has one of them in it: at most one fits a header of several.
    let fits = SEPARATORS.iter().find(is_it).copied();
    let most = || {
        let all = SEPARATORS.iter().rev();
        all.max_by_key(|separator| header.matches(**separator).count())
            .copied()
    };
    let separator = said.or(fits).or_else(most).unwrap_or(',');
    Ok(Sheet {
        text,
        separator: u8::try_from(separator)
            .map_err(|_| format!("its columns are set apart by {separator:?}; use a comma"))?,
        first_line: if said.is_some() { 2 } else { 1 },
    })
}

/// The name of a column as it is compared.
pub(super) fn plain(name: &str) -> String {
    name.trim().trim_matches('"').trim().to_lowercase()
}

fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.ok_or_else(|| "it is cut off, or is no UTF-16".to_owned())
    };
    match &*bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        // Without a mark; the name of a column begins with a letter of English.
        [_, 0, ..] => wide(&bytes, u16::from_le_bytes),
        [0, _, ..] => wide(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: it is not UTF-8; save it as \"CSV UTF-8\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 3] = ["product", "seats", "to"];

    fn separator(text: &str) -> char {
        read(text.as_bytes(), &COLUMNS).unwrap().separator.into()
    }

    #[test]
    fn columns_are_apart_as_the_header_says() {
        assert_eq!(separator("product,seats\na,1\n"), ',');
        assert_eq!(separator("\"Product\"; \"Seats\"\r\na;1\r\n"), ';');
        assert_eq!(separator("product\tseats\tto\na\t1\t\n"), '\t');
        assert_eq!(separator("product\n"), ',');
        assert_eq!(separator(""), ',');
        // A wrong name is told by its name.
        assert_eq!(separator("product;seat\na;1\n"), ';');
        let sheet = read("sep=;\r\nproduct;seats\n".as_bytes(), &COLUMNS).unwrap();
        assert_eq!((sheet.separator, sheet.first_line), (b';', 2));
        assert_eq!(sheet.text, "product;seats\n");
    }

    #[test]
    fn text_is_read_in_the_encodings_that_spreadsheets_write() {
        let text = "product,seats\nzeichnen-größer,1\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [&[0xff, 0xfe], &*le].concat(),
            [&[0xfe, 0xff], &*be].concat(),
            le.clone(),
            be,
        ] {
            assert_eq!(read(&*bytes, &COLUMNS).unwrap().text, text, "{bytes:?}");
        }
        let why = |bytes: &[u8]| read(bytes, &COLUMNS).unwrap_err();
        insta::assert_snapshot!(why(b"product\ngr\xf6\xdfer\n"), @r#"line 2: it is not UTF-8; save it as "CSV UTF-8""#);
        insta::assert_snapshot!(why(&[&[0xff, 0xfe], &le[..7]].concat()), @"it is cut off, or is no UTF-16");
        insta::assert_snapshot!(why(b"PK\x03\x04 and so on"), @"it is a workbook, not text; save it as CSV");
    }
}
