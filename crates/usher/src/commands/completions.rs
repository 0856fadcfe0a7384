//! `usher completions`: what a shell needs to complete the command line.

use clap::Args;
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

/// Does it for this command line.
pub(crate) fn run(args: &Completions, line: &mut clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, line, "usher", &mut script);
    print(&String::from_utf8_lossy(&script))
}
