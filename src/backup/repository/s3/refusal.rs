//! What a bucket says when it does not do what was asked.

use http::StatusCode;

use super::super::error::StorageError;
use super::super::storage::File;
use super::client::{Answer, Failure};

/// The longest text of a service that is shown.
const LONGEST: usize = 300;

/// An answer that is no success, or none at all.
#[derive(Debug)]
pub(super) enum Refusal {
    Answer { status: StatusCode, code: String, message: String },
    Failure(Failure),
}

impl Refusal {
    pub(super) fn of_answer(answer: &Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body);
        let mut message = element(&text, "Message").unwrap_or_default();
        if let Some(region) = &answer.region {
            message = format!("{message} (its region is {region})");
        }
        let code = element(&text, "Code").unwrap_or_default();
        Self::Answer { status: answer.status, code, message }
    }

    pub(super) fn of_failure(failure: Failure) -> Self {
        Self::Failure(failure)
    }

    /// What to say while it is tried again; none when that makes no sense.
    pub(super) fn passing(&self) -> Option<String> {
        match self {
            Self::Failure(Failure::Network(why)) => Some(why.clone()),
            Self::Failure(Failure::Tls(_) | Failure::Defect(_)) => None,
            Self::Answer { .. } if self.is_full() => None,
            Self::Answer { status, code, .. } => {
                let busy = matches!(
                    code.as_str(),
                    "SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable"
                );
                let again = matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504);
                (busy || again).then(|| self.words())
            }
        }
    }

    fn is_full(&self) -> bool {
        let Self::Answer { status, code, .. } = self else { return false };
        let named = ["quota", "storagefull", "insufficientstorage", "capacityexceeded", "nospace"];
        let code = code.to_ascii_lowercase();
        *status == StatusCode::INSUFFICIENT_STORAGE || named.iter().any(|word| code.contains(word))
    }

    fn words(&self) -> String {
        let Self::Answer { status, code, message } = self else { return String::new() };
        let parts = [status.to_string(), code.clone(), message.clone()];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
        text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    }

    /// What it means for whoever asked.
    pub(super) fn error(&self, place: &str, file: Option<&File>) -> StorageError {
        let place = place.to_owned();
        let (status, code) = match self {
            Self::Failure(Failure::Network(why)) => {
                return StorageError::Unreachable { place, why: why.clone() };
            }
            Self::Failure(Failure::Tls(why)) => return StorageError::Untrusted { place, why: why.clone() },
            Self::Failure(Failure::Defect(why)) => return StorageError::Refused { place, why: why.clone() },
            Self::Answer { status, code, .. } => (*status, code.as_str()),
        };
        let why = self.words();
        match (status.as_u16(), code) {
            _ if self.is_full() => StorageError::Full { place, why },
            (_, "NoSuchBucket") => StorageError::NoPlace { place },
            (404, _) => match file {
                Some(file) => StorageError::Missing { file: file.path() },
                None => StorageError::NoPlace { place },
            },
            (_, "RequestTimeTooSkewed") => {
                StorageError::Refused { place, why: format!("{why}; compare the clock of this machine") }
            }
            (401 | 403, _) => StorageError::Denied { place, why },
            _ => StorageError::Refused { place, why },
        }
    }
}

/// The text of an XML element without children; the first one of that name.
fn element(text: &str, name: &str) -> Option<String> {
    let from = text.find(&format!("<{name}>"))? + name.len() + 2;
    let length = text[from..].find(&format!("</{name}>"))?;
    let text = &text[from..from + length];
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> Refusal {
        let body = body.to_owned().into();
        let status = StatusCode::from_u16(status).unwrap();
        Refusal::of_answer(&Answer { status, body, region: None, from: None })
    }

    fn error(status: u16, code: &str) -> String {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>a &lt;b&gt;</Message></Error>"
        );
        refused(status, &body).error("s3:x/y", None).to_string()
    }

    #[test]
    fn refusals_are_told_apart() {
        assert_eq!(error(404, "NoSuchBucket"), "s3:x/y does not exist");
        assert_eq!(error(403, "AccessDenied"), "s3:x/y does not let us: 403 Forbidden: AccessDenied: a <b>");
        assert!(error(403, "QuotaExceeded").contains("is full"));
        assert!(error(507, "").contains("is full"));
        assert!(error(403, "RequestTimeTooSkewed").contains("the clock of this machine"));
        assert!(error(301, "PermanentRedirect").contains("refuses"));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [429, 500, 503, 504] {
            assert!(refused(status, "").passing().is_some(), "{status}");
        }
        for status in [301, 400, 403, 404, 501, 507] {
            assert!(refused(status, "<html>").passing().is_none(), "{status}");
        }
        assert!(refused(400, "<Error><Code>RequestTimeout</Code></Error>").passing().is_some());
        assert!(refused(500, "<Error><Code>XMinioStorageFull</Code></Error>").passing().is_none());
    }
}
