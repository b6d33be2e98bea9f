//! The upgrade of a request to SPDY/3.1, and which upgrade a client asks for.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::sandbox::body::{self, Body};
use crate::sandbox::status::Status;

/// Says which versions of Kubernetes' protocol a client speaks, and which one the server has chosen.
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const SPDY: &str = "SPDY/3.1";

/// A connection that has become something else than HTTP.
pub(super) type Transport = TokioIo<Upgraded>;

fn upgrade(headers: &HeaderMap) -> &str {
    headers.get(header::UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether the client asks for a WebSocket.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    upgrade(headers).eq_ignore_ascii_case("websocket")
}

/// The words of a header that may come several times, with several words each, in the client's order.
pub(super) fn words(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',').map(|word| word.trim().to_owned())).collect()
}

/// An upgrade that was accepted.
pub(super) struct Accepted {
    upgrade: OnUpgrade,
    /// The chosen version of the protocol.
    pub(super) protocol: &'static str,
}

impl Accepted {
    /// The 101 response.
    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static(SPDY));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(self.protocol));
        response
    }

    /// The connection, once the response has been sent. None when the client went away before.
    pub(super) async fn open(self) -> Option<Transport> {
        self.upgrade.await.ok().map(TokioIo::new)
    }
}

/// Checks the request for an upgrade. The first version offered that is spoken is taken.
///
/// # Errors
/// 400 without an upgrade or a version, 403 when none of the versions is spoken.
pub(super) fn accept<B>(mut request: Request<B>, spoken: &[&'static str]) -> Result<Accepted, Status> {
    if !upgrade(request.headers()).eq_ignore_ascii_case(SPDY) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let offered = words(request.headers(), &PROTOCOL_VERSION);
    if offered.is_empty() {
        return Err(Status::bad_request("unable to upgrade: X-Stream-Protocol-Version is required"));
    }
    let protocol = offered.iter().find_map(|offer| spoken.iter().find(|known| *known == offer).copied());
    let protocol = protocol.ok_or_else(|| {
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports [{}], server accepts [{}]",
            offered.join(" "),
            spoken.join(" ")
        );
        Status::new(403, "Forbidden", message)
    })?;
    Ok(Accepted { upgrade: hyper::upgrade::on(&mut request), protocol })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(upgrade: &str, versions: &[&str]) -> Request<()> {
        let mut builder = Request::builder().header("Upgrade", upgrade);
        for version in versions {
            builder = builder.header("X-Stream-Protocol-Version", *version);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn the_first_known_version_wins() {
        let spoken = ["v4.channel.k8s.io", "channel.k8s.io"];
        let accepted =
            accept(request("SPDY/3.1", &["v9", "v4.channel.k8s.io", "channel.k8s.io"]), &spoken).unwrap();
        assert_eq!(accepted.protocol, "v4.channel.k8s.io");
        let accepted = accept(request("spdy/3.1", &["channel.k8s.io, v4.channel.k8s.io"]), &spoken).unwrap();
        assert_eq!(accepted.response().headers()["x-stream-protocol-version"], "channel.k8s.io");
    }

    #[test]
    fn what_is_not_spoken_is_refused() {
        let code =
            |upgrade: &str, versions: &[&str]| accept(request(upgrade, versions), &["a"]).err().unwrap().code;
        assert_eq!(code("SPDY/3.1", &["b"]), 403);
        assert_eq!(code("SPDY/3.1", &[]), 400);
        assert_eq!(code("SPDY/2", &["a"]), 400);
    }
}
