//! `/v1/reports/{name}`: what a report needs is gathered from the site database and the watched
//! servers; `usher-report` makes of it what people read.
//!
//! A file for each report says what it is made from. What is gathered is bounded, and what is beyond
//! a bound is said in the report's `cut`.

mod cost;
mod denials;
mod expiring;
mod figures;
mod form;
mod gathering;
mod gave_up;
mod groups;
mod health;
mod heatmap;
mod holders;
mod owned;
mod peaks;
mod people;
mod position;
mod programs;
mod question;
mod unused;
mod usage;
mod uses;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use hyper::HeaderMap;
use usher_api::{Problem, Report, ReportName};
use usher_http::input::{Id, Query};

use self::form::Form;
use self::gathering::Gathering;
use self::question::{Asked, Question};
use crate::app::App;
use crate::problem::Refusal;

/// How long one may take.
const AT_MOST: Duration = Duration::from_secs(120);

/// A report about the site, as JSON, comma-separated values, one page of HTML or a Parquet file. By default it is
/// about the last 30 days. What does not apply to a report is ignored, and null in its `parameters`.
#[utoipa::path(
    get,
    path = "/v1/reports/{name}",
    params(
        ("name" = String, Path, description = "`usage`, `peaks`, `heatmap`, `denials`, `waits`, `gave_up`, `holders`, `people`, `unused`, `programs`, `position`, `expiring`, `cost` or `health`"),
        ("product" = Option<String>, Query, description = "Of this product alone"),
        ("user" = Option<String>, Query, description = "Of this person alone, by the name of the account (`people`, `holders`, `gave_up`)"),
        ("group_by" = Option<String>, Query, description = "What a row of `usage` and `cost` stands for: `product`, `user`, `computer` or `group`; `peaks` and `people` can be by `group`"),
        ("grain" = Option<String>, Query, description = "The stretches of `usage`, `peaks`, `denials` and `waits`: `hour`, `day`, `week` (from Monday) or `month`; by default what suits the time"),
        ("from" = Option<String>, Query, description = "From this day or instant on"),
        ("to" = Option<String>, Query, description = "To the end of this day, or to this instant, which is the first that does not count; now by default"),
        ("since" = Option<String>, Query, description = "The same as `from`"),
        ("until" = Option<String>, Query, description = "The same as `to`"),
        ("time_zone" = Option<String>, Query, description = "Hours, days, weeks and months are of this zone, such as Europe/Berlin; by default of the site's"),
        ("format" = Option<String>, Query, description = "`json`, `csv`, `html` or `parquet`; by default what `Accept` prefers, else JSON"),
    ),
    responses(
        (status = 200, body = Report),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 404, description = "`not_found`: there is no such report; `unknown_product`", body = Problem),
        (status = 503, description = "`storage_failed`", body = Problem),
    ),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Id(name): Id,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let name = question::name(&name)?;
    let form = Form::of(asked.format.as_deref(), &headers)?;
    let question = Question::of(&app, name, asked)?;
    match tokio::time::timeout(AT_MOST, report(&app, question)).await {
        Ok(report) => form.answer(&report?),
        Err(_) => Err(Refusal::invalid(format!(
            "this report takes longer than {} minutes: ask for one product, or for a shorter time \
             with `from` and `to`",
            AT_MOST.as_secs() / 60
        ))),
    }
}

async fn report(app: &Arc<App>, question: Question) -> Result<Report, Refusal> {
    let name = question.name;
    match name {
        ReportName::Holders => return holders::report(app, question).await,
        ReportName::Programs => return programs::report(app, question).await,
        ReportName::Health => return health::report(app, question).await,
        _ => {}
    }
    let gathering = Gathering::of(app, question).await?;
    match name {
        ReportName::Usage => usage::report(gathering).await,
        ReportName::Peaks => peaks::report(gathering).await,
        ReportName::Heatmap => heatmap::report(gathering).await,
        ReportName::Denials => denials::report(gathering).await,
        ReportName::Waits => waits::report(gathering).await,
        ReportName::GaveUp => gave_up::report(gathering).await,
        ReportName::People => people::report(gathering).await,
        ReportName::Unused => unused::report(gathering).await,
        ReportName::Position => position::report(gathering).await,
        ReportName::Expiring => expiring::report(gathering).await,
        ReportName::Cost => cost::report(gathering).await,
        // They were answered above, from what the servers say alone.
        ReportName::Holders | ReportName::Programs | ReportName::Health => {
            Err(question::unknown(name.word()))
        }
    }
}
