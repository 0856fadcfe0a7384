//! A TCP address that one process serves alone.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::system::net as system;

/// Listens on `address`, not shared: a second process on the same port fails with the kind
/// `AddrInUse`. A port whose last server has just gone is free. Up to `backlog` connections wait to
/// be accepted, if the system allows as many.
///
/// # Errors
/// The address is taken, not this computer's, or not allowed to this process.
pub fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    system::listen(address, backlog)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn an_address_is_served_by_one_and_free_again_at_once() {
        let first = listen("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = first.local_addr().unwrap();
        let taken = listen(address, 16).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        let client = TcpStream::connect(address).unwrap();
        drop(first.accept().unwrap());
        drop((client, first));
        listen(address, 16).unwrap();
    }
}
