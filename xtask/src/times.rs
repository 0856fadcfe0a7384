//! How long the tests took, by what nextest's JUnit file says: the slowest, and each suite's sum.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// So many tests are named, the slowest first.
const SLOWEST: usize = 20;
/// A suite is worth a line from so many seconds on.
const SUITE_SECONDS: f64 = 10.0;

/// One test that ran.
#[derive(Debug, Clone, PartialEq)]
struct Took {
    /// The test binary, such as `usher-core::ledger`.
    suite: String,
    name: String,
    seconds: f64,
}

/// A table of what `file` says, or why it cannot be read.
pub(crate) fn table(file: &Path) -> Result<String, String> {
    let failed = |why: String| format!("cannot tell how long the tests took: {file:?}: {why}");
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    Ok(shown(read(&text).map_err(failed)?))
}

fn read(text: &str) -> Result<Vec<Took>, String> {
    let mut reader = Reader::from_str(text);
    let mut tests = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == b"testcase" => {
                let seconds = attribute(&tag, "time")?;
                tests.push(Took {
                    suite: attribute(&tag, "classname")?,
                    name: attribute(&tag, "name")?,
                    seconds: seconds
                        .parse()
                        .map_err(|_| format!("a test took {seconds:?} seconds"))?,
                });
            }
            Event::Eof => return Ok(tests),
            _ => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<String, String> {
    let found = tag
        .try_get_attribute(name)
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("a test case has no {name}"))?;
    let value = found.normalized_value(XmlVersion::Explicit1_0);
    value
        .map(|value| value.into_owned())
        .map_err(|error| error.to_string())
}

fn shown(mut tests: Vec<Took>) -> String {
    let mut suites: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for test in &tests {
        let (count, seconds) = suites.entry(&test.suite).or_default();
        *count += 1;
        *seconds += test.seconds;
    }
    let mut suites: Vec<(String, usize, f64)> = suites
        .into_iter()
        .filter(|(_, (_, seconds))| *seconds >= SUITE_SECONDS)
        .map(|(suite, (count, seconds))| (suite.to_owned(), count, seconds))
        .collect();
    suites.sort_by(|a, b| b.2.total_cmp(&a.2));
    tests.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));

    let mut text = String::from("seconds of each suite, several of whose tests run at a time:\n");
    for (suite, count, seconds) in suites {
        let tests = if count == 1 { "test" } else { "tests" };
        let _ = writeln!(text, "{seconds:8.1}  {suite}, {count} {tests}");
    }
    let _ = writeln!(text, "the {SLOWEST} slowest tests:");
    for test in tests.iter().take(SLOWEST) {
        let _ = writeln!(text, "{:8.1}  {} {}", test.seconds, test.suite, test.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" time="31.5">
    <testsuite name="a" tests="2" failures="1">
        <testcase name="one::is &lt;quick&gt;" classname="a" time="0.250" />
        <testcase name="one::is_slow" classname="a" time="30.000">
            <failure type="test failure">it said &quot;no&quot;</failure>
        </testcase>
    </testsuite>
    <testsuite name="b::c" tests="1">
        <testcase name="two" classname="b::c" time="11.0"></testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn the_slowest_tests_and_the_sums_of_slow_suites_are_told() {
        let table = shown(read(FILE).unwrap());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "seconds of each suite, several of whose tests run at a time:",
                "    30.2  a, 2 tests",
                "    11.0  b::c, 1 test",
                "the 20 slowest tests:",
                "    30.0  a one::is_slow",
                "    11.0  b::c two",
                "     0.2  a one::is <quick>",
            ]
        );
    }

    #[test]
    fn a_file_that_is_none_of_nextests_is_an_error_that_says_why() {
        for (text, why) in [
            ("<testcase time=\"1\"/>", "a test case has no classname"),
            (
                "<testcase name=\"a\" classname=\"b\" time=\"x\"/>",
                "a test took \"x\" seconds",
            ),
            ("<testcase", ""),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
