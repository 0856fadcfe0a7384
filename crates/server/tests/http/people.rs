//! Who is one person and who is not: a realm and an account in it (KB Q201055).

use serde_json::{Value, json};
use usher_server::{LocalAccounts, ServerOptions};

use crate::common::{Reply, Server};

/// A session of an account asks for its seat of `cad`.
async fn asks(server: &Server, computer: &str, realm: &str, id: &str, account: &str) -> Value {
    let reply = report(server, computer, realm, id, account).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["results"][0].clone()
}

async fn report(server: &Server, computer: &str, realm: &str, id: &str, account: &str) -> Reply {
    let body = json!({
        "computer": { "id": computer, "name": computer },
        "incarnation": 1,
        "items": [{
            "sequence": 1, "kind": "checkout", "session": 1, "product": "cad", "ttl_seconds": 60,
            "subject": { "authority": realm, "id": id, "name": account },
        }],
    });
    server.call("POST", "/v1/agents/sync", Some(body)).await
}

/// A product that counts people, with so many seats.
async fn cad(server: &Server, seats: u32) {
    let product = json!({ "id": "cad", "counting": "user" });
    let made = server.call("POST", "/v1/products", Some(product)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let owned = json!({ "product": "cad", "seats": seats });
    let made = server.call("POST", "/v1/entitlements", Some(owned)).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

/// What is shown of those who hold seats, in order of their names.
async fn holders(server: &Server) -> Vec<String> {
    let leases = server.get("/v1/leases").await;
    let mut users: Vec<String> = leases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lease| lease["user"].as_str().unwrap().to_owned())
        .collect();
    users.sort();
    users
}

#[tokio::test]
async fn one_person_of_a_realm_takes_one_seat_on_two_computers_whatever_uid_and_case() {
    let server = Server::start();
    cad(&server, 1).await;
    let first = asks(&server, "c1", "corp.example", "1000", "Jörg").await;
    assert_eq!(first["outcome"], "granted");
    let second = asks(&server, "c2", "corp.example", "50001", "JÖRG").await;
    assert_eq!(
        (&second["outcome"], &second["lease"]),
        (&json!("granted"), &first["lease"])
    );
    assert_eq!(holders(&server).await, ["Jörg"], "as it was written first");
    let someone_else = asks(&server, "c3", "corp.example", "1000", "bob").await;
    assert_eq!(someone_else["outcome"], "unseated", "a uid is no person");
}

#[tokio::test]
async fn one_account_in_two_realms_is_two_people() {
    let server = Server::start();
    cad(&server, 2).await;
    for (computer, realm) in [("c1", "corp.example"), ("c2", "lab.example")] {
        let outcome = asks(&server, computer, realm, "1000", "ann").await;
        assert_eq!(outcome["outcome"], "granted", "{realm}");
    }
    assert_eq!(holders(&server).await, ["ann", "ann"]);
}

#[tokio::test]
async fn accounts_of_computers_own_files_are_compared_exactly_and_each_is_its_computers() {
    let server = Server::start();
    cad(&server, 3).await;
    for (computer, account) in [("c1", "ann"), ("c2", "ann"), ("c3", "ann")] {
        let realm = format!("computer:{computer}");
        let outcome = asks(&server, computer, &realm, "1000", account).await;
        assert_eq!(outcome["outcome"], "granted", "{computer}");
    }
    let another = asks(&server, "c4", "computer:c1", "1000", "Ann").await;
    assert_eq!(another["outcome"], "unseated", "Ann is not ann there");
    let the_same = asks(&server, "c5", "computer:c1", "2000", "ann").await;
    assert_eq!(the_same["outcome"], "granted");
}

#[tokio::test]
async fn an_agent_gives_nobody_another_name() {
    let server = Server::start();
    cad(&server, 3).await;
    for realm in ["corp.example", "computer:c1"] {
        asks(&server, &format!("first-{realm}"), realm, "1000", "ann").await;
    }
    let agent = server
        .token(json!({ "role": "agent", "computer": "c9" }))
        .await;
    for realm in ["corp.example", "computer:c1"] {
        let said = json!({
            "computer": { "id": "c9", "name": "c9" }, "incarnation": 1,
            "items": [{
                "sequence": 1, "kind": "checkout", "session": 1, "product": "none",
                "ttl_seconds": 60,
                "subject": { "authority": realm, "id": "1000", "name": "mallory" },
            }],
        });
        let reply = server
            .call_as(&agent, "POST", "/v1/agents/sync", Some(said))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let asked = json!({
            "product": "cad", "user": "MALLORY", "computer": "c9",
            "subject": { "authority": realm, "id": "ann" },
        });
        server
            .call_as(&agent, "POST", "/v1/checkouts", Some(asked))
            .await;
        let spelled = json!({
            "product": "cad", "user": "ANN", "computer": "c9",
            "subject": { "authority": realm, "id": "1000" },
        });
        server
            .call_as(&agent, "POST", "/v1/checkouts", Some(spelled))
            .await;
    }
    let shown = holders(&server).await;
    assert_eq!(shown.iter().filter(|user| *user == "ann").count(), 2);
}

#[tokio::test]
async fn accounts_of_own_files_are_one_person_by_name_where_the_server_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions {
        local_accounts: LocalAccounts::ByName,
        ..crate::common::options(folder.path())
    };
    let server = Server::start_with(folder, options);
    cad(&server, 1).await;
    for (computer, id) in [("n1", "1000"), ("n2", "1001")] {
        let realm = format!("computer:{computer}");
        let outcome = asks(&server, computer, &realm, id, "ann").await;
        assert_eq!(outcome["outcome"], "granted", "{computer}");
    }
    let bob = asks(&server, "n3", "computer:n3", "1000", "bob").await;
    assert_eq!(bob["outcome"], "unseated");
    let directory = asks(&server, "n4", "corp.example", "1000", "ann").await;
    assert_eq!(directory["outcome"], "unseated", "that is another ann");
}

