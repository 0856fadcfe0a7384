//! Whether use of a product that asks for no seat would be seen, and what people call it.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_api::{KnownProduct, Status};

use crate::app::App;
use crate::routes::reports::gathering::Gathering;
use crate::routes::together::{self, List, OfServer, not_told};

/// What the servers say of their products and agents.
#[derive(Debug, Default)]
pub(super) struct Watched {
    products: BTreeMap<String, OfProduct>,
    /// A server did not say which products it has, or whether agents report to it.
    is_cut: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct OfProduct {
    name: String,
    has_rule: bool,
    /// Some server has a rule for it and agents that follow it.
    is_watched: bool,
}

impl Watched {
    pub(super) async fn of(gathering: &mut Gathering<'_>) -> Watched {
        let asked = |app: Arc<App>, of: OfServer| async move {
            tokio::join!(
                of.whole_list::<KnownProduct>(&app, "/v1/products?"),
                of.one::<Status>(&app, "/v1/status"),
            )
        };
        let from_ms = gathering.question.period.from_ms;
        let servers = &gathering.ground.watched;
        let each = together::each(gathering.app, None, servers, asked).await;
        let mut watched = Watched::default();
        for (server, said) in each {
            let why = match said {
                Ok((products, status)) => watched.take(products, status, from_ms),
                Err(why) => Some(why),
            };
            if let Some(why) = why {
                watched.is_cut = true;
                gathering.cuts([not_told("products", &server, &why)]);
            }
        }
        watched
    }

    /// What one server says; why it does not say all. An agent that reported last before the time
    /// that is asked about saw nothing of it.
    fn take(
        &mut self,
        products: List<KnownProduct>,
        status: Result<Status, String>,
        from_ms: i64,
    ) -> Option<String> {
        let (has_agents, why) = match status {
            Ok(status) => {
                let mut seen = status.computers.iter().map(|it| it.last_seen_at);
                (seen.any(|at| at.as_millisecond() >= from_ms), None)
            }
            Err(why) => (false, Some(why)),
        };
        for it in products.items {
            let has_rule = !it.product.programs.is_empty();
            let of = self.products.entry(it.product.id).or_default();
            if of.name.is_empty() {
                of.name = it.product.name;
            }
            of.has_rule |= has_rule;
            of.is_watched |= has_rule && has_agents;
        }
        products.why.or(why)
    }

    /// The title for people; the id if there is none.
    pub(super) fn name(&self, product: &str) -> String {
        let of = self.products.get(product);
        let name = of.map(|of| of.name.clone()).filter(|it| !it.is_empty());
        name.unwrap_or_else(|| product.to_owned())
    }

    /// Why use that asks for no seat may go unseen; none: agents see it.
    pub(super) fn unseen(&self, product: &str) -> Option<&'static str> {
        match self.products.get(product) {
            Some(of) if of.is_watched => None,
            _ if self.is_cut => Some("a server did not say whether agents watch it"),
            Some(of) if of.has_rule => Some("no agent reports to a server that has it"),
            Some(_) => Some("no program rule tells which programs it is, so no agent sees it"),
            None => Some("no server has it any more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(has_rule: bool, is_watched: bool, is_cut: bool) -> Watched {
        let of = OfProduct {
            name: String::new(),
            has_rule,
            is_watched,
        };
        Watched {
            products: BTreeMap::from([("cad".to_owned(), of)]),
            is_cut,
        }
    }

    #[test]
    fn use_is_seen_only_of_what_has_a_rule_and_an_agent() {
        assert_eq!(watched(true, true, true).unseen("cad"), None);
        for (has_rule, is_cut, word) in [
            (true, false, "no agent"),
            (false, false, "no program rule"),
            (false, true, "did not say"),
        ] {
            let why = watched(has_rule, false, is_cut).unseen("cad").unwrap();
            assert!(why.contains(word), "{why}");
        }
        assert!(watched(true, true, false).unseen("cam").is_some());
        assert_eq!(watched(true, true, false).name("cad"), "cad");
    }
}
