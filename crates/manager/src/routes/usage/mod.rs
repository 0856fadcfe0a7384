//! `/v1/usage`: how products were used in the whole site.

pub(in crate::routes) mod answer;
pub(in crate::routes) mod archived;
pub(in crate::routes) mod known;
pub(in crate::routes) mod period;
pub(in crate::routes) mod retained;
pub(in crate::routes) mod told;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use usher_api::{Problem, SiteUsagePage, page_limit};
use usher_http::input::{self, Query};

use self::period::{Cursor, Said};
pub(crate) use self::told::running;
use crate::app::App;
use crate::problem::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageQuery {
    product: Option<String>,
    grain: Option<String>,
    from: Option<String>,
    to: Option<String>,
    since: Option<String>,
    until: Option<String>,
    time_zone: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// How products were used in the whole site, in stretches of time: product by product, each from the
/// beginning on, also those in which nothing was used. By default it is about the last 30 days. The
/// first and the last stretch are cut where the time begins and ends.
#[utoipa::path(
    get,
    path = "/v1/usage",
    params(
        ("product" = Option<String>, Query, description = "Of this product alone; its stretches are there also if nothing is known of it"),
        ("grain" = Option<String>, Query, description = "`hour`, `day`, `week` (from Monday) or `month`; without it the time is one stretch"),
        ("from" = Option<String>, Query, description = "From this day or instant on"),
        ("to" = Option<String>, Query, description = "To the end of this day, or to this instant, which is the first that does not count; now by default"),
        ("since" = Option<String>, Query, description = "The same as `from`"),
        ("until" = Option<String>, Query, description = "The same as `to`"),
        ("time_zone" = Option<String>, Query, description = "Hours, days, weeks and months are of this zone, such as Europe/Berlin; by default of the site's (`summaries.time_zone`, else the manager's computer's)"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default. A page may be shorter and not be the last"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page, with the same other parameters"),
    ),
    responses(
        (status = 200, body = SiteUsagePage),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 503, description = "`storage_failed`", body = Problem),
    ),
)]
pub(crate) async fn usage(
    State(app): State<Arc<App>>,
    Query(asked): Query<UsageQuery>,
) -> Result<Json<SiteUsagePage>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)?;
    let cursor: Option<Cursor> = input::place(asked.cursor.as_deref())?;
    let said = Said {
        grain: asked.grain.as_deref(),
        from: one_of(("from", &asked.from), ("since", &asked.since))?,
        to: one_of(("to", &asked.to), ("until", &asked.until))?,
        time_zone: asked.time_zone.as_deref(),
    };
    let period = said.period(&app, cursor.as_ref())?;
    let page = answer::page(&app, asked.product, &period, cursor, limit as usize);
    Ok(Json(page.await?))
}

/// What is said by either of two names, with the name.
pub(in crate::routes) fn one_of<'a>(
    (name, said): (&'static str, &'a Option<String>),
    (other_name, other): (&'static str, &'a Option<String>),
) -> Result<Option<(&'static str, &'a str)>, Refusal> {
    match (said.as_deref(), other.as_deref()) {
        (Some(said), Some(other)) if said != other => Err(Refusal::invalid(format!(
            "`{name}` and `{other_name}` mean the same and differ: leave one of them out"
        ))),
        (Some(said), _) => Ok(Some((name, said))),
        (None, Some(other)) => Ok(Some((other_name, other))),
        (None, None) => Ok(None),
    }
}
