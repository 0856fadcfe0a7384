//! What is said of a server that does not answer, and of a product that there is none of.

use std::net::TcpListener;

use crate::fake::Fake;
use crate::support::{Ended, Folder, stderr, stdout, usher};

#[test]
fn a_server_that_hangs_is_said_to_and_is_not_waited_for_without_end() {
    let folder = Folder::new();
    // Connections are taken by the system, and nobody reads them.
    let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", frozen.local_addr().unwrap());
    let output = usher(&folder)
        .args(["status", "--server", &url, "--token", "t"])
        .ended();
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(69), String::new())
    );
    let said = stderr(&output);
    assert!(
        said.starts_with(&format!("usher: asking {url}: no answer yet\n")),
        "{said}"
    );
    assert!(said.contains("has not answered in time"), "{said}");
}

#[test]
fn a_product_that_was_mistyped_is_named() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let run = |product| {
        let output = usher(&folder)
            .args([
                "run",
                "--server",
                &fake.url,
                "--product",
                product,
                "--",
                "true",
            ])
            .ended();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    insta::assert_snapshot!(run("TOLO"), @r"
    usher: there is no product TOLO; true was not started
      Did you mean tool?
      For an administrator: `usher product list` shows the products that there are.
    ");
    insta::assert_snapshot!(run("gimp"), @r"
    usher: there is no product gimp; true was not started
      For an administrator: `usher product list` shows the products that there are.
    ");
}
