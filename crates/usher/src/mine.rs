//! What users are shown who may see only what is their own: without a token through the agent of
//! this computer, which the kernel tells who the user is, or with a client's token.
//!
//! A user with a token on a computer with an agent is one person in two realms: the lists of both
//! are shown as one.

mod words;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use usher_api::client::{Client, ClientError};
use usher_api::{
    AgentStatus, Code, Decision, Lease, Only, Page, ProductStatus, QueueEntry, Status,
};

use self::words::cut_to_two;
pub(crate) use self::words::{cut, in_all, of_another, places_said};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, segment};
use crate::run::door;

/// How long an answer may take that needs no look-up.
const BRIEFLY: Duration = Duration::from_secs(8);

/// The agent that is asked if no token is given.
#[derive(Debug, Default, Args)]
pub(crate) struct Through {
    /// The socket of this computer's agent, which shows without a token what is yours
    /// [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

/// Whom a command asks.
pub(crate) struct Answerer<'c> {
    /// The agent, or the server.
    pub(crate) client: Client,
    /// Whether it is the agent.
    pub(crate) by_agent: bool,
    /// The server that answers, directly or through the agent.
    pub(crate) server: String,
    /// Whether the agent's rows for the same account, in another realm, are shown together with the
    /// token's.
    is_of_two: OnceCell<()>,
    through: &'c Through,
    context: &'c Context,
}

impl Through {
    /// Decides whom to ask: with a token the server, else the agent of this computer if one
    /// answers.
    pub(crate) async fn ask<'c>(&'c self, context: &'c Context) -> Result<Answerer<'c>, Failure> {
        let agent = match context.token() {
            Some(_) => None,
            None => self.found(context).await?,
        };
        let by_agent = agent.is_some();
        let (client, server) = match agent {
            Some((agent, status)) => (agent, status.server),
            None => (context.client()?, context.server().to_owned()),
        };
        Ok(Answerer {
            by_agent,
            client,
            server,
            is_of_two: OnceCell::new(),
            through: self,
            context,
        })
    }

    /// The same for requests that are answered at once: the answer, with the agent's greeting, may
    /// take ten seconds.
    pub(crate) async fn ask_briefly<'c>(
        &'c self,
        context: &'c Context,
    ) -> Result<Answerer<'c>, Failure> {
        let mut asked = self.ask(context).await?;
        asked.client = asked.client.within(BRIEFLY);
        Ok(asked)
    }

    /// Whether an agent answers on this computer, whosever it is.
    pub(crate) async fn answers(&self, context: &Context) -> bool {
        let found = door::agent(self.agent_socket.as_deref(), context).await;
        matches!(found, Ok(Some(_)))
    }

    /// The agent of this computer, unless another server than its own was named.
    async fn agent(&self, context: &Context) -> Result<Option<Client>, Failure> {
        Ok(self.found(context).await?.map(|(agent, _)| agent))
    }

    async fn found(&self, context: &Context) -> Result<Option<(Client, AgentStatus)>, Failure> {
        let found = door::agent(self.agent_socket.as_deref(), context).await?;
        Ok(found.filter(|(_, status)| door::is_meant(status, context)))
    }
}

impl Answerer<'_> {
    /// A list. To the rows that a client's token shows it adds those of the same person by the
    /// agent of this computer. `id` identifies a row.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
        id: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, Failure> {
        let page: Page<T> = fetch(&self.client, query, extent).await?;
        self.with_more(page, query, extent, id).await
    }

    /// The same for a list that earlier versions of a server or an agent do not have: then it is
    /// empty.
    pub(crate) async fn list_if_there<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
        id: impl Fn(&T) -> &str,
    ) -> Result<Option<Page<T>>, Failure> {
        match fetch(&self.client, query, extent).await {
            Err(ClientError::Problem(problem)) if problem.is(Code::NotFound) => Ok(None),
            page => Ok(Some(self.with_more(page?, query, extent, id).await?)),
        }
    }

    async fn with_more<T: DeserializeOwned>(
        &self,
        mut page: Page<T>,
        query: &Query,
        extent: &Extent,
        id: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, Failure> {
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

    /// Sums, with those of the same person by the agent. If both mean one person to the server,
    /// nothing is added.
    pub(crate) async fn sums<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
    ) -> Result<(Page<T>, Option<Page<T>>), Failure> {
        let page: Page<T> = fetch(&self.client, query, extent).await?;
        let more = self.apart(query, extent, &page).await?;
        if more.is_some() {
            self.shows_two();
        }
        Ok((page, more))
    }

    /// The rows of the account of the same name by the agent of this computer, if `page` is of a
    /// token whose user is another person to the server.
    pub(crate) async fn apart<T: DeserializeOwned>(
        &self,
        query: &Query,
        extent: &Extent,
        page: &Page<T>,
    ) -> Result<Option<Page<T>>, Failure> {
        let Some(other) = self.other(page).await? else {
            return Ok(None);
        };
        let more = fetch::<T>(&other, query, extent).await.ok();
        let is_more = |more: &Page<T>| is_same_account(page, more) && is_other_realm(page, more);
        Ok(more.filter(is_more))
    }

    fn shows_two(&self) {
        // Twice is no more than once.
        let _ = self.is_of_two.set(());
    }

    /// Says after a list that it has only one person's rows, if that is so.
    pub(crate) fn say_whose(&self, only: Option<&Only>) {
        if let (Some(only), false) = (only, self.context.json()) {
            eprintln_quiet(&match self.is_of_two.get() {
                Some(()) => cut_to_two(only),
                None => cut(only),
            });
        }
    }

    /// The agent, if the request was made with a token that shows only its own person's rows.
    async fn other<T>(&self, page: &Page<T>) -> Result<Option<Client>, Failure> {
        match page.only.is_some() && !self.by_agent {
            true => self.through.agent(self.context).await,
            false => Ok(None),
        }
    }

    /// Asks for something about a lease; a lease that the token may not see may be one of the agent
    /// of this computer.
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

    /// A decision about the user, as the person of the token or of the agent of this computer.
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

    /// The user's places in the queue of a product.
    pub(crate) async fn places(&self, product: &str) -> Result<Vec<QueueEntry>, Failure> {
        let query = Query::new("/v1/queue").with("product", Some(product));
        let page = self.list(&query, &Extent::ALL, ticket_id).await?;
        Ok(page.items)
    }

    /// The seats that the user holds.
    pub(crate) async fn leases(&self) -> Result<Page<Lease>, Failure> {
        let query = Query::new("/v1/leases");
        self.list(&query, &Extent::ALL, lease_id).await
    }

    /// Says after a list that it has only the user's own rows, and how many hold and wait in all.
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
        let told = status.products.iter().filter(asked).filter(is_told);
        let told: Vec<String> = told.map(in_all).collect();
        if told.is_empty() && product.is_none() {
            eprintln_quiet("In all: no seat is in use; nobody waits.");
        }
        for said in told {
            eprintln_quiet(&format!("In all: {said}"));
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

/// What tells leases apart.
pub(crate) fn lease_id(lease: &Lease) -> &str {
    &lease.id
}

/// What tells those who wait apart.
pub(crate) fn ticket_id(entry: &QueueEntry) -> &str {
    &entry.id
}
