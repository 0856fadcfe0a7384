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
