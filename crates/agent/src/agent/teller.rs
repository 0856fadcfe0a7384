//! Converts what an agent sees to types of the API: people and sessions.

use usher_api::{FinishedSession, Policy, SessionCheckout, ShownLease, Subject, SyncAction};
use usher_core::people;
use usher_core::sessions::{AccountKey, Session, Stamp, Who};

use crate::base::clock::timestamp;
use crate::model::seats::TTL_SECONDS;
use crate::system::account_key;
use crate::system::accounts::Accounts;

/// Says sessions in the words of the wire.
#[derive(Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) computer: &'a str,
}

impl Teller<'_> {
    pub(crate) fn subject(&self, key: AccountKey) -> Subject<'static> {
        let account = self.accounts.account(key);
        let own = || format!("{}{}", people::COMPUTER_REALM_PREFIX, self.computer);
        let realm = account.realm.map(|realm| realm.to_string());
        Subject {
            authority: realm.unwrap_or_else(own).into(),
            id: account_key::id(key).into(),
            name: account.name.to_string().into(),
        }
    }

    pub(crate) fn checkout(
        &self,
        session: &Session,
        policy: &Policy,
        held: Option<ShownLease<'static>>,
    ) -> SessionCheckout<'static> {
        let allowed = policy
            .products
            .iter()
            .find(|product| product.id == *session.product)
            .map_or(TTL_SECONDS, |product| product.max_ttl_seconds);
        SessionCheckout {
            session: session.id.0,
            product: session.product.to_string().into(),
            subject: self.subject(session.who.counted),
            seats: 1,
            ttl_seconds: allowed.clamp(1, TTL_SECONDS),
            held,
            gate: false,
            claim: None,
            program: Some(session.program.name.to_string().into()),
        }
    }

    pub(crate) fn finished(&self, session: &Session, at: Stamp) -> SyncAction<'static> {
        let lasted_ms = at.boot_ms.saturating_sub(session.started.boot_ms);
        // The clock that nobody sets says how long; the wall clock's last word says when.
        let ended = timestamp(at.wall_ms);
        let started = timestamp(at.wall_ms.saturating_sub_unsigned(lasted_ms));
        let Who { counted, real } = session.who;
        let real_subject = (real != counted).then(|| self.subject(real));
        SyncAction::Finished(FinishedSession {
            session: session.id.0,
            product: session.product.to_string().into(),
            program: session.program.name.to_string().into(),
            version: session
                .program
                .version
                .as_ref()
                .map(|version| version.to_string().into()),
            subject: self.subject(counted),
            real_subject,
            started_at: started,
            ended_at: ended,
            duration_seconds: lasted_ms / 1000,
            duration_ms: Some(lasted_ms),
            unseated_ms: Some(session.unseated_ms_at(at).min(lasted_ms)),
            lease: session.lease.as_ref().map(|lease| lease.to_string().into()),
            incarnation: None,
        })
    }
}
