//! The API over HTTP: one request in, one response out.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::sync::watch as signal;
use tokio_util::sync::CancellationToken;

mod about;
mod authorize;
mod call;
mod change;
mod deprecation;
mod discovery;
mod duplicates;
mod eviction;
mod keeping;
mod metrics;
mod patching;
mod payload;
mod pods;
mod proxy;
mod query;
mod read;
mod reply;
mod review;
mod route;
mod scale;
mod token;
mod unenforced;
mod warnings;
mod watch;

pub(in crate::sandbox) use authorize::asked;
pub use discovery::{GIT_VERSION, entries as discovery_entries};
pub(in crate::sandbox) use query::Query;
pub use reply::refusal;
pub(in crate::sandbox) use route::{Route, Target, parse as parse_route};

use call::Call;

use super::Api;
use super::write::Part;
use crate::sandbox::access::Identity;
use crate::sandbox::body::Body;
use crate::sandbox::openapi::Documents;
use crate::sandbox::persist::Kept;
use crate::sandbox::runtime::Runtime;
use crate::sandbox::status::Status;

/// Answers requests.
pub struct Server {
    api: Api,
    runtime: OnceLock<Arc<dyn Runtime>>,
    kept: Option<signal::Receiver<Kept>>,
    stop: CancellationToken,
    documents: Arc<Documents>,
}

type Answer = Result<Response<Body>, Status>;

impl Server {
    /// A server of these objects; `kept` tells how far they are on the disk. Watches end with `stop`.
    pub fn new(api: Api, kept: Option<signal::Receiver<Kept>>, stop: CancellationToken) -> Self {
        Self { api, runtime: OnceLock::new(), kept, stop, documents: Arc::default() }
    }

    /// Gives the server the node that answers for pods; the first one stays.
    pub fn set_runtime(&self, runtime: Arc<dyn Runtime>) {
        let _ = self.runtime.set(runtime);
    }

    /// The objects.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Ends with the server.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stop
    }

    /// Answers one request. Never fails: a refusal is a response.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let route = route::parse(request.uri().path());
        let answer = match (authorize::admit(&self.api, &route, &request), route) {
            (Err(refused), _) => Err(refused),
            (Ok(user), Route::Resource(target)) => self.resource(target, user, request).await,
            (Ok(_), other) => self.about(&other, &request).await,
        };
        answer.unwrap_or_else(|status| refusal(&status))
    }

    async fn resource<B>(&self, target: Target, user: Arc<Identity>, request: Request<B>) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // what is asked of a pod is not for this server
        let proxied = target.subresource.as_deref() == Some("proxy");
        let query = Query::parse(request.uri().query().filter(|_| !proxied).unwrap_or(""));
        let call = Call::new(&self.api, user, target, (query, request.method(), request.headers()))?;
        if let Some(warning) = deprecation::warning(&self.api, &call.kind) {
            call.validation.warn(warning);
        }
        if let Some(warning) = unenforced::warning(&call.kind, request.method()) {
            call.validation.warn(warning.to_owned());
        }
        let validation = call.validation.clone();
        let answer = self.answer(call, request).await;
        let mut response = answer.unwrap_or_else(|status| refusal(&status));
        warnings::add(&mut response, &validation.warnings());
        Ok(response)
    }

    async fn answer<B>(&self, mut call: Call, request: Request<B>) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let method = request.method().clone();
        let subresource = call.target.subresource.clone().unwrap_or_default();
        let answers_list = call.target.name.is_none() && method != Method::POST && !call.query.flag("watch");
        call.view.check(answers_list, &call.kind.kind)?;
        if call.kind.storage() == "pods" && pods::STREAMED.contains(&subresource.as_str()) {
            return pods::stream(&call, request, &subresource, self.runtime.get().cloned()).await;
        }
        if subresource == "proxy" && proxy::PROXIED.contains(&call.kind.storage().as_str()) {
            return proxy::answer(&call, request, self.runtime.get().cloned()).await;
        }
        if call.kind.is_measured() {
            return metrics::answer(&call, &method, self.runtime.get().cloned());
        }
        if method == Method::GET && subresource.is_empty() && !call.kind.is_review() {
            return self.read(call).await;
        }
        let bytes = payload::from_protobuf(&mut call, payload::read(request.into_body()).await?)?;
        if !keeping::stores(&call, &method, &subresource) {
            return write(&call, &method, &subresource, &bytes);
        }
        self.check_disk()?;
        let response = write(&call, &method, &subresource, &bytes)?;
        self.wait_until_kept().await?;
        Ok(response)
    }

    async fn read(&self, call: Call) -> Answer {
        match (call.target.name.is_some(), call.query.flag("watch")) {
            _ if call.target.watch => watch::watch(call, self.stop.clone()).await,
            // A real server, too, reads one object whatever `watch` says.
            (true, _) => read::get(&call).await,
            (false, false) => read::list(&call).await,
            (false, true) => watch::watch(call, self.stop.clone()).await,
        }
    }
}

/// Everything that has a body or changes something.
fn write(call: &Call, method: &Method, subresource: &str, bytes: &[u8]) -> Answer {
    let named = call.target.name.is_some();
    if call.kind.is_review() {
        return if *method == Method::POST && !named {
            review::answer(call, bytes)
        } else {
            Err(call.not_allowed(method))
        };
    }
    let storage = call.kind.storage();
    if call.kind.is_never_made() {
        return Err(Status::not_implemented(&storage));
    }
    match (subresource, named) {
        ("", false) => match *method {
            Method::POST if call.kind.namespaced && call.namespace().is_none() => {
                Err(call.not_allowed(method))
            }
            Method::POST => change::create(call, bytes),
            Method::DELETE if discovery::deletes_collections(&call.kind) => {
                change::delete_collection(call, bytes)
            }
            _ => Err(call.not_allowed(method)),
        },
        ("", true) => match *method {
            Method::PUT => change::update(call, bytes, Part::Main),
            Method::PATCH => patching::patch(call, bytes, Part::Main),
            Method::DELETE => change::delete(call, bytes),
            _ => Err(call.not_allowed(method)),
        },
        ("status", true) if call.kind.status => match *method {
            Method::GET => read::get_stored(call),
            Method::PUT => change::update(call, bytes, Part::Status),
            Method::PATCH => patching::patch(call, bytes, Part::Status),
            _ => Err(call.not_allowed(method)),
        },
        ("scale", true) if call.kind.scale => match *method {
            Method::GET => scale::get(call),
            Method::PUT => scale::update(call, bytes),
            Method::PATCH => scale::patch(call, bytes),
            _ => Err(call.not_allowed(method)),
        },
        ("finalize", true) if storage == "namespaces" && *method == Method::PUT => {
            change::update(call, bytes, Part::Finalize)
        }
        ("eviction", true) if storage == "pods" && *method == Method::POST => eviction::evict(call, bytes),
        ("binding" | "ephemeralcontainers" | "resize", true) if storage == "pods" => {
            Err(Status::not_implemented(&format!("pods/{subresource}")))
        }
        ("token", true) if storage == "serviceaccounts" && *method == Method::POST => {
            token::request(call, bytes)
        }
        _ => Err(Status::unknown_resource()),
    }
}
