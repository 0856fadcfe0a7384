//! Access tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The beginning of every token, by which scanners find leaked tokens.
pub const TOKEN_PREFIX: &str = "usher_";

/// What a token's bearer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Check out, renew and check in for the one user that the token is bound to.
    Client,
    /// Report and ask for the one computer that the token is bound to.
    Agent,
    /// Take backups, and nothing else.
    Backup,
    /// See everything, and change products and entitlements in the name of a manager's users.
    Manager,
    /// See everything, change nothing.
    Viewer,
    /// See everything; check out and end leases for anyone.
    Operator,
    /// Do everything.
    Admin,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Agent => "agent",
            Role::Backup => "backup",
            Role::Manager => "manager",
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

/// The header in which a manager says on whose behalf it sends a request: a role and an id, such as
/// `operator m-12ab`. The request is allowed if both have the right.
pub const ON_BEHALF_OF: &str = "usher-on-behalf-of";

/// `POST /v1/tokens`: make a token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What its bearer may do.
    pub role: Role,
    /// A note for people what it is for.
    #[serde(default)]
    pub name: String,
    /// The user that it is bound to (role `client`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The realm of that user: a directory, or `computer:ID`; by default `usher`, which only tokens
    /// use. With the realm that agents know the user by, the token and the agents mean the same
    /// person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The computer that it is bound to (role `agent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
    /// When it stops working.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "expiry"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Reads an instant; none if it is after the last possible one, by which people mean "never".
fn expiry<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    match text.parse() {
        Ok(at) => Ok(Some(at)),
        Err(_) if text.starts_with("9999-12-3") => Ok(None),
        Err(_) => Err(serde::de::Error::custom(
            "`expires_at` is not an instant: write it like 2026-12-31T18:00:00Z",
        )),
    }
}

/// 201 of `POST /v1/tokens`: the only time the secret is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenCreated {
    /// The token itself: give it as `Authorization: Bearer TOKEN`.
    pub token: String,
    /// The token without its secret, as the server stores it.
    #[serde(flatten)]
    pub info: TokenInfo,
}

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenInfo {
    /// Token id, for `usher token revoke`.
    pub id: String,
    /// What its bearer may do.
    pub role: Role,
    /// What it is for.
    pub name: String,
    /// The user that it is bound to.
    pub user: Option<String>,
    /// The realm of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The computer that it is bound to.
    pub computer: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}
