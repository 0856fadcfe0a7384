//! A question before something that cannot be undone. It is asked on a terminal; elsewhere an
//! option has to give the consent.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// Whether a person can be asked: stdin and stderr are a terminal.
pub(crate) fn can_be_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal. Everything but a yes is a no.
pub(crate) fn asked(question: &str) -> Result<bool, Failure> {
    let mut stderr = std::io::stderr();
    // Who does not see the question does not say yes to it.
    let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(format!("cannot read the answer: {error}")))?;
    Ok(is_yes(&answer))
}

/// Whether an answer is a yes.
pub(crate) fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
