//! Shows the user of a session the notices of this computer's agent, and tells the agent whether
//! somebody uses the session.
//!
//! It needs only the user's own rights, holds no seats, and ends with the session. It waits for an
//! agent that does not answer; notices of the last minute before that are shown once it does.

pub(crate) mod autostart;
pub(crate) mod card;
mod desktop;
mod idle;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use usher_api::client::{Client, ClientError};
use usher_api::{Notice, Notices, TellMeAnswer};

use self::card::Card;
use self::desktop::{Desktop, Happened};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{Query, escaped};
use crate::output::line;
use crate::run::door;

/// How long one poll waits for a notice.
const POLL_SECONDS: u64 = 60;
/// How soon an agent that did not answer is tried again.
const AWAY: Duration = Duration::from_secs(2);
/// Notices that are older than this when the session begins are not shown.
const RECENT_SECONDS: i64 = 60;

/// The notices of this computer's agent, one after the other.
pub(crate) struct Reader {
    named: Option<PathBuf>,
    agent: Option<Client>,
    after: Option<String>,
}

impl Reader {
    /// Of the agent at that socket, or of the one that is found.
    pub(crate) fn new(named: Option<PathBuf>) -> Self {
        Reader {
            named,
            agent: None,
            after: None,
        }
    }

    /// The notices that the agent has kept, and then those that follow. Fails if no agent answers.
    pub(crate) async fn kept(&mut self, context: &Context) -> Result<Vec<Notice>, Failure> {
        let found = door::agent(self.named.as_deref(), context).await?;
        let (agent, _) = found.ok_or_else(nobody)?;
        let items = poll(&agent, self.after.as_deref(), 0).await?;
        self.agent = Some(agent);
        self.read(&items);
        Ok(items)
    }

    /// Waits for the next notices, and for an agent that does not answer. May be dropped and called
    /// again: no notice is lost.
    pub(crate) async fn next(&mut self, context: &Context) -> Vec<Notice> {
        loop {
            let polled = match self.agent(context).await {
                Some(agent) => poll(&agent, self.after.as_deref(), POLL_SECONDS).await.ok(),
                None => None,
            };
            match polled {
                Some(items) if items.is_empty() => {}
                Some(items) => {
                    self.read(&items);
                    return items;
                }
                None => {
                    self.agent = None;
                    tokio::time::sleep(AWAY).await;
                }
            }
        }
    }

    /// The agent, if one answers.
    pub(crate) async fn agent(&mut self, context: &Context) -> Option<Client> {
        if self.agent.is_none() {
            let found = door::agent(self.named.as_deref(), context).await;
            self.agent = found.ok().flatten().map(|(agent, _)| agent);
        }
        self.agent.clone()
    }

    fn read(&mut self, items: &[Notice]) {
        if let Some(last) = items.last() {
            self.after = Some(last.id.clone());
        }
    }
}

fn nobody() -> Failure {
    Failure::new(exit::NO_SERVER, "no Usher agent answers on this computer")
        .next("Whoever administers this computer starts one; --agent-socket names another place.")
}

async fn poll(
    agent: &Client,
    after: Option<&str>,
    seconds: u64,
) -> Result<Vec<Notice>, ClientError> {
    let query = Query::new("/v1/notices")
        .with("wait_seconds", Some(seconds.to_string()))
        .with("after", after);
    let wait = Duration::from_secs(seconds);
    let notices: Notices = agent.get_waiting(query.path(), wait).await?;
    Ok(notices.items)
}

/// Asks the agent to tell when a seat is free.
pub(crate) async fn tell_me(agent: &Client, product: &str) -> Result<TellMeAnswer, ClientError> {
    // Whoever kills this command leaves the queue, too.
    let path = tell_me_path(product) + "?while_running=true";
    agent.post_empty(&path).await
}

/// The path for asking for that, and for taking it back.
pub(crate) fn tell_me_path(product: &str) -> String {
    format!("/v1/products/{}/tell-me", escaped(product))
}

/// Shows notices until the session ends: on its desktop, or, without one, on the terminal.
/// Meanwhile the agent is told whether the session is used.
pub(crate) async fn serve(named: Option<PathBuf>, context: &Context) -> Result<(), Failure> {
    let desktop = match Desktop::of_session().await {
        Ok(Some(desktop)) => Some(desktop),
        // Another one serves this session.
        Ok(None) => return Ok(()),
        Err(error) => {
            line(format!(
                "This session has no desktop ({error}): notices are shown here."
            ))?;
            None
        }
    };
    tokio::select! {
        ended = show(Reader::new(named.clone()), desktop, context) => ended,
        () = idle::report(named, context) => Ok(()),
    }
}

async fn show(
    mut reader: Reader,
    mut desktop: Option<Desktop>,
    context: &Context,
) -> Result<(), Failure> {
    let mut news = reader.kept(context).await.unwrap_or_default();
    let now = Timestamp::now().as_second();
    news.retain(|notice| now - notice.at.as_second() < RECENT_SECONDS);
    loop {
        for notice in &news {
            match &mut desktop {
                Some(desktop) => desktop.show(Card::of(notice), Some(&notice.id)).await,
                None => line(card::as_text(notice))?,
            }
        }
        news.clear();
        let Some(desktop) = &mut desktop else {
            news = reader.next(context).await;
            continue;
        };
        tokio::select! {
            next = reader.next(context) => news = next,
            happened = desktop.next() => match happened {
                Happened::WantsToBeTold { product, notice } => {
                    let card = wait_for_seat(&mut reader, context, &product, &notice).await;
                    desktop.show(card, None).await;
                }
                Happened::Ended => return Ok(()),
            },
        }
    }
}

/// The user pressed the button of a notice.
async fn wait_for_seat(
    reader: &mut Reader,
    context: &Context,
    product: &card::Product,
    notice: &str,
) -> Card {
    let Some(agent) = reader.agent(context).await else {
        return Card::cannot_wait(product, "Usher does not answer on this computer.");
    };
    let path = format!("/v1/notices/{}/tell-me", escaped(notice));
    match agent.post_empty::<TellMeAnswer>(&path).await {
        Ok(told) if told.held.is_some() => Card::holds(product),
        Ok(_) => Card::waits(product),
        Err(error) => Card::cannot_wait(product, &error.to_string()),
    }
}
