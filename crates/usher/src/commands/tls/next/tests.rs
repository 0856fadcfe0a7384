//! What is to be done with each kind of certificate.

use super::*;

/// What is said of a certificate for these names.
fn said(names: &[&str], role: Role, is_new: bool, replaces: bool) -> String {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().to_owned()).unwrap();
    let stem = role.name();
    let made = Made {
        folder: &folder,
        cert: folder.path(&format!("{stem}.pem")),
        key: folder.path(&format!("{stem}.key")),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        is_new,
        replaces,
        renew: "usher tls make --renew".to_owned(),
    };
    next(&made, role).replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn only_what_shows_a_certificate_already_is_restarted_for_another() {
    let next_of = |is_new, replaces| said(&["a.example.org"], Role::Server, is_new, replaces);
    assert!(next_of(false, true).contains("restart usher-server.service"));
    // A renewal of nothing, and a certificate of an authority that no client knows yet.
    for text in [next_of(false, false), next_of(true, true)] {
        assert!(text.contains("usher service install server"), "{text}");
        assert!(text.contains("--ca-file"), "{text}");
    }
}

#[test]
fn a_manager_is_installed_with_the_authority_of_the_servers_that_it_watches() {
    let text = said(&["a.example.org"], Role::Manager, false, false);
    assert!(text.contains("--ca-file DIR/ca.pem"), "{text}");
}

#[test]
fn a_certificate_for_this_computer_alone_is_not_offered_to_others() {
    let here = ["localhost", "127.0.0.1", "127.0.0.7", "::1"];
    insta::assert_snapshot!(said(&here, Role::Server, true, false), @r"
        Next:
          usher service install server --listen 127.0.0.1:8470 --tls-cert DIR/server.pem --tls-key DIR/server.key
          and on this computer:
          usher status --server https://localhost:8470 --ca-file DIR/ca.pem
        Other computers cannot use it: it has no name or address by which they reach this one. To add one:
          usher tls make --renew --name NAME
        ");
    let text = said(&here, Role::Server, false, true);
    assert!(text.contains("restart usher-server.service"), "{text}");
    assert!(text.contains("--renew --name NAME"), "{text}");
}

#[test]
fn a_name_for_a_whole_domain_is_no_name_of_a_server() {
    let url = |names: &[&str]| {
        let text = said(names, Role::Server, true, false);
        let (_, url) = text.split_once("--server ").unwrap();
        url.to_owned()
    };
    insta::assert_snapshot!(url(&["*.example.org", "localhost"]), @r"
        https://HOST.example.org:8470 --ca-file DIR/ca.pem
          HOST is the server's own name there.
        ");
    let named = url(&["*.example.org", "a.example.org"]);
    assert_eq!(named, "https://a.example.org:8470 --ca-file DIR/ca.pem");
    let address = url(&["localhost", "2001:db8::7"]);
    assert_eq!(address, "https://[2001:db8::7]:8470 --ca-file DIR/ca.pem");
}
