//! One thread of the engine: its connections, each a small machine of ask, hear, ask again.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::{Heard, Protocol, Tally};

/// Connections that may be lost and made again before a thread gives up.
const RECONNECTS_LIMIT: u64 = 1_000;
/// How long connections may take to give back what they hold.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// An answer that is longer is refused.
const INPUT_LIMIT_BYTES: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// A request is out.
    Asked,
    /// Nothing is out until the next request's time comes.
    Waiting,
    /// A request to give something back is out.
    Settling,
    /// Nothing is out, nothing is held.
    Done,
}

#[derive(Debug)]
struct Connection<T> {
    index: usize,
    stream: TcpStream,
    talk: T,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    waits_to_write: bool,
    asked_at: Instant,
    turn: Turn,
}

/// A thread's share of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// From when on it counts.
    pub(super) begin: Instant,
    /// Until when it asks.
    pub(super) end: Instant,
    /// Requests at the most.
    pub(super) asked_limit: u64,
    /// Between two requests; none: as fast as answers come.
    pub(super) interval: Option<Duration>,
}

/// Requests at even intervals, and the connections that wait for one.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next_at: Instant,
    waiting: VecDeque<usize>,
}

/// A thread's connections.
pub(super) struct Worker<'a, P: Protocol> {
    protocol: &'a P,
    epoll: OwnedFd,
    connections: Vec<Connection<P::Talk>>,
    tally: Tally,
    begin: Instant,
    end: Instant,
    asked: u64,
    asked_limit: u64,
    pace: Option<Pace>,
    ended: Option<Instant>,
    open: usize,
    piece: Vec<u8>,
}

