//! Asking a Service something over HTTP, through the API server: it reaches pods that this machine may not.

use std::time::Duration;

use http::{Request, header};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::core::Status;
use tokio::time::{Instant, timeout};

use super::Cluster;
use super::error::ClusterError;

/// How much of an answer is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// What is asked of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Its port, by name or number; the one without a name when empty.
    pub port: String,
    /// Whether it speaks TLS. Its certificate is not checked.
    pub tls: bool,
    /// The path, and the query when there is one (`/healthz?full=1`).
    pub path: String,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// What a Service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// How long it took, with the way through the API server.
    pub millis: u64,
    /// The beginning of the body, up to 64 KiB.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub truncated: bool,
    /// Where a redirect leads; it is not followed.
    pub location: Option<String>,
}

impl ServiceRequest {
    /// `GET http://web:80/healthz in demo`, as errors name it.
    fn describe(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let port = if self.port.is_empty() { String::new() } else { format!(":{}", self.port) };
        format!("GET {scheme}://{}{port}{} in {}", self.service, self.path, self.namespace)
    }

    /// The path at the API server.
    fn uri(&self) -> Result<String, String> {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        for (what, text) in [("namespace", &self.namespace), ("service", &self.service), ("port", &self.port)]
        {
            if !plain(text) || (text.is_empty() && what != "port") {
                return Err(format!("'{text}' cannot name a {what}"));
            }
        }
        let (path, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        // it would lead away from the Service, to other objects of the API server
        let climbs =
            |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if !path.starts_with('/') || path.split('/').any(climbs) || self.path.contains('#') {
            return Err(format!(
                "'{}' is no path: it begins with '/', and has no '..' and no '#'",
                self.path
            ));
        }
        let scheme = if self.tls { "https" } else { "" };
        let name = match (scheme, self.port.as_str()) {
            ("", "") => self.service.clone(),
            ("", port) => format!("{}:{port}", self.service),
            (scheme, port) => format!("{scheme}:{}:{port}", self.service),
        };
        Ok(format!("/api/v1/namespaces/{}/services/{name}/proxy{}", self.namespace, self.path))
    }
}

impl Cluster {
    /// Asks a Service (GET), through the API server's proxy. Whatever status it answers is an answer.
    ///
    /// # Errors
    /// When the Service does not exist, has no ready pod, does not answer in time, or the API server does not let us.
    pub async fn http_get(&self, request: &ServiceRequest) -> Result<HttpAnswer, ClusterError> {
        let object = request.describe();
        let invalid = |message: String| ClusterError::Invalid { object: object.clone(), message };
        let uri = request.uri().map_err(invalid)?;
        let asked = Request::get(uri).header(header::ACCEPT, "*/*").body(Body::empty());
        let asked = asked.map_err(|error| invalid(error.to_string()))?;
        match timeout(request.timeout, self.ask(asked, &object)).await {
            Ok(answer) => answer.map_err(|error| error.asked("get", "services/proxy", &request.namespace)),
            Err(_) => {
                let message = format!("no answer within {} s", request.timeout.as_secs_f64());
                Err(ClusterError::Other { object, message })
            }
        }
    }

    async fn ask(&self, request: Request<Body>, object: &str) -> Result<HttpAnswer, ClusterError> {
        let begin = Instant::now();
        let answered = self.0.client.send(request).await;
        let answer = answered.map_err(|error| ClusterError::from_kube(object, &error))?;
        let (head, mut rest) = answer.into_parts();
        let (mut body, mut truncated) = (Vec::new(), false);
        while let Some(frame) = rest.frame().await {
            let frame = frame.map_err(|error| ClusterError::from_kube(object, &error))?;
            let Ok(data) = frame.into_data() else { continue };
            let room = (KEPT - body.len()).min(data.len());
            body.extend_from_slice(&data[..room]);
            if room < data.len() {
                truncated = true;
                break;
            }
        }
        let status = head.status.as_u16();
        if let Some(own) = of_the_server(status, &body) {
            return Err(ClusterError::from_status(object, &own));
        }
        let location = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        Ok(HttpAnswer {
            status,
            millis: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            body,
            truncated,
            location: location.map(str::to_owned),
        })
    }
}

/// What the API server says itself, instead of the Service.
fn of_the_server(status: u16, body: &[u8]) -> Option<Status> {
    if status < 400 {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    if value["kind"] != "Status" || value["apiVersion"] != "v1" || value["code"] != status {
        return None;
    }
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(port: &str, path: &str) -> ServiceRequest {
        ServiceRequest {
            namespace: "demo".into(),
            service: "web".into(),
            port: port.into(),
            tls: false,
            path: path.into(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_path_names_service_and_port() {
        let base = "/api/v1/namespaces/demo/services";
        assert_eq!(request("80", "/a?b=/../c").uri(), Ok(format!("{base}/web:80/proxy/a?b=/../c")));
        assert_eq!(request("", "/").uri(), Ok(format!("{base}/web/proxy/")));
        let secure = ServiceRequest { tls: true, ..request("https", "/") };
        assert_eq!(secure.uri(), Ok(format!("{base}/https:web:https/proxy/")));
    }

    #[test]
    fn nothing_leads_away_from_the_service() {
        for path in ["", "a", "/../x", "/a/..", "/%2e%2E/x", "/a/%2E./b", "/./a", "/a#b"] {
            assert!(request("80", path).uri().is_err(), "{path}");
        }
        assert!(request("80/x", "/").uri().is_err());
        let other = ServiceRequest { service: "web/proxy".into(), ..request("80", "/") };
        assert!(other.uri().is_err() && ServiceRequest { service: String::new(), ..other }.uri().is_err());
    }

    #[test]
    fn only_the_servers_own_words_are_an_error() {
        let own =
            br#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503, "message": "m"}"#;
        assert_eq!(of_the_server(503, own).map(|status| status.message), Some("m".into()));
        assert!(of_the_server(500, own).is_none(), "it is of another code");
        assert!(of_the_server(503, b"{\"kind\": \"Page\"}").is_none() && of_the_server(404, b"no").is_none());
    }
}
