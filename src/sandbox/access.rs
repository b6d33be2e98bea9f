//! Who asks, and what they may do: as on a real API server, authentication first, then role-based access control.
//!
//! ```text
//! request → identity (token, or the pipe) → impersonation → attributes (verb, resource, name) → rbac → answered or 403
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::sandbox::api::Api;

pub mod aggregation;
pub mod attributes;
pub mod controllers;
pub mod defaults;
pub mod escalation;
pub mod impersonation;
pub mod jwt;
pub mod key;
pub mod rbac;
pub mod rules;
pub mod tokens;

/// The group that may do everything, whatever the roles say.
pub const MASTERS: &str = "system:masters";
/// The group of everybody who is known.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The user who shows nothing.
pub const ANONYMOUS: &str = "system:anonymous";
/// The group of those who show nothing.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The ConfigMap by which the pods of a namespace know the API server's certificate.
pub const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";

/// Who sends a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `admin`, `system:serviceaccount:demo:default`.
    pub name: String,
    /// What tells two users of the same name apart; empty when nothing does.
    pub uid: String,
    /// The groups, `system:authenticated` among them.
    pub groups: Vec<String>,
    /// What else is known, by key.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Whoever comes through the in-memory pipe or holds the sandbox's own token: everything is allowed.
    pub fn admin() -> Self {
        Self { name: "admin".into(), groups: vec![MASTERS.into(), AUTHENTICATED.into()], ..Self::default() }
    }

    /// Whoever shows nothing.
    pub fn anonymous() -> Self {
        Self { name: ANONYMOUS.into(), groups: vec![UNAUTHENTICATED.into()], ..Self::default() }
    }

    /// Whether they belong to a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether they may do everything, whatever the roles say.
    pub fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }
}

/// The bearer tokens that are known.
#[derive(Default)]
pub struct Tokens {
    admin: Option<String>,
    accounts: Option<Api>,
}

impl Tokens {
    /// Knows the sandbox's own token, which may do everything.
    pub fn new(admin: String) -> Self {
        Self { admin: Some(admin), accounts: None }
    }

    /// Knows the tokens of the ServiceAccounts of a sandbox as well, and lets its TokenReviews know the sandbox's own.
    #[must_use]
    pub fn with_accounts(mut self, api: Api) -> Self {
        if let Some(admin) = &self.admin {
            api.credentials().know_admin(admin);
        }
        self.accounts = Some(api);
        self
    }

    /// Whose token it is; `None` when nobody's.
    pub fn identify(&self, token: &str) -> Option<Identity> {
        if self.admin.as_deref().is_some_and(|known| key::is_same(known.as_bytes(), token.as_bytes())) {
            return Some(Identity::admin());
        }
        let api = self.accounts.as_ref()?;
        tokens::identify(api, token, &[tokens::AUDIENCE]).ok().map(|known| known.identity)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("accounts", &self.accounts.is_some()).finish_non_exhaustive()
    }
}