impl<'a, P: Protocol> Worker<'a, P> {
    /// Opens the connections of these indices.
    pub(super) fn open(protocol: &'a P, indices: &[usize]) -> Result<Self, String> {
        let now = Instant::now();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|error| format!("cannot make an epoll: {error}"))?;
        let mut worker = Worker {
            protocol,
            epoll,
            connections: Vec::with_capacity(indices.len()),
            tally: Tally::default(),
            begin: now,
            end: now,
            asked: 0,
            asked_limit: 0,
            pace: None,
            ended: None,
            open: indices.len(),
            piece: vec![0; 64 * 1024],
        };
        for (slot, &index) in indices.iter().enumerate() {
            let (stream, talk) = worker.connect(slot, index)?;
            worker.connections.push(Connection {
                index,
                stream,
                talk,
                input: Vec::new(),
                output: Vec::new(),
                written: 0,
                waits_to_write: false,
                asked_at: Instant::now(),
                turn: Turn::Done,
            });
        }
        Ok(worker)
    }

    fn connect(&self, slot: usize, index: usize) -> Result<(TcpStream, P::Talk), String> {
        let failed = |error: io::Error| format!("cannot connect: {error}");
        let (stream, talk) = self.protocol.connect(index).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        let data = epoll::EventData::new_u64(slot as u64);
        epoll::add(&self.epoll, &stream, data, epoll::EventFlags::IN)
            .map_err(|error| failed(error.into()))?;
        Ok((stream, talk))
    }

    /// Asks until the end or the limit, counts from the beginning on, then settles.
    pub(super) fn drive(mut self, share: Share) -> Result<Tally, String> {
        (self.begin, self.end) = (share.begin, share.end);
        self.asked_limit = share.asked_limit;
        self.pace = share.interval.map(|interval| Pace {
            interval,
            next_at: Instant::now(),
            waiting: VecDeque::new(),
        });
        for slot in 0..self.connections.len() {
            self.next(slot)?;
        }
        let mut events = Vec::with_capacity(256);
        let deadline = self.end + SETTLE_LIMIT;
        while self.open > 0 {
            self.ask_what_is_due()?;
            let now = Instant::now();
            if now >= deadline {
                self.tally.unsettled += self.open as u64;
                break;
            }
            // After the end, connections are still heard: look at the clock now and then.
            let until = if now < self.end { self.end } else { deadline };
            let until = self.next_due().map_or(until, |due| until.min(due));
            self.wait(&mut events, until.saturating_duration_since(now))?;
            for event in &events {
                let slot = event.data.u64() as usize;
                let flags = event.flags;
                self.serve(slot, flags)?;
            }
        }
        let ended = self.ended.unwrap_or_else(Instant::now).min(self.end);
        self.tally.measured = ended.saturating_duration_since(self.begin);
        Ok(self.tally)
    }

    fn wait(&self, events: &mut Vec<epoll::Event>, patience: Duration) -> Result<(), String> {
        events.clear();
        let timeout = Timespec::try_from(patience.min(Duration::from_secs(1)))
            .map_err(|_| "a wait that is too long".to_owned())?;
        match epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(format!("cannot wait for answers: {error}")),
        }
    }

    fn serve(&mut self, slot: usize, flags: epoll::EventFlags) -> Result<(), String> {
        if flags.contains(epoll::EventFlags::OUT) {
            self.write(slot)?;
        }
        let connection = &mut self.connections[slot];
        if connection.turn == Turn::Done {
            return Ok(());
        }
        if connection.turn == Turn::Waiting {
            // It was closed meanwhile: whoever asks next finds out.
            return Ok(());
        }
        match connection.stream.read(&mut self.piece) {
            Ok(0) => self.reconnect(slot),
            Ok(count) => {
                // An answer that came whole is read in place.
                if connection.input.is_empty() {
                    let heard = self
                        .protocol
                        .hear(&mut connection.talk, &self.piece[..count])?;
                    match heard {
                        Some(heard) if heard.length == count => return self.heard(slot, heard),
                        _ => {}
                    }
                    connection.input.extend_from_slice(&self.piece[..count]);
                    return match heard {
                        Some(heard) => self.heard(slot, heard),
                        None => Ok(()),
                    };
                }
                connection.input.extend_from_slice(&self.piece[..count]);
                if connection.input.len() > INPUT_LIMIT_BYTES {
                    return Err("an answer does not end".to_owned());
                }
                match self
                    .protocol
                    .hear(&mut connection.talk, &connection.input)?
                {
                    Some(heard) => self.heard(slot, heard),
                    None => Ok(()),
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(_) => self.reconnect(slot),
        }
    }

    fn heard(&mut self, slot: usize, heard: Heard) -> Result<(), String> {
        let now = Instant::now();
        let connection = &mut self.connections[slot];
        let rest = heard.length.min(connection.input.len());
        connection.input.drain(..rest);
        // What settles comes after the end.
        if now >= self.begin && now < self.end && self.ended.is_none() {
            self.tally
                .count(&heard, now.duration_since(connection.asked_at));
        }
        if heard.closes {
            return self.reconnect(slot);
        }
        self.next(slot)
    }

    /// Sends the next request, or what gives back, or nothing more.
    fn next(&mut self, slot: usize) -> Result<(), String> {
        let now = Instant::now();
        let over = now >= self.end || self.asked >= self.asked_limit;
        if over && self.ended.is_none() {
            self.ended = Some(now);
        }
        let connection = &mut self.connections[slot];
        connection.output.clear();
        connection.written = 0;
        let mut asked_at = now;
        if !over && let Some(pace) = &mut self.pace {
            if pace.next_at > now {
                connection.turn = Turn::Waiting;
                pace.waiting.push_back(slot);
                return Ok(());
            }
            asked_at = pace.next_at;
            pace.next_at += pace.interval;
        }
        if !over {
            self.asked += 1;
            connection.turn = Turn::Asked;
            self.protocol
                .ask(&mut connection.talk, &mut connection.output);
        } else if self
            .protocol
            .settle(&mut connection.talk, &mut connection.output)
        {
            connection.turn = Turn::Settling;
        } else {
            connection.turn = Turn::Done;
            self.open -= 1;
            return Ok(());
        }
        connection.asked_at = asked_at;
        self.write(slot)
    }

    /// When a connection that waits is to ask, or to settle.
    fn next_due(&self) -> Option<Instant> {
        let pace = self.pace.as_ref()?;
        (!pace.waiting.is_empty()).then(|| pace.next_at.min(self.end))
    }

    fn ask_what_is_due(&mut self) -> Result<(), String> {
        while self.next_due().is_some_and(|due| due <= Instant::now()) {
            let waiting = self.pace.as_mut().and_then(|pace| pace.waiting.pop_front());
            let Some(slot) = waiting else { break };
            self.next(slot)?;
        }
        Ok(())
    }

    fn write(&mut self, slot: usize) -> Result<(), String> {
        let connection = &mut self.connections[slot];
        while connection.written < connection.output.len() {
            match connection
                .stream
                .write(&connection.output[connection.written..])
            {
                Ok(count) => connection.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.watch(slot, true);
                }
                Err(_) => return self.reconnect(slot),
            }
        }
        if connection.waits_to_write {
            return self.watch(slot, false);
        }
        Ok(())
    }

    fn watch(&mut self, slot: usize, to_write: bool) -> Result<(), String> {
        let connection = &mut self.connections[slot];
        connection.waits_to_write = to_write;
        let mut flags = epoll::EventFlags::IN;
        flags.set(epoll::EventFlags::OUT, to_write);
        let data = epoll::EventData::new_u64(slot as u64);
        epoll::modify(&self.epoll, &connection.stream, data, flags)
            .map_err(|error| format!("cannot watch a connection: {error}"))
    }

    /// What a lost connection held is forgotten; it ends by its ttl.
    fn reconnect(&mut self, slot: usize) -> Result<(), String> {
        self.tally.reconnects += 1;
        if self.tally.reconnects > RECONNECTS_LIMIT {
            return Err(format!("over {RECONNECTS_LIMIT} connections were lost"));
        }
        let index = self.connections[slot].index;
        let (stream, talk) = self.connect(slot, index)?;
        let connection = &mut self.connections[slot];
        connection.stream = stream;
        connection.talk = talk;
        connection.input.clear();
        connection.waits_to_write = false;
        self.next(slot)
    }
}
