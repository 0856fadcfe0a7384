//! What was made, and what is to be done with it.

use std::path::PathBuf;

use usher_tls::{Pair, leads_here_alone};

use super::Role;
use super::folder::Folder;
use crate::failure::Failure;
use crate::output::line;

/// A certificate that was made.
pub(super) struct Made<'a> {
    pub(super) folder: &'a Folder,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) names: Vec<String>,
    /// Whether the authority is new.
    pub(super) is_new: bool,
    /// Whether it is in the place of a certificate that was there.
    pub(super) replaces: bool,
    /// The command that makes it again.
    pub(super) renew: String,
}

/// Says it.
pub(super) fn tell(made: &Made<'_>, role: Role, pair: &Pair) -> Result<(), Failure> {
    let ca = made.folder.path("ca.pem");
    if made.is_new {
        line(format!("wrote {}: every client trusts it", ca.display()))?;
        line(format!(
            "wrote {}: only `usher tls make` needs it; who has it can pass for your servers",
            made.folder.path("ca.key").display()
        ))?;
    }
    line(format!(
        "wrote {}: for {}, until {}",
        made.cert.display(),
        made.names.join(", "),
        pair.last_day
    ))?;
    line(format!("wrote {}: its key", made.key.display()))?;
    line(next(made, role))
}

/// What is to be done with what was made.
fn next(made: &Made<'_>, role: Role) -> String {
    let stem = role.name();
    let is_here = made.names.iter().all(|name| leads_here_alone(name));
    let mut text = match made.replaces && !made.is_new {
        true => format!(
            "Next: restart what shows it, such as\n  systemctl restart usher-{stem}.service"
        ),
        false => install(made, role, is_here),
    };
    if is_here {
        text.push_str(&format!(
            "\nOther computers cannot use it: it has no name or address by which they reach this \
             one. To add one:\n  {} --name NAME",
            made.renew
        ));
    }
    text
}

/// How it is shown for the first time, and how clients reach what shows it.
fn install(made: &Made<'_>, role: Role, is_here: bool) -> String {
    let (stem, listen, port) = match role {
        Role::Server => ("server", "--listen", 8470),
        Role::Manager => ("manager", "--console", 8480),
    };
    let address = match is_here {
        true => "127.0.0.1",
        false => "0.0.0.0",
    };
    let ca = made.folder.path("ca.pem");
    let ca = ca.display();
    let mut install = format!(
        "Next:\n  usher service install {stem} {listen} {address}:{port} --tls-cert {} --tls-key {}",
        made.cert.display(),
        made.key.display()
    );
    if let Role::Manager = role {
        // By which it trusts the servers that it watches.
        install += &format!(" --ca-file {ca}");
    }
    let host = host(&made.names);
    let clients = match (role, is_here) {
        (Role::Server, true) => {
            format!(
                "  and on this computer:\n  usher status --server https://{host}:{port} --ca-file {ca}"
            )
        }
        (Role::Server, false) => format!(
            "  and on each computer, with a copy of ca.pem:\n  usher status --server \
             https://{host}:{port} --ca-file {ca}"
        ),
        (Role::Manager, _) => {
            format!("  and have browsers trust {ca}: the console is https://{host}:{port}")
        }
    };
    let mut text = format!("{install}\n{clients}");
    if host.starts_with(ANY_HOST) {
        text.push_str(&format!("\n  {ANY_HOST} is the {stem}'s own name there."));
    }
    text
}

/// What stands for the first part of a name that is for any computer of a domain.
const ANY_HOST: &str = "HOST";

/// The name by which clients reach it, as it stands in a URL.
fn host(names: &[String]) -> String {
    let outside = || names.iter().filter(|name| !leads_here_alone(name));
    let is_of_many = |name: &&String| name.starts_with("*.");
    let name = outside()
        .find(|name| !is_of_many(name))
        .or(outside().next());
    match name {
        None => "localhost".to_owned(),
        Some(name) if name.contains(':') => format!("[{name}]"),
        Some(name) => name.replacen('*', ANY_HOST, 1),
    }
}

#[cfg(test)]
mod tests {
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
        // Renewed where there was none, and of an authority that no client knows yet.
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
}
