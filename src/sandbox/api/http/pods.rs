//! Subresources of pods that stream: they go to the node.

use std::sync::Arc;

use http::{Method, Request, Response};

use super::call::Call;
use crate::sandbox::body::Body;
use crate::sandbox::runtime::Runtime;
use crate::sandbox::status::Status;
use crate::sandbox::streaming;

/// The subresources that the node answers.
pub const STREAMED: [&str; 4] = ["log", "exec", "attach", "portforward"];

/// `log`, `exec`, `attach`, `portforward`.
pub async fn stream<B: Send>(
    call: &Call,
    request: Request<B>,
    subresource: &str,
    runtime: Option<Arc<dyn Runtime>>,
) -> Result<Response<Body>, Status> {
    let method = request.method();
    if *method != Method::GET && (subresource == "log" || *method != Method::POST) {
        return Err(call.not_allowed(method));
    }
    let pod = call.stored()?;
    let Some(runtime) = runtime else {
        return Err(Status::not_implemented(&format!("{subresource} without a node")));
    };
    Ok(streaming::handle(request, pod, subresource, runtime).await)
}
