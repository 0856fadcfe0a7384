//! Why somebody was refused, by the words of the server that refused.

use usher_api::ImportedReason;

/// Error numbers of FlexNet ("FlexNet Error Codes", License Administration Guide) by what they mean.
const FLEXNET: [(&str, ImportedReason); 12] = [
    ("(-4,", ImportedReason::NoSeat),
    ("(-24,", ImportedReason::NoSeat),
    ("(-5,", ImportedReason::NotServed),
    ("(-18,", ImportedReason::NotServed),
    ("(-21,", ImportedReason::NotServed),
    ("(-25,", ImportedReason::NotServed),
    ("(-38,", ImportedReason::NotAllowed),
    ("(-39,", ImportedReason::NotAllowed),
    ("(-87,", ImportedReason::NotAllowed),
    ("(-101,", ImportedReason::NotAllowed),
    ("(-4)", ImportedReason::NoSeat),
    ("(-5)", ImportedReason::NotServed),
];

/// Words of servers, in lower case, in the order in which they are looked for.
const WORDS: [(&str, ImportedReason); 12] = [
    ("exclude", ImportedReason::NotAllowed),
    ("include list", ImportedReason::NotAllowed),
    ("not authorized", ImportedReason::NotAllowed),
    ("reserved for others", ImportedReason::NotAllowed),
    ("max limit", ImportedReason::NotAllowed),
    ("already reached", ImportedReason::NoSeat),
    ("users are queued", ImportedReason::NoSeat),
    ("all licenses in use", ImportedReason::NoSeat),
    ("no more available", ImportedReason::NoSeat),
    ("no such feature", ImportedReason::NotServed),
    ("no authorization for product", ImportedReason::NotServed),
    ("does not support this version", ImportedReason::NotServed),
];

/// The reason that words mean.
pub(super) fn of(words: &str) -> ImportedReason {
    let numbered = FLEXNET.iter().find(|(number, _)| words.contains(number));
    if let Some((_, reason)) = numbered {
        return *reason;
    }
    let lower = words.to_lowercase();
    let worded = WORDS.iter().find(|(said, _)| lower.contains(said));
    worded.map_or(ImportedReason::Other, |(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_servers_say_why() {
        for (words, expected) in [
            (
                "Licensed number of users already reached. (-4,342)",
                ImportedReason::NoSeat,
            ),
            (
                "Users are queued for this feature. (-24,332)",
                ImportedReason::NoSeat,
            ),
            (
                "User/host on EXCLUDE list for feature. (-38,349)",
                ImportedReason::NotAllowed,
            ),
            (
                "All licenses are reserved for others. (-101,147)",
                ImportedReason::NotAllowed,
            ),
            (
                "No such feature exists. (-5,346)",
                ImportedReason::NotServed,
            ),
            ("status -22: all licenses in use", ImportedReason::NoSeat),
            ("no more available license", ImportedReason::NoSeat),
            (
                "Invalid (inconsistent) license key. (-8,544)",
                ImportedReason::Other,
            ),
            ("", ImportedReason::Other),
        ] {
            assert_eq!(of(words), expected, "{words}");
        }
    }
}
