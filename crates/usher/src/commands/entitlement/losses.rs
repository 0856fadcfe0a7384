//! What happens to people who use or wait for what is removed, in words.

use usher_api::Status;
use usher_api::client::Client;

use crate::output::{counted, tame};

/// What happens to seats in use.
pub(crate) fn still_used(count: u64) -> String {
    let seats = counted(count, "seat");
    match count {
        1 => format!("{seats} of it is in use, and stays so until it is given back"),
        _ => format!("{seats} of it are in use, and stay so until they are given back"),
    }
}

/// What happens to requests that wait.
pub(crate) fn waiting(count: u64) -> String {
    let requests = counted(count, "request");
    match count {
        1 => format!("{requests} waits for a seat of it, and is then refused"),
        _ => format!("{requests} wait for a seat of it, and are then refused"),
    }
}

/// Who waits for a seat of a product, in words; `None` if nobody does, or the server does not say.
pub(super) async fn waited_for(client: &Client, product: &str) -> Option<String> {
    let status: Status = client.get("/v1/status").await.ok()?;
    let shown = status.products.iter().find(|it| it.id == product)?;
    still_waiting(shown.queued, product)
}

fn still_waiting(count: u64, product: &str) -> Option<String> {
    let (requests, product) = (counted(count, "request"), tame(product));
    match count {
        0 => None,
        1 => Some(format!("{requests} waits for a seat of {product}")),
        _ => Some(format!("{requests} wait for a seat of {product}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_product_is_counted() {
        let told = |count| still_waiting(count, "cad").unwrap_or_default();
        assert_eq!(told(0), "");
        assert_eq!(told(1), "1 request waits for a seat of cad");
        assert_eq!(told(2), "2 requests wait for a seat of cad");
    }
}
