//! `health`: what the manager concludes now.

use std::sync::Arc;

use usher_api::Report;
use usher_report::HealthInput;
use usher_site::{MESSAGES_LIMIT, MessageFilter};

use super::question::Question;
use crate::app::App;
use crate::dispatch::shown;
use crate::problem::Refusal;
use crate::routes::usage::answer::watched;
use crate::summary;

pub(super) async fn report(app: &Arc<App>, question: Question) -> Result<Report, Refusal> {
    let servers = watched(app);
    let components = summary::components(app).await?;
    let open = MessageFilter {
        open: true,
        limit: MESSAGES_LIMIT,
        ..MessageFilter::default()
    };
    let open = app.tools.site.messages(open).await?;
    let mut basis = question.basis();
    if open.len() >= MESSAGES_LIMIT as usize {
        basis.cut.push(usher_api::Cut {
            what: "open messages".to_owned(),
            why: format!("only the newest {MESSAGES_LIMIT} are shown"),
            before: None,
        });
    }
    let input = HealthInput {
        servers,
        components,
        open: open.iter().map(shown).collect(),
    };
    Ok(usher_report::health(&basis, input))
}
