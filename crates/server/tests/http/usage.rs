//! Sums of use, beside what is owned.

use serde_json::json;

use crate::common::Server;

#[tokio::test]
async fn products_that_are_owned_and_not_used_stand_beside_those_that_are() {
    let server = Server::start();
    server.product("cad", 2).await;
    server.product("fea", 3).await;
    server.product("nobody", 0).await;
    let priced = json!({
        "product": "fea", "seats": 1, "overdraft": 7,
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

#[tokio::test]
async fn what_nothing_can_see_is_not_called_unused() {
    let server = Server::start();
    server.product("named", 1).await;
    server.product("helped", 1).await;
    server.product("ruled", 1).await;
    for (id, rule) in [
        ("helped", "name=starter,role=helper"),
        ("ruled", "name=ruled"),
    ] {
        let body = json!({ "id": id, "programs": [rule] });
        let path = format!("/v1/products/{id}");
        let put = server.call("PUT", &path, Some(body)).await;
        assert_eq!(put.status, 200, "{}", put.body);
    }
    let unseen = async || {
        let owned = server.get("/v1/usage?owned=true").await;
        let items = owned["items"].as_array().unwrap().clone();
        let of = |id: &str| {
            let item = items.iter().find(|item| item["product"] == id).unwrap();
            item["unseen"].clone()
        };
        [of("named"), of("helped"), of("ruled")]
    };
    let no_rule = json!("no_program_rule");
    assert_eq!(
        unseen().await,
        [no_rule.clone(), no_rule.clone(), json!("not_watched")]
    );
    let body = json!({
        "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1, "items": [],
    });
    let synced = server.call("POST", "/v1/agents/sync", Some(body)).await;
    assert_eq!(synced.status, 200, "{}", synced.body);
    assert_eq!(unseen().await, [no_rule.clone(), no_rule, json!(null)]);
}

#[tokio::test]
async fn sums_of_use_say_of_which_time_they_are_and_since_when_it_is_recorded() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    for path in [
        "/v1/usage",
        "/v1/usage?owned=true",
        "/v1/usage/users",
        "/v1/usage/days",
    ] {
        let time = server.get(path).await["time"].clone();
        let at = |end: &str| -> jiff::Timestamp { time[end].as_str().unwrap().parse().unwrap() };
        let days = at("until").duration_since(at("since")).as_hours() / 24;
        assert_eq!(days, 30, "{path}: {time}");
        assert!(
            at("since") < at("recorded_since") && at("recorded_since") < at("until"),
            "{path}: {time}"
        );
    }
    let past = "/v1/usage/users?since=2020-01-01&until=2020-01-31";
    let time = server.get(past).await["time"].clone();
    assert_eq!(time["until"], "2020-02-01T00:00:00Z", "{time}");
    assert!(time["recorded_since"].is_string(), "{time}");
}

#[tokio::test]
async fn a_product_that_was_removed_is_marked_in_the_sums() {
    let server = Server::start();
    server.product("cad", 1).await;
    let asked = server.get("/v1/usage?owned=true&product=cad").await;
    assert_eq!(asked["items"][0]["sessions"], 0, "{asked}");
    server.lease("cad", "ann").await;
    let removed = server.call("DELETE", "/v1/products/cad", None).await;
    assert_eq!(removed.status, 204, "{}", removed.body);
    let sums = server.get("/v1/usage?owned=true").await;
    assert_eq!(
        (&sums["items"][0]["product"], &sums["items"][0]["removed"]),
        (&json!("cad"), &json!(true)),
        "{sums}"
    );
}

#[tokio::test]
async fn use_is_summed_by_person_and_by_day() {
    let server = Server::start();
    server.product("cad", 2).await;
    server.product("fea", 1).await;
    server.lease("cad", "ann").await;
    server.lease("fea", "ann").await;
    let gone = server.lease("cad", "bob").await;
    let gone = format!("/v1/leases/{gone}");
    server.call("DELETE", &gone, None).await;
    let users = server.get("/v1/usage/users").await;
    let mut seen: Vec<_> = users["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["user"].as_str().unwrap(),
                &it["products"],
                &it["running"],
            )
        })
        .collect();
    seen.sort_unstable_by_key(|it| it.0);
    assert_eq!(
        seen,
        [("ann", &json!(2), &json!(2)), ("bob", &json!(1), &json!(0))]
    );
    let of_fea = server.get("/v1/usage/users?product=fea").await;
    assert_eq!(of_fea["items"].as_array().map(Vec::len), Some(1));
    let days = server.get("/v1/usage/days?product=cad").await;
    let days = days["items"].as_array().unwrap();
    assert!((30..=32).contains(&days.len()), "{} days", days.len());
    let sessions: u64 = days
        .iter()
        .map(|day| day["sessions"].as_u64().unwrap())
        .sum();
    // Over midnight each counts twice.
    assert!((2..=4).contains(&sessions), "{sessions}");
    let page = server.get("/v1/usage/days?limit=10&cursor=10").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(10));
    assert_eq!(
        (&page["items"][0]["day"], &page["next"]),
        (&days[10]["day"], &json!("20"))
    );
    for query in ["time_zone=Nowhere", "since=1970-01-01"] {
        let path = format!("/v1/usage/days?{query}");
        assert_eq!(server.call("GET", &path, None).await.status, 400, "{query}");
    }
    let token = json!({ "role": "client", "user": "bob" });
    let token = server.token(token).await;
    let own = server.call_as(&token, "GET", "/v1/usage/users", None).await;
    assert_eq!(own.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(own.body["only"]["account"], "bob");
}
