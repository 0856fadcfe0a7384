//! `usher tls show`: shows a certificate as clients see it.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;
use usher_tls::{Identity, InFile};

use super::{Role, renewal, usual_folder};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{line, print_json, tame};

pub(super) fn run(file: &Path, context: &Context) -> Result<(), Failure> {
    let failed = |why: String| Failure::failed(format!("{}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let authority = usher_tls::authority(&text);
    if let Some(authority) = authority.as_ref().filter(|it| it.is_alone) {
        return show_authority(authority, context);
    }
    let identity: Identity = usher_tls::identity(&text).map_err(failed)?;
    let now_s = Timestamp::now().as_second();
    // As if it listened for everybody: what they would stumble over is worth telling.
    let notices = identity.notices_of(now_s, [0, 0, 0, 0].into(), &renewal_of(file));
    let authority = authority.as_ref().map(InFile::last_day);
    if context.json() {
        return print_json(&json!({
            "names": identity.names,
            "until": identity.last_day(),
            "authority_until": authority,
            "notices": notices,
        }));
    }
    line(format!("for        {}", tame(&identity.names.join(", "))))?;
    line(format!("until      {}", identity.last_day()))?;
    if let Some(authority) = authority {
        line(format!("authority  until {authority}"))?;
    }
    for notice in notices {
        line(format!("warning    {}", tame(&notice)))?;
    }
    Ok(())
}

/// Shows an authority's own certificate: people want to know when it expires. It is no server's
/// certificate, so the exit code is not 0.
fn show_authority(authority: &InFile, context: &Context) -> Result<(), Failure> {
    let why = "it is an authority's (CA:TRUE): clients trust it (--ca-file), and no server can use \
               it; `usher tls make` makes a server's";
    match context.json() {
        true => print_json(&json!({
            "names": [],
            "until": authority.last_day(),
            "authority_until": authority.last_day(),
            "notices": [why],
        }))?,
        false => {
            line(format!("authority  until {}", authority.last_day()))?;
            line(format!("warning    {why}"))?;
        }
    }
    Err(Failure::Quiet(exit::FAILED))
}

/// The command that makes the certificate in `file` again.
fn renewal_of(file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let is_managers = file.file_stem().is_some_and(|stem| stem == "manager");
    let role = match is_managers {
        true => Role::Manager,
        false => Role::Server,
    };
    let dir = file.parent().filter(|dir| *dir != usual_folder());
    renewal(role, &[], dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_again_where_it_lies_and_for_whom_it_is() {
        assert_eq!(
            renewal_of(Path::new("/srv/tls/manager.pem")),
            "usher tls make manager --renew --dir /srv/tls"
        );
        assert_eq!(
            renewal_of(&usual_folder().join("server.pem")),
            "usher tls make --renew"
        );
    }
}
