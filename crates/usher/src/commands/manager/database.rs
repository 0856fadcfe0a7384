//! `usher manager --database`: where the site database is.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use usher_manager::{Database, PostgresAddress};

use crate::failure::Failure;

/// Where the site database is, and the password for it.
#[derive(Debug, Clone, Args)]
pub(in crate::commands) struct SiteDatabase {
    /// The site database: postgres://USER@HOST[:PORT][,HOST2...]/DATABASE, or sqlite:FILE [default:
    /// site.db in the data directory]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The file with the password for a site database on PostgreSQL; without it, PGPASSFILE names a
    /// file of passwords
    #[arg(long, value_name = "FILE", requires = "database")]
    database_password_file: Option<PathBuf>,
}

impl SiteDatabase {
    /// What was chosen. What is wrong with it is told without the URL, which may have a password in it.
    pub(in crate::commands) fn options(self) -> Result<Database, Failure> {
        self.chosen(std::env::args_os()).map_err(Failure::usage)
    }

    /// `args` is the command line, which others on this computer can read.
    fn chosen(self, args: impl Iterator<Item = OsString>) -> Result<Database, String> {
        let Some(url) = self.database else {
            return Ok(Database::InData);
        };
        if let Some(file) = url.strip_prefix("sqlite:") {
            return match (file, self.database_password_file) {
                ("", _) => Err("--database sqlite: names no file: sqlite:FILE".to_owned()),
                (_, Some(_)) => Err(
                    "--database-password-file is of a database on PostgreSQL, and sqlite: names a file"
                        .to_owned(),
                ),
                (file, None) => Ok(Database::Sqlite(PathBuf::from(file))),
            };
        }
        let address = PostgresAddress::parse(&url).map_err(|why| {
            format!(
                "--database is no address of a database: {why}. Write \
                 postgres://USER@HOST/DATABASE, or sqlite:FILE"
            )
        })?;
        let is_seen = |arg: OsString| arg.to_string_lossy().contains(&url);
        if address.has_password() && args.into_iter().any(is_seen) {
            return Err(
                "--database has a password in it, which everybody on this computer can read on \
                 a command line: put it into a file, and name that by --database-password-file"
                    .to_owned(),
            );
        }
        Ok(Database::Postgres(Box::new(
            match self.database_password_file {
                Some(file) => address.with_password_file(file),
                None => address,
            },
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: Option<&str>, file: Option<&str>, args: &[&str]) -> Result<Database, String> {
        let given = SiteDatabase {
            database: url.map(str::to_owned),
            database_password_file: file.map(PathBuf::from),
        };
        given.chosen(args.iter().map(OsString::from))
    }

    #[test]
    fn a_database_is_a_file_or_on_postgresql() {
        assert_eq!(chosen(None, None, &[]), Ok(Database::InData));
        let file = Ok(Database::Sqlite(PathBuf::from("/srv/site.db")));
        assert_eq!(chosen(Some("sqlite:/srv/site.db"), None, &[]), file);
        let url = "postgres://usher@db1,db2/site";
        let address = PostgresAddress::parse(url).unwrap();
        let on = Ok(Database::Postgres(Box::new(address.clone())));
        assert_eq!(chosen(Some(url), None, &[url]), on);
        let with_file = address.with_password_file(PathBuf::from("p"));
        let on = Ok(Database::Postgres(Box::new(with_file)));
        assert_eq!(chosen(Some(url), Some("p"), &[url]), on);
    }

    #[test]
    fn a_password_is_neither_taken_from_a_command_line_nor_told() {
        let url = "postgres://usher:s3cret@db1/site";
        let option = format!("--database={url}");
        for args in [&["usher", "--database", url][..], &["usher", &option]] {
            let refused = chosen(Some(url), None, args).unwrap_err();
            assert!(refused.contains("--database-password-file"), "{refused}");
            assert!(!refused.contains("s3cret"), "{refused}");
        }
        // From a file that only its owner can read it is.
        assert!(chosen(Some(url), None, &["usher", "manager"]).is_ok());
        for wrong in [
            "sqlite:",
            "site.db",
            "postgres://usher:s3cret@db1",
            "sqlite",
        ] {
            let refused = chosen(Some(wrong), None, &[]).unwrap_err();
            assert!(refused.contains("sqlite:FILE"), "{refused}");
            assert!(!refused.contains("s3cret"), "{refused}");
        }
        assert!(chosen(Some("sqlite:x"), Some("p"), &[]).is_err());
    }
}
