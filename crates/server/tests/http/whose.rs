//! What belongs to whom, and what each is shown of it.

use serde_json::json;

use crate::common::{Server, asking};

#[tokio::test]
async fn a_client_and_an_agent_are_shown_what_is_their_own_and_that_it_is_all() {
    let server = Server::start();
    server.product("cad", 1).await;
    let ann = json!({ "role": "client", "user": "ann", "realm": "Corp.Example" });
    let ann = server.token(ann).await;
    let agent = server
        .token(json!({ "role": "agent", "computer": "pc1" }))
        .await;
    let of = |computer: &str, name: &str, wait: bool| {
        json!({ "product": "cad", "user": name, "computer": computer, "wait": wait,
            "subject": { "authority": "corp.example", "id": name } })
    };
    let ask = |body: serde_json::Value| server.call("POST", "/v1/checkouts", Some(body));
    assert_eq!(ask(of("pc1", "bob", false)).await.status, 201);
    let refused = ask(of("pc1", "ann", false)).await;
    let decision = refused.body["decision_id"].as_str().unwrap().to_owned();
    assert_eq!(ask(of("pc2", "ann", false)).await.status, 403);
    assert_eq!(ask(of("pc1", "bob", true)).await.status, 202);
    assert_eq!(ask(of("pc1", "ann", true)).await.status, 202);

    let realm = "realm=CORP.example&account=Ann";
    for (token, query, leases, waiting, refused) in [
        (&ann, "", 0, 1, 1),
        (&agent, "", 1, 2, 1),
        (&agent, realm, 0, 1, 1),
        (&agent, "realm=computer:pc2&account=ann", 0, 0, 0),
    ] {
        for (path, count) in [
            ("/v1/leases", leases),
            ("/v1/queue", waiting),
            ("/v1/denials", refused),
        ] {
            let path = format!("{path}?{query}");
            let reply = server.call_as(token, "GET", &path, None).await;
            let items = reply.body["items"].as_array().unwrap();
            assert_eq!(items.len(), count, "{path}: {}", reply.body);
            assert!(reply.body["only"].is_object(), "{}", reply.body);
        }
    }
    let queue = server.call_as(&ann, "GET", "/v1/queue", None).await;
    assert_eq!(queue.body["items"][0]["position"], 2, "{}", queue.body);
    assert!(server.get("/v1/leases").await["only"].is_null());

    let path = format!("/v1/decisions/{decision}");
    let why = server.call_as(&ann, "GET", &path, None).await.body;
    assert_eq!(why["holders"], json!([]), "{why}");
    assert_eq!(why["unnamed_leases"], 1, "{why}");
    assert!(why["longest_since"].is_string(), "{why}");
    let of_ann = format!("{path}?{realm}");
    assert_eq!(
        server.call_as(&agent, "GET", &of_ann, None).await.status,
        200
    );
    let of_bob = format!("{path}?realm=corp.example&account=bob");
    let reply = server.call_as(&agent, "GET", &of_bob, None).await;
    assert_eq!((reply.status, reply.code()), (404, "unknown_decision"));
    let product = json!({ "id": "cad", "show_holders": true });
    assert_eq!(
        server
            .call("PUT", "/v1/products/cad", Some(product))
            .await
            .status,
        200
    );
    let why = server.call_as(&ann, "GET", &path, None).await.body;
    assert_eq!(why["holders"][0]["user"], "bob", "{why}");
    let status = server.call_as(&ann, "GET", "/v1/status", None).await.body;
    assert!(status["products"][0]["held_since"].is_string(), "{status}");
    assert!(
        status["products"][0]["waiting_since"].is_string(),
        "{status}"
    );
}

