//! The columns of a file of what is owned: which there are, and which those of a file are.

use crate::output::tame;

/// What columns there are, in the order in which they are written.
pub(super) const COLUMNS: [&str; 15] = [
    "product",
    "seats",
    "metric",
    "from",
    "to",
    "time_zone",
    "overdraft",
    "name",
    "price",
    "currency",
    "per",
    "contract",
    "cost_centre",
    "notice_days",
    "note",
];

/// What a list writes besides, which nobody can enter.
pub(super) const LISTED_ALONE: [&str; 2] = ["id", "in_use"];

/// The name of a column as it is compared: in small letters, without blanks and signs.
pub(super) fn key(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a name is that of a column.
pub(super) fn is_known(name: &str) -> bool {
    let name = key(name);
    COLUMNS
        .iter()
        .chain(&LISTED_ALONE)
        .any(|column| key(column) == name)
}

/// The columns of a file by their places.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Of each of [`COLUMNS`], its place in a row.
    places: [Option<usize>; COLUMNS.len()],
    /// How many columns there are, with those that are passed over.
    pub(super) count: usize,
    /// What is wrong with them.
    pub(super) faults: Vec<String>,
}

impl Header {
    /// Reads the names of the first line; those that are `ignored` are passed over.
    pub(super) fn read<'a>(names: impl Iterator<Item = &'a str>, ignored: &[String]) -> Header {
        let mut header = Header::default();
        let mut left: Vec<&String> = ignored.iter().collect();
        for (place, name) in names.enumerate() {
            header.count += 1;
            let shown = tame(name.trim().trim_matches('"').trim());
            let name = key(&shown);
            if ignored.iter().any(|other| key(other) == name) {
                left.retain(|other| key(other) != name);
                continue;
            }
            if LISTED_ALONE.iter().any(|column| key(column) == name) {
                continue;
            }
            let known = COLUMNS.iter().position(|column| key(column) == name);
            match known.map(|known| &mut header.places[known]) {
                // A spreadsheet writes columns without a heading behind the last.
                None if shown.is_empty() => {}
                None => header.faults.push(format!(
                    "there is no column {shown:?} to import: --ignore-column {} leaves it out",
                    crate::output::quoted(&shown)
                )),
                Some(Some(_)) => header
                    .faults
                    .push(format!("there are two columns {shown:?}")),
                Some(free) => *free = Some(place),
            }
        }
        for needed in ["product", "seats"] {
            if !header.has(needed) {
                header
                    .faults
                    .push(format!("the column {needed} is missing"));
            }
        }
        let left = left.into_iter();
        header.faults.extend(
            left.map(|name| format!("--ignore-column {}: there is no such column", tame(name))),
        );
        header
    }

    /// Whether the file has that column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.place(column).is_some()
    }

    /// The place of that column in a row.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        let known = COLUMNS.iter().position(|other| *other == column)?;
        self.places[known]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(header: &str, ignored: &[&str]) -> String {
        let ignored: Vec<String> = ignored.iter().map(|&name| name.to_owned()).collect();
        Header::read(header.split(';'), &ignored).faults.join("\n")
    }

    #[test]
    fn a_column_is_the_same_however_its_name_is_written() {
        let header = "Product;SEATS;Cost centre;notice-days;TIME ZONE;Id;in use";
        assert_eq!(faults(header, &[]), "");
        let header = Header::read(header.split(';'), &[]);
        assert_eq!(header.place("cost_centre"), Some(2));
        assert_eq!(header.place("time_zone"), Some(4));
        assert_eq!((header.place("price"), header.count), (None, 7));
    }

    #[test]
    fn what_is_wrong_with_the_columns_is_told_all_at_once_as_they_are_written() {
        insta::assert_snapshot!(faults("Lieferant;Produkt GmbH;seats;Seats", &["vendor"]), @r#"
        there is no column "Lieferant" to import: --ignore-column Lieferant leaves it out
        there is no column "Produkt GmbH" to import: --ignore-column 'Produkt GmbH' leaves it out
        there are two columns "Seats"
        the column product is missing
        --ignore-column vendor: there is no such column
        "#);
        assert_eq!(faults("product;seats;Lieferant;", &["LIEFERANT"]), "");
    }
}
