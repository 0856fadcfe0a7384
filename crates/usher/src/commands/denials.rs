//! `usher denials`: which requests were denied, to whom, and why; and who waited and got no seat.

mod waits;

use clap::Args;
use usher_api::Denial;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, InTime, Query, eprintln_quiet, must_exist};
use crate::mine::{Through, of_another};

/// Show what was refused, to whom, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher denials --since 7d
  usher denials --during yesterday
  usher denials --during 'last week'       from its Monday to its Sunday
  usher denials --since 'last week'        from its Monday until now
  usher denials --user anna --since 2026-01-01 --until 2026-03-31
  usher denials --product gimp --since 2026-01-01 --json

`usher why DECISION` tells how the seats were held at that instant.

Who waited for a seat and got none is among them: REASON says for how long, and how it ended. They
gave up, as with Ctrl-C or at the end of --wait; timed out, as nothing asked for them any more; did
not fetch their seat; or the product was removed. With --json they are in `waits`.

Without a token, on a computer with an agent, it shows what you were refused there.")]
pub(crate) struct Denials {
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only on this computer
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    #[command(flatten)]
    time: InTime,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    through: Through,
}

impl Denials {
    /// The text for an empty list; `is_own`: of one's own denials alone.
    fn nothing(&self, is_own: bool) -> String {
        let asked = [
            ("product", self.product.is_some()),
            ("user", self.user.is_some()),
            ("computer", self.computer.is_some()),
            ("time", !self.time.is_any()),
        ];
        let asked: Vec<&str> = asked.iter().filter(|it| it.1).map(|it| it.0).collect();
        let what = match is_own {
            true => "You were refused nothing",
            false => "Nothing was refused",
        };
        match &asked[..] {
            [] => format!("{what}."),
            ["time"] => format!("{what} in that time."),
            [narrowed @ .., "time"] => {
                format!("{what} of that {} in that time.", narrowed.join(" and "))
            }
            narrowed => format!("{what} of that {}.", narrowed.join(" and ")),
        }
    }

    fn query(&self, path: &str) -> Result<Query, Failure> {
        let query = Query::new(path)
            .with("product", self.product.as_ref())
            .with("user", self.user.as_ref())
            .with("computer", self.computer.as_ref());
        self.time.of(query)
    }
}

pub(crate) fn run(args: &Denials, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let query = args.query("/v1/denials")?;
        let asked = args.through.ask(context).await?;
        let page = asked.list(&query, &args.extent, decision_id).await?;
        if page.items.is_empty() {
            must_exist(&asked.client, args.product.as_deref()).await?;
        }
        let anothers = of_another(page.only.as_ref(), args.user.as_deref());
        let nothing = args.nothing(page.only.is_some());
        let empty = anothers.as_deref().unwrap_or(&nothing);
        let waits = args.query("/v1/waits")?;
        let waits = asked.list_if_there(&waits, &args.extent, waits::decision_id);
        let waits = waits.await?;
        let is_told = waits.is_some();
        let (form, waits) = ((args.form, &args.extent), waits.unwrap_or_default());
        waits::show(form, context, &page, &waits, empty)?;
        if !is_told && !context.json() {
            eprintln_quiet(
                "Who waited and got no seat is not listed: the server, or this computer's agent, \
                 is of a version before.",
            );
        }
        // How many hold and wait now says nothing of then.
        asked.say_whose(page.only.as_ref());
        Ok(())
    })
}

fn decision_id(denial: &Denial) -> &str {
    &denial.decision_id
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        denials: Denials,
    }

    #[test]
    fn that_nothing_was_refused_is_said_of_what_was_asked_for_alone() {
        let say = |words: &[&str], is_own| {
            let line = Line::parse_from([&["denials"], words].concat());
            line.denials.nothing(is_own)
        };
        let said = [
            say(&[], true),
            say(&["--since", "7d"], true),
            say(&["--product", "cad"], false),
            say(
                &["--product", "cad", "--user", "ann", "--during", "yesterday"],
                false,
            ),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        You were refused nothing.
        You were refused nothing in that time.
        Nothing was refused of that product.
        Nothing was refused of that product and user in that time.
        ");
    }
}