#[tokio::test]
async fn a_person_is_shown_by_an_agent_what_they_hold_elsewhere_and_nobody_else_is() {
    let server = Server::start();
    server.product("cad", 4).await;
    let agent = |computer: &str| json!({ "role": "agent", "computer": computer });
    let agent = server.token(agent("pc1")).await;
    let ann = json!({ "role": "client", "user": "Ann", "realm": "corp.example" });
    let ann = server.token(ann).await;
    let of = |computer: &str, realm: &str, name: &str| {
        json!({ "product": "cad", "user": name, "computer": computer, "wait": true,
            "subject": { "authority": realm, "id": name } })
    };
    for (body, status) in [
        (of("pc2", "corp.example", "ann"), 201),
        (of("pc2", "corp.example", "bob"), 201),
        (of("pc2", "computer:pc2", "ann"), 201),
        (
            json!({ "product": "cad", "user": "ann", "computer": "pc2" }),
            201,
        ),
        (of("pc3", "corp.example", "ann"), 202),
    ] {
        let reply = server.call("POST", "/v1/checkouts", Some(body)).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    let ids = async |token: &str, path: &str| -> Vec<String> {
        let reply = server.call_as(token, "GET", path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let items = reply.body["items"].as_array().unwrap().iter();
        items
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for list in ["/v1/leases", "/v1/queue"] {
        let by_token = ids(&ann, list).await;
        assert_eq!(by_token.len(), 1, "{list}");
        let by_agent = ids(&agent, &format!("{list}?realm=corp.example&account=ANN")).await;
        assert_eq!(by_agent, by_token, "{list}: one person by both");
        // Others' are not theirs, and what no account of this computer can be is nobody's here.
        for (realm, account) in [
            ("corp.example", "cleo"),
            ("computer:pc2", "ann"),
            ("computer:pc1", "ann"),
            ("usher", "ann"),
        ] {
            let path = format!("{list}?realm={realm}&account={account}");
            assert_eq!(ids(&agent, &path).await, Vec::<String>::new(), "{path}");
        }
        // Without a person it is the computer's.
        assert_eq!(ids(&agent, list).await, Vec::<String>::new(), "{list}");
    }
    // What was is told of the computer alone.
    let history = "/v1/sessions?realm=corp.example&account=ann";
    let reply = server.call_as(&agent, "GET", history, None).await;
    assert_eq!(reply.body["only"]["computer"], "pc1", "{}", reply.body);
}

#[tokio::test]
async fn a_person_is_shown_by_the_name_that_their_token_was_made_for() {
    let server = Server::start();
    server.product("cad", 1).await;
    let made = json!({ "role": "client", "user": "Ann.Lee", "realm": "corp.example" });
    let made = server.call("POST", "/v1/tokens", Some(made)).await;
    assert_eq!(made.body["user"], "Ann.Lee", "{}", made.body);
    let token = made.body["token"].as_str().unwrap().to_owned();
    let ask = Some(asking("cad", "ann.lee"));
    let granted = server.call_as(&token, "POST", "/v1/checkouts", ask).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let leases = server.get("/v1/leases").await;
    assert_eq!(leases["items"][0]["user"], "Ann.Lee", "{leases}");
    let tokens = server.get("/v1/tokens").await;
    let id = &made.body["id"];
    let mut items = tokens["items"].as_array().unwrap().iter();
    let kept = items.find(|token| token["id"] == *id).unwrap();
    assert_eq!(kept["user"], "Ann.Lee", "{kept}");
}

#[tokio::test]
async fn a_client_token_of_a_realm_takes_seats_as_the_person_that_agents_know() {
    let server = Server::start();
    server.product("cad", 2).await;
    let ann = json!({ "role": "client", "user": "Ann", "realm": "corp.example" });
    let ann = server.token(ann).await;
    let granted = server
        .call_as(&ann, "POST", "/v1/checkouts", Some(asking("cad", "ann")))
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let own = "/v1/leases?realm=corp.example&account=ANN";
    let leases = server.get(own).await;
    assert_eq!(leases["items"].as_array().unwrap().len(), 1, "{leases}");
    let lease = granted.body["lease"]["id"].as_str().unwrap();
    let path = format!("/v1/leases/{lease}");
    assert_eq!(
        server.call_as(&ann, "DELETE", &path, None).await.status,
        204
    );
    for wrong in [
        json!({ "role": "viewer", "realm": "corp.example" }),
        json!({ "role": "client", "user": "ann", "realm": "" }),
        json!({ "role": "client", "user": "ann", "realm": "USHER" }),
    ] {
        let reply = server.call("POST", "/v1/tokens", Some(wrong)).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    }
}

#[tokio::test]
async fn a_realm_that_leaves_out_the_id_of_its_computer_is_refused() {
    let server = Server::start();
    for realm in ["computer", "Computer", "computer:"] {
        let ann = json!({ "role": "client", "user": "ann", "realm": realm });
        let refused = server.call("POST", "/v1/tokens", Some(ann)).await;
        assert_eq!(refused.status, 400, "{realm}: {}", refused.body);
    }
}
