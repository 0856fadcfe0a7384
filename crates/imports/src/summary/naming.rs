//! What products are called: by a map that somebody gave, else by the names of the other server.

use std::collections::BTreeMap;

use crate::fact::{Feature, Product};
use crate::record;

/// Features that a map may name.
pub const MAP_LIMIT: usize = 100_000;

/// What is wrong with a map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The first line is no header.
    #[error("line 1: the first line is `feature,product`")]
    Header,
    /// A row is none of a feature and a product.
    #[error("line {0}: a row is a feature and a product, such as MLM:Simulink,simulink")]
    Row(u64),
    /// A product's id is none.
    #[error("line {line}: {product:?} is no product's id, because it has a blank or /")]
    Product {
        /// The line, from 1.
        line: u64,
        /// The id, as it is written.
        product: String,
    },
    /// A feature is named twice, with different products.
    #[error("line {line}: {feature} has another product above")]
    Twice {
        /// The second line, from 1.
        line: u64,
        /// The feature, as it is written.
        feature: String,
    },
    /// There are more rows than are read.
    #[error("a map has at most {MAP_LIMIT} features")]
    TooLong,
}

/// Which products features are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductMap {
    products: BTreeMap<String, String>,
}

impl ProductMap {
    /// A table with the header `feature,product`: the id that a feature has without a map
    /// (`MLM:Simulink`), or its bare name for whatever daemon, and the product's id. Lines that begin with
    /// `#` and blank ones say nothing.
    ///
    /// # Errors
    /// The table is none, or says two things of one feature.
    pub fn read(text: &str) -> Result<ProductMap, MapError> {
        let mut map = ProductMap::default();
        let mut has_header = false;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let cells = record::cells(line, ',').ok_or(MapError::Row(number))?;
            let [feature, product] = cells.as_slice() else {
                return Err(match has_header {
                    true => MapError::Row(number),
                    false => MapError::Header,
                });
            };
            let (feature, product) = (feature.trim(), product.trim());
            if !has_header {
                if (feature, product) != ("feature", "product") {
                    return Err(MapError::Header);
                }
                has_header = true;
                continue;
            }
            if feature.is_empty() || product.is_empty() {
                return Err(MapError::Row(number));
            }
            if product.contains(|letter: char| letter == '/' || letter.is_whitespace()) {
                return Err(MapError::Product {
                    line: number,
                    product: product.to_owned(),
                });
            }
            if map.products.len() >= MAP_LIMIT {
                return Err(MapError::TooLong);
            }
            let before = map.products.insert(feature.to_owned(), product.to_owned());
            if before.is_some_and(|before| before != product) {
                return Err(MapError::Twice {
                    line: number,
                    feature: feature.to_owned(),
                });
            }
        }
        match has_header {
            true => Ok(map),
            false => Err(MapError::Header),
        }
    }

    /// The id of the product that a feature is: what the map says of the feature, else of its bare name,
    /// else the id that it has without a map.
    pub fn product(&self, feature: &Feature) -> String {
        let id = feature.product_id();
        let mapped = self
            .products
            .get(&id)
            .or_else(|| self.products.get(&feature.name));
        mapped.cloned().unwrap_or(id)
    }

    /// The id of a product, or of the product that a feature is.
    pub(crate) fn product_of(&self, product: &Product) -> String {
        match product {
            Product::Id(id) => self.products.get(id).unwrap_or(id).clone(),
            Product::Foreign(feature) => self.product(feature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(daemon: Option<&str>, name: &str) -> Feature {
        Feature {
            daemon: daemon.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_feature_is_what_the_map_says_of_it_then_of_its_name_then_itself() {
        let text = "# ours\nfeature,product\nMLM:Simulink,sim\n\"a,b\",ab\nMATLAB,matlab\n";
        let map = ProductMap::read(text).unwrap();
        for (daemon, name, product) in [
            (Some("MLM"), "Simulink", "sim"),
            (Some("other"), "Simulink", "other:Simulink"),
            (None, "MATLAB", "matlab"),
            (Some("x"), "a,b", "ab"),
            (None, "c d", "unknown:c%20d"),
        ] {
            assert_eq!(map.product(&feature(daemon, name)), product);
        }
        let id = Product::Id("MATLAB".to_owned());
        assert_eq!(map.product_of(&id), "matlab");
    }

    #[test]
    fn a_table_that_is_no_map_is_refused_with_its_line() {
        for (text, expected) in [
            ("", MapError::Header),
            ("MLM:a,a\n", MapError::Header),
            ("feature,product\na\n", MapError::Row(2)),
            ("feature,product\n\na,\n", MapError::Row(3)),
            (
                "feature,product\na,b c\n",
                MapError::Product {
                    line: 2,
                    product: "b c".to_owned(),
                },
            ),
            (
                "feature,product\na,b\na,b\na,c\n",
                MapError::Twice {
                    line: 4,
                    feature: "a".to_owned(),
                },
            ),
        ] {
            assert_eq!(ProductMap::read(text), Err(expected), "{text:?}");
        }
    }
}
