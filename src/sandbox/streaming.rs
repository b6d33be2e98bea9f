//! The streaming subresources of a pod: `log` over plain HTTP; `exec`, `attach` and `portforward` over SPDY/3.1 or a WebSocket,
//! in every version of Kubernetes' protocols.
//!
//! | subresource | SPDY | WebSocket |
//! |---|---|---|
//! | exec, attach | v5 (as v4), v4, v3, v2, v1 `.channel.k8s.io` | v5, v4, v1, the last two also as base64; none means v1 |
//! | portforward | `portforward.k8s.io` | `SPDY/3.1+portforward.k8s.io` (SPDY in a tunnel), v4, also as base64; none means v4 |
//!
//! Nothing is held in memory beyond a few messages per stream: who reads slowly slows the process down.

mod forward;
mod query;
mod session;
mod socket;
#[doc(hidden)]
pub mod spdy;
mod upgrade;

use std::sync::Arc;

use futures::TryStreamExt;
use http::{Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;

pub use query::decode_pairs;

use super::body::{self, Body};
use super::runtime::Runtime;
use super::status::Status;

/// Answers a request for `log`, `exec`, `attach` or `portforward` of `pod`.
///
/// The request must come from a hyper server connection that was served with upgrades.
pub async fn handle<B: Send>(
    request: Request<B>,
    pod: Arc<Value>,
    subresource: &str,
    runtime: Arc<dyn Runtime>,
) -> Response<Body> {
    let pairs = decode_pairs(request.uri().query().unwrap_or_default());
    let answer = match subresource {
        "log" => log(&pod, &pairs, runtime.as_ref()).await,
        "exec" | "attach" => match query::exec_options(&pairs) {
            Ok(options) => session::handle(request, &pod, subresource == "attach", options, runtime).await,
            Err(status) => Err(status),
        },
        "portforward" => forward::handle(request, pod, &pairs, runtime),
        other => Err(Status::not_implemented(&format!("the subresource {other} of pods"))),
    };
    answer.unwrap_or_else(|status| refusal(&status))
}

async fn log(
    pod: &Value,
    pairs: &[(String, String)],
    runtime: &dyn Runtime,
) -> Result<Response<Body>, Status> {
    let options = query::log_options(pairs)?;
    let stream = runtime.logs(pod, options).await?;
    let mut response = Response::new(StreamBody::new(stream.map_ok(Frame::data)).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    Ok(response)
}

fn refusal(status: &Status) -> Response<Body> {
    let mut response = Response::new(body::full(status.to_value().to_string()));
    *response.status_mut() = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
