//! Each report as text for a terminal and as a page.

use usher_api::ReportName;
use usher_report::render;

use crate::each_report::report;
use crate::made_up::berlin;

#[test]
fn each_report_reads_as_it_was_read_last_on_a_terminal() {
    for name in ReportName::ALL {
        let text = render::table(&report(name), &berlin(), 100);
        insta::assert_snapshot!(format!("table_{name}"), text);
    }
}

#[test]
fn each_report_is_the_page_that_it_was_last() {
    for name in ReportName::ALL {
        let page = render::html(&report(name), &berlin());
        // The style is the same on all pages.
        let (head, rest) = page.split_once("<style>").unwrap();
        let (_, rest) = rest.split_once("</style>").unwrap();
        insta::assert_snapshot!(format!("page_{name}"), format!("{head}{rest}"));
    }
}

#[test]
fn a_plot_says_its_summary_in_a_sentence() {
    let mut plots = 0;
    for name in ReportName::ALL {
        let report = report(name);
        let page = render::html(&report, &berlin());
        for section in &report.sections {
            assert!(
                section.summary.ends_with('.'),
                "{name}: {}",
                section.summary
            );
            plots += usize::from(section.plot.is_some());
        }
        let with_plot = report.sections.iter().filter(|it| it.plot.is_some());
        assert_eq!(page.matches("<svg ").count(), with_plot.count(), "{name}");
        assert_eq!(
            page.matches("role=\"img\" aria-label=\"").count(),
            page.matches("<svg ").count()
        );
    }
    assert!(plots > 10, "{plots}");
}

#[test]
fn a_page_loads_and_runs_nothing() {
    for name in ReportName::ALL {
        let page = render::html(&report(name), &berlin());
        for what in [
            "<script", "http:", "https:", "url(", "@import", "<link", "src=",
        ] {
            assert!(!page.contains(what), "{name} has {what}");
        }
        assert!(page.contains("default-src 'none'"));
        assert!(page.contains("prefers-color-scheme: dark"));
        assert!(page.contains("@media print"));
    }
}

#[test]
fn each_report_is_listed_with_a_sentence() {
    let listed: Vec<ReportName> = usher_report::list().map(|it| it.name).collect();
    assert_eq!(listed, ReportName::ALL);
    for it in usher_report::list() {
        assert!(it.explanation.ends_with('.'), "{}", it.name);
    }
}
