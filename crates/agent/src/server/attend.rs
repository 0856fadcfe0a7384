//! Attends to one wait: keeps its place in the queue, keeps the seat that it gets, gives it back.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use usher_api::client::{Client, ClientError};
use usher_api::{
    CheckoutAnswer, CheckoutRequest, Code, KEPT_SEAT, Lease, ProgramFacts, SubjectKey,
    TellMeAnswer, TicketAnswer, TicketState,
};
use usher_core::sessions::{AccountKey, ProcessKey, Who};

use crate::agent::Agent;
use crate::base::{clock, lock};
use crate::model::notices;
use crate::model::waits::{Kept, Stage, TooMany, Wait};
use crate::server::hearing::{Hearing, LOOKED_UP, SEATED};
use crate::server::leaving::Leaving;
use crate::store::outbox::OutboxError;

/// How long one poll of a ticket may take: a seat that comes ends it at once.
const POLL_SECONDS: u64 = 20;
/// The least time between two requests for a wait.
const APART: Duration = Duration::from_millis(200);
/// How often it is looked whether those still run whom a wait ends with.
const ABANDONED: Duration = Duration::from_secs(1);
/// How long a server that does not answer is left alone.
const AWAY: Duration = Duration::from_secs(3);
/// The longest ttl of a kept lease: what an agent that dies holds comes back after it.
const TTL_SECONDS: u32 = 300;
/// How soon it is looked again what became of a lease that a session has taken.
const TAKEN: Duration = Duration::from_secs(5);

/// Why a wait could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Server(#[from] ClientError),
    #[error(transparent)]
    Storage(#[from] OutboxError),
    #[error("the agent is stopping")]
    Stopping,
}

/// What attending needs.
#[derive(Clone)]
pub(crate) struct Attendant {
    pub(crate) agent: Arc<Mutex<Agent>>,
    pub(crate) client: Client,
    /// The exchange with the server gives back what was left behind.
    pub(crate) changed: Arc<Notify>,
    pub(crate) leaving: Arc<Leaving>,
    pub(crate) hearing: Arc<Hearing>,
}

/// What a wait is to do next.
enum Step {
    Ask,
    Poll(String),
    Keep(Kept),
}

impl Attendant {
    /// Goes on with the waits of the agent's former run.
    pub(crate) fn take_up(&self) {
        let numbers = lock(&self.agent).waits().numbers();
        for number in numbers {
            tokio::spawn(self.clone().attend_or_end(number));
        }
    }

    /// Somebody is to be told when a seat of a product is free. Who does not wait for the answer
    /// waits for the seat all the same; who holds one that a further start shares waits for none. What
    /// is held or kept for them is so as the server says: it may have been given back there.
    /// `process` is the one that waits, if there is one; `ends` says whether the wait ends with
    /// it.
    pub(crate) async fn tell_me(
        &self,
        who: Who,
        product: &str,
        process: Option<ProcessKey>,
        ends: bool,
    ) -> Result<TellMeAnswer, Failed> {
        if let Some(lease) = self.held(product, who.counted).await? {
            return Ok(TellMeAnswer {
                product: product.to_owned(),
                state: TicketState::Granted,
                ticket: None,
                claim_seconds: lock(&self.agent).rulebook().claim_seconds(product),
                kept_seconds: None,
                held: Some(lease),
            });
        }
        self.forget_lost(product, who.counted).await?;
        let begun = {
            let mut agent = lock(&self.agent);
            agent.begin_wait(who, product, process, ends)?
        };
        let number = match begun {
            Ok(number) => number,
            Err(wait) => return Ok(self.shown(&wait)),
        };
        let (tell, told) = oneshot::channel();
        let (attendant, wanted) = (self.clone(), product.to_owned());
        tokio::spawn(async move {
            let asked = attendant.ask(number).await;
            let is_begun = asked.is_ok();
            let wait = lock(&attendant.agent).waits().get(number).cloned();
            let answer = match (asked, wait) {
                (Err(failed), _) => Err(failed),
                (Ok(()), Some(wait)) => Ok(attendant.shown(&wait)),
                (Ok(()), None) => Err(Failed::Stopping),
            };
            // Whoever asked may be gone.
            let _ = tell.send(answer);
            // Another process that waits with it was told that it waits.
            let goes_on = is_begun || {
                let mut agent = lock(&attendant.agent);
                agent.leaves_wait(&wanted, who.counted, process).is_none()
            };
            match goes_on {
                true => attendant.attend_or_end(number).await,
                false => say(lock(&attendant.agent).end_wait(number, None, None)),
            }
        });
        told.await.map_err(|_| Failed::Stopping)?
    }

