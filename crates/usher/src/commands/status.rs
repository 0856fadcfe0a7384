//! `usher status`: the server, its products with their counts, and the computers.

use clap::Args;
use serde::Serialize;
use usher_api::{ComputerStatus, ProductStatus, ServerStatus, Watching};

use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::mine::{Answerer, Through, in_all, places_said};
use crate::output::{Table, Tone, line, print, print_json, tame, toned};
use crate::supervisor::control;
use crate::time;

/// Show the server, the seats of each product, and the computers that report
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher status
  usher status --json | jq '.products[] | select(.queued > 0)'
  usher status --server https://licences.example.org:8470 --token \"$TOKEN\"

Without a token, on a computer with an agent, it shows how many seats are in use and waited for, and
which of them are yours there.")]
pub(crate) struct Status {
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Status, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let given_up = given_up(context).await;
        let shown = show(args, context, &given_up).await;
        // Where the server itself is one of them, nobody else says so.
        shown.map_err(|failure| match given_up.is_empty() {
            true => failure,
            false => failure
                .and(&given_up.join("; "))
                .next("The log of `usher up` says why; when that is mended, restart `usher up`."),
        })
    })
}

/// The text about the roles that this computer's `usher up` gave up.
pub(super) async fn given_up(context: &Context) -> Vec<String> {
    match context.may_show_own(context.server()) {
        true => control::given_up(context.data()).await,
        false => Vec::new(),
    }
}

async fn show(args: &Status, context: &Context, given_up: &[String]) -> Result<(), Failure> {
    let asked = args.through.ask_briefly(context).await?;
    let status: usher_api::Status = asked.client.get("/v1/status").await?;
    if context.json() {
        return print_json(&Shown { status, given_up });
    }
    line(server(&status.server))?;
    // The upkeep is shown only to who sees all.
    let sees_own = asked.by_agent || status.server.pack.is_none();
    match status.products.is_empty() {
        true if sees_own => line("There are no products yet.")?,
        true => line("No products yet: `usher product add ID --program RULE --seats N` adds one.")?,
        false => print(&format!("\n{}", products(&status.products).text()))?,
    }
    if !status.computers.is_empty() {
        let mut shown = status.computers;
        let here = host::computer();
        if shown.iter().any(|computer| computer.name == here)
            && !args.through.answers(context).await
        {
            warn_of_agent(&mut shown, &here);
        }
        print(&format!("\n{}", computers(&shown).text()))?;
    }
    for said in given_up {
        let said = format!("Warning: {said}.");
        line(format!("\n{}", toned(Tone::Bad, &said)))?;
    }
    if sees_own {
        own(&asked, &status.products).await?;
    }
    Ok(())
}

/// The server's answer, and what only this computer knows.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: usher_api::Status,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    given_up: &'a [String],
}

/// The user's own seats and places in the queue, and since when others hold and wait.
async fn own(asked: &Answerer<'_>, products: &[ProductStatus]) -> Result<(), Failure> {
    let leases = asked.leases().await?;
    for product in products.iter().filter(|p| p.in_use > 0 || p.queued > 0) {
        line(format!("\n{}", in_all(product)))?;
        let own = leases.items.iter().filter(|l| l.product == product.id);
        let seats: u64 = own.map(|lease| u64::from(lease.seats)).sum();
        match (seats, product.in_use) {
            (0, _) => {}
            (1, 1) => line("  You hold it.")?,
            (own, all) if own == all => line("  You hold all of them.")?,
            (own, _) => line(format!("  You hold {own} of them."))?,
        }
        if let Some(said) = places_said(&asked.places(&product.id).await?) {
            line(format!("  {said}"))?;
        }
    }
    Ok(())
}

fn server(server: &ServerStatus) -> String {
    let tone = match server.state.as_str() {
        "running" => Tone::Good,
        "degraded" => Tone::Bad,
        _ => Tone::Warn,
    };
    let why = server
        .why
        .as_ref()
        .map(|why| format!(": {}", tame(why)))
        .unwrap_or_default();
    format!(
        "Server {} {} is {}, unchanged since {}{why}",
        tame(&server.id),
        tame(&server.version),
        toned(tone, &tame(&server.state)),
        time::local(server.since),
    )
}

