//! How many seats were wanted, and whom a number of them would have refused.

use serde_json::json;

use crate::common::{Server, asking};

#[tokio::test]
async fn who_waits_and_who_was_refused_wanted_a_seat_as_well_as_who_holds_one() {
    let server = Server::start();
    server.product("cad", 1).await;
    let nothing = server.get("/v1/products/cad/demand").await;
    assert_eq!(
        (&nothing["peak"], &nothing["from"], &nothing["owned"]),
        (&json!(0), &json!(null), &json!(1))
    );
    server.lease("cad", "ann").await;
    for user in ["bob", "bob", "bob", "cyd", "dan"] {
        assert_eq!(server.checkout("cad", user).await.status, 403);
    }
    server.ticket("cad", "eve").await;
    let played = server.get("/v1/products/cad/demand").await;
    assert_eq!(
        (&played["seats"], &played["peak"], &played["refused"]),
        (&json!(1), &json!(5), &json!(4)),
        "{played}"
    );
    assert_eq!(
        (
            &played["denials"],
            &played["denied_people"],
            &played["waits"],
            &played["people"],
            &played["first"]["user"],
        ),
        (&json!(5), &json!(3), &json!(1), &json!(4), &json!("bob"))
    );
    assert!(played["from"].is_string() && played["peak_at"].is_string());
    let enough = server.get("/v1/products/cad/demand?seats=5").await;
    assert_eq!(
        (&enough["refused"], &enough["first"], &enough["peak"]),
        (&json!(0), &json!(null), &json!(5))
    );
    let before = server
        .get("/v1/products/cad/demand?since=2020-01-01&until=2020-01-31")
        .await;
    assert_eq!(
        (&before["peak"], &before["from"]),
        (&json!(0), &json!(null))
    );
    for (query, status) in [
        ("cad/demand?since=2020-02-01&until=2020-01-01", 400),
        ("cad/demand?counting=shoes", 400),
        ("cow/demand", 404),
    ] {
        let path = format!("/v1/products/{query}");
        assert_eq!(
            server.call("GET", &path, None).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_checkout_of_several_seats_wanted_them_all() {
    let server = Server::start();
    server.product("cad", 3).await;
    let mut several = asking("cad", "ann");
    several["seats"] = json!(3);
    let granted = server.call("POST", "/v1/checkouts", Some(several)).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    assert_eq!(server.checkout("cad", "bob").await.status, 403);
    let played = server.get("/v1/products/cad/demand?seats=3").await;
    assert_eq!(
        (&played["peak"], &played["refused"]),
        (&json!(4), &json!(1)),
        "{played}"
    );
}

#[tokio::test]
async fn products_that_are_owned_and_not_used_stand_beside_those_that_are() {
    let server = Server::start();
    server.product("cad", 2).await;
    server.product("fea", 3).await;
    server.product("nobody", 0).await;
    let priced = json!({
        "product": "fea", "seats": 1,
        "price": { "amount": 5000, "currency": "EUR", "per": "year" },
    });
    let over = json!({
        "product": "fea", "seats": 9, "to": "2020-12-31",
        "price": { "amount": 1, "currency": "EUR", "per": "year" },
    });
    for owned in [priced, over] {
        let made = server.call("POST", "/v1/entitlements", Some(owned)).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    server.lease("cad", "ann").await;
    let used = server.get("/v1/usage").await;
    let items = used["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "as ever: {used}");
    assert_eq!(items[0].get("seats"), None);
    let owned = server.get("/v1/usage?owned=true").await;
    let items = owned["items"].as_array().unwrap();
    let seen: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item["product"].as_str().unwrap(),
                &item["sessions"],
                &item["seats"],
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("cad", &json!(1), &json!(2)), ("fea", &json!(0), &json!(4))]
    );
    assert_eq!(items[1]["last_used_at"], json!(null));
    assert_eq!(
        items[1]["prices"],
        json!([{ "amount": 5000, "currency": "EUR", "per": "year" }])
    );
    // Used, but not in that time.
    let before = server
        .get("/v1/usage?owned=true&product=cad&since=2020-01-01&until=2020-01-31")
        .await;
    assert_eq!(before["items"][0]["sessions"], 0);
    assert!(before["items"][0]["last_used_at"].is_string(), "{before}");
    let page = server.get("/v1/usage?owned=true&limit=1").await;
    let cursor = page["next"].as_str().unwrap();
    let rest = server
        .get(&format!("/v1/usage?owned=true&limit=1&cursor={cursor}"))
        .await;
    assert_eq!(
        (&rest["items"][0]["product"], &rest["next"]),
        (&json!("fea"), &json!(null))
    );
    // Who sees only their own sees nothing of what is owned.
    let token = json!({ "role": "client", "user": "ann" });
    let token = server.token(token).await;
    let own = server
        .call_as(&token, "GET", "/v1/usage?owned=true", None)
        .await;
    assert_eq!(own.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(own.body["items"][0].get("seats"), None, "{}", own.body);
}
