//! A manager shows the catalogues of its servers as one, and has a server change its own on behalf
//! of who asks: as far as the server allows both.

use serde_json::{Value, json};

use crate::http::{Answer, Http};
use crate::support::{Ended, Folder, Running, stdout, usher};

struct Site {
    /// A server and the manager that watches it, as `local`.
    up: Running,
    console: Http,
    /// The manager's URL.
    url: String,
}

impl Site {
    fn begin(folder: &Folder) -> Site {
        let up = Running::up(&folder.path("up"));
        let word = |word: &str| {
            let words = up.ready.split(' ');
            let found = words.filter_map(|it| it.strip_prefix(word)).next();
            found.unwrap().to_owned()
        };
        let token = std::fs::read_to_string(folder.path("up").join("admin.token")).unwrap();
        let url = word("console=");
        let console = Http::connect(&url, token.trim()).unwrap();
        Site { up, console, url }
    }

    /// A command that is sent to the manager: its exit code, and what it says on both streams.
    fn usher(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.up.usher(words);
        let output = command.args(["--server", &self.url]).ended();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), stdout(&output), err)
    }

    fn asks(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.console.ask(method, path, body.as_ref()).unwrap()
    }

    /// Watches a server with a token of a role of its own.
    fn watches(&mut self, name: &str, server: &Running, role: &str) {
        let token = server.ok(&["token", "create", "--role", role]);
        let body = json!({ "name": name, "url": server.api, "token": token.trim() });
        let added = self.asks("POST", "/v1/servers", Some(body));
        assert_eq!(added.status, 201, "{added:?}");
    }

    /// What the list has: each item's server and id.
    fn listed(&mut self, path: &str) -> (Vec<(String, String)>, Value) {
        let page = self.asks("GET", path, None);
        assert_eq!(page.status, 200, "{page:?}");
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        let items = page.body["items"].as_array().unwrap();
        let items = items.iter().map(|it| (text(it, "server"), text(it, "id")));
        (items.collect(), page.body.clone())
    }
}

fn server(folder: &Folder, name: &str) -> Running {
    let mut command = usher();
    command.args(["server", "--listen", "127.0.0.1:0"]);
    Running::start(&mut command, &folder.path(name))
}

fn product(id: &str) -> Option<Value> {
    Some(json!({ "id": id, "name": id }))
}

#[test]
fn the_catalogues_of_all_servers_are_one_list_and_each_is_changed_where_it_is() {
    let folder = Folder::new();
    let mut site = Site::begin(&folder);
    let made = site.asks("POST", "/v1/products", product("cad"));
    assert_eq!(
        (made.status, &made.body["server"]),
        (201, &json!("local")),
        "{made:?}"
    );
    assert!(site.up.ok(&["product", "list"]).contains("cad"));

    let beta = server(&folder, "beta");
    site.watches("beta", &beta, "manager");
    let made = site.asks("POST", "/v1/products", product("fea"));
    assert_eq!(
        (made.status, &made.body["code"]),
        (400, &json!("invalid_request")),
        "{made:?}"
    );
    let made = site.asks("POST", "/v1/products?server=beta", product("fea"));
    assert_eq!(
        (made.status, &made.body["server"]),
        (201, &json!("beta")),
        "{made:?}"
    );
    let again = site.asks("POST", "/v1/products?server=beta", product("fea"));
    assert_eq!(
        (again.status, &again.body["code"]),
        (409, &json!("product_exists")),
        "{again:?}"
    );
    let owned = json!({ "product": "fea", "seats": 3, "name": "fea-2027" });
    let owned = site.asks("POST", "/v1/entitlements?server=beta", Some(owned));
    assert_eq!(owned.status, 201, "{owned:?}");
    assert!(beta.ok(&["entitlement", "list"]).contains("fea-2027"));
    let id = owned.body["id"].as_str().unwrap();
    let path = format!("/v1/entitlements/{id}?server=beta");
    let removed = site.asks("DELETE", &path, None);
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(site.asks("GET", &path, None).status, 404);

    let own = |server: &str, id: &str| (server.to_owned(), id.to_owned());
    let all = [own("beta", "fea"), own("local", "cad")];
    assert_eq!(site.listed("/v1/products").0, all);
    assert_eq!(site.listed("/v1/products?server=local").0, all[1..]);
    let (first, page) = site.listed("/v1/products?limit=1");
    assert_eq!(first, all[..1]);
    let next = page["next"].as_str().unwrap();
    let (second, page) = site.listed(&format!("/v1/products?limit=1&cursor={next}"));
    assert_eq!(
        (second.as_slice(), &page["next"]),
        (&all[1..], &Value::Null)
    );
}

