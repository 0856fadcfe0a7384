//! Suggests a product if the one that was named does not exist.

use std::time::Duration;

use tokio::time::timeout;
use usher_api::Status;

use crate::context::Context;
use crate::failure::Failure;
use crate::near::nearest;
use crate::output::tame;
use crate::run::door;

/// How long the look may take: the failure can be shown without it.
const WITHIN: Duration = Duration::from_secs(2);

/// The failure, with the product whose id is most like the one that does not exist.
pub(crate) fn added(failure: Failure, context: &Context) -> Failure {
    let Some(id) = failure.unknown_product() else {
        return failure;
    };
    let looked = context.block_on(async { Ok(timeout(WITHIN, ids(context)).await) });
    let ids = looked.ok().and_then(Result::ok).unwrap_or_default();
    // One that was removed a moment ago may still stand there, and is none.
    let others = ids.iter().map(String::as_str).filter(|other| *other != id);
    match nearest(id, others) {
        Some(nearest) => failure.first(&format!("Did you mean {}?", tame(nearest))),
        None => failure,
    }
}

/// The ids of the products that the user may see.
async fn ids(context: &Context) -> Vec<String> {
    let agent = match context.token() {
        Some(_) => None,
        None => door::agent(None, context).await.ok().flatten(),
    };
    let client = match agent {
        Some((agent, _)) => Ok(agent),
        None => context.client(),
    };
    let Ok(client) = client else {
        return Vec::new();
    };
    match client.get::<Status>("/v1/status").await {
        Ok(status) => status.products.into_iter().map(|it| it.id).collect(),
        Err(_) => Vec::new(),
    }
}
