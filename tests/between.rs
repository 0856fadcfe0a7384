//! Stands between a manager and a server: passes all on, until it is told to stop at a step.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::DEADLINE;

/// A step: a request whose first line begins so has come, and was not passed on yet, or its answer
/// has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Asked(&'static str),
    Answered(&'static str),
}

/// The stand-in. It ends with the test's process.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) url: String,
    stop_at: Arc<Mutex<Option<Step>>>,
    reached: Receiver<()>,
}

impl Between {
    /// Stands in front of `http://HOST:PORT`.
    pub(crate) fn before(api: &str) -> Between {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = api.trim_start_matches("http://").to_owned();
        let stop_at = Arc::new(Mutex::new(None));
        let (tell, reached) = channel();
        let step = stop_at.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, step, tell) = (server.clone(), step.clone(), tell.clone());
                thread::spawn(move || drop(stand_between(client, &server, &step, &tell)));
            }
        });
        Between {
            url,
            stop_at,
            reached,
        }
    }

    /// The next request of that kind gets so far and no further.
    pub(crate) fn stop_at(&self, step: Step) {
        *self.stop_at.lock().unwrap() = Some(step);
    }

    /// Waits until it has.
    pub(crate) fn has_stopped(&self) {
        self.reached.recv_timeout(DEADLINE).unwrap();
    }
}

/// One connection: a manager takes a new one for each request.
fn stand_between(
    mut client: TcpStream,
    server: &str,
    stop_at: &Mutex<Option<Step>>,
    tell: &Sender<()>,
) -> std::io::Result<()> {
    let mut first = [0_u8; 16 * 1024];
    let length = client.read(&mut first)?;
    let asked = String::from_utf8_lossy(&first[..length]).into_owned();
    let reach = |is_it: &dyn Fn(Step) -> bool| {
        let mut stop_at = stop_at.lock().unwrap();
        stop_at.take_if(|step| is_it(*step)).is_some()
    };
    if reach(&|step| matches!(step, Step::Asked(line) if asked.starts_with(line))) {
        return hold(client, tell);
    }
    let mut server = TcpStream::connect(server)?;
    server.write_all(&first[..length])?;
    let (mut asks, mut takes) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut asks, &mut takes);
        let _ = takes.shutdown(std::net::Shutdown::Write);
    });
    let mut told = [0_u8; 64 * 1024];
    loop {
        let length = server.read(&mut told)?;
        if reach(&|step| matches!(step, Step::Answered(line) if asked.starts_with(line))) {
            return hold(client, tell);
        }
        match length {
            0 => return client.shutdown(std::net::Shutdown::Both),
            length => client.write_all(&told[..length])?,
        }
    }
}

/// Until who asked is gone.
fn hold(mut client: TcpStream, tell: &Sender<()>) -> std::io::Result<()> {
    let _ = tell.send(());
    let mut rest = [0_u8; 4_096];
    while client.read(&mut rest)? > 0 {}
    Ok(())
}
