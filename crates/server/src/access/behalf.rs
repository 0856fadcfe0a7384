//! On whose behalf a manager sends a request.
//!
//! A manager changes a server's catalogue for people whom the manager knows and the server does
//! not. It shows a token of its own and names its client in the header `Usher-On-Behalf-Of: ROLE
//! ID`: the role and the id of the client's token at the manager. The server allows only what both
//! may do, and records a change under both.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::access::principal::Principal;
use crate::access::rights;
use crate::wire::problem::{Refusal, shown};

/// The header that says it.
pub(crate) const ON_BEHALF_OF: HeaderName = HeaderName::from_static(usher_api::ON_BEHALF_OF);
/// The longest id, in bytes.
const ID_BYTES: usize = 64;

/// The principal that acts: the token's bearer, or the bearer for somebody else if the request says
/// so.
pub(crate) fn acting(who: Arc<Principal>, headers: &HeaderMap) -> Result<Arc<Principal>, Refusal> {
    let mut said = headers.get_all(ON_BEHALF_OF).iter();
    match (said.next(), said.next()) {
        (None, _) => Ok(who),
        (Some(only), None) => named(&who, only.as_bytes()).map(Arc::new),
        (Some(_), Some(_)) => Err(Refusal::invalid(format!(
            "{ON_BEHALF_OF} stands there twice: a request is made on behalf of one"
        ))),
    }
}

/// Refuses to ask for seats or give them back on behalf of somebody: users of seats have tokens of
/// their own.
pub(crate) fn must_be_ones_own(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.contains_key(ON_BEHALF_OF) {
        false => Ok(()),
        true => Err(Refusal::forbidden(format!(
            "seats are asked for on nobody else's behalf: leave {ON_BEHALF_OF} out"
        ))),
    }
}

fn named(who: &Principal, said: &[u8]) -> Result<Principal, Refusal> {
    let text = str::from_utf8(said).unwrap_or_default();
    let (role, id) = text.split_once(' ').unwrap_or_default();
    let is_id = (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let (Some(role), true) = (rights::named(role), is_id) else {
        return Err(Refusal::invalid(format!(
            "{ON_BEHALF_OF} is `{}`, and not a role and an id of 1 to {ID_BYTES} letters, such as \
             `operator m-12ab`",
            shown(&String::from_utf8_lossy(said))
        )));
    };
    who.on_behalf_of(role, id).ok_or_else(|| {
        Refusal::forbidden(format!(
            "a token of role {} acts on nobody else's behalf: leave {ON_BEHALF_OF} out, or use a \
             token of role manager",
            who.role.as_str()
        ))
    })
}
