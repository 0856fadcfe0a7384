//! The name that may have been meant where one is mistyped.

/// The nearest of the names that are known, if it is near enough to have been meant: a guess that has
/// nothing to do with what was typed misleads.
pub(crate) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let at_most = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, typed), name))
        .filter(|(distance, _)| *distance <= at_most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_guessed_only_where_it_is_near() {
        let known = ["server", "ca-file", "concerns.disk_mb"];
        for (typed, expected) in [
            ("sever", Some("server")),
            ("cafile", Some("ca-file")),
            ("concerns.disk_bm", Some("concerns.disk_mb")),
            ("console", None),
            ("nonsense", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
    }
}
