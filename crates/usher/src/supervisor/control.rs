//! The supervisor's own socket, `up.sock` in the data directory: through it `usher upgrade` has a
//! role started again, and `usher status` and `doctor` learn which roles do not run. Only the
//! account that runs `usher up` can use it: root can reach it, but accepts no answer from another
//! account.
//!
//! A request is one line of JSON, and so is the answer; then the connection is closed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use usher_platform::account::Account;
use usher_platform::files;
use usher_platform::socket::{self, Listener, Reach, Stream};
use usher_vital::log;

/// The socket, in the data directory.
const SOCKET: &str = "up.sock";
/// How many bytes a question can have, and how long it may take to arrive.
const QUESTION_BYTES: u64 = 4_096;
const QUESTION: Duration = Duration::from_secs(5);

/// What `usher up` can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Question {
    /// Asks for the state of the roles.
    Tell,
    /// Stops a role and starts it again, from the program file as it is now.
    Restart {
        /// Which role.
        role: RoleName,
    },
}

/// A role of `usher up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoleName {
    /// The metering server.
    Server,
    /// The manager.
    Manager,
    /// The agent.
    Agent,
}

impl RoleName {
    /// Its name for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RoleName::Server => "server",
            RoleName::Manager => "manager",
            RoleName::Agent => "agent",
        }
    }
}

/// What `usher up` says about its roles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The program that the roles are started from.
    pub(crate) program: PathBuf,
    /// The server's process, while there is one.
    pub(crate) server_pid: Option<u32>,
    /// Where the server's API is.
    pub(crate) api: String,
    /// The roles that run or should run.
    pub(crate) roles: Vec<RoleName>,
    /// Those of them that died too often and are not started again.
    #[serde(default)]
    pub(crate) given_up: Vec<RoleName>,
    /// Where the manager is; not in the answer of earlier versions.
    #[serde(default)]
    pub(crate) console: Option<String>,
}

/// What `usher up` answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The state of the roles.
    Told(Told),
    /// The role is ready again.
    Done,
    /// The role is not ready.
    Failed {
        /// Why it is not.
        why: String,
    },
}

/// The socket of a supervisor.
pub(super) struct Control {
    /// `None` if the socket could not be made; then no questions come.
    listener: Option<Listener>,
}

impl Control {
    /// Makes the socket. A supervisor without one works all the same.
    pub(super) fn open(data: &Path) -> Control {
        let listener = bind(data)
            .inspect_err(|error| {
                log::line(&format!(
                    "usher: cannot make {}: {error}; `usher upgrade` cannot reach this `usher up`",
                    data.join(SOCKET).display()
                ));
            })
            .ok();
        Control { listener }
    }

    /// The next question, with its connection.
    pub(super) async fn next(&self) -> (Question, Stream) {
        let Some(listener) = &self.listener else {
            return std::future::pending().await;
        };
        loop {
            let Ok((mut stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match timeout(QUESTION, line_of(&mut stream)).await {
                Ok(Ok(line)) => match serde_json::from_str(&line) {
                    Ok(question) => return (question, stream),
                    Err(error) => {
                        let why = format!("the request is not understood: {error}");
                        reply(stream, &Answer::Failed { why }).await;
                    }
                },
                // Who asks nothing gets nothing.
                _ => drop(stream),
            }
        }
    }
}

/// Answers, if the other end still listens.
pub(super) async fn reply(mut stream: Stream, answer: &Answer) {
    let mut text = serde_json::to_string(answer).unwrap_or_default();
    text.push('\n');
    let _ = timeout(QUESTION, stream.write_all(text.as_bytes())).await;
}

/// Asks the `usher up` of a data directory; an error if none runs.
pub(crate) async fn ask(
    data: &Path,
    question: &Question,
    patience: Duration,
) -> io::Result<Answer> {
    let asked = async {
        let (mut stream, peer) = socket::connect(&data.join(SOCKET)).await?;
        // Who may write in the directory could answer in the place of an `usher up` that is not
        // there.
        if peer.account != Account::own()? && !peer.account.is_system() {
            return Err(io::Error::other(format!(
                "it is answered by another account ({})",
                peer.account
            )));
        }
        let mut text = serde_json::to_string(question)?;
        text.push('\n');
        stream.write_all(text.as_bytes()).await?;
        Ok(serde_json::from_str(&line_of(&mut stream).await?)?)
    };
    timeout(patience, asked)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn line_of(stream: &mut Stream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(QUESTION_BYTES))
        .read_line(&mut line)
        .await?;
    Ok(line)
}

fn bind(data: &Path) -> io::Result<Listener> {
    let path = data.join(SOCKET);
    // One that a killed `usher up` left; a running one holds the server's lock, and this one would
    // not have come so far.
    files::remove_if_there(&path)?;
    Listener::bind(&path, Reach::Owner)
}

/// How long a question for the state may take.
const LOOK: Duration = Duration::from_secs(2);

/// The text about the roles that the `usher up` of a data directory started and has given up.
pub(crate) async fn given_up(data: &Path) -> Vec<String> {
    let Ok(Answer::Told(told)) = ask(data, &Question::Tell, LOOK).await else {
        return Vec::new();
    };
    let names = told.given_up.into_iter().map(RoleName::as_str);
    names.map(said_of_given_up).collect()
}

/// Where the manager of the `usher up` of a data directory is.
pub(crate) async fn console(data: &Path) -> Option<String> {
    match ask(data, &Question::Tell, LOOK).await {
        Ok(Answer::Told(told)) => told.console,
        _ => None,
    }
}

/// The line for one role that died too often.
pub(super) fn said_of_given_up(name: &str) -> String {
    format!(
        "the {name} of `usher up` ended {} times within {} minutes and is not started again",
        super::backoff::DEATHS_LIMIT,
        super::backoff::WINDOW.as_secs() / 60
    )
}
