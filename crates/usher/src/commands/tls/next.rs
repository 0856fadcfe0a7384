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

/// Prints what was written and what to do next.
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
mod tests;
