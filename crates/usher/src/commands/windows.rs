//! Commands that exist only on Linux so far: on Windows each says so, and does nothing.

use std::ffi::OsString;

use clap::Args;

use crate::failure::Failure;

impl restore::Restore {
    /// Whether it restores a site: no manager runs here.
    pub(crate) fn is_of_site(&self) -> bool {
        false
    }
}

/// Whatever is typed behind such a command.
#[derive(Debug, Args)]
pub(crate) struct Typed {
    #[arg(
        hide = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WORD"
    )]
    _words: Vec<OsString>,
}

fn not_yet(command: &str) -> Failure {
    Failure::failed(format!("`usher {command}` is not supported on Windows yet"))
        .next("Do it on a Linux computer; commands that ask a server work here.")
}

macro_rules! not_yet {
    ($($module:ident: $command:literal, $name:ident, $given:ty => $done:ty;)*) => {$(
        pub(crate) mod $module {
            use crate::context::Context;
            use crate::failure::Failure;

            #[doc = "Not supported on Windows yet"]
            #[derive(Debug, clap::Args)]
            pub(crate) struct $name {
                #[command(flatten)]
                _words: super::Typed,
            }

            /// Fails: the command is not supported on Windows yet.
            pub(crate) fn run(_: $given, _: &Context) -> Result<$done, Failure> {
                Err(super::not_yet($command))
            }
        }
    )*};
}

not_yet! {
    agent: "agent", Agent, Agent => ();
    bench: "bench", Bench, &Bench => ();
    doctor: "doctor", Doctor, &Doctor => u8;
    learn: "product learn", Learn, Learn => u8;
    manager: "manager", Manager, Manager => ();
    notify: "notify", Notify, Notify => ();
    restore: "restore", Restore, &Restore => ();
    run: "run", Run, Run => u8;
    server: "server", Server, Server => ();
    up: "up", Up, Up => u8;
    upgrade: "upgrade", Upgrade, &Upgrade => ();
}

pub(crate) mod service {
    use std::ffi::OsString;

    use crate::context::Context;
    use crate::failure::{Failure, Needed};

    /// Not supported on Windows yet
    #[derive(Debug, clap::Subcommand)]
    pub(crate) enum Service {
        /// Whatever is typed behind it
        #[command(external_subcommand)]
        Any(Vec<OsString>),
    }

    impl Service {
        /// Which rights it needs at a server: it asks none.
        pub(crate) fn needs(&self) -> Option<Needed> {
            None
        }
    }

    /// Fails: the command is not supported on Windows yet.
    pub(crate) fn run(_: Service, _: &Context) -> Result<(), Failure> {
        Err(super::not_yet("service"))
    }
}
