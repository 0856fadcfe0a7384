//! The sender of a request to the manager: the role and the id of its token.

use usher_api::Role;

use crate::app::App;
use crate::secrets::Shown;

/// The id by which records refer to the token in `admin.token`, which is not in the book.
const ADMIN: &str = "admin.token";

/// The sender of a request with a valid token.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    shown: Shown,
    /// The role, which decides what it may do.
    pub(crate) role: Role,
    /// The token's id.
    pub(crate) id: String,
}

impl Asker {
    /// The sender with this token; none: the token is not valid.
    pub(crate) fn of(app: &App, shown: Shown) -> Option<Asker> {
        let (role, id) = match app.admin.is(shown) {
            true => (Role::Admin, ADMIN.to_owned()),
            false => app.book.whose(shown)?,
        };
        Some(Asker { shown, role, id })
    }

    /// Waits until the token is no longer valid.
    pub(crate) async fn ended(&self, app: &App) {
        match self.id == ADMIN {
            true => app.admin.ended(self.shown).await,
            false => app.book.ended(self.shown).await,
        }
    }
}
