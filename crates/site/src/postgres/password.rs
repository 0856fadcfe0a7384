//! Where the password comes from: a file with nothing else, the URL, or a file of passwords as libpq
//! reads them (`host:port:database:user:password`). It is read again for each connection, so that it
//! can be changed.

use std::path::{Path, PathBuf};

use super::address::{Host, PostgresAddress};

/// The password for a host; none: the server may let this user in without.
pub(super) fn of(address: &PostgresAddress, host: &Host) -> Result<Option<String>, String> {
    if let Some(file) = &address.password_file {
        let text = read(file)?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if let Some(password) = &address.password {
        return Ok(Some(password.clone()));
    }
    let named = address.pass_file.clone();
    let Some(file) = named.or_else(|| std::env::var_os("PGPASSFILE").map(PathBuf::from)) else {
        return Ok(None);
    };
    Ok(find(&read(&file)?, address, host))
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the password in {}: {error}", file.display()))
}

/// The password of the first line that fits.
fn find(text: &str, address: &PostgresAddress, host: &Host) -> Option<String> {
    let name = match host.is_folder() {
        // So libpq calls what is on a Unix socket.
        true => "localhost",
        false => &host.name,
    };
    let wanted = [
        name,
        &host.port.to_string(),
        &address.database,
        &address.user,
    ];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = fields(line)?;
            let fits = fields.iter().zip(wanted);
            let mut fits = fits.map(|(field, wanted)| field == "*" || field == wanted);
            fits.all(|fits| fits).then(|| fields[4].clone())
        })
}

/// The five fields of a line; `\` takes what follows as it is.
fn fields(line: &str) -> Option<[String; 5]> {
    let mut fields: [String; 5] = Default::default();
    let (mut at, mut all) = (0, line.chars());
    while let Some(it) = all.next() {
        match it {
            '\\' => fields[at].extend(all.next()),
            ':' if at < 4 => at += 1,
            it => fields[at].push(it),
        }
    }
    (at == 4).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let address = PostgresAddress::parse("postgres://u@db1,db2:6,%2Frun/d").unwrap();
        let text = "# db1:5432:d:u:no\nshort:line\ndb1:*:*:other:no\n\
                    db1:5432:d:u:a\\:b\\\\c:d\n*:6:*:u:second\nlocalhost:*:d:u:here\n";
        let found = |at: usize| find(text, &address, &address.hosts[at]);
        assert_eq!(found(0).as_deref(), Some("a:b\\c:d"));
        assert_eq!(found(1).as_deref(), Some("second"));
        assert_eq!(found(2).as_deref(), Some("here"));
    }

    #[test]
    fn a_file_of_its_own_comes_first_and_its_line_end_is_not_of_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "from file\r\n").unwrap();
        let address = PostgresAddress::parse("postgres://u:from-url@h/d").unwrap();
        let host = address.hosts[0].clone();
        assert_eq!(of(&address, &host).unwrap().as_deref(), Some("from-url"));
        let address = address.with_password_file(file);
        assert_eq!(of(&address, &host).unwrap().as_deref(), Some("from file"));
        let gone = address.with_password_file(folder.path().join("none"));
        let why = of(&gone, &host).unwrap_err();
        assert!(why.contains("none"), "{why}");
    }
}
