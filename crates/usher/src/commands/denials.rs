//! `usher denials`: what was refused, to whom, and why.

use clap::Args;
use usher_api::Denial;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, InTime, Query, must_exist, show_as};
use crate::mine::{Through, of_another};
use crate::output::Table;
use crate::time;

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
    /// That nothing was refused of what is asked for: `is_own`, to who asks.
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

    fn query(&self) -> Result<Query, Failure> {
        let query = Query::new("/v1/denials")
            .with("product", self.product.as_ref())
            .with("user", self.user.as_ref())
            .with("computer", self.computer.as_ref());
        self.time.of(query)
    }
}

pub(crate) fn run(args: &Denials, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let query = args.query()?;
        let asked = args.through.ask(context).await?;
        let page = asked.list(&query, &args.extent, decision_id).await?;
        if page.items.is_empty() {
            must_exist(&asked.client, args.product.as_deref()).await?;
        }
        let anothers = of_another(page.only.as_ref(), args.user.as_deref());
        let nothing = args.nothing(page.only.is_some());
        let empty = anothers.as_deref().unwrap_or(&nothing);
        show_as(args.form, context, &page, empty, table)?;
        // How many hold and wait now says nothing of then.
        asked.say_whose(page.only.as_ref());
        Ok(())
    })
}

fn decision_id(denial: &Denial) -> &str {
    &denial.decision_id
}

fn table(denials: &[Denial]) -> Table {
    let mut table = Table::new(&[
        "LAST", ">TIMES", "PRODUCT", "USER", "COMPUTER", ">SEATS", "REASON", "DECISION",
    ]);
    for denial in denials {
        table.row([
            time::local(denial.last_at),
            denial.count.to_string(),
            denial.product.clone(),
            denial.user.clone(),
            denial.computer.clone(),
            denial.seats.to_string(),
            denial.reason.as_str().replace('_', " "),
            denial.decision_id.clone(),
        ]);
    }
    table
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
