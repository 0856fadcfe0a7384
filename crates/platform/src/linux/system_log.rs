//! RFC 3164, as every syslog daemon and journald take it, facility daemon.

use std::io;
use std::os::unix::net::UnixDatagram;

use crate::terms::Weight;

const SYSTEM_LOG: &str = "/dev/log";
const DAEMON: u32 = 3;

pub(crate) fn write(program: &str, weight: Weight, line: &str) -> io::Result<()> {
    let severity = match weight {
        Weight::Error => 3,
        Weight::Warning => 4,
        Weight::Information => 6,
    };
    let line = format!(
        "<{}>{program}[{}]: {line}",
        DAEMON * 8 + severity,
        std::process::id()
    );
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match socket.send_to(line.as_bytes(), SYSTEM_LOG) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        sent => sent.map(drop),
    }
}
