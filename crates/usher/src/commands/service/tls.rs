//! `usher service install` with a certificate: looked at before anything is written.

use std::path::PathBuf;

use usher_service::files::Role;

use super::Install;
use super::place::absolute;
use crate::failure::Failure;
use crate::listening;
use crate::listing::eprintln_quiet;

/// The certificate and key that the service is to show, if clients will accept them.
pub(super) fn files(args: &Install) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let address = match args.which.role() {
        Role::Server => Some(args.listen),
        Role::Manager => args.console,
        Role::Agent => return Ok(None),
    };
    // Where its settings say, they say with what, too.
    let address = address.unwrap_or_else(|| ([127, 0, 0, 1], 8480).into());
    let both = listening::tls_files(args.tls_cert.clone(), args.tls_key.clone())?;
    let Some((cert, key)) = both else {
        if !address.ip().is_loopback() && !args.plain_http {
            eprintln_quiet(&format!(
                "warning: {address} is beyond this computer: the service does not start without a \
                 certificate: give --tls-cert FILE and --tls-key FILE (`usher tls make` makes them)"
            ));
        }
        return Ok(None);
    };
    let (cert, key) = (absolute(&cert), absolute(&key));
    let files = usher_tls::ServerFiles {
        cert: cert.clone(),
        key: key.clone(),
    };
    let (_, identity) = files
        .read()
        .map_err(|refused| Failure::usage(refused.to_string()))?;
    let now_s = jiff::Timestamp::now().as_second();
    for notice in identity.notices(now_s, address.ip()) {
        eprintln_quiet(&format!("warning: {notice}"));
    }
    Ok(Some((cert, key)))
}