    /// The lease that a further start of a person shares, unless the server says that it is none.
    async fn held(&self, product: &str, counted: AccountKey) -> Result<Option<String>, Failed> {
        let Some(lease) = lock(&self.agent).held_for_use(product, counted)? else {
            return Ok(None);
        };
        // While no server answers, it is shared as it is.
        let is_gone = matches!(self.is_held(&lease).await, Ok(false));
        Ok((!is_gone).then_some(lease))
    }

    /// Ends the wait of a person whose seat is kept no more, as the server says.
    async fn forget_lost(&self, product: &str, counted: AccountKey) -> Result<(), Failed> {
        let kept = lock(&self.agent).waits().kept_for(product, counted);
        if let Some((number, lease)) = &kept
            && !self.is_held(lease).await?
        {
            let mut agent = lock(&self.agent);
            if agent.waits().kept_for(product, counted) == kept {
                agent.end_wait(*number, None, None)?;
            }
        }
        Ok(())
    }

    /// Whether a lease of this computer is one, as the server says; it is renewed by that.
    async fn is_held(&self, lease: &str) -> Result<bool, ClientError> {
        let path = format!("/v1/leases/{lease}/renew");
        let renewed = self.client.post_empty::<Lease>(&path);
        match self.hearing.of(LOOKED_UP, Duration::ZERO, renewed).await {
            Ok(_) => Ok(true),
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownLease) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Somebody does not want to be told any more by `process`. What they held goes back, unless
    /// another process of theirs waits for the same.
    pub(crate) fn leave(
        &self,
        who: Who,
        product: &str,
        process: Option<ProcessKey>,
    ) -> Result<(), OutboxError> {
        let mut agent = lock(&self.agent);
        let number = agent.leaves_wait(product, who.counted, process);
        number.map_or(Ok(()), |number| agent.end_wait(number, None, None))?;
        self.changed.notify_one();
        Ok(())
    }

    fn shown(&self, wait: &Wait) -> TellMeAnswer {
        let (state, ticket) = match &wait.stage {
            Stage::Asking => (TicketState::Waiting, None),
            Stage::Queued { ticket } => (TicketState::Waiting, Some(ticket.clone())),
            Stage::Kept(_) => (TicketState::Granted, None),
        };
        let kept_seconds = match &wait.stage {
            Stage::Kept(kept) => Some(kept.left_seconds(clock::boot_ms())),
            Stage::Asking | Stage::Queued { .. } => None,
        };
        TellMeAnswer {
            product: wait.product.clone(),
            state,
            ticket,
            claim_seconds: lock(&self.agent).rulebook().claim_seconds(&wait.product),
            kept_seconds,
            held: None,
        }
    }

    /// Attends until the wait has ended. A panic ends that wait alone, and its user is told.
    async fn attend_or_end(self, number: u64) {
        let attended = usher_vital::caught("a wait", pin!(self.clone().attend(number))).await;
        if attended.is_err() {
            say(lock(&self.agent).end_wait(number, None, Some(notices::missed)));
            self.changed.notify_one();
        }
    }

    /// Attends until the wait has ended.
    async fn attend(self, number: u64) {
        let mut changes = lock(&self.agent).waits().follow();
        while let Some(step) = self.step(number) {
            match step {
                Step::Ask => self.ask_again(number).await,
                Step::Poll(ticket) => self.poll(number, &ticket, &mut changes).await,
                Step::Keep(kept) => self.keep(number, &kept, &mut changes).await,
            }
        }
    }

    fn step(&self, number: u64) -> Option<Step> {
        let agent = lock(&self.agent);
        Some(match &agent.waits().get(number)?.stage {
            Stage::Asking => Step::Ask,
            Stage::Queued { ticket } => Step::Poll(ticket.clone()),
            Stage::Kept(kept) => Step::Keep(kept.clone()),
        })
    }

    /// A place in the queue, or a seat at once.
    async fn ask(&self, number: u64) -> Result<(), Failed> {
        let Some(request) = self.request(number).await else {
            return Ok(());
        };
        let asked = self.client.post("/v1/checkouts", &request);
        match self.hearing.of(SEATED, Duration::ZERO, asked).await? {
            CheckoutAnswer::Granted { lease, .. } => self.hold(number, lease)?,
            CheckoutAnswer::Queued { ticket, .. } => {
                let stage = Stage::Queued {
                    ticket: ticket.id.clone(),
                };
                let is_waiting = lock(&self.agent).set_stage(number, stage)?;
                if !is_waiting {
                    self.leaving.later(&ticket.id);
                }
            }
        }
        Ok(())
    }

    async fn request(&self, number: u64) -> Option<CheckoutRequest<'static>> {
        let (wait, accounts) = {
            let agent = lock(&self.agent);
            (
                agent.waits().get(number)?.clone(),
                agent.here().accounts.clone(),
            )
        };
        accounts.learn_aside(wait.who.counted).await;
        let agent = lock(&self.agent);
        let subject = agent.here().subject(wait.who.counted);
        let mut products = agent.rulebook().policy.products.iter();
        let known = products.find(|known| known.id == wait.product);
        let allowed = known.map_or(TTL_SECONDS, |known| known.max_ttl_seconds);
        let wanted = agent
            .rulebook()
            .claim_seconds(&wait.product)
            .min(TTL_SECONDS);
        Some(CheckoutRequest {
            product: Cow::Owned(wait.product),
            also: Vec::new(),
            user: subject.name,
            computer: Cow::Owned(agent.here().computer.id.clone()),
            seats: 1,
            wait: true,
            ttl_seconds: Some(wanted.min(allowed).max(1)),
            priority: 0,
            program: Some(ProgramFacts {
                name: Some(Cow::Borrowed(KEPT_SEAT)),
                version: None,
            }),
            subject: Some(SubjectKey {
                authority: subject.authority,
                id: subject.id,
            }),
        })
    }

