//! A listening socket with the backlog and the options that std's has not.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen as listen_on, socket_with};

pub(crate) fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // A port whose last server has just gone is free; one that is served is not.
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen_on(&socket, backlog)?;
    Ok(TcpListener::from(socket))
}
