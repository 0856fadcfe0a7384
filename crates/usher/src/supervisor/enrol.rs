//! The token of this computer's agent: made by the first start, kept, and made again if the
//! server does not know it any more.

use std::io;
use std::path::{Path, PathBuf};

use usher_api::client::{Client, Endpoint};
use usher_api::{Code, Page, ProductView, Role, TokenCreated, TokenRequest};
use usher_platform::account::Account;
use usher_platform::files::{self, Readers};

use crate::failure::Failure;
use crate::host;

/// The file, in the agent's folder.
pub(crate) const TOKEN_FILE: &str = "agent.token";

/// Makes sure that the agent of `data` has a token that the server accepts; returns the file that
/// holds it.
pub(super) async fn agent_token(
    data: &Path,
    server: &str,
    authority: Option<&Path>,
    computer_id_file: Option<&Path>,
) -> Result<PathBuf, Failure> {
    let folder = data.join("agent");
    make_folder(&folder).map_err(|error| {
        Failure::failed(format!(
            "cannot make the agent's folder {}: {error}",
            folder.display()
        ))
    })?;
    let authority =
        match authority {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                Failure::usage(format!("cannot read {}: {error}", path.display()))
            })?),
            None => None,
        };
    let client = |token: String| {
        Client::new(
            Endpoint::Url(server.to_owned()),
            Some(token),
            authority.as_deref(),
        )
    };
    let file = folder.join(TOKEN_FILE);
    if let Ok(token) = usher_api::secret_in(&file)
        && is_taken(&client(token)?).await?
    {
        return Ok(file);
    }
    let admin = files::read_own_text(&data.join("admin.token"), 4_096).map_err(|error| {
        Failure::failed(format!(
            "cannot read {}: {error}",
            data.join("admin.token").display()
        ))
        .next("The server makes it at its first start; `usher up --no-agent` does without.")
    })?;
    let computer = usher_agent::computer_id(&folder, computer_id_file).map_err(|error| {
        Failure::failed(format!("cannot make an id for this computer: {error}"))
    })?;
    let request = TokenRequest {
        role: Role::Agent,
        name: format!("agent of {}", host::computer()),
        user: None,
        realm: None,
        computer: Some(computer),
        expires_at: None,
    };
    let made: TokenCreated = client(admin.trim().to_owned())?
        .post_keyed("/v1/tokens", &host::request_key(), &request)
        .await?;
    write_secret(&file, &made.token).map_err(|error| {
        Failure::failed(format!(
            "cannot write the agent's token to {}: {error}",
            file.display()
        ))
    })?;
    Ok(file)
}

/// Whether the server accepts the token, whatever its role.
async fn is_taken(client: &Client) -> Result<bool, Failure> {
    match client
        .get::<Page<ProductView>>("/v1/products?limit=1")
        .await
    {
        Ok(_) => Ok(true),
        Err(error) => match error.problem() {
            Some(problem) => Ok(!problem.is(Code::Unauthorized)),
            None => Err(error.into()),
        },
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match files::make_private_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // The server's account may make folders beside it.
    let found = std::fs::symlink_metadata(folder)?;
    match found.is_dir() && files::owner(&found)? == Account::own()? {
        true => Ok(()),
        false => Err(io::Error::other(
            "what is there is another account's: remove it, or move it away",
        )),
    }
}

/// Writes it completely or not at all, readable only by its owner.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_extension("part");
    let line = format!("{text}\n");
    files::put(file, &part, Readers::Nobody, line.as_bytes())
}
