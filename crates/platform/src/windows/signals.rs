//! What a console and the system tell a process: Ctrl+C, Ctrl+Break, the window's end, the
//! system's.

use std::io;

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

use crate::terms::{Signal, Told};

/// The numbers of SIGINT and SIGTERM, by which exit codes are told here too.
const INTERRUPT: Signal = Signal(2);
const TERMINATE: Signal = Signal(15);

#[derive(Debug)]
pub(crate) struct Stop {
    c: CtrlC,
    pause: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Stop {
    pub(crate) fn take(_told: Told) -> io::Result<Stop> {
        Ok(Stop {
            c: ctrl_c()?,
            pause: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.c.recv() => INTERRUPT,
            _ = self.pause.recv() => INTERRUPT,
            _ = self.close.recv() => TERMINATE,
            _ = self.shutdown.recv() => TERMINATE,
        }
    }
}
