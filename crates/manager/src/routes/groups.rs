//! `/v1/groups`: who is in which group.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use usher_api::{Code, Group, GroupMember, GroupPage, GroupSource, Page, Problem, page_limit};
use usher_core::groups::{Groups, Name, Shown};
use usher_http::input::{self, Id, Query};

use crate::app::App;
use crate::clock::date;
use crate::groups::SourceState;
use crate::problem::Refusal;

/// Groups, or those that a person is in, in the order of their names, and how their sources are.
#[utoipa::path(
    get,
    path = "/v1/groups",
    params(
        ("user" = Option<String>, Query, description = "Only groups that this person is in, directly or by a group in a group: `REALM\\ACCOUNT`, `ACCOUNT@REALM`, or an account, which is that account in every realm"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page, with the same `user`"),
    ),
    responses(
        (status = 200, body = GroupPage),
        (status = 400, description = "`invalid_request`", body = Problem),
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<GroupsQuery>,
) -> Result<Json<GroupPage>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)? as usize;
    let known = app.tools.groups.known();
    let last = asked.cursor.as_deref();
    let mut items: Vec<Group> = match &asked.user {
        Some(user) => of_person(&known.groups, user, last, limit)?,
        None => {
            let groups = known.groups.after(last);
            groups.take(limit + 1).map(group).collect()
        }
    };
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_more);
    Ok(Json(GroupPage {
        next: next.map(|group| group.name.clone()),
        items,
        sources: known.sources.iter().map(source).collect(),
        notes: known
            .groups
            .notes()
            .iter()
            .map(ToString::to_string)
            .collect(),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupsQuery {
    user: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Who is in a group, directly or by a group in it, in the order of realms and accounts.
#[utoipa::path(
    get,
    path = "/v1/groups/{name}/members",
    params(
        ("name" = String, Path, description = "The group's name"),
        ("limit" = Option<u32>, Query, description = "Items on a page: 1 to 1,000, 100 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page"),
    ),
    responses(
        (status = 200, body = Page<GroupMember>),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 404, description = "`unknown_group`", body = Problem),
    ),
)]
pub(crate) async fn members(
    State(app): State<Arc<App>>,
    Id(name): Id,
    Query(asked): Query<PageQuery>,
) -> Result<Json<Page<GroupMember>>, Refusal> {
    let limit = page_limit(asked.limit).map_err(Refusal::invalid)? as usize;
    let begin = input::place::<usize>(asked.cursor.as_deref())?.unwrap_or(0);
    let known = app.tools.groups.known();
    let members = known.groups.members(&name).ok_or_else(|| unknown(&name))?;
    let end = begin.saturating_add(limit);
    let next = (members.len() > end).then(|| end.to_string());
    let shown = members.into_iter().skip(begin).take(limit);
    Ok(Json(Page {
        items: shown
            .map(|it| GroupMember {
                realm: it.name.realm.clone(),
                account: it.name.account.clone(),
                through: it.through.map(str::to_owned),
            })
            .collect(),
        next,
        only: None,
        time: None,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// One group more than a page has, of those that a person is in, after that name.
fn of_person(
    groups: &Groups,
    user: &str,
    last: Option<&str>,
    limit: usize,
) -> Result<Vec<Group>, Refusal> {
    let name = Name::read(user, None).map_err(|why| Refusal::invalid(format!("`user`: {why}")))?;
    let of = groups.groups_of_name(&name).into_iter();
    let rest = of.filter(|name| last.is_none_or(|last| *name > last));
    Ok(rest
        .take(limit + 1)
        .filter_map(|name| groups.get(name))
        .map(group)
        .collect())
}

fn group(shown: Shown<'_>) -> Group {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    Group {
        name: shown.name.to_owned(),
        sources: owned(shown.sources),
        people: shown.people as u64,
        groups: owned(shown.groups),
    }
}

fn source(state: &SourceState) -> GroupSource {
    let trouble = state.trouble.as_ref();
    GroupSource {
        source: state.name.clone(),
        as_of: state.as_of_ms.map(date),
        trouble: trouble.map(|it| it.why.clone()),
        trouble_since: trouble.map(|it| date(it.since_ms)),
        note: state.note.clone(),
    }
}

fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    Refusal::new(
        Code::UnknownGroup,
        format!(
            "no source of groups has a group {shown}: `GET /v1/groups` lists all groups and says how \
             the sources are"
        ),
    )
}
