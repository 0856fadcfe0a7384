//! Recognises the licence files of licence servers: people give them to an import, which cannot
//! read them yet.

/// Words with which the first line of such a file begins: FlexNet's, then RLM's.
const WORDS: [&str; 11] = [
    "SERVER",
    "VENDOR",
    "DAEMON",
    "USE_SERVER",
    "FEATURE",
    "INCREMENT",
    "PACKAGE",
    "UPGRADE",
    "HOST",
    "ISV",
    "LICENSE",
];

/// Why a licence file is not imported, and what to do; `None` if the file is no licence file.
pub(super) fn not_read_yet(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim);
    let mut said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let word = said.next()?.split_whitespace().next()?;
    WORDS.contains(&word).then(|| {
        "it is a licence file of a licence server such as FlexNet, and these are not read yet: \
         write a table of what it says, with a column product and a column seats"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_file_is_told_from_a_table() {
        for text in [
            "SERVER lic1 ANY 27000\nVENDOR acme\nINCREMENT cad acme 1.0 permanent 5 SIGN=0\n",
            "# of the site\n\nUSE_SERVER\n",
            "HOST lic1 any 5053\nISV acme\n",
        ] {
            assert!(not_read_yet(text).is_some(), "{text}");
        }
        for text in [
            "",
            "Vendor;Server\n",
            "VENDOR_NAME,SEATS\n",
            "product,seats\n",
        ] {
            assert_eq!(not_read_yet(text), None, "{text}");
        }
    }
}
