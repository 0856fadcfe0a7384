//! Requests that may be sent twice: once more if the outcome of the first is not known.

use std::future::Future;

use usher_api::Code;
use usher_api::client::{Client, ClientError};

/// Sends a request that may be sent twice, and once more if its outcome is not known.
pub(crate) async fn sent<T, F>(mut send: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    match send().await {
        Err(error) if is_unknown(&error) => send().await,
        answer => answer,
    }
}

fn is_unknown(error: &ClientError) -> bool {
    match error {
        ClientError::Problem(problem) => problem.is(Code::OutcomeUnknown),
        ClientError::Unreachable { .. } => true,
        ClientError::NotUnderstood { .. } | ClientError::Setup { .. } => false,
    }
}

/// Sends a removal. If what it removes is gone at the second attempt, the first one has removed it.
pub(crate) async fn removed(client: &Client, path: &str, gone: Code) -> Result<(), ClientError> {
    let first = client.delete(path).await;
    match first {
        Err(error) if is_unknown(&error) => match client.delete(path).await {
            Err(ClientError::Problem(problem)) if problem.is(gone) => Ok(()),
            again => again,
        },
        first => first,
    }
}
