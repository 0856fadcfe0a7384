//! `usher tls`: certificates of a site's own.

mod folder;
mod next;
mod show;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use usher_tls::{Authority, MakeError, Names};

use self::folder::Folder;
use self::next::{Made, tell};
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::output::{print_json, quoted};

/// Names that lead to this computer only from itself.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Make certificates for servers, and look at one
#[derive(Debug, Subcommand)]
pub(crate) enum Tls {
    Make(Make),
    Show(Show),
}

/// Make an authority, and a certificate of it for a server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher tls make --name licences.example.org --name 10.0.0.7
  usher tls make manager --name licences.example.org     another certificate, for the console
  usher tls make --renew                                 the same names, for another two years
  usher tls make --renew --name b.example.org            those names, and one more

The first time it makes the authority, too: ca.pem, which every client names with --ca-file, and
ca.key, which only this command needs. localhost is always among the names.")]
pub(crate) struct Make {
    /// Whose certificate
    #[arg(value_name = "ROLE", value_enum, default_value = "server")]
    role: Role,
    /// A name or an IP address by which clients reach it; may be repeated [default: this
    /// computer's name]; --renew keeps those of the certificate of before and adds these
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// The folder [default: /etc/usher/tls; for others than root ~/.config/usher/tls]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// For how long
    #[arg(long, value_name = "DAYS", default_value_t = 730)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Put it in the place of the certificate that is there, for its names
    #[arg(long)]
    renew: bool,
}

/// Show for which names a certificate is, until when, and whether clients will take it
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  usher tls show /etc/usher/tls/server.pem        exit code 1 if no client will take it

ca.pem is shown, too: until when the authority is valid. The exit code is then 1, because a server
cannot use an authority's certificate.")]
pub(crate) struct Show {
    /// The certificate, with its chain (PEM)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Server,
    Manager,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Manager => "manager",
        }
    }
}

pub(crate) fn run(command: Tls, context: &Context) -> Result<(), Failure> {
    match command {
        Tls::Make(args) => make(&args, context),
        Tls::Show(args) => show::run(&args.file, context),
    }
}

fn make(args: &Make, context: &Context) -> Result<(), Failure> {
    let dir = args.dir.clone().unwrap_or_else(usual_folder);
    if args.renew {
        must_have_an_authority(&dir)?;
    }
    let folder = Folder::new(dir)?;
    let stem = args.role.name();
    let (cert, key) = (format!("{stem}.pem"), format!("{stem}.key"));
    let before = folder.read(&cert)?;
    if before.is_some() && !args.renew {
        let names = match args.name.is_empty() {
            true => "for the same names",
            false => "for its names and those",
        };
        let failure = Failure::failed(format!("{} is there already", folder.path(&cert).display()));
        return Err(failure.next(format!(
            "`{}` puts another in its place, of the same authority and {names}.",
            renewal(args.role, &args.name, args.dir.as_deref())
        )));
    }
    let names = names(args, before.as_deref())?;
    let written = Names::new(&names).map_err(not_made)?;
    let (authority, is_new) = match (folder.read("ca.pem")?, folder.read("ca.key")?) {
        (Some(certificate), Some(key)) => {
            let authority = Authority::from_pem(&certificate, &key);
            (authority.map_err(not_made)?, false)
        }
        (None, None) => (Authority::new().map_err(not_made)?, true),
        (there, _) => {
            let missing = if there.is_some() { "ca.key" } else { "ca.pem" };
            return Err(Failure::failed(format!(
                "{} has one half of an authority: {missing} is not there",
                folder.path("").display()
            ))
            .next("Bring it back, or make another authority in an empty folder with --dir DIR."));
        }
    };
    let pair = usher_tls::server_pair(&authority, written, args.days).map_err(not_made)?;
    if is_new {
        folder.write("ca.key", &authority.key(), true)?;
        folder.write("ca.pem", authority.certificate(), false)?;
    }
    folder.write(&key, &pair.key, true)?;
    // With the authority behind it: the whole chain, as any server shows it.
    let chain = format!("{}{}", pair.certificate, authority.certificate());
    folder.write(&cert, &chain, false)?;
    let made = Made {
        folder: &folder,
        cert: folder.path(&cert),
        key: folder.path(&key),
        names,
        is_new,
        replaces: before.is_some(),
        renew: renewal(args.role, &[], args.dir.as_deref()),
    };
    match context.json() {
        true => print_json(&json!({
            "ca": folder.path("ca.pem").display().to_string(),
            "cert": made.cert.display().to_string(),
            "key": made.key.display().to_string(),
            "names": made.names,
            "until": pair.last_day,
        })),
        false => tell(&made, args.role, &pair),
    }
}

