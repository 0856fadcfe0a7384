//! What a compositor says, by the protocol itself: a small one of this test's own at the other end.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};

use wayland_protocols::ext::idle_notify::v1::server::ext_idle_notification_v1::ExtIdleNotificationV1;
use wayland_protocols::ext::idle_notify::v1::server::ext_idle_notifier_v1::{
    ExtIdleNotifierV1, Request,
};
use wayland_server::protocol::wl_seat::WlSeat;
use wayland_server::{
    Client, DataInit, Dispatch, Display, DisplayHandle, GlobalDispatch, New, Resource,
};

use super::{QUIET, Seats};

/// Between two looks, and how long something is waited for.
const LOOK: std::time::Duration = std::time::Duration::from_millis(2);
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);

/// A compositor with one seat.
#[derive(Default)]
struct Compositor {
    watched: Vec<(ExtIdleNotificationV1, u32)>,
}

/// Whether anybody is at its seat, from now on.
type IsQuiet = bool;

impl Compositor {
    /// Runs until nobody tells it anything more.
    fn begin(has_protocol: bool) -> (Sender<IsQuiet>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut display: Display<Compositor> = Display::new().unwrap();
            let mut handle = display.handle();
            handle.create_global::<Compositor, WlSeat, ()>(1, ());
            if has_protocol {
                handle.create_global::<Compositor, ExtIdleNotifierV1, ()>(1, ());
            }
            handle.insert_client(ours, std::sync::Arc::new(())).unwrap();
            let mut compositor = Compositor::default();
            loop {
                display.dispatch_clients(&mut compositor).unwrap();
                match told.recv_timeout(LOOK) {
                    Ok(is_quiet) => compositor.says(is_quiet),
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                }
                display.flush_clients().unwrap();
            }
        });
        (tell, theirs)
    }

    fn says(&self, is_quiet: IsQuiet) {
        let (watched, after_ms) = self.watched.first().unwrap();
        assert_eq!(u128::from(*after_ms), QUIET.as_millis());
        match is_quiet {
            true => watched.idled(),
            false => watched.resumed(),
        }
    }
}

impl GlobalDispatch<WlSeat, ()> for Compositor {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        seat: New<WlSeat>,
        (): &(),
        made: &mut DataInit<'_, Self>,
    ) {
        made.init(seat, ());
    }
}

impl GlobalDispatch<ExtIdleNotifierV1, ()> for Compositor {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        notifier: New<ExtIdleNotifierV1>,
        (): &(),
        made: &mut DataInit<'_, Self>,
    ) {
        made.init(notifier, ());
    }
}

impl Dispatch<ExtIdleNotifierV1, ()> for Compositor {
    fn request(
        compositor: &mut Self,
        _: &Client,
        _: &ExtIdleNotifierV1,
        request: Request,
        (): &(),
        _: &DisplayHandle,
        made: &mut DataInit<'_, Self>,
    ) {
        if let Request::GetIdleNotification { id, timeout, .. } = request {
            compositor.watched.push((made.init(id, ()), timeout));
        }
    }
}

macro_rules! asks_nothing {
    ($($interface:ty),*) => {$(
        impl Dispatch<$interface, ()> for Compositor {
            fn request(
                _: &mut Self,
                _: &Client,
                _: &$interface,
                _: <$interface as Resource>::Request,
                (): &(),
                _: &DisplayHandle,
                _: &mut DataInit<'_, Self>,
            ) {
            }
        }
    )*};
}

asks_nothing!(WlSeat, ExtIdleNotificationV1);

async fn seats(theirs: UnixStream) -> Option<Seats> {
    Seats::of(super::Connection::from_socket(theirs).unwrap()).await
}

async fn becomes(seats: &Seats, what: impl Fn(Option<u64>) -> bool) {
    let looks = async {
        while !what(seats.idle_ms()) {
            // tidy: sleep, between two looks at what the other thread heard
            tokio::time::sleep(LOOK).await;
        }
    };
    let last = || format!("{:?}", seats.idle_ms());
    assert!(
        tokio::time::timeout(DEADLINE, looks).await.is_ok(),
        "{}",
        last()
    );
}

#[tokio::test]
async fn a_quiet_seat_is_idle_since_its_last_input_until_there_is_some_or_the_session_is_over() {
    let (compositor, theirs) = Compositor::begin(true);
    let seats = seats(theirs).await.unwrap();
    assert_eq!(seats.idle_ms(), Some(0));
    compositor.send(true).unwrap();
    let quiet_ms = QUIET.as_millis() as u64;
    becomes(&seats, |idle| idle.is_some_and(|ms| ms >= quiet_ms)).await;
    compositor.send(false).unwrap();
    becomes(&seats, |idle| idle == Some(0)).await;
    drop(compositor);
    becomes(&seats, |idle| idle.is_none()).await;
}

#[tokio::test]
async fn a_compositor_that_tells_of_no_idleness_is_no_witness() {
    let (_compositor, theirs) = Compositor::begin(false);
    assert!(seats(theirs).await.is_none());
}

#[tokio::test]
async fn a_compositor_that_hangs_is_left_for_good_by_who_gives_it_up() {
    let (mut silent, theirs) = UnixStream::pair().unwrap();
    let given_up = tokio::time::timeout(LOOK, seats(theirs)).await;
    assert!(given_up.is_err());
    silent.set_read_timeout(Some(DEADLINE)).unwrap();
    // What it was asked, and then the end.
    std::io::Read::read_to_end(&mut silent, &mut Vec::new()).unwrap();
}