#[tokio::test]
async fn a_checkout_and_a_session_of_one_account_are_of_one_person() {
    let server = Server::start();
    cad(&server, 3).await;
    asks(&server, "c1", "corp.example", "1000", "ann").await;
    for (account, id) in [("ANN", "S-1-5-21"), ("ann@Corp.Example", "7")] {
        let asked = json!({
            "product": "cad", "user": account, "computer": "c2",
            "subject": { "authority": "Corp.Example", "id": id },
        });
        let granted = server.call("POST", "/v1/checkouts", Some(asked)).await;
        assert_eq!(granted.status, 201, "{}", granted.body);
    }
    let usage = server.get("/v1/usage").await;
    assert_eq!(usage["items"][0]["users"], 1);
}

#[tokio::test]
async fn what_a_person_holds_by_an_agent_is_the_same_in_every_list_by_token_and_by_agent() {
    let server = Server::start();
    cad(&server, 1).await;
    let token = json!({ "role": "client", "user": "Ann", "realm": "corp.example" });
    let token = server.token(token).await;
    let seated = asks(&server, "c1", "corp.example", "1000", "ann").await;
    assert_eq!(seated["outcome"], "granted", "{seated}");
    let agent = json!({ "role": "agent", "computer": "c1" });
    let agent = server.token(agent).await;
    let own = "realm=corp.example&account=ann";
    let named = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|it| json!([it["id"], it["product"]])).collect()
    };
    for list in [
        "/v1/leases",
        "/v1/sessions",
        "/v1/usage",
        "/v1/queue",
        "/v1/denials",
    ] {
        let by_token = server.call_as(&token, "GET", list, None).await.body;
        let path = format!("{list}?{own}");
        let by_agent = server.call_as(&agent, "GET", &path, None).await.body;
        assert_eq!(named(&by_token), named(&by_agent), "{list}");
        let count = usize::from(!["/v1/queue", "/v1/denials"].contains(&list));
        assert_eq!(named(&by_token).len(), count, "{list}");
    }
    let lease = seated["lease"].as_str().unwrap();
    let path = format!("/v1/decisions/{lease}");
    let why = server.call_as(&token, "GET", &path, None).await;
    assert_eq!(why.status, 200, "{}", why.body);
    let path = format!("{path}?{own}");
    let why = server.call_as(&agent, "GET", &path, None).await;
    assert_eq!(why.status, 200, "{}", why.body);
}

#[tokio::test]
async fn nobody_of_a_directory_is_taken_for_somebody_of_a_token_or_a_computer() {
    let server = Server::start();
    cad(&server, 1).await;
    for realm in ["Usher", "USHER", "Computer:c1", "Local"] {
        let outcome = asks(&server, realm, realm, "ann", "ann").await;
        assert_eq!(outcome["outcome"], "rejected", "{realm}");
        let asked = json!({
            "product": "cad", "user": "ann", "computer": "c2",
            "subject": { "authority": realm, "id": "ann" },
        });
        let reply = server.call("POST", "/v1/checkouts", Some(asked)).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
    }
}

#[tokio::test]
async fn a_list_of_one_persons_use_compares_names_as_their_realm_does() {
    let server = Server::start();
    cad(&server, 2).await;
    asks(&server, "c1", "corp.example", "1000", "Jörg").await;
    asks(&server, "c2", "computer:c2", "1000", "Jörg").await;
    for path in ["/v1/leases", "/v1/sessions"] {
        for (user, count) in [("Jörg", 2), ("JÖRG", 1), ("jörg", 1), ("bob", 0)] {
            let listed = server.get(&format!("{path}?user={user}")).await;
            let items = listed["items"].as_array().unwrap();
            assert_eq!(items.len(), count, "{path} of {user}");
        }
    }
}

