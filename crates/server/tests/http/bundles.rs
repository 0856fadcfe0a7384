//! Several products in one request: all of them, or none.

use serde_json::{Value, json};

use crate::common::{Server, asking};

fn both(user: &str, wait: bool) -> Value {
    let mut asked = asking("solver", user);
    asked["also"] = json!([{"product": "pack", "seats": 2}]);
    asked["wait"] = json!(wait);
    asked
}

#[tokio::test]
async fn several_products_are_held_and_waited_for_as_one() {
    let server = Server::start();
    server.product("solver", 1).await;
    server.product("pack", 3).await;
    let granted = server
        .call("POST", "/v1/checkouts", Some(both("ann", false)))
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let lease = &granted.body["lease"];
    let pack = lease["also"][0]["lease"].as_str().unwrap();
    assert_eq!(
        lease["also"],
        json!([{"product": "pack", "seats": 2, "lease": pack}])
    );

    let leases = server.get("/v1/leases").await;
    let shown: Vec<_> = leases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["product"], &item["seats"], &item["with"]))
        .collect();
    let id = &lease["id"];
    assert_eq!(
        shown,
        [
            (&json!("solver"), &json!(1), id),
            (&json!("pack"), &json!(2), id)
        ]
    );

    let queued = server
        .call("POST", "/v1/checkouts", Some(both("bob", true)))
        .await;
    assert_eq!(queued.status, 202, "{}", queued.body);
    assert_eq!(
        queued.body["ticket"]["also"],
        json!([{"product": "pack", "seats": 2}])
    );
    let ticket = queued.body["ticket"]["id"].as_str().unwrap();
    let queue = server.get("/v1/queue").await;
    let with: Vec<_> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["with"])
        .collect();
    assert_eq!(with, [ticket, ticket]);

    let renewed = server
        .call("POST", &format!("/v1/leases/{pack}/renew"), None)
        .await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert_eq!(renewed.body["also"][0]["product"], json!("solver"));
    let back = server
        .call("DELETE", &format!("/v1/leases/{pack}"), None)
        .await;
    assert_eq!(back.status, 204);
    let served = server.get(&format!("/v1/tickets/{ticket}")).await;
    assert_eq!(served["state"], json!("granted"));
    assert_eq!(served["lease"]["also"], served["also"]);
    assert!(served["also"][0]["lease"].is_string());
}

#[tokio::test]
async fn a_refusal_of_several_names_the_product_that_there_is_none_of() {
    let server = Server::start();
    server.product("solver", 1).await;
    server.product("pack", 1).await;
    let denied = server
        .call("POST", "/v1/checkouts", Some(both("ann", true)))
        .await;
    assert_eq!(denied.status, 403);
    let detail = denied.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("pack") && !detail.contains("solver"),
        "{detail}"
    );
    let decision = denied.body["decision_id"].as_str().unwrap();
    let why = server.get(&format!("/v1/decisions/{decision}")).await;
    assert_eq!(
        (&why["product"], &why["seats"]),
        (&json!("pack"), &json!(2))
    );
    assert_eq!(why["also"], json!([{"product": "solver", "seats": 1}]));
    let rule = why["rule"].as_str().unwrap();
    assert!(rule.contains("together with 1 seat of solver"), "{rule}");
    assert_eq!(server.get("/v1/leases").await["items"], json!([]));
}

#[tokio::test]
async fn an_ask_for_several_that_makes_no_sense_is_told_why() {
    let server = Server::start();
    server.product("solver", 1).await;
    let ask = async |also: Value| {
        let mut asked = asking("solver", "ann");
        asked["also"] = also;
        let answer = server.call("POST", "/v1/checkouts", Some(asked)).await;
        (
            answer.status,
            answer.body["detail"].as_str().unwrap().to_owned(),
        )
    };
    let (status, detail) = ask(json!([{"product": "solver"}])).await;
    assert_eq!(status, 400);
    assert!(detail.contains("solver is named twice"), "{detail}");
    let (status, detail) = ask(json!([{"product": "pakc"}])).await;
    assert_eq!(status, 404);
    assert!(detail.contains("pakc"), "{detail}");
    let many: Vec<Value> = (0..16)
        .map(|n| json!({"product": format!("p{n}")}))
        .collect();
    let (status, detail) = ask(json!(many)).await;
    assert_eq!(status, 400);
    assert!(detail.contains("at most 15"), "{detail}");
    let (status, detail) = ask(json!([{"product": "pack", "seats": 0}])).await;
    assert_eq!(status, 400);
    assert!(detail.contains("also.seats"), "{detail}");
}
