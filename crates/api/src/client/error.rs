//! Why a call fails.

use crate::Problem;
use crate::unreached::TAKEN;

/// Why a call did not get the answer that it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered with a problem document.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// The server did not answer.
    #[error("cannot reach {endpoint}: {why}")]
    Unreachable {
        /// The address that was asked.
        endpoint: String,
        /// The reason, as the system gives it.
        why: String,
    },
    /// The server gave an answer that this version does not understand.
    #[error("{endpoint} gave an answer that usher does not understand: {why}")]
    NotUnderstood {
        /// The address that was asked.
        endpoint: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// The client itself could not be set up.
    #[error("cannot set up a client for {endpoint}: {why}")]
    Setup {
        /// The address that would have been asked.
        endpoint: String,
        /// The reason, as the system gives it.
        why: String,
    },
}

impl ClientError {
    /// Whether the server accepted the connection and did not answer: it is there, and hangs.
    pub fn is_of_one_that_hangs(&self) -> bool {
        matches!(self, ClientError::Unreachable { why, .. } if why == TAKEN)
    }

    /// The problem document that the server answered with, if it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ClientError::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}
