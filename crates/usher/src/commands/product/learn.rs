//! `usher product learn`: runs a command, lists the programs that it starts, and proposes rules.

use std::ffi::OsString;

use clap::Args;

use super::add::{self, Add};
use crate::commands::entitlement::seats_owned;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::learn::{self, ExecutedProgram, Hosted, Proposal, Watched, propose};
use crate::listing::eprintln_quiet;
use crate::output::{Table, line, print, print_json, quoted, tame};
use crate::run::find;

/// Run a command, list the programs that it starts, and propose program rules
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher product learn gimp -- gimp             use it, end it, and read the list
  usher product learn cad --add --seats 5 -- /opt/cad/start

The list is printed when everything that the command started has ended. A second Ctrl-C ends the
watching, and the programs run on. Without --add nothing is changed. Programs with the setuid bit
run without it while they are watched.")]
pub(crate) struct Learn {
    /// The id for the product
    #[arg(value_name = "ID")]
    id: String,
    /// Add the product with the proposed rules
    #[arg(long)]
    add: bool,
    /// Seats owned, for --add and the proposed command
    #[arg(long, value_name = "N", value_parser = seats_owned())]
    seats: Option<u32>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    words: Vec<OsString>,
}

/// Runs the command; returns the exit code.
pub(crate) fn run(args: Learn, context: &Context) -> Result<u8, Failure> {
    let name = args
        .words
        .first()
        .ok_or_else(|| Failure::usage("there is no command to run"))?;
    let file = find::find(name)?;
    let watched = context.block_on(learn::watch(&file, &args.words))?;
    let programs = watched.programs();
    let proposal = propose(&programs);
    let command = add_command(&args, &proposal);
    if context.json() {
        print_json(&serde_json::json!({
            "product": args.id,
            "programs": programs,
            "rules": proposal.rules,
            "warnings": warnings(&watched, &proposal),
            "exit_code": watched.code,
            "command": command,
        }))?;
    } else {
        show(&programs, &proposal, &watched, &command)?;
    }
    if args.add {
        add(args, proposal, context)?;
    }
    Ok(exit::DONE)
}

fn warnings(watched: &Watched, proposal: &Proposal) -> Vec<String> {
    let mut warnings = proposal.warnings.clone();
    warnings.extend(watched.can_miss.map(str::to_owned));
    if watched.beyond > 0 {
        warnings.push(format!("{} more starts were not kept", watched.beyond));
    }
    if watched.code != 0 {
        warnings.push(format!("the command ended with exit code {}", watched.code));
    }
    warnings
}

fn show(
    programs: &[ExecutedProgram],
    proposal: &Proposal,
    watched: &Watched,
    command: &str,
) -> Result<(), Failure> {
    print(&table(programs, proposal).text())?;
    for warning in warnings(watched, proposal) {
        eprintln_quiet(&format!("usher: {}", tame(&warning)));
    }
    if proposal.rules.is_empty() {
        return line("\nNothing was executed that a rule could name.");
    }
    line(format!("\nTo add it:\n  {command}"))
}

fn table(programs: &[ExecutedProgram], proposal: &Proposal) -> Table {
    let mut table = Table::new(&[
        ">STARTS", ">LONGEST", ">CPU", "PROGRAM", "PACKAGE", "PROPOSED",
    ]);
    for seen in programs {
        let by = match &seen.hosted {
            Some(Hosted::Script(_) | Hosted::Windows(_)) => format!(
                " (by {})",
                seen.path.file_name().unwrap_or_default().to_string_lossy()
            ),
            None => String::new(),
        };
        table.row([
            seen.starts.to_string(),
            format!("{:.2} s", seen.longest.as_secs_f64()),
            format!("{:.2} s", seen.worked.as_secs_f64()),
            format!("{}{by}", seen.file().display()),
            seen.package.clone().unwrap_or_else(|| "-".to_owned()),
            proposal.part_of(seen),
        ]);
    }
    table
}

fn add_command(args: &Learn, proposal: &Proposal) -> String {
    let mut words = vec![
        "usher".to_owned(),
        "product".into(),
        "add".into(),
        quoted(&args.id),
    ];
    for rule in &proposal.rules {
        words.extend(["--program".to_owned(), quoted(rule)]);
    }
    if let Some(seats) = args.seats {
        words.extend(["--seats".to_owned(), seats.to_string()]);
    }
    words.join(" ")
}

fn add(args: Learn, proposal: Proposal, context: &Context) -> Result<(), Failure> {
    if proposal.rules.is_empty() {
        return Err(Failure::failed(
            "nothing was executed that a rule could name; nothing was added",
        ));
    }
    let product = Add::of_programs(args.id, proposal.rules, args.seats);
    context.block_on(async {
        let client = context.client()?;
        // With --json the list is the one document on stdout.
        add::run(product, context, &client, context.json()).await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_given_to_a_shell_as_it_stands() {
        let args = Learn {
            id: "my cad".into(),
            add: false,
            seats: Some(3),
            words: Vec::new(),
        };
        let proposal = Proposal {
            rules: vec![
                "path=/opt/cad/bin/cad".into(),
                "path=/opt/it's/\\*,role=helper".into(),
            ],
            main: None,
            warnings: Vec::new(),
        };
        assert_eq!(
            add_command(&args, &proposal),
            "usher product add 'my cad' --program path=/opt/cad/bin/cad \
             --program 'path=/opt/it'\\''s/\\*,role=helper' --seats 3"
        );
    }
}
