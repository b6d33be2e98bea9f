//! In front of the API server: who asks, and whether there is room for one more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;
use super::patience::{Patient, Placed};
use crate::sandbox::access::{Identity, Tokens};
use crate::sandbox::api::http::{Server, refusal};
use crate::sandbox::body::Body;
use crate::sandbox::faults::Faults;
use crate::sandbox::status::Status;

/// What everybody may ask, as in a cluster whose anonymous requests are restricted to these paths.
const OPEN: [&str; 4] = ["healthz", "livez", "readyz", "version"];

/// Whether somebody known has asked something on a connection.
#[derive(Debug, Default)]
pub struct Known(AtomicBool);

impl Known {
    /// Whether it is so.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that may be carried out, and the room that it takes.
struct Admitted {
    request: Request<Incoming>,
    place: OwnedSemaphorePermit,
    turn: Option<OwnedSemaphorePermit>,
}

/// Hands requests on to the API server.
pub struct Front {
    server: Arc<Server>,
    faults: Faults,
    tokens: Tokens,
    requests: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    limits: Limits,
}

impl Front {
    /// In front of `server`, for those who have one of the tokens.
    pub fn new(server: Arc<Server>, faults: Faults, tokens: Tokens, limits: Limits) -> Self {
        let requests = Arc::new(Semaphore::new(limits.requests));
        let writes = Arc::new(Semaphore::new(limits.writes));
        Self { server, faults, tokens, requests, writes, limits }
    }

    /// Answers one request; a refusal is a response.
    ///
    /// # Errors
    /// The connection is to be cut, as a fault rule says.
    pub async fn answer(&self, request: Request<Incoming>, known: &Known) -> io::Result<Response<Body>> {
        match self.admit(request, known).await {
            Ok(admitted) => self.carry_out(admitted).await,
            Err(status) => Ok(refusal(&status)),
        }
    }

    async fn admit(&self, mut request: Request<Incoming>, known: &Known) -> Result<Admitted, Status> {
        let identity = match bearer(request.headers()) {
            Some(token) => {
                let identity = self.tokens.identify(token).ok_or_else(unauthorized)?;
                known.0.store(true, Ordering::Relaxed);
                identity
            }
            None if is_open(request.uri().path()) => Identity::anonymous(),
            None => return Err(unauthorized()),
        };
        request.extensions_mut().insert(identity);
        let place = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| too_many())?;
        let turn = match *request.method() {
            Method::GET | Method::HEAD => None,
            _ => Some(self.turn().await?),
        };
        Ok(Admitted { request, place, turn })
    }

    async fn carry_out(&self, admitted: Admitted) -> io::Result<Response<Body>> {
        let Admitted { request, place, turn } = admitted;
        let request = request.map(|body| Patient::new(body, self.limits.body));
        let response = self.faults.through(&self.server, request).await;
        drop(turn);
        Ok(response?.map(|body| Placed::new(body, place).boxed_unsync()))
    }

    /// Waits until this request may bring its body.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Status> {
        let waiting = Arc::clone(&self.writes).acquire_owned();
        match tokio::time::timeout(self.limits.turn, waiting).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(too_many()),
        }
    }
}

/// The token of `Authorization: Bearer …`; any other header is as good as none, as in Kubernetes.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn is_open(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    OPEN.contains(&first)
}

fn unauthorized() -> Status {
    Status::new(401, "Unauthorized", "Unauthorized")
}

/// 429, to be tried again after a second.
fn too_many() -> Status {
    let mut status = Status::new(429, "TooManyRequests", "Too many requests, please try again later.");
    status.details = serde_json::json!({"retryAfterSeconds": 1});
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_counts() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("Bearer"), None);
        assert_eq!(of("Bearer "), None);
    }

    #[test]
    fn health_and_version_are_open() {
        for path in ["/healthz", "/livez/ping", "/version", "/version/"] {
            assert!(is_open(path), "{path}");
        }
        for path in ["/", "/api", "/versions", "/api/v1/namespaces/version"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
