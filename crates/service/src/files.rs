//! The unit files that make a role a service of systemd. Their text lies in `units/`; what differs
//! from one installation to the next is filled in here.

use std::path::{Path, PathBuf};

/// A role that can be a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The metering server.
    Server,
    /// The manager.
    Manager,
    /// The agent.
    Agent,
}

impl Role {
    /// The name that the command line uses.
    pub fn name(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Manager => "manager",
            Role::Agent => "agent",
        }
    }

    /// Its units, the service first.
    pub fn units(self) -> &'static [&'static str] {
        match self {
            Role::Server => &["usher-server.service", "usher-server.socket"],
            Role::Manager => &["usher-manager.service"],
            Role::Agent => &["usher-agent.service"],
        }
    }

    /// The unit of its process.
    pub fn service(self) -> &'static str {
        self.units()[0]
    }

    fn templates(self) -> &'static [&'static str] {
        match self {
            Role::Server => &[
                include_str!("../units/usher-server.service"),
                include_str!("../units/usher-server.socket"),
            ],
            Role::Manager => &[include_str!("../units/usher-manager.service")],
            Role::Agent => &[include_str!("../units/usher-agent.service")],
        }
    }
}

/// What differs from one installation to the next.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The program, by its whole path.
    pub program: PathBuf,
    /// Where the metering server listens, as `HOST:PORT`.
    pub listen: String,
    /// The metering server that the agent reports to, if it is not this computer's.
    pub server: Option<String>,
    /// Where the manager's console listens, unless its settings are not to say.
    pub console: Option<String>,
    /// The certificate that the role shows and its key, which systemd hands over to it.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether it listens beyond this computer without one.
    pub plain_http: bool,
    /// The authority that the role trusts besides the system's.
    pub authority: Option<PathBuf>,
}

/// The files of a role's units, by their names.
///
/// # Errors
/// A path or an address that cannot stand in a unit file.
pub fn of(role: Role, installation: &Installation) -> Result<Vec<(&'static str, String)>, String> {
    let program = path(&installation.program)?;
    let listen = word(&installation.listen)?;
    let server = match &installation.server {
        Some(server) => format!(" --server {}", word(server)?),
        None => String::new(),
    };
    let (options, credentials) = options(role, installation)?;
    let filled = role.templates().iter().map(|template| {
        template
            .replace("@PROGRAM@", &program)
            .replace("@LISTEN@", &listen)
            .replace("@SERVER@", &server)
            .replace("@OPTIONS@", &options)
            .replace("@CREDENTIALS@", &credentials)
    });
    Ok(role.units().iter().copied().zip(filled).collect())
}

/// What a role is told besides, and the lines by which systemd hands files over to it: an account
/// that is made for the time that the role runs can be given no key in any other way.
fn options(role: Role, installation: &Installation) -> Result<(String, String), String> {
    let (mut options, mut credentials) = (String::new(), String::new());
    if let (Role::Manager, Some(console)) = (role, &installation.console) {
        options += &format!(" --console {}", word(console)?);
    }
    if let (Role::Server | Role::Manager, Some((cert, key))) = (role, &installation.tls) {
        credentials +=
            "# systemd reads them as root at each start and shows them to this service alone.\n";
        for (name, file) in [("tls-cert", cert), ("tls-key", key)] {
            let file = named(file)?;
            credentials += &format!("LoadCredential={name}:{file}\n");
            options += &format!(" --{name} ${{CREDENTIALS_DIRECTORY}}/{name}");
        }
    }
    if role != Role::Agent && installation.plain_http {
        options += " --plain-http";
    }
    if let (Role::Manager | Role::Agent, Some(authority)) = (role, &installation.authority) {
        options += &format!(" --ca-file {}", path(authority)?);
    }
    Ok((options, credentials))
}

/// A file that systemd hands over.
pub(crate) fn named(file: &Path) -> Result<String, String> {
    match path(file)? {
        // It ends the name of what is handed over.
        text if text.contains(':') => Err(format!(
            "`{text}` cannot stand in a unit file: it has `:` in it"
        )),
        text => Ok(text),
    }
}

/// The name of the file that lets the manager steer units, in polkit's `rules.d`.
pub const RIGHTS: &str = "50-usher-manager.rules";

