//! Why something is not fetched.

use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

use super::super::url::Url;
use crate::domain::Problem;

/// Why a request came to nothing. Its text names the place without user info and query.
#[derive(Debug, Error)]
pub(in super::super) enum HttpError {
    /// The URL, or one that it led to, is none.
    #[error("{place}: {why}")]
    Address { place: String, why: String },
    /// No name, no route, nobody listens.
    #[error("no connection to {place}: {why}")]
    Unreachable { place: String, why: String },
    /// A proxy of the environment is in the way.
    #[error("the proxy {proxy} does not lead to {place}: {why}")]
    Proxy { proxy: String, place: String, why: String },
    /// The certificate is not trusted, or there is no TLS on the other side.
    #[error("no TLS with {place}: {why}")]
    Tls { place: String, why: String },
    /// It took too long.
    #[error("{place} {what} within {} s", limit.as_secs_f32())]
    Slow { place: String, what: &'static str, limit: Duration },
    /// The connection broke off, or what came is no HTTP.
    #[error("the answer of {place} broke off: {why}")]
    Broken { place: String, why: String },
    /// The body is larger than it may be.
    #[error("what {place} sends is larger than {limit} bytes")]
    TooLarge { place: String, limit: usize },
    /// One redirect after the other.
    #[error("{place} redirects more than {limit} times")]
    Redirects { place: String, limit: usize },
    /// From `https` to `http`.
    #[error("{from} redirects to {to}, which is not encrypted")]
    Downgrade { from: String, to: String },
    /// An answer that is not a success.
    #[error("{place} answers {status}{detail}")]
    Status { place: String, status: StatusCode, detail: String },
}

impl HttpError {
    /// An answer that is not a success, with what it says.
    pub(in super::super) fn status(url: &Url, status: StatusCode, body: &[u8]) -> Self {
        Self::Status { place: url.to_string(), status, detail: detail(body) }
    }

    /// Whether the other side could not be asked at all: what is cached may stand in for its answer.
    pub(in super::super) fn is_absence(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Proxy { .. } | Self::Slow { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }

    /// Whether the answer was that there is no such thing.
    pub(in super::super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. })
    }

    /// Whether somebody must log in first, or somebody else.
    pub(in super::super) fn is_denied(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. })
    }

    /// For people. `what` could not be done; `login` says how one logs in there.
    pub(in super::super) fn problem(&self, what: impl Into<String>, login: &str) -> Problem {
        let next = match self {
            _ if self.is_denied() => login,
            _ if self.is_not_found() => "look whether the location is spelled right, and still there",
            Self::Address { .. } => "correct the location",
            Self::Unreachable { .. } => {
                "look whether the name is right and the network is there; HTTPS_PROXY names a proxy"
            }
            Self::Proxy { .. } => {
                "correct HTTPS_PROXY and HTTP_PROXY, or except the host from them with NO_PROXY"
            }
            Self::Tls { .. } => {
                "add the authority that signed its certificate to the system's, or name its file in SSL_CERT_FILE"
            }
            Self::Slow { .. } | Self::Broken { .. } => "try it again later",
            Self::TooLarge { .. } => "look whether the location is the right one; this limit is fixed",
            Self::Redirects { .. } | Self::Downgrade { .. } => {
                "name the final location, or tell whoever runs that server"
            }
            Self::Status { .. } => "try it again later, or tell whoever runs that server",
        };
        Problem::new(what, self.to_string(), next)
    }
}

/// What an answer says of itself: the message of a registry's JSON, or a short plain text.
fn detail(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| json.pointer("/errors/0/message")?.as_str());
    let text = match (message, std::str::from_utf8(body)) {
        (Some(message), _) => message,
        (None, Ok(text)) if json.is_none() && !text.contains('<') => text,
        _ => "",
    };
    let line: String = text.trim().chars().take_while(|c| !c.is_control()).take(LONGEST).collect();
    if line.is_empty() { line } else { format!(": {line}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> HttpError {
        let url = Url::parse("https://u:secret@h/x?token=secret").unwrap();
        HttpError::status(&url, StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn an_answer_is_told_in_its_own_words() {
        let body = r#"{"errors":[{"code":"DENIED","message":"requested access is denied"}]}"#;
        let error = refused(403, body);
        assert_eq!(error.to_string(), "https://h/x?… answers 403 Forbidden: requested access is denied");
        assert_eq!(refused(502, "<html>").to_string(), "https://h/x?… answers 502 Bad Gateway");
        assert_eq!(refused(429, "slow down\u{1b}[2J").to_string().split(": ").last(), Some("slow down"));
        let problem = error.problem("The chart is not fetched", "log in");
        assert_eq!(problem.next, "log in");
    }

    #[test]
    fn only_silence_lets_the_cache_answer() {
        assert!(refused(503, "").is_absence() && refused(429, "").is_absence());
        assert!(!refused(404, "").is_absence() && !refused(401, "").is_absence());
        assert!(refused(404, "").is_not_found() && refused(401, "").is_denied());
    }
}
