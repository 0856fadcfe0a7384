//! This computer and its accounts, as the agent names them to the server.

use std::sync::Arc;

use usher_api::Subject;
use usher_core::sessions::AccountKey;

use crate::agent::teller::Teller;
use crate::store::computer_id::SharedId;
use crate::system::accounts::Accounts;
use crate::system::computer::Computer;

/// This computer, its accounts and names, as the agent knows them.
pub(crate) struct Here {
    pub(crate) computer: Computer,
    pub(crate) accounts: Arc<Accounts>,
    /// Held as long as this agent runs: no other has its id.
    _shared_id: Option<SharedId>,
}

impl Here {
    /// A computer whose accounts are not known yet.
    pub(crate) fn new(computer: Computer, shared_id: Option<SharedId>) -> Self {
        Here {
            computer,
            accounts: Arc::new(Accounts::new()),
            _shared_id: shared_id,
        }
    }

    /// Says what happens here in the words of the wire.
    pub(crate) fn teller(&self) -> Teller<'_> {
        Teller {
            accounts: &self.accounts,
            computer: &self.computer.id,
        }
    }

    /// Whom an account of this computer is known as.
    pub(crate) fn subject(&self, account: AccountKey) -> Subject<'static> {
        self.teller().subject(account)
    }
}
