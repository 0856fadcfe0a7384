//! Named pipes; Windows tells the process at the other end, and that its account.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, RawHandle};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};
use tokio::sync::Mutex;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY};
use windows_sys::Win32::System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId};

use super::raw::{self, Descriptor};
use crate::terms::Reach;

/// How the names of pipes begin.
const PIPES: &str = r"\\.\pipe\";
/// For the system, the administrators and the owner.
const OWNER: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";
/// Besides, for whoever has logged in.
const EVERYBODY: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)(A;;GRGW;;;AU)";
/// How long is waited until a busy pipe has a free end again, and how often.
const BUSY: Duration = Duration::from_millis(50);
const BUSY_TRIES: u32 = 100;

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// The end of who listened.
    Server(NamedPipeServer),
    /// The end of who connected.
    Client(NamedPipeClient),
}

#[derive(Debug)]
pub(crate) struct Listener {
    path: String,
    descriptor: &'static str,
    /// The end that the next who connects has.
    next: Mutex<NamedPipeServer>,
}

impl Listener {
    pub(crate) fn bind(path: &Path, reach: Reach) -> io::Result<Listener> {
        let path = name(path)?;
        let descriptor = match reach {
            Reach::Owner => OWNER,
            Reach::Everybody => EVERYBODY,
        };
        let first = end(&path, descriptor, true).map_err(|error| {
            match is(&error, ERROR_ACCESS_DENIED) {
                true => io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"),
                false => error,
            }
        })?;
        Ok(Listener {
            path,
            descriptor,
            next: Mutex::new(first),
        })
    }

    pub(crate) async fn accept(&self) -> io::Result<(Stream, String, Option<u32>)> {
        let mut next = self.next.lock().await;
        next.connect().await?;
        let connected = std::mem::replace(&mut *next, end(&self.path, self.descriptor, false)?);
        drop(next);
        let pid = process_at(connected.as_raw_handle(), GetNamedPipeClientProcessId)?;
        let account = raw::sid_of_process(pid)?;
        Ok((Stream::Server(connected), account, Some(pid)))
    }
}

pub(crate) async fn connect(path: &Path) -> io::Result<(Stream, String, Option<u32>)> {
    let path = name(path)?;
    let mut tries = 0;
    let connected = loop {
        tries += 1;
        match ClientOptions::new().open(&path) {
            Err(error) if is(&error, ERROR_PIPE_BUSY) && tries < BUSY_TRIES => {
                // Windows tells nobody when an end is free.
                tokio::time::sleep(BUSY).await;
            }
            opened => break opened?,
        }
    };
    let pid = process_at(connected.as_raw_handle(), GetNamedPipeServerProcessId)?;
    let account = raw::sid_of_process(pid)?;
    Ok((Stream::Client(connected), account, Some(pid)))
}

/// Another end of a pipe, which must be the first if nobody else is to have the name.
fn end(path: &str, descriptor: &str, is_first: bool) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::new(descriptor)?;
    let mut attributes = descriptor.attributes();
    let mut options = ServerOptions::new();
    options
        .first_pipe_instance(is_first)
        .reject_remote_clients(true);
    // SAFETY: the attributes, and the descriptor that they point to, live until the call returns.
    unsafe { options.create_with_security_attributes_raw(path, (&raw mut attributes).cast()) }
}

fn name(path: &Path) -> io::Result<String> {
    let name = path.to_str().filter(|name| name.starts_with(PIPES));
    name.map(str::to_owned).ok_or_else(|| {
        let why = format!(
            "{} is no local socket on Windows: one is called {PIPES}NAME",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidInput, why)
    })
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(code)
}

fn process_at(
    pipe: RawHandle,
    ask: unsafe extern "system" fn(RawHandle, *mut u32) -> i32,
) -> io::Result<u32> {
    let mut pid = 0;
    // SAFETY: the caller has the pipe open, and `pid` is written to before the call returns.
    raw::done(unsafe { ask(pipe, &mut pid) })?;
    Ok(pid)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Server(end) => Pin::new(end).poll_read(cx, buffer),
            Stream::Client(end) => Pin::new(end).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Server(end) => Pin::new(end).poll_write(cx, bytes),
            Stream::Client(end) => Pin::new(end).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Server(end) => Pin::new(end).poll_flush(cx),
            Stream::Client(end) => Pin::new(end).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Server(end) => Pin::new(end).poll_shutdown(cx),
            Stream::Client(end) => Pin::new(end).poll_shutdown(cx),
        }
    }
}
