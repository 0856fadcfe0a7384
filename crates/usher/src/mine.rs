//! What is shown to somebody who may see only what is their own: through the agent of this computer
//! without a token, where the kernel says who asks, or by a client's token.
//!
//! Who shows a token and works on a computer with an agent is one person in two realms: both say
//! who they are, so the lists of both are shown as one.

use std::cell::OnceCell;
use std::path::PathBuf;

use clap::Args;
use serde::de::DeserializeOwned;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Decision, Lease, Only, Page, ProductStatus, QueueEntry, Status};
use usher_core::people::TOKEN_REALM;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, segment};
use crate::output::{counted, tame};
use crate::run::door;
use crate::time;

/// The agent that is asked where no token is given.
#[derive(Debug, Default, Args)]
pub(crate) struct Through {
    /// The socket of this computer's agent, which shows without a token what is yours
    /// [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

/// Whom a command asks.
pub(crate) struct Asked<'c> {
    /// The agent, or the server.
    pub(crate) client: Client,
    /// Whether it is the agent.
    pub(crate) by_agent: bool,
    /// Set if what the agent knows of the same account, in another realm, is shown with what the
    /// token shows.
    is_of_two: OnceCell<()>,
    through: &'c Through,
    context: &'c Context,
}

impl Through {
    /// Whom to ask: with a token the server, else the agent of this computer if one answers.
    pub(crate) async fn ask<'c>(&'c self, context: &'c Context) -> Result<Asked<'c>, Failure> {
        let agent = match context.token() {
            Some(_) => None,
            None => self.agent(context).await?,
        };
        Ok(Asked {
            by_agent: agent.is_some(),
            client: match agent {
                Some(agent) => agent,
                None => context.client()?,
            },
            is_of_two: OnceCell::new(),
            through: self,
            context,
        })
    }

    /// The agent of this computer, unless another server than its own was named.
    async fn agent(&self, context: &Context) -> Result<Option<Client>, Failure> {
        let found = door::agent(self.agent_socket.as_deref(), context).await?;
        let is_meant = |server: &str| !context.server_given || door::same(server, context.server());
        Ok(found
            .filter(|(_, status)| is_meant(&status.server))
            .map(|(agent, _)| agent))
    }
}

