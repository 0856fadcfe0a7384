//! Who asks the manager: the role and the id of the token that was shown.

use usher_api::Role;

use crate::app::App;
use crate::secrets::Shown;

/// The id under which the token of `admin.token` is recorded: it is none of the book's.
const ADMIN: &str = "admin.token";

/// Whoever has shown a token that is taken.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    shown: Shown,
    /// What it may.
    pub(crate) role: Role,
    /// The token's id.
    pub(crate) id: String,
}

impl Asker {
    /// Whose token that is; none: it is not taken.
    pub(crate) fn of(app: &App, shown: Shown) -> Option<Asker> {
        let (role, id) = match app.admin.is(shown) {
            true => (Role::Admin, ADMIN.to_owned()),
            false => app.book.whose(shown)?,
        };
        Some(Asker { shown, role, id })
    }

    /// Waits until the token is no longer taken.
    pub(crate) async fn ended(&self, app: &App) {
        match self.id == ADMIN {
            true => app.admin.ended(self.shown).await,
            false => app.book.ended(self.shown).await,
        }
    }
}
