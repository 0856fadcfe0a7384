//! Lists of one server and of several.

use super::*;

fn listed(servers: &[&str], unseen: &[&str]) -> Owned<Value> {
    let items = servers
        .iter()
        .map(|it| serde_json::json!({ "id": "cad", "server": it }));
    let items: Vec<Value> = items.collect();
    let unseen = unseen.iter().map(|it| Unseen {
        server: (*it).to_owned(),
        why: "no answer".to_owned(),
    });
    Owned {
        page: Page {
            items: items.clone(),
            next: None,
            only: None,
            time: None,
        },
        of_servers: Some(OfServers {
            items,
            next: None,
            unseen: unseen.collect(),
        }),
    }
}

fn refused(it: &Owned<Value>) -> (u8, String) {
    let failure = it.must_be_of_one().unwrap_err();
    (failure.code(), failure.to_string())
}

#[test]
fn what_is_of_several_servers_or_not_whole_is_not_worked_on() {
    let (code, said) = refused(&listed(&["beta", "alpha", "beta"], &[]));
    assert_eq!(code, exit::USAGE);
    assert!(
        said.contains("2 servers of the manager are meant (alpha, beta)"),
        "{said}"
    );
    assert!(said.contains("--at NAME"), "{said}");
    assert_eq!(refused(&listed(&["beta"], &["alpha"])).0, exit::USAGE);
    let (code, said) = refused(&listed(&[], &["alpha"]));
    assert_eq!(code, exit::NO_SERVER);
    assert!(
        said.contains("alpha does not say what it has: no answer"),
        "{said}"
    );
    let one = listed(&["beta", "beta"], &[]);
    assert!(one.must_be_of_one().is_ok());
    assert_eq!(one.server().as_deref(), Some("beta"));
    let own = Owned {
        of_servers: None,
        ..listed(&["beta"], &[])
    };
    assert!(own.must_be_of_one().is_ok() && own.server().is_none());
}

#[test]
fn each_row_of_a_managers_list_says_whose_it_is() {
    let mut table = Table::new(&["PRODUCT", ">SEATS"]);
    table.row(["cad".to_owned(), "3".to_owned()]);
    table.row(["fea".to_owned(), "12".to_owned()]);
    let names = ["alpha".to_owned(), "beta".to_owned()];
    insta::assert_snapshot!(table.behind("SERVER", &names).text(), @r"
        SERVER  PRODUCT  SEATS
        alpha   cad          3
        beta    fea         12
        ");
}
