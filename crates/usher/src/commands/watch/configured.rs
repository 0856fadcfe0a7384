//! What a manager watches itself: `[watch.NAME]` of its settings file, which only the administrator of its
//! computer writes. No request names a file or a command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use usher_imports::{Kind, ProductMap};
use usher_manager::WatchedSource;
use usher_watch::{Origin, Watched};

use super::super::import;
use super::{EVERY, WITHIN, every, usual_command, within};
use crate::config::Watch;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::nearest;
use crate::output::tame;
use crate::time;

/// A watch that fails is told of after so long unless the file says.
const FAILING_AFTER: &str = "15m";
/// A log that does not grow is told of after so long unless the file says: daemons write their time every
/// six hours.
const SILENT_AFTER: &str = "1d";
/// Watches of one manager: each has a thread.
const WATCHES_LIMIT: usize = 200;

const KEYS: [&str; 12] = [
    "kind",
    "log",
    "licence",
    "command",
    "every",
    "within",
    "source",
    "map",
    "time-zone",
    "first-day",
    "failing-after",
    "silent-after",
];

/// What the settings file says is to be watched.
pub(in crate::commands) fn sources(context: &Context) -> Result<Vec<WatchedSource>, Failure> {
    let (file, watches) = context.watches();
    if watches.len() > WATCHES_LIMIT {
        return Err(Failure::usage(format!(
            "{}: there are {} tables [watch.NAME], and a manager watches {WATCHES_LIMIT} at the most",
            file.display(),
            watches.len()
        ))
        .next("Run others by `usher watch`."));
    }
    let all = watches.iter();
    all.map(|(name, settings)| {
        Table {
            file,
            name,
            settings,
        }
        .source()
    })
    .collect()
}

/// A table of the file.
struct Table<'f> {
    file: &'f Path,
    name: &'f str,
    settings: &'f Watch,
}