/// The command that makes a role's certificate again, with more names.
fn renewal(role: Role, names: &[String], dir: Option<&Path>) -> String {
    let mut command = "usher tls make".to_owned();
    if let Role::Manager = role {
        command += " manager";
    }
    command += " --renew";
    for name in names {
        command += &format!(" --name {}", quoted(name));
    }
    if let Some(dir) = dir {
        command += &format!(" --dir {}", quoted(&dir.to_string_lossy()));
    }
    command
}

/// Refuses to renew if there is no authority: no client would trust a new one, and the folder may
/// be mistyped.
fn must_have_an_authority(dir: &Path) -> Result<(), Failure> {
    let is_there = |name: &str| dir.join(name).try_exists().unwrap_or(true);
    if is_there("ca.pem") || is_there("ca.key") {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "{} holds no authority (ca.pem, ca.key), so that nothing there can be renewed: clients \
         would not trust the certificate of a new one",
        dir.display()
    ))
    .next(
        "Name the former folder with --dir DIR. In an empty folder `usher tls make` without \
         --renew makes an authority, whose ca.pem every client needs then.",
    ))
}

/// The names of the former certificate and those that were given, else this computer's; and
/// [`HERE`].
fn names(args: &Make, before: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut names = match before.map(|pem| usher_tls::identity(pem.as_bytes())) {
        Some(Ok(of_before)) => of_before.names,
        None => Vec::new(),
        Some(Err(_)) if !args.name.is_empty() => Vec::new(),
        Some(Err(why)) => {
            let failure = Failure::failed(format!("its present names cannot be read: {why}"));
            return Err(failure.next("Name them with --name."));
        }
    };
    for name in &args.name {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        names.push(host::computer());
    }
    for here in HERE {
        if !names.iter().any(|name| name == here) {
            names.push(here.to_owned());
        }
    }
    Ok(names)
}

fn not_made(error: MakeError) -> Failure {
    match error {
        MakeError::Name(_) | MakeError::Unspecified(_) => Failure::usage(error.to_string())
            .next("Write --name like licences.example.org or 10.0.0.7, without port or https://."),
        MakeError::Authority(_) => Failure::failed(error.to_string())
            .next("Another authority is made in an empty folder: --dir DIR."),
        MakeError::Failed(_) => Failure::failed(error.to_string()),
    }
}

fn usual_folder() -> PathBuf {
    host::own_settings()
        .unwrap_or_else(host::settings)
        .join("usher/tls")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_renews_names_role_names_and_folder() {
        let names = ["a.example.org".to_owned(), "*.b.org".to_owned()];
        assert_eq!(renewal(Role::Server, &[], None), "usher tls make --renew");
        assert_eq!(
            renewal(Role::Manager, &names, Some(Path::new("my tls"))),
            "usher tls make manager --renew --name a.example.org --name '*.b.org' --dir 'my tls'"
        );
    }

    #[test]
    fn nothing_is_renewed_and_no_folder_made_where_there_is_no_authority() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("mistyped");
        let refused = must_have_an_authority(&dir).unwrap_err().to_string();
        assert!(refused.contains("holds no authority"), "{refused}");
        assert!(refused.contains("--dir DIR"), "{refused}");
        assert!(!dir.exists());
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("ca.pem"), "").unwrap();
        assert!(must_have_an_authority(&dir).is_ok());
    }

    #[test]
    fn a_renewal_keeps_the_names_of_before_and_adds_those_that_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let args = |name: &[&str], renew| Make {
            role: Role::Server,
            name: name.iter().map(|&name| name.to_owned()).collect(),
            dir: Some(folder.path().to_owned()),
            days: 730,
            renew,
        };
        let authority = Authority::new().unwrap();
        let first = ["a.example.org".to_owned(), "10.0.0.7".to_owned()];
        let pair = usher_tls::server_pair(&authority, Names::new(&first).unwrap(), 30).unwrap();
        let before = pair.certificate.as_str();
        let of = |name: &[&str], before| names(&args(name, true), before).unwrap();
        let said = of(&["b.example.org", "a.example.org"], Some(before));
        for name in ["a.example.org", "10.0.0.7", "b.example.org", "localhost"] {
            assert_eq!(said.iter().filter(|it| *it == name).count(), 1, "{said:?}");
        }
        assert!(of(&[], Some(before)).contains(&"a.example.org".to_owned()));
        assert!(
            of(&["b.example.org"], Some("no certificate")).contains(&"b.example.org".to_owned())
        );
        assert!(names(&args(&[], true), Some("no certificate")).is_err());
    }
}
