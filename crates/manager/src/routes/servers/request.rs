//! Checks the fields of a watched server, and describes a change of them in words.

use usher_api::WatchChange;
use usher_api::client::check_url;
use usher_site::ServerRow;

use crate::problem::Refusal;

/// Checks the fields of a watched server.
pub(super) fn check(request: &ServerRow) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = &request.name;
    let sound = (1..=64).contains(&name.len())
        && name.chars().all(plain)
        && name.chars().any(|c| c.is_ascii_alphanumeric());
    if !sound {
        return Err(Refusal::invalid(
            "a name has 1 to 64 letters, digits, dots, dashes and underscores",
        ));
    }
    check_url(&request.url).map_err(|why| Refusal::invalid(format!("`url` {why}")))?;
    if request.url.len() > 255 {
        return Err(Refusal::invalid(
            "`url` is too long: give at most 255 bytes",
        ));
    }
    let token = &request.token;
    if !(1..=255).contains(&token.len()) || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Refusal::invalid(
            "token is not one: `usher token create --role manager` makes one",
        ));
    }
    let unit = request.unit.as_deref().unwrap_or("x");
    let unit_sound = (1..=255).contains(&unit.len())
        && !unit.starts_with('-')
        && unit.chars().all(|c| plain(c) || "@:\\".contains(c));
    if !unit_sound {
        return Err(Refusal::invalid(
            "unit is not the name of one, such as usher-server.service",
        ));
    }
    match &request.data {
        Some(data) if !data.starts_with('/') => Err(Refusal::invalid(
            "data is a directory of the manager's computer, from / on",
        )),
        _ => Ok(()),
    }
}

/// A server with its changed fields, and the changes in words. For a token they say only that it
/// changed.
pub(super) fn changed(mut row: ServerRow, change: WatchChange) -> (ServerRow, Vec<String>) {
    let mut words = Vec::new();
    if let Some(url) = change.url.filter(|url| *url != row.url) {
        words.push(format!("its URL is {url}"));
        row.url = url;
    }
    if let Some(token) = change.token.filter(|token| *token != row.token) {
        words.push("it has another token".to_owned());
        row.token = token;
    }
    let mut place = |what: &str, held: &mut Option<String>, given: Option<String>| {
        let Some(given) = given else { return };
        let given = Some(given).filter(|it| !it.is_empty());
        if *held == given {
            return;
        }
        words.push(match &given {
            Some(given) => format!("its {what} is {given}"),
            None => format!("it has no {what}"),
        });
        *held = given;
    };
    place("unit", &mut row.unit, change.unit);
    place("data directory", &mut row.data, change.data);
    (row, words)
}
