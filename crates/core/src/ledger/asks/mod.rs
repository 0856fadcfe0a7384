//! Requests for seats: looked up, granted, refused, renewed and given back.

pub(super) mod asker;
pub(super) mod bundle;
pub(super) mod checkout;
pub(super) mod grant;
pub(super) mod refuse;
pub(super) mod renew;
