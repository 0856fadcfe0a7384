//! Products with seats for the time of a benchmark.

use super::{LoadError, Target};
use crate::http;

/// Seats of each product: nobody is refused.
const SEATS: u32 = 10_000_000;

/// Products that were made for a benchmark.
#[derive(Debug)]
pub struct Fixture {
    target: Target,
    token: String,
    products: Vec<String>,
    entitlements: Vec<String>,
}

impl Fixture {
    /// Makes `count` products named `NAME-000` and so on, each with ten million seats. The token
    /// has to be an admin's.
    pub fn make(target: Target, token: &str, name: &str, count: usize) -> Result<Self, LoadError> {
        let mut fixture = Fixture {
            target,
            token: token.to_owned(),
            products: Vec::with_capacity(count),
            entitlements: Vec::with_capacity(count),
        };
        for index in 0..count {
            let product = format!("{name}-{index:03}");
            fixture.post("/v1/products", &serde_json::json!({ "id": product }))?;
            let entitlement = serde_json::json!({ "product": product, "seats": SEATS });
            fixture.products.push(product);
            let made = fixture.post("/v1/entitlements", &entitlement)?;
            if let Some(id) = made["id"].as_str() {
                fixture.entitlements.push(id.to_owned());
            }
        }
        Ok(fixture)
    }

    /// The products' ids.
    pub fn products(&self) -> &[String] {
        &self.products
    }

    /// Takes the products away again.
    pub fn remove(self) -> Result<(), LoadError> {
        let entitlements = self
            .entitlements
            .iter()
            .map(|id| format!("/v1/entitlements/{id}"));
        let products = self.products.iter().map(|id| format!("/v1/products/{id}"));
        for path in entitlements.chain(products) {
            let (status, body) = http::call(self.target.address, "DELETE", &path, &self.token, "")
                .map_err(LoadError::Failed)?;
            if !(200..300).contains(&status) && status != 404 {
                return Err(refused("DELETE", &path, status, &body));
            }
        }
        Ok(())
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, LoadError> {
        let (status, answer) = http::call(
            self.target.address,
            "POST",
            path,
            &self.token,
            &body.to_string(),
        )
        .map_err(LoadError::Failed)?;
        if !(200..300).contains(&status) {
            return Err(refused("POST", path, status, &answer));
        }
        serde_json::from_slice(&answer)
            .map_err(|error| LoadError::Failed(format!("POST {path} answered no JSON: {error}")))
    }
}

fn refused(method: &str, path: &str, status: u16, body: &[u8]) -> LoadError {
    let body = String::from_utf8_lossy(body);
    LoadError::Failed(format!(
        "{method} {path} was answered with {status}: {body}"
    ))
}

/// Whether a name can stand in JSON and in a path as it is.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty() && name.chars().all(plain)
}