/// The polkit rule that lets the manager steer these units and no others.
///
/// # Errors
/// A name is not that of a service unit.
pub fn rights(units: &[String]) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@:".contains(c);
    let mut quoted = Vec::with_capacity(units.len());
    for unit in units {
        if !unit.ends_with(".service") || !unit.chars().all(is_plain) {
            return Err(format!(
                "`{unit}` is not the name of a service, such as usher-server.service"
            ));
        }
        quoted.push(format!("\"{unit}\""));
    }
    let list = format!("[{}]", quoted.join(", "));
    Ok(include_str!("../units/50-usher-manager.rules").replace("@UNITS@", &list))
}

pub(crate) fn path(path: &Path) -> Result<String, String> {
    let text = path.to_str().filter(|_| path.is_absolute());
    text.ok_or(())
        .and_then(|text| word(text).map_err(drop))
        .map_err(|()| {
            format!(
                "{} cannot stand in a unit file of systemd: its path has to be absolute, without \
                 white space, quotes, `%`, `$`, `;` or `\\`",
                path.display()
            )
        })
}

/// A word that means in a unit file what it says.
pub(crate) fn word(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'%$\\;".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` cannot stand in a unit file: write it without white space, quotes, `%`, `$`, `;` or `\\`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(program: &str) -> Installation {
        Installation {
            program: program.into(),
            listen: "127.0.0.1:8470".to_owned(),
            server: Some("https://licences.example.org:8470".to_owned()),
            console: None,
            tls: None,
            plain_http: false,
            authority: None,
        }
    }

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        for role in [Role::Server, Role::Manager, Role::Agent] {
            for (name, text) in of(role, &installation("/usr/bin/usher")).unwrap() {
                assert!(text.contains("[Unit]"), "{name}");
                let left = text.lines().find(|line| {
                    line.contains("@PROGRAM@")
                        || line.contains("@LISTEN@")
                        || line.contains("@SERVER@")
                        || line.contains("@OPTIONS@")
                        || line.contains("@CREDENTIALS@")
                });
                assert_eq!(left, None, "{name}");
            }
        }
        let (_, agent) = of(Role::Agent, &installation("/usr/bin/usher"))
            .unwrap()
            .remove(0);
        assert!(agent.contains(
            "ExecStart=/usr/bin/usher agent --data %S/usher-agent --server https://licences.example.org:8470\n"
        ));
    }

    #[test]
    fn a_certificate_and_its_key_are_handed_over_by_systemd_and_named_to_the_role() {
        let mut installation = installation("/usr/bin/usher");
        installation.tls = Some(("/etc/usher/tls/a.pem".into(), "/etc/usher/tls/a.key".into()));
        installation.authority = Some("/etc/usher/tls/ca.pem".into());
        installation.console = Some("0.0.0.0:8480".to_owned());
        let text = |role| of(role, &installation).unwrap().remove(0).1;
        let lines = "LoadCredential=tls-cert:/etc/usher/tls/a.pem\n\
                     LoadCredential=tls-key:/etc/usher/tls/a.key\n";
        let options = " --tls-cert ${CREDENTIALS_DIRECTORY}/tls-cert \
                       --tls-key ${CREDENTIALS_DIRECTORY}/tls-key";
        let server = text(Role::Server);
        assert!(server.contains(lines), "{server}");
        let exec = format!(" --listen 127.0.0.1:8470{options}\n");
        assert!(server.contains(&exec), "{server}");
        let manager = text(Role::Manager);
        assert!(manager.contains(lines), "{manager}");
        let exec = format!(" --console 0.0.0.0:8480{options} --ca-file /etc/usher/tls/ca.pem\n");
        assert!(manager.contains(&exec), "{manager}");
        for wrong in ["a.pem", "/my files/a.pem", "/a:b.pem", "/100%.pem"] {
            let mut installation = installation.clone();
            installation.tls = Some((wrong.into(), "/a.key".into()));
            assert!(of(Role::Server, &installation).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_manager_may_steer_the_units_that_are_named_and_none_whose_name_is_code() {
        let units = ["usher-server.service", "usher@lab.service"].map(str::to_owned);
        let rule = rights(&units).unwrap();
        assert!(rule.contains("var units = [\"usher-server.service\", \"usher@lab.service\"];"));
        for unit in ["sshd.socket", "a\"];return.service", "*.service", ""] {
            assert!(rights(&[unit.to_owned()]).is_err(), "{unit}");
        }
    }

    #[test]
    fn a_path_that_would_mean_something_else_is_refused() {
        for program in [
            "usher",
            "/opt/my usher",
            "/opt/100%/usher",
            "/opt/$HOME/usher",
            "/a\nb",
        ] {
            assert!(
                of(Role::Server, &installation(program)).is_err(),
                "{program}"
            );
        }
    }
}
