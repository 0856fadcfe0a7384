//! `/v1/usage/users` and `/v1/usage/days`: sums of use by person and by day.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde::Deserialize;
use usher_api::{DayUsage, Page, Problem, UserUsage};
use usher_store::{DayUsageRow, UserUsageRow};

use super::period::{OfUse, Period, Said};
use super::{Caller, Json};
use crate::base::time::timestamp;
use crate::state::app::App;
use crate::wire::input;
use crate::wire::problem::{Refusal, shown};

/// The largest number of days in one request.
const DAYS_LIMIT: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsersQuery {
    product: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The use of each person within a period, by default the last 30 days, the largest first. A client
/// sees its own user's use, an agent the use on its own computer.
#[utoipa::path(
    get,
    path = "/v1/usage/users",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("realm" = Option<String>, Query, description = "Only of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only of this person: the account"),
        ("since" = Option<String>, Query, description = "From this day or instant"),
        ("until" = Option<String>, Query, description = "To the end of this day, or to this instant"),
        ("limit" = Option<u32>, Query, description = "Items a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = Page<UserUsage>),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn by_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<UserUsage>>, Refusal> {
    let query: UsersQuery = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let said = Said {
        product: query.product,
        realm: query.realm,
        account: query.account,
        since: query.since,
        until: query.until,
    };
    let OfUse {
        filter,
        period,
        kept_from,
        only,
    } = said.by(&caller, &app)?;
    let (rows, recorded_since) = app
        .history(move |history| {
            let rows = history.usage_by_user(&filter, period.now, (paging.cursor, paging.limit))?;
            Ok((rows, history.recorded_since(kept_from)?))
        })
        .await?;
    let mut page = super::page(rows, of_user);
    page.only = only;
    page.time = Some(period.told(recorded_since));
    Ok(Json(StatusCode::OK, page))
}

fn of_user(row: UserUsageRow) -> UserUsage {
    UserUsage {
        user: row.user,
        authority: row.authority,
        products: row.products,
        sessions: row.sessions,
        running: row.running,
        computers: row.computers,
        total_seconds: row.total_ms / 1_000,
        unseated_seconds: row.unseated_ms / 1_000,
        last_used_at: row.last_used_at.map(timestamp),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DaysQuery {
    product: Option<String>,
    realm: Option<String>,
    account: Option<String>,
    since: Option<String>,
    until: Option<String>,
    time_zone: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The use on each day of a period, by default the last 30 days. Days without use have zeros; the
/// first and the last day are cut at the ends of the period. A client sees its own user's use, an
/// agent the use on its own computer.
#[utoipa::path(
    get,
    path = "/v1/usage/days",
    tag = "history",
    params(
        ("product" = Option<String>, Query, description = "Product id"),
        ("realm" = Option<String>, Query, description = "Only of this person: the realm"),
        ("account" = Option<String>, Query, description = "Only of this person: the account"),
        ("since" = Option<String>, Query, description = "From this day or instant"),
        ("until" = Option<String>, Query, description = "To the end of this day, or to this instant"),
        ("time_zone" = Option<String>, Query, description = "The days are of this zone, such as Europe/Berlin; UTC by default"),
        ("limit" = Option<u32>, Query, description = "Items a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = Page<DayUsage>),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 403, description = "`forbidden`", body = Problem),
    ),
)]
pub(crate) async fn by_day(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: Uri,
) -> Result<Json<Page<DayUsage>>, Refusal> {
    let query: DaysQuery = input::query(&uri)?;
    let paging = input::paging(query.limit, query.cursor.as_deref())?;
    let zone = zone(query.time_zone.as_deref())?;
    let said = Said {
        product: query.product,
        realm: query.realm,
        account: query.account,
        since: query.since,
        until: query.until,
    };
    let OfUse {
        filter,
        period,
        kept_from,
        only,
    } = said.by(&caller, &app)?;
    let bounds = bounds(period, &zone)?;
    // A page of days is a time of its own.
    let first = usize::try_from(paging.cursor).unwrap_or(usize::MAX);
    let first = first.min(bounds.len() - 1);
    let last = first.saturating_add(paging.limit as usize);
    let next = (last < bounds.len() - 1).then(|| last.to_string());
    let bounds = bounds[first..=last.min(bounds.len() - 1)].to_vec();
    let (items, recorded_since) = app
        .history(move |history| {
            let rows = history.usage_by_day(&filter, period.now, &bounds)?;
            let days = bounds.windows(2).zip(rows);
            let days = days.map(|(day, row)| of_day(day, row, &zone));
            Ok((days.collect(), history.recorded_since(kept_from)?))
        })
        .await?;
    let page = Page {
        items,
        next,
        only,
        time: Some(period.told(recorded_since)),
    };
    Ok(Json(StatusCode::OK, page))
}

fn of_day(bounds: &[i64], row: DayUsageRow, zone: &TimeZone) -> DayUsage {
    let from = timestamp(bounds.first().copied().unwrap_or_default());
    DayUsage {
        day: zone.to_datetime(from).date().to_string(),
        from,
        to: timestamp(bounds.last().copied().unwrap_or_default()),
        sessions: row.sessions,
        users: row.users,
        computers: row.computers,
        products: row.products,
        total_seconds: row.total_ms / 1_000,
        unseated_seconds: row.unseated_ms / 1_000,
    }
}

fn zone(name: Option<&str>) -> Result<TimeZone, Refusal> {
    let name = name.unwrap_or("UTC");
    TimeZone::get(name).map_err(|_| {
        Refusal::invalid(format!(
            "`time_zone` is {}, which is no time zone known here: give a name such as \
             Europe/Berlin",
            shown(name)
        ))
    })
}

/// The ends of a period and each midnight between them; never fewer than two.
fn bounds(period: Period, zone: &TimeZone) -> Result<Vec<i64>, Refusal> {
    let mut bounds = vec![period.since];
    let mut day = zone.to_datetime(timestamp(period.since)).date();
    loop {
        let next = day.checked_add(1.day());
        let midnight = next.and_then(|next| Ok((next, next.to_zoned_datetime(zone.clone())?)));
        // Beyond the calendar there is no midnight.
        let Ok((next, midnight)) = midnight else {
            break;
        };
        let midnight = midnight.timestamp().as_millisecond();
        if midnight >= period.until {
            break;
        }
        if bounds.len() >= DAYS_LIMIT {
            return Err(Refusal::invalid(format!(
                "`since` and `until` are more than {DAYS_LIMIT} days apart: ask for fewer at once"
            )));
        }
        // A zone that skips a day has no midnight of it.
        if bounds.last().is_some_and(|last| *last < midnight) {
            bounds.push(midnight);
        }
        day = next;
    }
    bounds.push(period.until);
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(since: &str, until: &str) -> Period {
        let at = |text: &str| {
            text.parse::<usher_api::Timestamp>()
                .unwrap()
                .as_millisecond()
        };
        Period {
            since: at(since),
            until: at(until),
            now: 0,
        }
    }

    fn said(since: &str, until: &str, name: &str) -> Vec<String> {
        let zone = zone(Some(name)).unwrap();
        let bounds = bounds(period(since, until), &zone).unwrap();
        bounds.iter().map(|at| timestamp(*at).to_string()).collect()
    }

    #[test]
    fn days_end_at_midnight_in_their_zone_and_at_the_ends_of_the_time() {
        assert_eq!(
            said(
                "2026-10-24T12:00:00Z",
                "2026-10-26T12:00:00Z",
                "Europe/Berlin"
            ),
            [
                "2026-10-24T12:00:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
                "2026-10-26T12:00:00Z",
            ],
            "a day of 25 hours"
        );
        assert_eq!(
            said("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "UTC"),
            ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
        );
    }

    #[test]
    fn more_days_than_may_be_asked_for_at_once_are_refused() {
        let all = period("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        let refused = bounds(all, &TimeZone::UTC).unwrap_err();
        assert_eq!(refused.status(), 400);
        assert!(zone(Some("Europe/Nowhere")).is_err());
    }
}
