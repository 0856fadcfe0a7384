//! What somebody may have meant who named a product that there is none of.

use std::time::Duration;

use tokio::time::timeout;
use usher_api::Status;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::tame;
use crate::run::door;

/// How long looking may take: it is an extra.
const WITHIN: Duration = Duration::from_secs(2);

/// The failure, with the product that is most like the one that is none.
pub(crate) fn added(failure: Failure, context: &Context) -> Failure {
    let Some(id) = failure.unknown_product() else {
        return failure;
    };
    let looked = context.block_on(async { Ok(timeout(WITHIN, ids(context)).await) });
    let ids = looked.ok().and_then(Result::ok).unwrap_or_default();
    match nearest(id, &ids) {
        Some(nearest) => failure.first(&format!("Did you mean {}?", tame(nearest))),
        None => failure,
    }
}

/// The products that there are, as far as who asks may see.
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

/// The id that is meant most likely; none is like it enough: none.
fn nearest<'i>(id: &str, ids: &'i [String]) -> Option<&'i str> {
    let typed = id.to_lowercase();
    let slips = |other: &str| strsim::damerau_levenshtein(&other.to_lowercase(), &typed);
    // A third of its letters: of two ids of three letters, one that is another's product is not meant.
    let most = (typed.chars().count() / 3).max(1);
    let (nearest, slips) = ids
        .iter()
        // One that was removed a moment ago may still stand there, and is none.
        .filter(|other| *other != id)
        .map(|other| (other.as_str(), slips(other)))
        .min_by_key(|(_, slips)| *slips)?;
    (slips <= most).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_was_mistyped_is_found_and_one_that_is_another_is_not() {
        let ids = ["cad", "cad-pack", "solver"].map(str::to_owned);
        for (typed, meant) in [
            ("cda", Some("cad")),
            ("solver", None),
            ("CAD", Some("cad")),
            ("solvr", Some("solver")),
            ("cadpack", Some("cad-pack")),
            ("gimp", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed, &ids), meant, "{typed}");
        }
        assert_eq!(nearest("cad", &[]), None);
    }
}
