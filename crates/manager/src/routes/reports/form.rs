//! In which form a report is answered.

use axum::body::Body;
use axum::response::Response;
use hyper::HeaderMap;
use hyper::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use jiff::tz::TimeZone;
use usher_api::{Code, Report};
use usher_http::shown;
use usher_report::render;

use crate::problem::Refusal;

/// A page of its own: it fetches and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
    Html,
    Parquet,
}

/// What a Parquet file is called on the web.
const PARQUET: &str = "application/vnd.apache.parquet";

impl Form {
    /// That of `format`; else the one that the sender likes best.
    pub(super) fn of(format: Option<&str>, headers: &HeaderMap) -> Result<Form, Refusal> {
        match format {
            Some("json") => Ok(Form::Json),
            Some("csv") => Ok(Form::Csv),
            Some("html") => Ok(Form::Html),
            Some("parquet") => Ok(Form::Parquet),
            Some(other) => Err(Refusal::invalid(format!(
                "`format` is {}: give json, csv, html or parquet, or leave it out",
                shown(other)
            ))),
            None => {
                let all = headers.get_all(ACCEPT).iter();
                let all = all.filter_map(|value| value.to_str().ok());
                Ok(preferred(all))
            }
        }
    }

    /// The report in this form.
    pub(super) fn answer(self, report: &Report) -> Result<Response, Refusal> {
        let failed = |why: &dyn std::fmt::Display| {
            Refusal::new(
                Code::Internal,
                format!("the report cannot be written: {why}"),
            )
        };
        let response = Response::builder()
            .header(VARY, "Accept")
            .header(X_CONTENT_TYPE_OPTIONS, "nosniff");
        let (kind, bytes) = match self {
            Form::Json => (
                "application/json",
                serde_json::to_vec(report).map_err(|error| failed(&error))?,
            ),
            Form::Csv => (
                "text/csv; charset=utf-8; header=present",
                render::csv(report)
                    .map_err(|error| failed(&error))?
                    .into_bytes(),
            ),
            Form::Html => {
                // It was found by that name, or is UTC.
                let zone = TimeZone::get(&report.time_zone).unwrap_or(TimeZone::UTC);
                let page = render::html(report, &zone);
                ("text/html; charset=utf-8", page.into_bytes())
            }
            Form::Parquet => (
                PARQUET,
                render::parquet(report).map_err(|error| failed(&error))?,
            ),
        };
        let response = match self {
            Form::Html => response
                .header(CONTENT_SECURITY_POLICY, POLICY)
                .header(REFERRER_POLICY, "no-referrer"),
            Form::Json | Form::Csv | Form::Parquet => response,
        };
        let response = response.header(CONTENT_TYPE, kind).body(Body::from(bytes));
        response.map_err(|error| failed(&error))
    }
}

/// The form that has the highest weight (RFC 9110, 12.5.1), of equal ones the first; JSON if none is
/// named.
fn preferred<'a>(accept: impl Iterator<Item = &'a str>) -> Form {
    let mut best: Option<(Form, f32)> = None;
    for part in accept.flat_map(|value| value.split(',')) {
        let mut parts = part.split(';').map(str::trim);
        let form = match parts.next() {
            Some("text/html") => Form::Html,
            Some("text/csv") => Form::Csv,
            Some("application/json") => Form::Json,
            Some(PARQUET) => Form::Parquet,
            _ => continue,
        };
        let weight = parts.find_map(|it| it.strip_prefix("q=")?.parse().ok());
        let weight: f32 = weight.unwrap_or(1.0);
        if weight > 0.0 && best.is_none_or(|(_, most)| weight > most) {
            best = Some((form, weight));
        }
    }
    best.map_or(Form::Json, |(form, _)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_gets_the_form_that_it_likes_best_and_json_if_it_names_none() {
        let form = |accept: &str| preferred([accept].into_iter());
        assert_eq!(form("*/*"), Form::Json);
        assert_eq!(form("text/csv"), Form::Csv);
        assert_eq!(form("application/vnd.apache.parquet"), Form::Parquet);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(form(browser), Form::Html);
        assert_eq!(form("text/html;q=0.5, application/json"), Form::Json);
        assert_eq!(form("text/csv;q=0, text/html;q=0.1"), Form::Html);
        assert_eq!(form("image/png, nonsense;;q=x"), Form::Json);
    }

    #[test]
    fn a_format_wins_over_the_header_and_one_that_is_not_there_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "text/html".parse().unwrap());
        let of = |format| Form::of(format, &headers).ok();
        assert_eq!(of(None), Some(Form::Html));
        assert_eq!(of(Some("csv")), Some(Form::Csv));
        assert_eq!(of(Some("parquet")), Some(Form::Parquet));
        assert_eq!(of(Some("pdf")), None);
    }
}