fn products(products: &[ProductStatus]) -> Table {
    let mut table = Table::new(&[
        "PRODUCT",
        ">SEATS",
        ">IN USE",
        ">UNSEATED",
        ">QUEUED",
        ">DENIED 24H",
        "NAME",
    ]);
    for product in products {
        table.row([
            product.id.clone(),
            product.seats.to_string(),
            match product.kept {
                0 => product.in_use.to_string(),
                kept => format!("{} ({kept} kept, not used)", product.in_use),
            },
            product.unseated.to_string(),
            product.queued.to_string(),
            product.denied_last_24h.to_string(),
            product.name.clone(),
        ]);
    }
    table
}

/// Warns if this computer's agent does not run. Only here that is known: another computer may be
/// off.
fn warn_of_agent(computers: &mut [ComputerStatus], here: &str) {
    for computer in computers.iter_mut().filter(|it| it.name == here) {
        let said = "no agent answers on this computer: it is stopped, or has another socket";
        computer.warnings.push(said.to_owned());
    }
}

fn computers(computers: &[ComputerStatus]) -> Table {
    let mut table = Table::new(&["COMPUTER", "WATCHING", "LAST SEEN", "WARNINGS"]);
    for computer in computers {
        table.row([
            computer.name.clone(),
            watching(computer.watching).to_owned(),
            last_seen(computer),
            notes(computer),
        ]);
    }
    table
}

/// When it last reported, as far as that is known.
fn last_seen(computer: &ComputerStatus) -> String {
    let at = time::local(computer.last_seen_at);
    match computer.last_seen_within_seconds {
        0 => at,
        within => format!("{at}, or up to {} later", time::span(within.into())),
    }
}

fn notes(computer: &ComputerStatus) -> String {
    let released = match computer.released {
        0 => None,
        1 => Some("1 program without a seat, which nobody uses".to_owned()),
        many => Some(format!("{many} programs without a seat, which nobody uses")),
    };
    let notes = computer.warnings.iter().cloned().chain(released);
    notes.collect::<Vec<_>>().join("; ")
}

/// How programs are seen, in words.
pub(crate) fn watching(watching: Watching) -> &'static str {
    match watching {
        Watching::Ebpf => "ebpf",
        Watching::KernelEvents => "kernel events",
        Watching::Polling => "polling",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_shown_with_their_counts() {
        let table = products(&[ProductStatus {
            id: "gimp".into(),
            name: "GIMP".into(),
            seats: 10,
            in_use: 3,
            unseated: 1,
            queued: 0,
            denied_last_24h: 12,
            held_since: None,
            waiting_since: None,
            kept: 1,
        }]);
        insta::assert_snapshot!(table.text(), @r"
        PRODUCT  SEATS                IN USE  UNSEATED  QUEUED  DENIED 24H  NAME
        gimp        10  3 (1 kept, not used)         1       0          12  GIMP
        ");
    }

    #[test]
    fn when_a_computer_was_last_seen_is_told_as_far_as_it_is_known() {
        let mut computer: ComputerStatus = serde_json::from_value(serde_json::json!({
            "id": "c1", "name": "pc1", "watching": "ebpf",
            "last_seen_at": "2026-03-01T09:00:00Z",
        }))
        .unwrap();
        let at = time::local(computer.last_seen_at);
        assert_eq!(last_seen(&computer), at);
        computer.last_seen_within_seconds = 3_600;
        assert_eq!(last_seen(&computer), format!("{at}, or up to 1 h later"));
    }

    #[test]
    fn an_agent_that_does_not_answer_here_is_warned_of_at_its_own_computer_alone() {
        let computer = |name: &str| ComputerStatus {
            id: name.into(),
            name: name.into(),
            watching: Watching::Ebpf,
            last_seen_at: "2026-03-01T09:00:00Z".parse().unwrap(),
            enforcement_off: None,
            last_seen_within_seconds: 0,
            released: 0,
            warnings: Vec::new(),
        };
        let mut shown = [computer("here"), computer("there")];
        warn_of_agent(&mut shown, "here");
        assert!(notes(&shown[0]).contains("no agent answers"), "{shown:?}");
        assert_eq!(notes(&shown[1]), "");
    }
}