#[test]
fn a_server_changes_nothing_for_who_may_not_and_what_it_does_not_answer_is_said() {
    let folder = Folder::new();
    let mut site = Site::begin(&folder);
    let beta = server(&folder, "beta");
    beta.ok(&["product", "add", "fea", "--seats", "2"]);
    site.watches("beta", &beta, "viewer");

    let (listed, _) = site.listed("/v1/entitlements?product=fea");
    assert_eq!(listed.len(), 1, "a viewer's token is enough to look");
    let made = site.asks("POST", "/v1/products?server=beta", product("cad"));
    assert_eq!(
        (made.status, &made.body["code"]),
        (403, &json!("forbidden")),
        "{made:?}"
    );
    let said = made.body["detail"].as_str().unwrap();
    for word in ["of role viewer", "usher servers edit beta --token-file"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let other = site.asks("POST", "/v1/products?server=gamma", product("cad"));
    assert_eq!(
        (other.status, &other.body["code"]),
        (404, &json!("unknown_server")),
        "{other:?}"
    );

    assert_eq!(beta.stop(), Some(0));
    let (listed, page) = site.listed("/v1/products");
    assert!(listed.is_empty(), "{listed:?}");
    assert_eq!(page["unseen"][0]["server"], "beta", "{page:#}");
    let made = site.asks("POST", "/v1/products?server=beta", product("cad"));
    let expected = (503, &json!("server_unreachable"));
    assert_eq!((made.status, &made.body["code"]), expected, "{made:?}");
}

#[test]
fn the_command_line_says_whose_each_is_which_are_missing_and_of_which_server_it_asks() {
    let folder = Folder::new();
    let mut site = Site::begin(&folder);
    let beta = server(&folder, "beta");
    site.watches("beta", &beta, "manager");

    let (code, _, err) = site.usher(&["product", "add", "cad", "--seats", "2"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("(beta, local)") && err.contains("--at NAME"),
        "{err}"
    );
    for (id, at) in [("cad", "local"), ("fea", "beta")] {
        let add = ["product", "add", id, "--seats", "2", "--at", at];
        let (code, out, err) = site.usher(&add);
        assert_eq!(code, Some(0), "{out}{err}");
    }
    assert!(beta.ok(&["product", "list"]).contains("fea"));
    let (_, table, _) = site.usher(&["product", "list"]);
    let mut lines = table
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["SERVER", "PRODUCT"], "{table}");
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [["beta", "fea"], ["local", "cad"]]
    );
    let (_, one, _) = site.usher(&["entitlement", "list", "--at", "beta", "--json"]);
    let one: Value = serde_json::from_str(&one).unwrap();
    let items = one["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["server"]),
        (1, &json!("beta")),
        "{one:#}"
    );

    let (code, out, err) = site.usher(&["policy", "export"]);
    assert_eq!((code, &*out), (Some(2), ""), "{err}");
    assert!(err.contains("--at NAME"), "{err}");
    let (code, out, err) = site.usher(&["policy", "export", "--at", "beta"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("\"fea\"") && !out.contains("\"cad\""), "{out}");
    assert!(err.contains("what the server beta has"), "{err}");
    // A metering server has none of its own.
    let output = beta
        .usher(&["product", "add", "xyz", "--at", "beta"])
        .ended();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is a metering server"), "{said}");
    assert!(!beta.ok(&["product", "list"]).contains("xyz"));

    assert_eq!(beta.stop(), Some(0));
    let (code, table, err) = site.usher(&["product", "list"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(table.contains("cad") && !table.contains("fea"), "{table}");
    assert!(err.contains("what beta has is missing here"), "{err}");
    let (code, page, _) = site.usher(&["product", "list", "--json"]);
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(
        (code, &page["unseen"][0]["server"]),
        (Some(0), &json!("beta")),
        "{page:#}"
    );
    // Nothing of a table of values says who is missing.
    assert_eq!(site.usher(&["product", "list", "--csv"]).0, Some(69));
    for words in [&["entitlement", "list", "--csv"][..], &["policy", "export"]] {
        let (code, out, err) = site.usher(words);
        assert_eq!((code, &*out), (Some(2), ""), "{err}");
    }
    let (code, _, err) = site.usher(&["policy", "export", "--at", "beta"]);
    assert_eq!(code, Some(69), "{err}");
}
