//! `usher completions`: what a shell needs to complete the command line.

use clap::{Arg, Args, Command, ValueHint};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::print;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher completions bash > /etc/bash_completion.d/usher
  usher completions zsh > ~/.zfunc/_usher
  usher completions fish > ~/.config/fish/completions/usher.fish")]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command for this command line.
pub(crate) fn run(args: &Completions, line: &mut Command) -> Result<(), Failure> {
    print(&script(args.shell, line))
}

fn script(shell: Shell, line: &mut Command) -> String {
    *line = hinted(std::mem::take(line));
    let mut script = Vec::new();
    clap_complete::generate(shell, line, "usher", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Marks the values that are no files: a shell offers files for any value of which it knows
/// nothing.
fn hinted(command: Command) -> Command {
    command.mut_args(with_hint).mut_subcommands(hinted)
}

fn with_hint(arg: Arg) -> Arg {
    if !arg.get_action().takes_values() {
        return arg;
    }
    let names = arg.get_value_names().unwrap_or_default();
    let hint = match names.first().map(|name| name.as_str()) {
        Some("FILE") => ValueHint::FilePath,
        Some("DIR") => ValueHint::DirPath,
        Some("PATH") => ValueHint::AnyPath,
        // What it completes is a command.
        Some("CMD") => return arg,
        _ => ValueHint::Other,
    };
    arg.value_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_offers_files_only_for_what_is_a_file() {
        let mut line = Command::new("usher").subcommand(
            Command::new("leases")
                .arg(Arg::new("product").long("product").value_name("ID"))
                .arg(Arg::new("to").long("to").value_name("FILE")),
        );
        let script = script(Shell::Fish, &mut line);
        let of = |option: &str| {
            let mut lines = script.lines();
            let found = lines.find(|line| line.contains(&format!("-l {option} ")));
            found.unwrap_or_else(|| panic!("{script}")).to_owned()
        };
        assert!(of("product").contains(" -f"), "{}", of("product"));
        assert!(of("to").contains(" -F"), "{}", of("to"));
    }
}
