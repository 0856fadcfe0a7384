//! `POST /v1/whatif`: the recorded asks of a product, decided again with other numbers of seats.
//!
//! It changes nothing, and ends when who asked goes away. Each takes its turn ([`crate::turns`]), so
//! that they never take more cores than there are.

mod asked;
mod held;
mod needed;
mod past;
mod replays;
mod told;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use usher_api::{Code, Problem, WhatIf, WhatIfRequest};
use usher_core::replay::{Prepared, advice, recorded};
use usher_http::input;

use self::asked::Asked;
use self::held::Held;
pub(crate) use self::needed::{Needed, seats_for_all};
use self::replays::Stopped;
use crate::app::App;
use crate::clock::wall_ms;
use crate::kept_replays::Replayed;
use crate::problem::Refusal;
use crate::turns::{Turn, WAIT};

/// How long one may take.
const AT_MOST: Duration = Duration::from_secs(600);

/// What other numbers of seats would have come to, by the recorded asks of a product.
#[utoipa::path(
    post,
    path = "/v1/whatif",
    request_body = WhatIfRequest,
    responses(
        (status = 200, body = WhatIf),
        (status = 400, description = "`invalid_request`", body = Problem),
        (status = 404, description = "`unknown_product`", body = Problem),
        (status = 503, description = "`busy`: as many are worked out as there are cores; `server_unreachable`: nothing was collected of the product, and a server does not say whether it has it", body = Problem),
    ),
)]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    body: Bytes,
) -> Result<Json<WhatIf>, Refusal> {
    let request: WhatIfRequest = input::json(&body)?;
    let asked = Asked::of(request, wall_ms())?;
    let turn = app.turns.next().await.ok_or_else(busy)?;
    match tokio::time::timeout(AT_MOST, answer(&app, asked, turn)).await {
        Ok(answered) => answered.map(Json),
        Err(_) => Err(Refusal::invalid(format!(
            "this what-if takes longer than {} minutes: ask for fewer numbers of seats, or for a \
             shorter time with `from` and `to`",
            AT_MOST.as_secs() / 60
        ))),
    }
}

async fn answer(app: &Arc<App>, asked: Asked, turn: Turn) -> Result<WhatIf, Refusal> {
    let (past, held) = tokio::join!(past::read(&app.tools.site, &asked), Held::of(app, &asked));
    let past = past?;
    if !past.is_known && !held.is_known() {
        return Err(unknown_product(&asked, &held));
    }
    let seats_today = held.seats_today();
    let frame = past.frame(&asked, &held);
    let mut notes = past.notes();
    notes.extend(held.notes());
    let mut items = past.items;
    items.extend(held.leases(&past.sources));
    let parameters = asked.parameters.clone();
    let for_advice = seats_today.and_then(|seats| u32::try_from(seats).ok());
    let (from_ms, until_ms) = (frame.from_ms, frame.until_ms);
    let known_to = app.clone();
    let answered = replays::on_cores(turn, move |cores| {
        let made = recorded(frame, &items);
        drop(items);
        notes.extend(made.notes);
        let replayed = Replayed::of(&made.recording, &parameters);
        let prepared = Prepared::of(&made.recording);
        drop(made.recording);
        let kept = &known_to.kept_replays;
        let mut answer = cores.answer(&prepared, &parameters, &kept.known(replayed))?;
        kept.keep(replayed, &answer.results);
        let advice = advice(&answer, &parameters, for_advice);
        answer.assumptions.extend(notes);
        Ok((answer, advice))
    });
    match answered.await {
        Ok((answer, advice)) => Ok(told::answer(
            &asked,
            answer,
            advice,
            seats_today,
            (from_ms, until_ms),
        )),
        // Nobody waits for the answer of one that was told to stop.
        Err(Stopped::Told | Stopped::Panicked) => Err(Refusal::new(
            Code::Internal,
            "the what-if was not worked out: the manager has a fault, which is in its log",
        )),
    }
}

fn busy() -> Refusal {
    Refusal::new(
        Code::Busy,
        "other what-ifs keep the cores of the manager's computer busy: ask again when they are done",
    )
    .after(WAIT.as_secs())
}

/// Nothing is known of the product, by the servers that say what they have.
fn unknown_product(asked: &Asked, held: &Held) -> Refusal {
    let product = asked.shown_product();
    match held.missing().next() {
        None => Refusal::new(
            Code::UnknownProduct,
            format!(
                "there is no product {product} on the servers that this manager watches, and \
                 nothing of it was collected: GET /v1/products lists those that there are"
            ),
        ),
        Some((server, why)) => Refusal::new(
            Code::ServerUnreachable,
            format!(
                "nothing of a product {product} was collected, and the metering server {server} \
                 does not say whether it has one ({why})"
            ),
        ),
    }
}