impl Asked<'_> {
    /// A list; what the same person has on this computer by its agent is added to what a client's
    /// token shows. `id` tells items apart.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
        id: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, Failure> {
        let mut page: Page<T> = fetch(&self.client, query, extent).await?;
        let Some(other) = self.other(&page).await? else {
            return Ok(page);
        };
        // What the agent cannot tell now is no reason to keep back what the token shows.
        let Ok(more) = fetch::<T>(&other, query, extent).await else {
            return Ok(page);
        };
        if !is_same_account(&page, &more) {
            return Ok(page);
        }
        if is_other_realm(&page, &more) {
            self.shows_two();
        }
        for item in more.items {
            if page.items.iter().all(|known| id(known) != id(&item)) {
                page.items.push(item);
            }
        }
        page.next = page.next.or(more.next);
        Ok(page)
    }

    /// Sums, and those of what the same person has by the agent and not by the token. One person
    /// by both has no more by the agent.
    pub(crate) async fn sums<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
    ) -> Result<(Page<T>, Option<Page<T>>), Failure> {
        let page: Page<T> = fetch(&self.client, query, extent).await?;
        let Some(other) = self.other(&page).await? else {
            return Ok((page, None));
        };
        let more = fetch::<T>(&other, query, extent).await.ok();
        let is_more = |more: &Page<T>| is_same_account(&page, more) && is_other_realm(&page, more);
        let more = more.filter(is_more);
        if more.is_some() {
            self.shows_two();
        }
        Ok((page, more))
    }

    fn shows_two(&self) {
        // Twice is no more than once.
        let _ = self.is_of_two.set(());
    }

    /// Says after a list whose it alone is, if it is cut.
    pub(crate) fn say_whose(&self, only: Option<&Only>) {
        if let (Some(only), false) = (only, self.context.json()) {
            eprintln_quiet(&match self.is_of_two.get() {
                Some(()) => cut_to_two(only),
                None => cut(only),
            });
        }
    }

    /// The agent, where a token that is cut to its own person was asked.
    async fn other<T>(&self, page: &Page<T>) -> Result<Option<Client>, Failure> {
        match page.only.is_some() && !self.by_agent {
            true => self.through.agent(self.context).await,
            false => Ok(None),
        }
    }

    /// Asks for something about a lease; one that the token does not know may be by the agent of
    /// this computer.
    pub(crate) async fn of_lease<T>(
        &self,
        ask: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        match ask(&self.client).await {
            Err(ClientError::Problem(problem))
                if problem.is(Code::UnknownLease) && !self.by_agent =>
            {
                if let Some(agent) = self.through.agent(self.context).await?
                    && let Ok(answered) = ask(&agent).await
                {
                    return Ok(answered);
                }
                Err(ClientError::Problem(problem).into())
            }
            answered => Ok(answered?),
        }
    }

    /// A decision, of the person by token or by the agent of this computer.
    pub(crate) async fn decision(&self, id: &str) -> Result<Decision, Failure> {
        let path = format!("/v1/decisions/{}", segment(id)?);
        match self.client.get(&path).await {
            Err(ClientError::Problem(problem))
                if problem.is(Code::UnknownDecision) && !self.by_agent =>
            {
                if let Some(agent) = self.through.agent(self.context).await?
                    && let Ok(decision) = agent.get(&path).await
                {
                    return Ok(decision);
                }
                Err(ClientError::Problem(problem).into())
            }
            answered => Ok(answered?),
        }
    }

    /// The places of who asks in the queue of a product.
    pub(crate) async fn places(&self, product: &str) -> Result<Vec<QueueEntry>, Failure> {
        let query = Query::new("/v1/queue").with("product", Some(product));
        let page = self.list(&query, &Extent::ALL, ticket_id).await?;
        Ok(page.items)
    }

    /// The seats that who asks holds.
    pub(crate) async fn leases(&self) -> Result<Page<Lease>, Failure> {
        let query = Query::new("/v1/leases");
        self.list(&query, &Extent::ALL, lease_id).await
    }

    /// Says after a list that it is cut to what is one's own, and how many hold and wait in all.
    pub(crate) async fn say_cut(&self, only: Option<&Only>, product: Option<&str>) {
        if only.is_none() || self.context.json() {
            return;
        }
        self.say_whose(only);
        let Ok(status) = self.client.get::<Status>("/v1/status").await else {
            return;
        };
        let asked = |shown: &&ProductStatus| product.is_none_or(|product| shown.id == product);
        let is_told =
            |shown: &&ProductStatus| product.is_some() || shown.in_use > 0 || shown.queued > 0;
        for shown in status.products.iter().filter(asked).filter(is_told) {
            eprintln_quiet(&format!("In all: {}", in_all(shown)));
        }
    }
}

fn is_same_account<T>(page: &Page<T>, more: &Page<T>) -> bool {
    let account = |page: &Page<T>| {
        let only = page.only.as_ref()?;
        only.account.as_deref().map(str::to_lowercase)
    };
    account(page) == account(more)
}

fn is_other_realm<T>(page: &Page<T>, more: &Page<T>) -> bool {
    let realm = |page: &Page<T>| page.only.as_ref().and_then(|only| only.realm.clone());
    realm(page) != realm(more)
}

/// What is said of an empty list if somebody else's was asked for by who sees their own alone.
pub(crate) fn of_another(only: Option<&Only>, user: Option<&str>) -> Option<String> {
    let (only, user) = (only?, user?);
    let own = only.account.as_deref().unwrap_or_default();
    (own.to_lowercase() != user.to_lowercase()).then(|| {
        format!(
            "You are shown what is yours alone, and nothing of {}.",
            tame(user)
        )
    })
}

/// The places of somebody in one queue; none: they do not wait.
pub(crate) fn places_said(places: &[QueueEntry]) -> Option<String> {
    let mut places: Vec<String> = places.iter().map(|it| it.position.to_string()).collect();
    let last = places.pop()?;
    Some(match places.is_empty() {
        true => format!("You wait in place {last}."),
        false => format!("You wait in places {} and {last}.", places.join(", ")),
    })
}

/// What tells leases apart.
pub(crate) fn lease_id(lease: &Lease) -> &str {
    &lease.id
}

/// What tells those who wait apart.
pub(crate) fn ticket_id(entry: &QueueEntry) -> &str {
    &entry.id
}