impl Table<'_> {
    fn source(&self) -> Result<WatchedSource, Failure> {
        usher_watch::check_name(self.name).map_err(|why| self.wrong("", &why))?;
        for key in self.settings.keys() {
            if !KEYS.contains(&key.as_str()) {
                let failure = self.wrong(key, "there is no such setting");
                return Err(match nearest(key, KEYS) {
                    Some(nearest) => failure.next(format!("Did you mean {nearest}?")),
                    None => failure,
                });
            }
        }
        let kind = self.needed("kind")?;
        let kind = Kind::of_word(kind).ok_or_else(|| {
            self.wrong(
                "kind",
                &format!("{:?} is no kind of log or report", tame(kind)),
            )
        })?;
        let source = self.one("source")?.unwrap_or(self.name).to_owned();
        import::check_source(&source)?;
        let watched = Watched {
            name: self.name.to_owned(),
            kind,
            source,
            origin: self.origin(kind)?,
            every: self.read("every", EVERY, every)?,
            zone: match self.one("time-zone")? {
                Some(zone) => Some(import::files::zone(zone)?),
                None => None,
            },
            first_day: match self.one("first-day")? {
                Some(day) => Some(
                    day.parse::<Date>()
                        .map_err(|error| self.wrong("first-day", &error.to_string()))?,
                ),
                None => None,
            },
            map: match self.one("map")? {
                Some(path) => import::files::map(Path::new(path))?,
                None => ProductMap::default(),
            },
        };
        if let Some(why) = watched.unfit() {
            return Err(self.wrong("kind", &why));
        }
        let after = |text: &str| time::within(text, 1, None).map(Duration::from_secs);
        let is_log = matches!(watched.origin, Origin::Log(_));
        let silent_after = match self.one("silent-after")? {
            Some("never") => None,
            _ => Some(self.read("silent-after", SILENT_AFTER, after)?),
        };
        Ok(WatchedSource {
            watched,
            failing_after: self.read("failing-after", FAILING_AFTER, after)?,
            silent_after: silent_after.filter(|_| is_log),
        })
    }

    fn origin(&self, kind: Kind) -> Result<Origin, Failure> {
        let given = ["log", "licence", "command"]
            .map(|key| self.settings.get(key).map(|words| (key, words)));
        let mut given = given.into_iter().flatten();
        let (Some((key, words)), None) = (given.next(), given.next()) else {
            let why = "give one of log, licence and command";
            return Err(self.wrong("", why));
        };
        let one = || self.needed(key);
        let words = match key {
            "log" => {
                let path = PathBuf::from(one()?);
                return match path.is_absolute() {
                    true => Ok(Origin::Log(path)),
                    false => Err(self.wrong(key, "it is no absolute path")),
                };
            }
            "licence" => usual_command(kind, one()?)?,
            // A list is the command word by word.
            _ if words.len() > 1 => words.clone(),
            _ => shlex::split(one()?)
                .ok_or_else(|| self.wrong(key, "it has a quote that does not end"))?,
        };
        match words.is_empty() {
            true => Err(self.wrong(key, "it is empty")),
            false => Ok(Origin::Command {
                words,
                within: self.read("within", WITHIN, within)?,
            }),
        }
    }

    fn one(&self, key: &str) -> Result<Option<&str>, Failure> {
        match self.settings.get(key).map(Vec::as_slice) {
            None => Ok(None),
            Some([word]) => Ok(Some(word)),
            Some(_) => Err(self.wrong(key, "it takes one value")),
        }
    }

    fn needed(&self, key: &str) -> Result<&str, Failure> {
        self.one(key)?
            .ok_or_else(|| self.wrong(key, "it is missing"))
    }

    fn read<T>(
        &self,
        key: &str,
        usual: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let text = self.one(key)?.unwrap_or(usual);
        read(text).map_err(|why| self.wrong(key, &why))
    }

    fn wrong(&self, key: &str, why: &str) -> Failure {
        let dot = if key.is_empty() { "" } else { "." };
        Failure::usage(format!(
            "{}: watch.{}{dot}{key}: {why}",
            self.file.display(),
            self.name
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, settings: &[(&str, &[&str])]) -> Result<WatchedSource, String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let settings = settings
            .iter()
            .map(|(key, all)| ((*key).to_owned(), words(all)))
            .collect();
        let table = Table {
            file: Path::new("usher.toml"),
            name,
            settings: &settings,
        };
        table
            .source()
            .map_err(|failure| failure.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_table_of_the_file_says_what_a_manager_watches() {
        let log = read(
            "lic1",
            &[("kind", &["flexnet-log"]), ("log", &["/var/log/debug.log"])],
        );
        let log = log.unwrap();
        assert_eq!(log.watched.source, "lic1");
        assert_eq!(log.watched.origin, Origin::Log("/var/log/debug.log".into()));
        assert_eq!(log.failing_after, Duration::from_secs(900));
        assert_eq!(log.silent_after, Some(Duration::from_secs(86_400)));
        let command: &[&str] = &["lmutil", "lmstat", "-c", "a b"];
        for command in [command, &["lmutil lmstat -c 'a b'"]] {
            let asked = read("lic2", &[("kind", &["lmstat"]), ("command", command)]).unwrap();
            let Origin::Command { words, within } = asked.watched.origin else {
                panic!("it is no command");
            };
            assert_eq!(words, ["lmutil", "lmstat", "-c", "a b"]);
            assert_eq!(
                (within, asked.silent_after),
                (Duration::from_secs(60), None)
            );
        }
    }

    #[test]
    fn what_is_wrong_in_a_table_is_told_with_its_place() {
        for (settings, expected) in [
            ("log=/a", "watch.lic1.kind: it is missing"),
            (
                "kind=lmstat",
                "watch.lic1: give one of log, licence and command",
            ),
            (
                "kind=lmstat log=/a",
                "watch.lic1.kind: lmstat is printed by a command",
            ),
            (
                "kind=rlm-log log=a.log",
                "watch.lic1.log: it is no absolute path",
            ),
            (
                "kind=frob log=/a",
                "watch.lic1.kind: \"frob\" is no kind of log or report",
            ),
            ("kidn=rlm-log", "watch.lic1.kidn: there is no such setting"),
            (
                "kind=rlm-log log=/a every=0",
                "watch.lic1.every: give 1 s to 1 d",
            ),
        ] {
            let pairs = settings.split(' ').filter_map(|pair| pair.split_once('='));
            let words: Vec<(&str, [&str; 1])> = pairs.map(|(key, word)| (key, [word])).collect();
            let settings: Vec<(&str, &[&str])> =
                words.iter().map(|(key, word)| (*key, &word[..])).collect();
            let told = read("lic1", &settings).unwrap_err();
            assert_eq!(told, format!("usher.toml: {expected}"));
        }
        assert!(
            read("a b", &[])
                .unwrap_err()
                .contains("is no name for a watch")
        );
    }
}
