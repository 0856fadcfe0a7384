//! The witnesses of a poll: the service manager, the API and the work.

use std::time::Duration;

use usher_api::GrantsNothing;
use usher_core::health::{Observation, ServiceManagerWord};

use super::Work;
use crate::data_lock;

/// How long a service manager may take to answer.
pub(super) const ASK: Duration = Duration::from_secs(5);

impl Work {
    pub(super) async fn observe(&self) -> (Observation, Option<GrantsNothing>) {
        let token = self.token.read();
        let (service_manager, look) = tokio::join!(
            self.ask_service_manager(),
            self.tools
                .prober
                .look(&self.server.name, &self.server.url, &token)
        );
        let seen = Observation {
            service_manager,
            api: look.api,
            work: look.work,
        };
        (seen, look.grants_nothing)
    }

    async fn ask_service_manager(&self) -> ServiceManagerWord {
        let (unit, data) = (self.server.unit.clone(), self.server.data.clone());
        if unit.is_none() && data.is_none() {
            return ServiceManagerWord::NotAsked;
        }
        let service_manager = self.tools.service_manager.clone();
        let asked = tokio::task::spawn_blocking(move || match (unit, data) {
            (Some(unit), _) => service_manager.ask(&unit),
            (None, Some(data)) => data_lock::ask(data.as_ref()),
            (None, None) => ServiceManagerWord::NotAsked,
        });
        match tokio::time::timeout(ASK, asked).await {
            Ok(Ok(word)) => word,
            Ok(Err(_)) => ServiceManagerWord::NoAnswer("the question failed".to_owned()),
            Err(_) => ServiceManagerWord::NoAnswer(format!("no answer within {} s", ASK.as_secs())),
        }
    }
}