/// Whose a list alone is, in a sentence.
pub(crate) fn cut(only: &Only) -> String {
    match (&only.account, &only.realm) {
        (Some(account), Some(realm)) if realm == TOKEN_REALM => format!(
            "This shows only what is of {}, the user of this token.",
            tame(account)
        ),
        (Some(account), _) if only.computer.is_some() => format!(
            "This shows only what is yours on this computer, as {}.",
            tame(account)
        ),
        (Some(account), _) => format!("This shows only what is of {}.", tame(account)),
        (None, _) => "This shows only what is of this computer.".to_owned(),
    }
}

/// The same if what is of the account of that name on this computer is shown, too.
fn cut_to_two(only: &Only) -> String {
    let account = tame(only.account.as_deref().unwrap_or_default());
    format!(
        "This shows only what is of {account}, the user of this token, and of the account {account} \
         on this computer: two people to the server, unless the token is made with --realm."
    )
}

/// How many hold and wait for a product, and since when.
pub(crate) fn in_all(product: &ProductStatus) -> String {
    let held = format!(
        "{} of {} of {} in use{}",
        product.in_use,
        counted(product.seats, "seat"),
        tame(&product.id),
        since(product.held_since)
    );
    let waiting = match product.queued {
        0 => "nobody waits".to_owned(),
        1 => format!("1 request waits{}", since_one(product.waiting_since)),
        many => format!("{many} requests wait{}", since(product.waiting_since)),
    };
    format!("{held}; {waiting}.")
}

fn since(longest: Option<usher_api::Timestamp>) -> String {
    longest.map_or_else(String::new, |at| {
        format!(", the longest since {}", time::local(at))
    })
}

fn since_one(at: Option<usher_api::Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!(", since {}", time::local(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(in_use: u64, queued: u64) -> ProductStatus {
        let at = |is_there: bool| is_there.then(|| "2026-03-01T09:00:00Z".parse().unwrap());
        ProductStatus {
            id: "cad".into(),
            name: "CAD".into(),
            seats: 1,
            in_use,
            unseated: 0,
            queued,
            denied_last_24h: 0,
            held_since: at(in_use > 0),
            waiting_since: at(queued > 0),
        }
    }

    #[test]
    fn how_many_hold_and_wait_is_said_with_since_when() {
        assert_eq!(
            in_all(&product(0, 0)),
            "0 of 1 seat of cad in use; nobody waits."
        );
        let said = in_all(&product(1, 2));
        let since = time::local("2026-03-01T09:00:00Z".parse().unwrap());
        assert_eq!(
            said,
            format!(
                "1 of 1 seat of cad in use, the longest since {since}; 2 requests wait, the \
                 longest since {since}."
            )
        );
    }

    #[test]
    fn the_places_of_one_person_are_said_in_one_sentence() {
        let entry = |position: u32| -> QueueEntry {
            serde_json::from_value(serde_json::json!({
                "id": "T1", "product": "cad", "position": position, "user": "anna",
                "computer": "pc", "seats": 1, "priority": 0, "queued_at": "2026-03-01T09:00:00Z",
                "expected_wait_seconds": null,
            }))
            .unwrap()
        };
        assert_eq!(places_said(&[]), None);
        let said = |places: &[u32]| {
            let entries: Vec<QueueEntry> = places.iter().map(|place| entry(*place)).collect();
            places_said(&entries).unwrap()
        };
        assert_eq!(said(&[2]), "You wait in place 2.");
        assert_eq!(said(&[1, 2, 4]), "You wait in places 1, 2 and 4.");
    }

    #[test]
    fn who_asks_for_somebody_elses_is_told_that_only_their_own_is_shown() {
        let only = Only {
            realm: Some("usher".into()),
            account: Some("ben".into()),
            computer: None,
        };
        let said = of_another(Some(&only), Some("anna")).unwrap();
        assert!(said.contains("nothing of anna"), "{said}");
        assert_eq!(of_another(Some(&only), Some("Ben")), None);
        assert_eq!(of_another(Some(&only), None), None);
        assert_eq!(of_another(None, Some("anna")), None);
        let two = cut_to_two(&only);
        assert!(two.contains("the account ben on this computer"), "{two}");
    }

    #[test]
    fn whose_a_list_is_is_said() {
        let only = |realm: &str, computer: Option<&str>| {
            cut(&Only {
                realm: Some(realm.into()),
                account: Some("anna".into()),
                computer: computer.map(str::to_owned),
            })
        };
        assert_eq!(
            only("usher", None),
            "This shows only what is of anna, the user of this token."
        );
        assert_eq!(
            only("corp.example", Some("c1")),
            "This shows only what is yours on this computer, as anna."
        );
    }
}
