//! Who owns a lease or a ticket that was made through this agent.

use usher_api::{Code, Lease};
use usher_core::sessions::AccountKey;

use super::State;
use super::answers::Refusal;
use super::peer::Peer;
use crate::base::lock;

/// A lease was granted to a user, and maybe others with it; `one_use`: for all that they start of the
/// product.
pub(super) fn is_granted(
    state: &State,
    lease: &Lease,
    peer: Peer,
    one_use: bool,
) -> Result<(), Refusal> {
    let of = one_use.then(|| peer.who().counted);
    remember(state, &lease.id, peer, &lease.product, of)?;
    for other in &lease.also {
        if let Some(id) = &other.lease {
            remember(state, id, peer, &other.product, None)?;
        }
    }
    state.keeping.renewed(lease);
    Ok(())
}

/// The lease or ticket is of this user; `one_use_of`: see [`is_granted`].
pub(super) fn remember(
    state: &State,
    id: &str,
    peer: Peer,
    product: &str,
    one_use_of: Option<AccountKey>,
) -> Result<(), Refusal> {
    let mut agent = lock(&state.agent);
    agent.save_grant(id, peer.account, product, one_use_of)?;
    Ok(())
}

/// The id, if it is of a lease or ticket that this user made; to others it does not exist.
pub(super) fn own<'i>(
    state: &State,
    id: &'i str,
    peer: Peer,
    code: Code,
) -> Result<&'i str, Refusal> {
    let owner = lock(&state.agent).outbox().grant(id)?;
    match owner {
        Some((account, _)) if is_plain(id) && (account == peer.account || peer.is_root()) => Ok(id),
        _ => {
            let detail = match code {
                Code::UnknownTicket => format!(
                    "no request {id:?} of this account waits through this agent: `usher queue` \
                     lists what you wait for"
                ),
                _ => format!(
                    "this account has taken no seat {id:?} by `usher run` or `usher checkout` on \
                     this computer: `usher leases` lists what you hold, and the seat of a program \
                     that runs goes back when it ends"
                ),
            };
            Err(Refusal::new(code, detail))
        }
    }
}

/// Whether it can be an id, and so a part of a path at the server.
pub(super) fn is_plain(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~:".contains(&b);
    // Nor `.` or `..`, which would be another path.
    id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.len() <= 128 && id.bytes().all(plain)
}
