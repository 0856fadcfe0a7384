//! The page of examples in the documentation: what each report says, as it reads today.

use std::fmt::Write as _;
use std::path::Path;

use usher_api::ReportName;
use usher_report::render;

use crate::each_report::report;
use crate::made_up::berlin;

/// Set to write the page instead of comparing it.
const WRITE: &str = "USHER_WRITE_EXAMPLES";

const BEGINNING: &str = "\
# Reports, an example of each

Each [report](reports.md) of a made-up site as `usher report NAME` prints it, with some trouble put in
on purpose: one server does not answer, nobody looked for a week, a file of groups was never read. A
test compares this page with what the program prints.
";

fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for it in usher_report::list() {
        let text = render::table(&report(it.name), &berlin(), 100);
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n## `{}`\n\n{}\n\n```\n{}\n```\n",
            it.name,
            it.explanation,
            text.trim_end()
        );
    }
    page
}

#[test]
fn the_page_of_examples_is_what_the_reports_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report-examples.md");
    let page = page();
    assert_eq!(page.matches("\n## `").count(), ReportName::ALL.len());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "docs/report-examples.md is not what reports print: run this test with {WRITE}=1, and read \
         what it changes"
    );
}