    /// Keeps a seat that was granted; gives it back if nobody waits for it any more.
    fn hold(&self, number: u64, lease: Lease) -> Result<(), OutboxError> {
        let mut agent = lock(&self.agent);
        if agent.waits().is_abandoned(number) {
            agent.end_wait(number, None, None)?;
        }
        let product = agent.waits().get(number).map(|wait| wait.product.clone());
        let seconds = product.map_or(0, |product| agent.rulebook().claim_seconds(&product));
        let kept = Stage::Kept(Kept {
            lease: lease.id.clone(),
            ttl_seconds: lease.ttl_seconds.max(1),
            until_boot_ms: clock::boot_ms() + u64::from(seconds) * 1_000,
            taken_by: None,
            is_told: false,
        });
        if !agent.set_stage(number, kept)? {
            agent.leave_behind(&lease.id)?;
            self.changed.notify_one();
        }
        Ok(())
    }

    async fn ask_again(&self, number: u64) {
        if self.is_over(number) {
            return;
        }
        match self.ask(number).await {
            Ok(()) => tokio::time::sleep(APART).await,
            Err(Failed::Server(ClientError::Problem(problem))) if is_final(&problem.code) => {
                tracing::info!(code = problem.code, "a seat cannot be waited for any more");
                say(lock(&self.agent).end_wait(number, None, Some(notices::missed)));
            }
            Err(_) => tokio::time::sleep(AWAY).await,
        }
    }