#[tokio::test]
async fn a_realm_a_product_and_a_computer_are_one_however_their_accents_are_written() {
    let server = Server::start();
    cad(&server, 1).await;
    let (apart, together) = ("scho\u{308}n.example", "sch\u{f6}n.example");
    let realms = [("c1", apart), ("c2", together)];
    for (computer, realm) in realms {
        let outcome = asks(&server, computer, realm, "1000", "ann").await;
        assert_eq!(
            outcome["outcome"], "granted",
            "one person, one seat: {outcome}"
        );
    }
    for realm in ["scho%CC%88n.example", "sch%C3%B6n.example"] {
        let own = format!("/v1/leases?realm={realm}&account=ann");
        assert_eq!(server.get(&own).await["items"].as_array().unwrap().len(), 1);
    }
    let token = json!({ "role": "client", "user": "ann", "realm": apart });
    let token = server.token(token).await;
    let own = server.call_as(&token, "GET", "/v1/leases", None).await;
    assert_eq!(
        own.body["items"].as_array().unwrap().len(),
        1,
        "{}",
        own.body
    );

    server.product("sch\u{f6}n", 1).await;
    let computer = json!({ "role": "agent", "computer": "zoe\u{308}-pc" });
    let token = server.token(computer).await;
    let body = json!({
        "computer": { "id": "zoe\u{308}-pc", "name": "zoe\u{308}-pc" },
        "incarnation": 1,
        "items": [{
            "sequence": 1, "kind": "checkout", "session": 1, "product": "scho\u{308}n",
            "ttl_seconds": 60,
            "subject": { "authority": "corp.example", "id": "1", "name": "bob" },
        }],
    });
    let reply = server
        .call_as(&token, "POST", "/v1/agents/sync", Some(body))
        .await;
    assert_eq!(
        reply.body["results"][0]["outcome"], "granted",
        "{}",
        reply.body
    );
    let leases = server.get("/v1/leases?computer=zo%C3%AB-pc").await;
    assert_eq!(leases["items"].as_array().unwrap().len(), 1, "{leases}");
}

#[tokio::test]
async fn a_name_is_one_person_however_its_accents_are_written() {
    let server = Server::start();
    server.product("sch\u{f6}n", 2).await;
    let apart = "Zoe\u{308}";
    let together = "Zo\u{eb}";
    let lease = server.lease("scho\u{308}n", apart).await;
    let found = server.get("/v1/leases?user=Zo%C3%AB").await;
    assert_eq!(found["items"][0]["id"], json!(lease));
    assert_eq!(found["items"][0]["user"], json!(together));
    let same = server.get("/v1/leases?user=Zoe%CC%88").await;
    assert_eq!(same["items"][0]["id"], json!(lease));
    let token = json!({ "role": "client", "user": apart });
    let token = server.token(token).await;
    let body = Some(crate::common::asking("sch\u{f6}n", together));
    let reply = server.call_as(&token, "POST", "/v1/checkouts", body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let show = server.get("/v1/products/scho%CC%88n").await;
    assert_eq!(show["id"], json!("sch\u{f6}n"));
}

#[tokio::test]
async fn an_answer_says_names_as_they_are_kept_and_not_as_they_were_written() {
    let server = Server::start();
    server.product("sch\u{f6}n", 1).await;
    let asks = |user: &str| json!({ "product": "scho\u{308}n", "user": user, "computer": "zoe\u{308}-pc", "wait": true });
    let granted = server
        .call("POST", "/v1/checkouts", Some(asks("ann")))
        .await;
    let lease = &granted.body["lease"];
    assert_eq!(lease["product"], "sch\u{f6}n", "{lease}");
    assert_eq!(lease["computer"], "zo\u{eb}-pc", "{lease}");
    let queued = server
        .call("POST", "/v1/checkouts", Some(asks("bob")))
        .await;
    assert_eq!(
        queued.body["ticket"]["product"], "sch\u{f6}n",
        "{}",
        queued.body
    );
    let named = json!({ "id": "sch\u{f6}n", "name": "Scho\u{308}n", "publisher": "Zoe\u{308}" });
    let named = server
        .call("PUT", "/v1/products/scho%CC%88n", Some(named))
        .await;
    assert_eq!(named.body["name"], "Sch\u{f6}n", "{}", named.body);
    assert_eq!(named.body["publisher"], "Zo\u{eb}", "{}", named.body);
}
