//! Certificates: what is shown of them. The key is never here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a certificate says, as it lies in a Secret or as a server showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its subject, as people read it: the common name, or the first of its names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names that it is for, wildcards and addresses among them.
    pub names: Vec<String>,
    /// When it begins to hold.
    pub not_before: Timestamp,
    /// When it ends to hold.
    pub not_after: Timestamp,
    /// When the first certificate of its chain ends to hold: never later than [`Self::not_after`].
    pub earliest: Timestamp,
    /// The SHA-256 of the certificate, in hex: equal ones are the same.
    pub fingerprint: String,
}

impl Certificate {
    /// Days before its end from which a certificate that nobody renews is worth a look.
    pub const SOON: i64 = 21;

    /// Whole days until the first certificate of its chain ends to hold; negative ones since.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.earliest.as_second() - now.as_second()).div_euclid(86_400)
    }
}

/// What cert-manager says of a certificate that it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerReport {
    /// The Certificate's name.
    pub name: String,
    /// Whether the certificate is there and right; none: it does not say.
    pub ready: Option<bool>,
    /// Whether it is making one now.
    pub issuing: bool,
    /// The reason, CamelCase.
    pub reason: String,
    /// In words.
    pub message: String,
    /// When it will be made anew.
    pub renewal: Option<Timestamp>,
}

impl ManagerReport {
    /// Whether a new certificate is made in time, as far as cert-manager says: then a short-lived one is no news.
    pub fn renews(&self, now: Timestamp) -> bool {
        self.ready != Some(false) && self.renewal.is_some_and(|at| now < at)
    }
}
