//! The notification service of a desktop, over the session's D-Bus (Desktop Notifications
//! Specification 1.2).

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use zbus::fdo::RequestNameFlags;
use zbus::zvariant::Value;
use zbus::{Connection, Error, MatchRule, MessageStream};

use super::card::{Card, Product, command};
use crate::listing::eprintln_quiet;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The process with this name on the bus serves the session, so that only one does.
const OWN_NAME: &str = "org.usher.Notify";
/// The key of the action, and of a click on the whole card if the desktop has no buttons.
const TELL_ME: &str = "tell-me";
/// How many cards are remembered; the oldest is forgotten first.
const CARDS_LIMIT: usize = 64;
/// How often the notification service is tried: a desktop that has just started has none yet.
const TRIES: u32 = 15;
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How long a card is shown that does not stay; 0 means without end.
const SHOWN_MS: i32 = 60_000;
/// How many signals are read ahead.
const AHEAD: usize = 64;

/// What the user, or the session, did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The button of a notice was pressed.
    WantsToBeTold { product: Product, notice: String },
    /// The session is over.
    Ended,
}

/// A card as the desktop has it.
#[derive(Debug)]
struct Shown {
    number: u32,
    product: Product,
    notice: Option<String>,
}

/// A session's desktop.
pub(super) struct Desktop {
    bus: Connection,
    signals: MessageStream,
    shown: Vec<Shown>,
}

impl Desktop {
    /// The desktop of this session; `None` if another process serves it already.
    pub(super) async fn of_session() -> Result<Option<Desktop>, Error> {
        let bus = Connection::session().await?;
        let flags = RequestNameFlags::DoNotQueue.into();
        match bus.request_name_with_flags(OWN_NAME, flags).await {
            Ok(_) => {}
            Err(Error::NameTaken) => return Ok(None),
            Err(error) => return Err(error),
        }
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface(SERVICE)?
            .path(PATH)?
            .build();
        let signals = MessageStream::for_match_rule(rule, &bus, Some(AHEAD)).await?;
        Ok(Some(Desktop {
            bus,
            signals,
            shown: Vec::new(),
        }))
    }

    /// Shows the card of a notice. If the desktop does not accept it, it is lost, and
    /// stderr says so.
    pub(super) async fn show(&mut self, card: Card, notice: Option<&str>) {
        let mut tries = 0;
        let number = loop {
            match self.notify(&card).await {
                Ok(number) => break number,
                // The session is over, as the next signal says.
                Err(Error::InputOutput(_)) => return,
                Err(error) if tries >= TRIES => {
                    eprintln_quiet(&format!(
                        "usher: the desktop shows no notifications: {error}"
                    ));
                    return;
                }
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            }
            tries += 1;
        };
        self.shown
            .retain(|shown| shown.product.id != card.product.id);
        if self.shown.len() >= CARDS_LIMIT {
            self.shown.remove(0);
        }
        self.shown.push(Shown {
            number,
            product: card.product,
            notice: notice.filter(|_| card.can_wait).map(str::to_owned),
        });
    }

    async fn notify(&self, card: &Card) -> Result<u32, Error> {
        let able: Vec<String> = self.call("GetCapabilities", &()).await?;
        let is_able = |what: &str| able.iter().any(|able| able == what);
        let mut text = card.text.clone();
        let mut actions: Vec<&str> = Vec::new();
        if card.can_wait && is_able("actions") {
            actions.extend([TELL_ME, "Tell me when it is free"]);
        } else if card.can_wait {
            text = format!("{text} Wait for a seat: {}", command(&card.product.id));
        }
        if is_able("body-markup") {
            text = without_markup(&text);
        }
        let same = |shown: &&Shown| shown.product.id == card.product.id;
        let replaces = self.shown.iter().find(same).map_or(0, |shown| shown.number);
        let hints = HashMap::from([("urgency", Value::U8(1))]);
        let lasts_ms = if card.stays { 0 } else { SHOWN_MS };
        let icon = "dialog-information";
        let body = (
            "Usher",
            replaces,
            icon,
            &*card.title,
            &*text,
            actions,
            hints,
            lasts_ms,
        );
        self.call("Notify", &body).await
    }

    async fn call<B, A>(&self, method: &str, body: &B) -> Result<A, Error>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
        A: serde::de::DeserializeOwned + zbus::zvariant::Type,
    {
        let called = self
            .bus
            .call_method(Some(SERVICE), PATH, Some(SERVICE), method, body);
        called.await?.body().deserialize()
    }

    /// Waits for the next event. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Happened {
        loop {
            let signal = poll_fn(|context| Pin::new(&mut self.signals).poll_next(context)).await;
            let Some(Ok(signal)) = signal else {
                return Happened::Ended;
            };
            let header = signal.header();
            let name = header.member().map_or("", |member| member.as_str());
            match name {
                "ActionInvoked" => {
                    let pressed = signal.body().deserialize::<(u32, String)>();
                    if let Ok((number, action)) = pressed
                        && action == TELL_ME
                        && let Some(happened) = self.pressed(number)
                    {
                        return happened;
                    }
                }
                "NotificationClosed" => {
                    if let Ok((number, _)) = signal.body().deserialize::<(u32, u32)>() {
                        self.shown.retain(|shown| shown.number != number);
                    }
                }
                _ => {}
            }
        }
    }

    /// The event of a button that was pressed, if the card is ours: the signals of all cards on the
    /// desktop come here.
    fn pressed(&mut self, number: u32) -> Option<Happened> {
        let shown = self.shown.iter_mut().find(|shown| shown.number == number)?;
        Some(Happened::WantsToBeTold {
            notice: shown.notice.take()?,
            product: shown.product.clone(),
        })
    }
}

fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_named_is_not_taken_for_markup() {
        assert_eq!(without_markup("R&D <b>"), "R&amp;D &lt;b&gt;");
    }
}
