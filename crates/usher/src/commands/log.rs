//! The log of a role: how much is logged, and the fields of a line: its own, and the id of the
//! request that was being served.

use std::fmt;

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use usher_vital::RequestId;

/// Writes a line's fields, and behind them the id of the request that its thread works on.
#[derive(Debug, Default)]
pub(super) struct Fields(DefaultFields);

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        self.0.format_fields(writer.by_ref(), fields)?;
        match RequestId::current() {
            Some(id) => write!(writer, " request_id={id}"),
            None => Ok(()),
        }
    }
}

/// The filter of the log that `USHER_LOG` sets; `None` if it is not valid. A word that is no level
/// is not valid, unless it has `_` or `:` as the names of this program's parts have: it would be
/// taken for a part of the program, and only that part would log.
pub(super) fn filter(given: &str) -> Option<Targets> {
    let is_level = given.parse::<LevelFilter>().is_ok();
    match given {
        "" => Some(default_filter()),
        given if is_level || given.contains(['=', ',', ':', '_']) => given.parse().ok(),
        _ => None,
    }
}

/// The filter if `USHER_LOG` is not set or not valid.
pub(super) fn default_filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_goes_by_a_level_or_by_filters_and_by_no_other_word() {
        for given in ["", "info", "DEBUG", "usher_server", "info,h2=warn"] {
            assert!(filter(given).is_some(), "{given}");
        }
        for given in ["verbose", "yes", "a=b=c"] {
            assert!(filter(given).is_none(), "{given}");
        }
    }

    #[test]
    fn a_level_is_for_everything_or_for_one_module_and_info_is_the_default() {
        let logged = |wanted: &str, target: &str| {
            let filter = filter(wanted).unwrap_or_else(default_filter);
            let level = [tracing::Level::DEBUG, tracing::Level::INFO]
                .into_iter()
                .find(|level| filter.would_enable(target, level));
            level.map(|level| level.to_string())
        };
        for (wanted, server, agent) in [
            ("", Some("INFO"), Some("INFO")),
            ("debug", Some("DEBUG"), Some("DEBUG")),
            ("warn", None, None),
            ("info,usher_agent=debug", Some("INFO"), Some("DEBUG")),
            ("debug=a=b", Some("INFO"), Some("INFO")),
        ] {
            assert_eq!(
                logged(wanted, "usher_server::serve").as_deref(),
                server,
                "{wanted:?}"
            );
            assert_eq!(
                logged(wanted, "usher_agent::run").as_deref(),
                agent,
                "{wanted:?}"
            );
        }
    }

    #[test]
    fn a_line_names_the_request_that_was_worked_on_and_no_other_line_does() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .fmt_fields(Fields::default())
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!("before");
            RequestId::Given("job-7".into()).during(|| tracing::warn!(seats = 3, "within"));
            tracing::warn!("after");
        });
        let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let named: Vec<bool> = written.lines().map(|line| line.contains("job-7")).collect();
        assert_eq!(named, [false, true, false], "{written}");
        assert!(
            written.contains("within seats=3 request_id=job-7\n"),
            "{written}"
        );
    }
}
