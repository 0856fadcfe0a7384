//! `usher man`: writes the manual pages.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// Write a manual page for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo usher man /usr/local/share/man/man1      then: man usher, man usher-run
  usher man man1 && man man1/usher-product-add.1")]
pub(crate) struct Man {
    /// The folder; it is made if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Does it for this command line.
pub(crate) fn run(args: &Man, line: clap::Command) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!(
            "cannot write the manual to {}: {error}",
            args.folder.display()
        ))
    };
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    let mut command = line.disable_help_subcommand(true);
    command.build();
    pages(&command, "usher", &args.folder).map_err(failed)
}

fn pages(command: &clap::Command, name: &str, folder: &Path) -> std::io::Result<()> {
    let mut page = Vec::new();
    // Subcommands refer to each other by these names.
    clap_mangen::Man::new(
        command
            .clone()
            .name(name.to_owned())
            .display_name(name.to_owned()),
    )
    .render(&mut page)?;
    std::fs::write(folder.join(format!("{name}.1")), page)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages(sub, &format!("{name}-{}", sub.get_name()), folder)?;
    }
    Ok(())
}
