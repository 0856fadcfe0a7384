//! The columns of a file of entitlements: which exist, and which a file has.

use super::named::with_value;
use crate::near::nearest;
use crate::output::tame;

/// All columns, in the order in which they are written.
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

/// The columns that a list writes besides, which an import passes over.
pub(super) const LISTED_ALONE: [&str; 2] = ["id", "in_use"];

/// The columns that a file must have.
const NEEDED: [&str; 2] = ["product", "seats"];

/// Other names that people give to columns, in the form in which names are compared, and the
/// columns that they mean.
const CALLED: [(&str, &[&str]); 11] = [
    (
        "product",
        &[
            "produkt", "produit", "producto", "prodotto", "software", "title", "titel",
        ],
    ),
    (
        "seats",
        &[
            "anzahl",
            "menge",
            "quantity",
            "qty",
            "count",
            "number",
            "licences",
            "licenses",
            "lizenzen",
            "plätze",
            "nombre",
            "quantité",
        ],
    ),
    (
        "from",
        &[
            "von",
            "ab",
            "beginn",
            "start",
            "startdate",
            "begin",
            "validfrom",
            "gültigab",
        ],
    ),
    (
        "to",
        &[
            "bis",
            "ende",
            "end",
            "enddate",
            "until",
            "validto",
            "validuntil",
            "expires",
            "expiry",
            "gültigbis",
        ],
    ),
    ("name", &["bezeichnung", "nom"]),
    (
        "price",
        &["preis", "kosten", "cost", "amount", "betrag", "prix"],
    ),
    ("currency", &["währung", "devise"]),
    ("contract", &["vertrag", "contrat", "order", "ponumber"]),
    ("cost_centre", &["kostenstelle", "costcenter"]),
    ("notice_days", &["notice", "kündigungsfrist", "frist"]),
    (
        "note",
        &[
            "notiz",
            "notizen",
            "bemerkung",
            "kommentar",
            "comment",
            "comments",
            "remark",
            "notes",
        ],
    ),
];

/// The column that a name means, as another name for it or as a misspelling.
fn meant(name: &str) -> Option<&'static str> {
    let key = key(name);
    let called = CALLED.iter().find(|(_, names)| names.contains(&&*key));
    called
        .map(|(column, _)| *column)
        .or_else(|| nearest(&key, COLUMNS))
}

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
    /// The place in a row of each of [`COLUMNS`].
    places: [Option<usize>; COLUMNS.len()],
    /// How many columns the file has, including those that are passed over.
    pub(super) count: usize,
    /// The faults of the columns.
    pub(super) faults: Vec<String>,
}

impl Header {
    /// Reads the names in the first line; the columns that `ignored` names are passed over.
    pub(super) fn read<'a>(names: impl Iterator<Item = &'a str>, ignored: &[String]) -> Header {
        let mut header = Header::default();
        let mut left: Vec<&String> = ignored.iter().collect();
        let mut strange = Vec::new();
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
                None => strange.push(shown),
                Some(Some(_)) => header
                    .faults
                    .push(format!("there are two columns {shown:?}")),
                Some(free) => *free = Some(place),
            }
        }
        let of_strange: Vec<String> = strange.iter().map(|it| header.no_column(it)).collect();
        header.faults.extend(of_strange);
        for needed in NEEDED {
            if !header.has(needed) {
                header.faults.push(format!(
                    "the column {needed} is missing: the first line names the columns"
                ));
            }
        }
        let left = left.into_iter();
        header.faults.extend(
            left.map(|name| format!("--ignore-column {}: there is no such column", tame(name))),
        );
        header
    }

    /// Says that there is no such column, and what to do: rename it to one that the file lacks, or
    /// ignore it.
    fn no_column(&self, name: &str) -> String {
        let said = format!("there is no column {name:?} to import");
        let ignored = format!("{} leaves it out", with_value("--ignore-column", name));
        let lacks = |column: &&str| !self.has(column);
        let meant = meant(name).filter(lacks);
        match meant {
            Some(column) if NEEDED.contains(&column) => {
                format!("{said}: if it is {column:?}, name it so")
            }
            Some(column) => format!("{said}: if it is {column:?}, name it so; or {ignored}"),
            None if NEEDED.iter().any(lacks) => {
                format!("{said}: name it as the one that it is; or {ignored}")
            }
            None => format!("{said}: {ignored}"),
        }
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
        there are two columns "Seats"
        there is no column "Lieferant" to import: name it as the one that it is; or --ignore-column Lieferant leaves it out
        there is no column "Produkt GmbH" to import: name it as the one that it is; or --ignore-column 'Produkt GmbH' leaves it out
        the column product is missing: the first line names the columns
        --ignore-column vendor: there is no such column
        "#);
        assert_eq!(faults("product;seats;Lieferant;", &["LIEFERANT"]), "");
    }

    #[test]
    fn a_column_under_another_name_is_told_which_it_may_be() {
        insta::assert_snapshot!(faults("Produkt;Anzahl;Preis;Bis", &[]), @r#"
        there is no column "Produkt" to import: if it is "product", name it so
        there is no column "Anzahl" to import: if it is "seats", name it so
        there is no column "Preis" to import: if it is "price", name it so; or --ignore-column Preis leaves it out
        there is no column "Bis" to import: if it is "to", name it so; or --ignore-column Bis leaves it out
        the column product is missing: the first line names the columns
        the column seats is missing: the first line names the columns
        "#);
        // The file has that one already.
        insta::assert_snapshot!(faults("product;seats;Anzahl;-x;costs centre", &[]), @r#"
        there is no column "Anzahl" to import: --ignore-column Anzahl leaves it out
        there is no column "-x" to import: --ignore-column=-x leaves it out
        there is no column "costs centre" to import: if it is "cost_centre", name it so; or --ignore-column 'costs centre' leaves it out
        "#);
    }
}
