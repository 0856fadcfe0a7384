//! How far a backup or a restore is, in words.

use usher_site::CopyStep;

use crate::output::bytes;

/// How far a step is.
pub(crate) fn words(step: CopyStep) -> String {
    match step.all_bytes {
        Some(all) => format!(
            "{} of about {} {}",
            bytes(step.bytes),
            bytes(all),
            step.done
        ),
        None => format!("{} {}", bytes(step.bytes), step.done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_how_much_there_is_if_that_is_known() {
        let mut step = CopyStep {
            done: "written",
            bytes: 3 << 20,
            all_bytes: Some(5 << 20),
        };
        assert_eq!(words(step), "3.0 MiB of about 5.0 MiB written");
        step.all_bytes = None;
        assert_eq!(words(step), "3.0 MiB written");
    }
}
