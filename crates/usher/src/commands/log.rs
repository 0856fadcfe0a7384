//! A role's log: which lines are written, and their fields, with the request that was worked on.

use std::fmt;

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use usher_vital::RequestId;

/// What is logged: a level, or levels for modules (`info,usher_agent=debug`). `info` if nothing is
/// said, or nothing that can be understood.
pub(super) fn filter(wanted: &str) -> Targets {
    let understood = (!wanted.is_empty()).then(|| wanted.parse().ok()).flatten();
    understood.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

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
    fn a_level_is_for_everything_or_for_one_module_and_info_is_the_default() {
        let logged = |wanted: &str, target: &str| {
            let filter = filter(wanted);
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
