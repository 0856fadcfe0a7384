//! `usher usage`: sessions, sums of use, and programs of no product.

mod form;
mod products;
mod programs;
mod sessions;
mod sums;

use clap::{Args, ValueEnum};
use usher_api::client::Client;

pub(crate) use self::products::last_used;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{Extent, Form, InTime, Query};
use crate::mine::Through;

/// Show who used what, when and how long
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher usage                              every session, running ones too
  usher usage --product gimp --since 30d
  usher usage --during 'last week'         from its Monday to its Sunday
  usher usage --since 'last week'          from its Monday until now
  usher usage --since 2026-01-01 --until 2026-03-31
  usher usage --running
  usher usage by-product --since 2026-01-01   sums for each product, owned ones that nobody used too
  usher usage by-user --during 'last month'   sums for each person, who used most first
  usher usage by-day --product gimp        sums for each day of the last 30, in this time zone
  usher usage programs                     programs of no product, what ran longest first
  usher usage programs --all               those that scripts are made of, too

A session is unseated if it had no seat: none was free, or it ended before the agent asked for
one. Without a token, on a computer with an agent, it shows what you used there.

by-product shows the seats and prices that are owned, to tokens of viewers, operators and admins.
A product with 0 sessions is owned and was not used in this time.

by-user and by-day show only your own use if you may not see that of others.

programs is for tokens of viewers, operators and admins. Starts and computers are counted, and
never who starts them or from where: that is not recorded, so that nobody can read it.")]
pub(crate) struct Usage {
    /// What to show
    #[arg(value_enum, default_value_t = View::Sessions)]
    view: View,
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only of this user (sessions)
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only on this computer (sessions)
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    #[command(flatten)]
    time: InTime,
    /// Only what runs now (sessions)
    #[arg(long)]
    running: bool,
    /// Programs of the operating system's base too, such as cat and bash (programs)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    through: Through,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Each session
    Sessions,
    /// Sums for each product
    ByProduct,
    /// Sums for each person
    ByUser,
    /// Sums for each day
    ByDay,
    /// Starts of programs of no product
    Programs,
}

impl View {
    /// The word for it on the command line.
    fn word(self) -> &'static str {
        match self {
            View::Sessions => "sessions",
            View::ByProduct => "by-product",
            View::ByUser => "by-user",
            View::ByDay => "by-day",
            View::Programs => "programs",
        }
    }
}

impl Usage {
    /// The views that are about a time.
    const IN_A_TIME: &'static [View] =
        &[View::Sessions, View::ByProduct, View::ByUser, View::ByDay];

    /// Options of `usher usage`, each with the views in which it has an effect.
    const WHERE: [(&str, &[View]); 8] = [
        ("product", Self::IN_A_TIME),
        ("user", &[View::Sessions]),
        ("computer", &[View::Sessions]),
        ("since", Self::IN_A_TIME),
        ("until", Self::IN_A_TIME),
        ("during", Self::IN_A_TIME),
        ("running", &[View::Sessions]),
        ("all", &[View::Programs]),
    ];

    /// Whether nothing narrows the sessions that are asked for.
    fn asks_for_all(&self) -> bool {
        let texts = [&self.product, &self.user, &self.computer];
        texts.iter().all(|it| it.is_none()) && self.time.is_any() && !self.running
    }

    /// The query at `path` about the time that is asked for.
    fn query(&self, path: &str) -> Result<Query, Failure> {
        self.time.of(Query::new(path))
    }

    /// Refuses what was typed and has no effect in the view that is asked for.
    pub(crate) fn refuse_without_effect(
        &self,
        is_typed: &dyn Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        let idle = Self::WHERE
            .iter()
            .find(|(option, views)| is_typed(option) && !views.contains(&self.view));
        let Some((option, views)) = idle else {
            return Ok(());
        };
        if *option == "user" && self.view == View::Programs {
            return Err(Failure::usage(
                "--user has no effect in `usher usage programs`: of programs of no product it is \
                 not recorded who starts them",
            )
            .next("Of products it is: `usher usage --user USER`; `usher product add` makes one."));
        }
        let views = views
            .iter()
            .map(|view| format!("`usher usage {}`", view.word()));
        let views: Vec<String> = views.collect();
        Err(Failure::usage(format!(
            "--{option} has no effect in `usher usage {}`",
            self.view.word()
        ))
        .next(format!("--{option} is for {}.", views.join(", "))))
    }
}

pub(crate) fn run(args: &Usage, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match args.view {
            View::Sessions => sessions::show_all(args, context).await,
            View::ByProduct => products::show_all(args, context).await,
            View::ByUser => sums::by_user(args, context).await,
            View::ByDay => sums::by_day(args, context).await,
            View::Programs => programs::show_all(args, context).await,
        }
    })
}

/// The server, for programs of no product, which no agent shows. Without a token this is refused;
/// the error says who may see them.
fn with_token(context: &Context) -> Result<Client, Failure> {
    if context.token().is_some() {
        return context.client();
    }
    Err(Failure::new(
        exit::REFUSED,
        "`usher usage programs` needs a token: it shows what all computers start, and not who does",
    )
    .next(
        "A token of role viewer, operator or admin may see it (--token or USHER_TOKEN); whoever \
         administers the server makes one with `usher token create --role viewer`.",
    ))
}
