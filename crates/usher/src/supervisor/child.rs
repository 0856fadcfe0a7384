//! What a role's process prints, and how it ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStdout;
use tokio::sync::oneshot;
use usher_vital::log;

use crate::failure::exit;

/// The ready line when it comes, or nothing if it cannot come any more; then never again.
pub(super) async fn ready_line(told: &mut Option<oneshot::Receiver<String>>) -> Option<String> {
    let Some(receiver) = told else {
        return std::future::pending().await;
    };
    let line = receiver.await.ok();
    *told = None;
    line
}

/// Hands the ready line on; what else a role prints is for people to see.
pub(super) async fn listen(stdout: ChildStdout, tell: oneshot::Sender<String>) {
    let mut tell = Some(tell);
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("ready")
            && let Some(tell) = tell.take()
        {
            // If it was told to stop, nobody waits for the line any more.
            drop(tell.send(line));
        } else if !line.starts_with("ready") {
            log::line(&line);
        }
    }
}

/// The code that `usher up` ends with if a role ended so at its first start.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    match status.code().map(u8::try_from) {
        Some(Ok(0)) | Some(Err(_)) | None => exit::FAILED,
        Some(Ok(code)) => code,
    }
}

/// Whether it ended by a control, in its own way or by force because that stood still.
pub(super) fn is_on_purpose(status: &ExitStatus) -> bool {
    let forced = i32::from(usher_server::EXIT_STOP);
    status
        .code()
        .is_some_and(|code| code == 0 || code == forced)
}

/// How it ended, for people.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "in an unknown way".to_owned(),
    }
}
