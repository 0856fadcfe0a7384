//! A question before something that nothing takes back: asked on a terminal; elsewhere the command
//! line has to say it.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// Whether somebody can be asked: who answers has to see the question.
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
