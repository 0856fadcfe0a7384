//! Keeping a seat, and giving it back.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Lease};

use super::bounds::GIVE_BACK;
use crate::failure::is_absence;
use crate::listing::{eprintln_quiet, escaped};
use crate::time;

/// Who gives a lease back if no server answers now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    /// The agent, as soon as a server answers: it knows the process that keeps the lease.
    ByAgent,
    /// Nobody: the lease ends with its ttl.
    WithItsTtl,
}

/// Gives a lease back, with a few quick attempts.
pub(crate) async fn give_back(client: &Client, lease: &Lease, later: Later) {
    let path = format!("/v1/leases/{}", escaped(&lease.id));
    let tries = async {
        while let Err(error) = client.delete(&path).await {
            // The agent goes on trying by itself.
            if !is_absence(&error) || is_of_agent(&error) {
                return Err(error);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    };
    let given_back = timeout(GIVE_BACK, tries).await;
    match given_back {
        Ok(Ok(())) => {}
        Ok(Err(error)) if !is_of_agent(&error) => {
            eprintln_quiet(&format!("usher: the seat could not be given back: {error}"))
        }
        Ok(Err(_)) | Err(_) => eprintln_quiet(&format!(
            "usher: the seat could not be given back now, as no server answers; {}",
            not_now(lease, later)
        )),
    }
}

/// The text on what happens to the lease then.
fn not_now(lease: &Lease, later: Later) -> String {
    match later {
        Later::ByAgent => "the agent of this computer gives it back as soon as one does".to_owned(),
        Later::WithItsTtl => format!(
            "it comes free by itself within {}",
            time::span(lease.ttl_seconds.into())
        ),
    }
}

/// Whether the agent says that the server is away.
fn is_of_agent(error: &ClientError) -> bool {
    let problem = error.problem();
    problem.is_some_and(|problem| problem.is(Code::ServerUnreachable))
}

/// Keeps a lease alive. Returns only if the server says that it has ended.
pub(crate) async fn keep(client: &Client, lease: &Lease) {
    let path = format!("/v1/leases/{}/renew", escaped(&lease.id));
    let mut ttl = Duration::from_secs(lease.ttl_seconds.max(1).into());
    let mut complained = false;
    loop {
        sleep(ttl / 3).await;
        loop {
            let error = match client.post_empty::<Lease>(&path).await {
                Ok(lease) => {
                    ttl = Duration::from_secs(lease.ttl_seconds.max(1).into());
                    complained = false;
                    break;
                }
                Err(error) => error,
            };
            if error.problem().is_some_and(|p| p.is(Code::UnknownLease)) {
                return;
            }
            if !complained {
                eprintln_quiet(&format!(
                    "usher: the seat could not be renewed, trying on: {error}"
                ));
                complained = true;
            }
            sleep((ttl / 10).clamp(Duration::from_millis(200), Duration::from_secs(5))).await;
        }
    }
}
