//! The options of a rule: which messages it is for, and what it does.

use clap::Args;
use usher_core::messages::{Action, Criteria, Kind, Severity};

use crate::commands::one_of;

/// How long a rule may run a program by default.
const RUN_SECONDS: u32 = 60;

/// Which messages a rule is for: what is given must hold.
#[derive(Debug, Args)]
pub(super) struct When {
    /// As severe as that, or more
    #[arg(long, value_name = "SEVERITY", value_parser = one_of::<Severity>(&["informational", "warning", "error"]))]
    severity: Option<Severity>,
    /// Of that type
    #[arg(long = "type", value_name = "TYPE", id = "kind", value_parser = one_of::<Kind>(&["milestone", "detail", "audit"]))]
    kind: Option<Kind>,
    /// Of one of these numbers, such as 9431 for seats that are low
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    id: Vec<u16>,
    /// Of that component
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// About that metering server
    #[arg(long, value_name = "SERVER")]
    about: Option<String>,
    /// Raised on that computer
    #[arg(long, value_name = "COMPUTER")]
    on_computer: Option<String>,
}

/// What a rule does.
#[derive(Debug, Args)]
pub(super) struct Does {
    /// Send a mail to that address; may be repeated, or hold several with commas
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    mail: Vec<String>,
    /// Send it to the webhook that the manager's settings name so; may be repeated
    #[arg(long, value_name = "NAME")]
    webhook: Vec<String>,
    /// Run the program that the manager's settings name so; may be repeated
    #[arg(long, value_name = "NAME")]
    run: Vec<String>,
    /// End such a program after so many seconds [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "run")]
    run_seconds: Option<u32>,
    /// Write it to the system's log
    #[arg(long)]
    system_log: bool,
    /// Keep it for so many days
    #[arg(long, value_name = "N")]
    store_days: Option<u32>,
    /// Do not count it in summaries
    #[arg(long)]
    do_not_summarise: bool,
    /// Look at no rule below this one
    #[arg(long)]
    pub(super) stop: bool,
}

impl When {
    pub(super) fn criteria(self, before: Criteria) -> Criteria {
        Criteria {
            severity_at_least: self.severity.or(before.severity_at_least),
            kind: self.kind.or(before.kind),
            ids: match self.id.is_empty() {
                true => before.ids,
                false => self.id,
            },
            component: self.component.or(before.component),
            server: self.about.or(before.server),
            computer: self.on_computer.or(before.computer),
        }
    }
}

impl Does {
    pub(super) fn actions(self) -> Vec<Action> {
        let timeout_seconds = self.run_seconds.unwrap_or(RUN_SECONDS);
        let mails = self.mail.into_iter().map(|to| Action::Mail { to });
        let webhooks = self.webhook.into_iter();
        let programs = self.run.into_iter().map(|program| Action::Run {
            program,
            timeout_seconds,
        });
        mails
            .chain(webhooks.map(|target| Action::Webhook { target }))
            .chain(programs)
            .chain(self.system_log.then_some(Action::SystemLog))
            .chain(self.store_days.map(|days| Action::Store { days }))
            .chain(self.do_not_summarise.then_some(Action::DoNotSummarise))
            .collect()
    }
}
