//! Writes and the disk: a client is told that its write is done when it is on the disk, and begins none while the disk fails.
//!
//! What the cluster itself writes meanwhile (controllers, the node) stays in memory and follows when the disk takes it again:
//! it tells what is, and would be wrong if it stood still.

use std::time::Duration;

use http::Method;

use super::Server;
use super::call::Call;
use crate::sandbox::status::Status;

/// How long a write waits until it is on the disk.
const DURABLE_WITHIN: Duration = Duration::from_secs(10);

/// Whether a request may change what is stored.
pub(super) fn stores(call: &Call, method: &Method, subresource: &str) -> bool {
    *method != Method::GET
        && !call.kind.is_review()
        && subresource != "token"
        && call.query.dry_run(call.options) != Ok(true)
}

impl Server {
    /// Why the disk takes no writes now, if it does not.
    pub(super) fn disk_problem(&self) -> Option<String> {
        self.kept.as_ref()?.borrow().problem.clone()
    }

    /// Whether the disk takes writes; `None` when nothing is kept.
    pub(super) fn disk_is_well(&self) -> Option<bool> {
        self.kept.as_ref().map(|kept| kept.borrow().problem.is_none())
    }

    /// Refuses a write while the disk fails.
    ///
    /// # Errors
    /// 500.
    pub(super) fn check_disk(&self) -> Result<(), Status> {
        match self.disk_problem() {
            None => Ok(()),
            Some(why) => Err(internal(format!("nothing can be written while the disk fails: {why}"))),
        }
    }

    /// Waits until everything written so far is on the disk.
    ///
    /// # Errors
    /// 500 when it is not, or not in time. Then it is in memory alone until the disk takes it.
    pub(super) async fn wait_until_kept(&self) -> Result<(), Status> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let revision = self.api.revision();
        let mut kept = kept.clone();
        let done = tokio::time::timeout(DURABLE_WITHIN, kept.wait_for(|kept| kept.covers(revision))).await;
        let why = match done {
            Ok(Ok(state)) => match &state.problem {
                None => return Ok(()),
                Some(problem) => problem.clone(),
            },
            Ok(Err(_)) => "the sandbox is stopping".to_owned(),
            Err(_) => "the disk is too slow".to_owned(),
        };
        Err(internal(format!("the write is in memory, and not on the disk yet: {why}")))
    }
}

fn internal(message: String) -> Status {
    Status::new(500, "InternalError", message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;
    use http_body_util::{BodyExt, Full};
    use tokio::sync::watch;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::sandbox::api::Api;
    use crate::sandbox::clock::SystemClock;
    use crate::sandbox::persist::Kept;

    async fn ask(server: &Server, method: &str, path: &str, body: &'static str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let response = server.handle(request.body(Full::from(body)).unwrap()).await;
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn while_the_disk_fails_nothing_is_written_and_the_server_is_not_ready() {
        let api = Api::new(Arc::new(SystemClock), 1);
        let (disk, kept) = watch::channel(Kept { revision: u64::MAX, problem: None });
        let server = Server::new(api, Some(kept), CancellationToken::new());
        let maps = "/api/v1/namespaces/default/configmaps";
        let map = |name: &str| format!("{maps}/{name}");
        let (code, _) = ask(&server, "POST", maps, r#"{"metadata":{"name":"a"}}"#).await;
        assert_eq!(code, 201);
        assert_eq!(ask(&server, "GET", "/readyz", "").await, (200, "ok".to_owned()));
        disk.send_modify(|kept| kept.problem = Some("disk I/O error".to_owned()));
        for (method, path) in [("POST", maps.to_owned()), ("PUT", map("a")), ("DELETE", map("a"))] {
            let (code, text) = ask(&server, method, &path, r#"{"metadata":{"name":"b"}}"#).await;
            assert_eq!(code, 500, "{method} {text}");
            assert!(text.contains("nothing can be written while the disk fails: disk I/O error"), "{text}");
        }
        assert_eq!(
            ask(&server, "GET", &map("a"), "").await.0,
            200,
            "what is there can be read, and is there"
        );
        assert_eq!(ask(&server, "GET", &map("b"), "").await.0, 404, "what was refused is nowhere");
        let review = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        assert_eq!(ask(&server, "POST", review, r#"{"spec":{"namespace":"a"}}"#).await.0, 201);
        let failed = "[+]ping ok\n[-]storage failed: reason withheld\nreadyz check failed\n";
        assert_eq!(ask(&server, "GET", "/readyz", "").await, (500, failed.to_owned()));
        assert_eq!(ask(&server, "GET", "/readyz/storage", "").await.0, 500);
        assert_eq!(ask(&server, "GET", "/livez", "").await.0, 200);
        disk.send_modify(|kept| kept.problem = None);
        assert_eq!(ask(&server, "DELETE", &map("a"), "").await.0, 200);
        let passed = "[+]ping ok\n[+]storage ok\nreadyz check passed\n";
        assert_eq!(ask(&server, "GET", "/readyz?verbose", "").await, (200, passed.to_owned()));
    }
}
