//! Why a command ended, as a monitor shows it.

use crate::failure::Failure;

/// Why a command ended, as plain text without terminal colours and without a usage text.
pub(super) fn of_failure(failure: &Failure) -> String {
    let text = failure.to_string();
    let text = match failure {
        Failure::Usage(_) => text.split("\n\nUsage:").next().unwrap_or(&text),
        _ => &text,
    };
    let text = text.trim();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let text = text.strip_prefix("usher: ").unwrap_or(text);
    // What to do is a sentence of its own.
    let sentences = text.split("\n  ").map(|it| it.trim_end_matches('.'));
    let said = sentences.collect::<Vec<_>>().join(". ");
    match text.ends_with('.') {
        true => said + ".",
        false => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_without_the_marks_of_a_terminal() {
        let failure = Failure::usage("there is no settings file").next("Name another.");
        assert_eq!(
            of_failure(&failure),
            "there is no settings file. Name another."
        );
        let failure = Failure::failed("it is so")
            .next("Do this.")
            .first("Do that.");
        assert_eq!(of_failure(&failure), "it is so. Do that. Do this.");
    }
}
