//! A server's products and entitlements, as a policy.

use std::collections::BTreeMap;

use usher_api::client::Client;
use usher_api::{Entitlement, Product as Wire, ProductView};
use usher_core::policy::Policy;

use super::convert;
use crate::failure::Failure;
use crate::listing::{Extent, Query};
use crate::owned;

/// The products and entitlements of a server.
#[derive(Debug)]
pub(super) struct Held {
    /// What the server holds, as a policy.
    pub(super) policy: Policy,
    /// The products as the server shows them.
    pub(super) products: Vec<Wire>,
    /// The entitlements as the server shows them.
    pub(super) entitlements: Vec<Entitlement>,
    /// The server's ids of the entitlements, by their names in the policy.
    ids: BTreeMap<String, String>,
    /// Seats in use of the products, by their ids.
    in_use: BTreeMap<String, u64>,
    /// The name of the server, if a manager was asked.
    pub(super) server: Option<String>,
}

impl Held {
    /// Fetches all of it from the server.
    pub(super) async fn of(client: &Client) -> Result<Held, Failure> {
        let query = Query::new("/v1/products");
        let products = owned::list::<ProductView>(client, &query, &Extent::ALL).await?;
        products.must_be_of_one()?;
        let server = products.server();
        let products = products.page.items;
        let entitlements = owned::all(client, &Query::new("/v1/entitlements")).await?;
        let in_use = products
            .iter()
            .map(|view| (view.product.id.clone(), view.in_use))
            .collect();
        let products: Vec<Wire> = products.into_iter().map(|view| view.product).collect();
        let mut held = Held {
            policy: Policy::default(),
            products,
            entitlements,
            ids: BTreeMap::new(),
            in_use,
            server,
        };
        for wire in &held.products {
            let product = convert::product(wire);
            held.policy.products.insert(wire.id.clone(), product);
        }
        for wire in &held.entitlements {
            let name = convert::name(wire);
            if let Some(other) = held.ids.insert(name.to_owned(), wire.id.clone()) {
                return Err(Failure::failed(format!(
                    "entitlements {other} and {} of the server are both called {name}",
                    wire.id
                ))
                .next("`usher entitlement edit ID --name NAME` gives one of them another name."));
            }
            let terms = convert::terms(wire)?;
            held.policy.entitlements.insert(name.to_owned(), terms);
        }
        Ok(held)
    }

    /// The server's id of the entitlement of that name.
    pub(super) fn id_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.ids.get(name).map_or(name, String::as_str)
    }

    /// Seats in use of a product.
    pub(super) fn in_use(&self, product: &str) -> u64 {
        self.in_use.get(product).copied().unwrap_or(0)
    }

    /// The product of that id as the server shows it.
    pub(super) fn product(&self, id: &str) -> Option<&Wire> {
        self.products.iter().find(|product| product.id == id)
    }
}
