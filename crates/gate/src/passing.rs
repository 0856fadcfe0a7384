//! Messages with a descriptor beside them, over a pair of sockets that keeps messages apart.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::protocol::SIZE;

/// What a read brought.
pub(crate) enum Received {
    /// A message, and the descriptor that came with it.
    Message([u8; SIZE], Option<OwnedFd>),
    /// Nothing is there to be read now.
    Nothing,
    /// The other end is gone, or what came is no message.
    End,
}

/// Two ends; neither blocks, and no child inherits them.
pub(crate) fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
}

/// Sends; `Errno::AGAIN` if the other end does not take its messages.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    message: &[u8; SIZE],
    beside: Option<BorrowedFd<'_>>,
) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = beside.as_slice();
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::NOBUFS);
    }
    let message = [IoSlice::new(message)];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    retry_on_intr(|| sendmsg(socket, &message, &mut ancillary, flags)).map(drop)
}

/// Takes one message, without waiting.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> Received {
    let mut bytes = [0; SIZE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = retry_on_intr(|| {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        recvmsg(socket, &mut slices, &mut ancillary, flags)
    });
    let length = match received {
        Ok(received) => received.bytes,
        Err(Errno::AGAIN) => return Received::Nothing,
        Err(_) => return Received::End,
    };
    let beside = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    if length == SIZE {
        Received::Message(bytes, beside)
    } else {
        Received::End
    }
}
