//! What is used, and by whom, as other licence servers name both.

use std::fmt::Write as _;

/// A feature of another licence server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature {
    /// The vendor's daemon, such as `MLM`; none: the file does not say.
    pub daemon: Option<String>,
    /// The feature's name, as it is written.
    pub name: String,
}

impl Feature {
    /// The product's id unless a map names another: `DAEMON:FEATURE`, with `%`, `/`, blanks and what
    /// cannot be seen percent-encoded, and `unknown` for a daemon that is not told.
    pub fn product_id(&self) -> String {
        let mut id = String::new();
        let daemon = self.daemon.as_deref().unwrap_or("unknown");
        for (place, part) in [daemon, &self.name].into_iter().enumerate() {
            if place > 0 {
                id.push(':');
            }
            for letter in part.chars() {
                match letter {
                    '%' | '/' => encode(letter, &mut id),
                    _ if letter.is_whitespace() || usher_api::is_unseen(letter) => {
                        encode(letter, &mut id)
                    }
                    _ => id.push(letter),
                }
            }
        }
        id
    }
}

fn encode(letter: char, id: &mut String) {
    let mut bytes = [0; 4];
    for byte in letter.encode_utf8(&mut bytes).bytes() {
        // Writing to a String cannot fail.
        let _ = write!(id, "%{byte:02X}");
    }
}

/// Who has or wants a seat, as the file writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The account; may hold blanks and any letters.
    pub user: String,
    /// The computer, as it is named there.
    pub host: String,
    /// The display or terminal, if it is told.
    pub display: Option<String>,
}

/// What was used: a product of ours, or a feature of another licence server that a map or
/// [`Feature::product_id`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// The product's id, as the file writes it.
    Id(String),
    /// A name that is not known here.
    Foreign(Feature),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_named_by_daemon_and_feature_and_what_no_id_may_hold_is_encoded() {
        let of = |daemon: Option<&str>, name: &str| {
            let feature = Feature {
                daemon: daemon.map(str::to_owned),
                name: name.to_owned(),
            };
            feature.product_id()
        };
        assert_eq!(of(Some("MLM"), "Signal_Toolbox"), "MLM:Signal_Toolbox");
        assert_eq!(of(None, "a b/c%"), "unknown:a%20b%2Fc%25");
        assert_eq!(of(Some("d"), "\u{a0}ü"), "d:%C2%A0ü");
    }
}
