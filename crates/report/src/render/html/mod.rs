//! One self-contained page: no script, nothing that is loaded, to be mailed, printed and kept.

mod bars;
mod heat;
mod lines;
mod mark;
mod scale;
mod tables;

use jiff::tz::TimeZone;
use usher_api::{Plot, Report, Section};

use super::head;
use crate::list::explanation;
use mark::Html;

/// The report as a page. It says all in words: no state and no line by its colour alone. Times are
/// those of `zone`. It is well-formed XML, too, so that programs can read it.
pub fn html(report: &Report, zone: &TimeZone) -> String {
    let mut page = Html::default();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    // A page of ours loads and runs nothing; whoever opens it need not take that on trust.
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    page.raw("style-src 'unsafe-inline'\"/>\n");
    page.element("title", &[], &report.title);
    page.raw("\n<style>\n");
    page.raw(include_str!("page.css"));
    page.raw("</style>\n</head>\n<body>\n<header>\n");
    page.element("h1", &[], &report.title);
    page.line();
    page.element("p", &[("class", "soft")], explanation(report.name));
    page.line();
    page.element("p", &[], &head::time(report, zone));
    page.line();
    let question = head::question(report);
    if !question.is_empty() {
        page.element("p", &[], &question);
        page.line();
    }
    page.raw("</header>\n<main>\n");
    for section in &report.sections {
        part(&mut page, section, zone);
    }
    page.raw("</main>\n<footer>\n");
    list(&mut page, "What is not in it", &head::cut(report, zone));
    list(&mut page, "How to read it", &report.notes);
    list(&mut page, "As of", &head::as_of(report, zone));
    page.raw("<p>Hash of the content: ");
    page.element("code", &[], &report.hash);
    page.raw("</p>\n</footer>\n</body>\n</html>\n");
    page.done()
}

fn part(page: &mut Html, section: &Section, zone: &TimeZone) {
    page.open("section", &[("id", &*section.key)]);
    page.line();
    page.element("h2", &[], &section.title);
    page.line();
    page.element("p", &[("class", "summary")], &section.summary);
    page.line();
    if let Some(plot) = &section.plot {
        page.raw("<figure>");
        match plot {
            Plot::Lines {
                unit,
                from,
                to,
                series,
            } => lines::draw(page, &section.summary, unit, (*from, *to), series, zone),
            Plot::Bars { unit, bars } => bars::draw(page, &section.summary, unit, bars),
            Plot::HeatMap {
                unit,
                columns,
                rows,
            } => heat::draw(page, &section.summary, unit, columns, rows),
        }
        page.raw("</figure>\n");
    }
    tables::write(page, section, zone);
    page.raw("</section>\n");
}

fn list(page: &mut Html, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.element("h3", &[], heading);
    page.raw("\n<ul>\n");
    for item in items {
        page.element("li", &[], item);
        page.line();
    }
    page.raw("</ul>\n");
}
