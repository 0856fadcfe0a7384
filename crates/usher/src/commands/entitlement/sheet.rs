//! A spreadsheet's file: its encoding and its column separator; and the entitlements as such a
//! file.

use std::io::Read;

use usher_api::Entitlement;

use super::columns::{self, COLUMNS};
use super::details::core_price;
use crate::failure::Failure;
use crate::output;

/// A hundred thousand rows of a hundred bytes are ten million; in UTF-16 they are twice as much.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Possible column separators: Excel writes the one of the user's language.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// A table as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The header and the rows.
    pub(super) text: String,
    /// The column separator.
    pub(super) separator: u8,
    /// The number of the header's line.
    pub(super) first_line: u64,
}

/// Reads a table as spreadsheets write it.
///
/// # Errors
/// Why not, and in which line, if it is in one.
pub(super) fn read(source: impl Read) -> Result<Sheet, (Option<u64>, String)> {
    let mut bytes = Vec::new();
    let read = source.take(LIMIT_BYTES + 1).read_to_end(&mut bytes);
    let wrong = |why: String| (None, why);
    read.map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > LIMIT_BYTES {
        return Err(wrong(format!(
            "it is longer than {} MiB",
            LIMIT_BYTES >> 20
        )));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(wrong(format!("it is a workbook, not text: {SAVE}")));
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
    let is_it = |separator: &&char| header.split(**separator).all(columns::is_known);
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
        separator: u8::try_from(separator).map_err(|_| {
            wrong(format!(
                "its columns are set apart by {separator:?}; use a comma"
            ))
        })?,
        first_line: if said.is_some() { 2 } else { 1 },
    })
}

/// How a spreadsheet is saved so that it can be read.
const SAVE: &str = "save it in LibreOffice as \"Text CSV\" with the character set \"Unicode \
                    (UTF-8)\", in Excel as \"CSV UTF-8\"";

fn decoded(bytes: Vec<u8>) -> Result<String, (Option<u64>, String)> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.ok_or_else(|| (None, format!("it is cut off, or is no UTF-16: {SAVE}")))
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

fn utf8(bytes: Vec<u8>) -> Result<String, (Option<u64>, String)> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let why = format!("it is not UTF-8, but perhaps Windows-1252: {SAVE}");
        (Some(line as u64), why)
    })
}

/// The entitlements as an import reads them, with the ids.
pub(super) fn written(items: &[Entitlement]) -> Result<String, Failure> {
    let header = std::iter::once("id").chain(COLUMNS).map(str::to_owned);
    let mut rows: Vec<Vec<String>> = vec![header.collect()];
    rows.extend(items.iter().map(row));
    output::written(rows)
}

fn row(it: &Entitlement) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let end = |day: &Option<String>, at: Option<jiff::Timestamp>| {
        let day = day.clone().or_else(|| at.map(|at| at.to_string()));
        day.unwrap_or_default()
    };
    let metric = serde_json::to_value(it.metric).unwrap_or_default();
    let price = it.price.as_ref().map(core_price);
    let cell = |column: &str| match column {
        "product" => it.product.clone(),
        "seats" => it.seats.to_string(),
        "metric" => metric.as_str().unwrap_or_default().to_owned(),
        "from" => end(&it.from_day, it.from),
        "to" => end(&it.to_day, it.to),
        "time_zone" => text(&it.time_zone),
        "overdraft" => it.overdraft.to_string(),
        "name" => text(&it.name),
        "price" => price
            .as_ref()
            .map(|it| it.amount.to_string())
            .unwrap_or_default(),
        "currency" => price
            .as_ref()
            .map(|it| it.currency.clone())
            .unwrap_or_default(),
        "per" => price
            .as_ref()
            .map(|it| it.per.word().to_owned())
            .unwrap_or_default(),
        "contract" => text(&it.contract),
        "cost_centre" => text(&it.cost_centre),
        "notice_days" => it
            .notice_days
            .map(|days| days.to_string())
            .unwrap_or_default(),
        "note" => text(&it.note),
        _ => String::new(),
    };
    std::iter::once(it.id.clone())
        .chain(COLUMNS.map(cell))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn separator(text: &str) -> char {
        read(text.as_bytes()).unwrap().separator.into()
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
        assert_eq!(separator("product;seats;Cost centre, note\na;1;\n"), ';');
        let sheet = read("sep=;\r\nproduct;seats\n".as_bytes()).unwrap();
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
            assert_eq!(read(&*bytes).unwrap().text, text, "{bytes:?}");
        }
        let why = |bytes: &[u8]| {
            let (line, why) = read(bytes).unwrap_err();
            format!("{line:?} {why}")
        };
        insta::assert_snapshot!(why(b"product\ngr\xf6\xdfer\n"), @r#"Some(2) it is not UTF-8, but perhaps Windows-1252: save it in LibreOffice as "Text CSV" with the character set "Unicode (UTF-8)", in Excel as "CSV UTF-8""#);
        insta::assert_snapshot!(why(&[&[0xff, 0xfe], &le[..7]].concat()), @r#"None it is cut off, or is no UTF-16: save it in LibreOffice as "Text CSV" with the character set "Unicode (UTF-8)", in Excel as "CSV UTF-8""#);
        insta::assert_snapshot!(why(b"PK\x03\x04 and so on"), @r#"None it is a workbook, not text: save it in LibreOffice as "Text CSV" with the character set "Unicode (UTF-8)", in Excel as "CSV UTF-8""#);
    }
}
