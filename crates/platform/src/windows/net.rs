//! A listening socket. Windows gives an address to nobody else while a socket that shares nothing
//! has it, and free again as soon as that is closed; it keeps the backlog that std asks for.

use std::io;
use std::net::{SocketAddr, TcpListener};

pub(crate) fn listen(address: SocketAddr, _backlog: i32) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}