    /// Waits for the seat, keeping the place.
    async fn poll(&self, number: u64, ticket: &str, changes: &mut watch::Receiver<()>) {
        let path = format!("/v1/tickets/{ticket}?wait_seconds={POLL_SECONDS}");
        let longest = Duration::from_secs(POLL_SECONDS);
        let polled = self.client.get_waiting::<TicketAnswer>(&path, longest);
        tokio::pin!(polled);
        let answer = loop {
            tokio::select! {
                answer = &mut polled => break answer,
                _ = wait(ABANDONED, changes) => {
                    if self.is_over(number) {
                        return self.leaving.later(ticket);
                    }
                }
            }
        };
        match answer {
            Ok(TicketAnswer {
                lease: Some(lease), ..
            }) => say(self.hold(number, lease)),
            Ok(answer) if answer.state == TicketState::Waiting => {
                // A server that is stopping answers each poll at once.
                tokio::time::sleep(APART).await;
            }
            Ok(answer) if answer.state == TicketState::Denied => {
                say(lock(&self.agent).end_wait(number, None, Some(notices::impossible)));
            }
            Ok(_) => self.lost_place(number),
            Err(ClientError::Problem(problem)) if problem.is(Code::UnknownTicket) => {
                self.lost_place(number);
            }
            Err(_) => tokio::time::sleep(AWAY).await,
        }
    }

    /// Whether a wait for a place has ended, also as nobody is there any more that it was for.
    fn is_over(&self, number: u64) -> bool {
        let mut agent = lock(&self.agent);
        if agent.waits().is_abandoned(number) {
            say(agent.end_wait(number, None, None));
        }
        agent.waits().get(number).is_none()
    }

    fn lost_place(&self, number: u64) {
        say(lock(&self.agent).set_stage(number, Stage::Asking).map(drop));
    }

    /// Keeps the seat until it is time to renew it, or its time is up, or something changes.
    async fn keep(&self, number: u64, kept: &Kept, changes: &mut watch::Receiver<()>) {
        let now = clock::boot_ms();
        let third = Duration::from_millis(u64::from(kept.ttl_seconds) * 1_000 / 3);
        if kept.taken_by.is_some() {
            // A session has it; the answer to that says what becomes of it.
            return wait(TAKEN.min(third), changes).await;
        }
        let left = Duration::from_millis(kept.until_boot_ms.saturating_sub(now));
        if left.is_zero() {
            return self.is_missed(number);
        }
        if !kept.is_told {
            // It was for a program that ran without a seat and has not taken it.
            return match self.is_held(&kept.lease).await {
                Ok(true) => say(lock(&self.agent).tells_of_kept(number)),
                Ok(false) if self.is_still(number, kept) => self.is_missed(number),
                Ok(false) => {}
                Err(_) => wait(AWAY.min(left), changes).await,
            };
        }
        wait(left.min(third), changes).await;
        if left <= third || !self.is_still(number, kept) {
            return;
        }
        let path = format!("/v1/leases/{}/renew", kept.lease);
        match self.client.post_empty::<Lease>(&path).await {
            Err(ClientError::Problem(problem))
                if problem.is(Code::UnknownLease) && self.is_still(number, kept) =>
            {
                self.is_missed(number);
            }
            // Until it can be reached again the lease may live.
            Ok(_) | Err(_) => {}
        }
    }

    fn is_still(&self, number: u64, kept: &Kept) -> bool {
        let agent = lock(&self.agent);
        let wait = agent.waits().get(number);
        wait.is_some_and(|wait| wait.stage == Stage::Kept(kept.clone()))
    }

    fn is_missed(&self, number: u64) {
        say(lock(&self.agent).end_wait(number, None, Some(notices::missed)));
        self.changed.notify_one();
    }
}

async fn wait(time: Duration, changes: &mut watch::Receiver<()>) {
    // Either way it is looked again.
    let _ = tokio::time::timeout(time, changes.changed()).await;
}

/// Whether asking again is in vain.
fn is_final(code: &str) -> bool {
    [Code::Denied, Code::UnknownProduct, Code::InvalidRequest]
        .iter()
        .any(|known| known.as_str() == code)
}

fn say(result: Result<(), OutboxError>) {
    if let Err(error) = result {
        tracing::error!(%error, "what is waited for cannot be written down");
    }
}
