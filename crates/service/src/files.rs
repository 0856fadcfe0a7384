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
    /// The metering server that the agent reports to, where it is not this computer's.
    pub server: Option<String>,
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
    let filled = role.templates().iter().map(|template| {
        template
            .replace("@PROGRAM@", &program)
            .replace("@LISTEN@", &listen)
            .replace("@SERVER@", &server)
    });
    Ok(role.units().iter().copied().zip(filled).collect())
}

/// The name of the file that lets the manager steer units, in polkit's `rules.d`.
pub const RIGHTS: &str = "50-usher-manager.rules";

/// The polkit rule that lets the manager steer these units and no others.
///
/// # Errors
/// A name that is none of a unit.
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
                 white space, quotes, `%`, `$` or `\\`",
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
