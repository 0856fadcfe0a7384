//! The name that may have been meant if one is mistyped.

/// The most similar of the known names, ignoring case, if it is similar enough: a suggestion that
/// has nothing to do with what was typed would mislead.
pub(crate) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let slips = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &typed);
    // A third of its letters: of two names of three letters, one that is another's is not meant.
    let at_most = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (slips(name), name))
        .filter(|(distance, _)| *distance <= at_most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_guessed_only_where_it_is_near() {
        let known = ["server", "ca-file", "concerns.disk_mb", "cad", "cad-pack"];
        for (typed, expected) in [
            ("sever", Some("server")),
            ("cda", Some("cad")),
            ("CAD", Some("cad")),
            ("cadpack", Some("cad-pack")),
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
