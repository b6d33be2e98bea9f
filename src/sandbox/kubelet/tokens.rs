//! Tokens of ServiceAccounts in volumes: each is issued once and replaced before it grows old, as a real kubelet does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::sandbox::access::tokens::{DEFAULT_SECONDS, issue};
use crate::sandbox::api::Api;
use crate::sandbox::object;

/// A token that is so old is replaced, however long it holds.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// Whose token: the pod's uid, the audience, the seconds.
type Key = (String, String, i64);

/// The tokens of the node's pods.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<Key, Kept>>);

struct Kept {
    token: String,
    issued: Timestamp,
    expires: Timestamp,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Kept {
    /// A fifth of its time is left, or less, or it is a day old.
    fn is_old(&self, now: Timestamp) -> bool {
        let (age, whole) = (now.duration_since(self.issued), self.expires.duration_since(self.issued));
        age >= OLDEST || age.as_millis() * 5 >= whole.as_millis() * 4
    }
}

impl Tokens {
    /// The token of a pod for a `serviceAccountToken` source.
    ///
    /// # Errors
    /// The end of a sentence: there is no such account.
    pub(super) fn get(&self, api: &Api, pod: &Value, source: &Value) -> Result<String, String> {
        let audience = object::text(source, "/audience");
        let seconds = source["expirationSeconds"].as_i64().unwrap_or(DEFAULT_SECONDS);
        let key = (object::uid(pod).to_owned(), audience.to_owned(), seconds);
        let now = api.now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = kept.get(&key).filter(|present| !present.is_old(now)) {
            return Ok(present.token.clone());
        }
        let account = match object::text(pod, "/spec/serviceAccountName") {
            "" => "default",
            name => name,
        };
        let audiences: Vec<String> =
            Some(audience.to_owned()).filter(|audience| !audience.is_empty()).into_iter().collect();
        let issued = issue(api, object::namespace(pod), account, &audiences, Some(seconds), Some(pod))
            .map_err(|status| format!("failed to fetch token: {}", status.message))?;
        let (token, expires) = (issued.token.clone(), issued.expires);
        kept.insert(key, Kept { token: issued.token, issued: now, expires });
        Ok(token)
    }

    /// The pod is gone.
    pub(super) fn forget(&self, pod: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(uid, _, _), _| uid != pod);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_when_a_fifth_of_its_time_is_left_or_after_a_day() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let hour = Kept { token: String::new(), issued: at(0), expires: at(3600) };
        assert!(!hour.is_old(at(2879)) && hour.is_old(at(2880)));
        let year = Kept { token: String::new(), issued: at(0), expires: at(31_536_000) };
        assert!(!year.is_old(at(86_399)) && year.is_old(at(86_400)));
    }
}
