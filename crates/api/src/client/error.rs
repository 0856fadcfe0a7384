//! Why a call comes to nothing.

use crate::Problem;
use crate::unreached::TAKEN;

/// Why a call has no answer of the kind that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered, and said no.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// There was no answer.
    #[error("cannot reach {endpoint}: {why}")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
        /// What the system said.
        why: String,
    },
    /// There was an answer that this version does not understand.
    #[error("{endpoint} gave an answer that usher does not understand: {why}")]
    NotUnderstood {
        /// Who was asked.
        endpoint: String,
        /// What was wrong with it.
        why: String,
    },
    /// The client itself could not be set up.
    #[error("cannot set up a client for {endpoint}: {why}")]
    Setup {
        /// Who was to be asked.
        endpoint: String,
        /// What the system said.
        why: String,
    },
}

impl ClientError {
    /// Whether who was asked took the connection and has not answered: it is there, and hangs.
    pub fn is_of_one_that_hangs(&self) -> bool {
        matches!(self, ClientError::Unreachable { why, .. } if why == TAKEN)
    }

    /// The problem that the server answered with, if that is what it was.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ClientError::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}
