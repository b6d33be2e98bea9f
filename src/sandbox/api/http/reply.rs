//! Responses, and the form in which a client wants objects.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::query::Query;
use crate::sandbox::body::{self, Body};
use crate::sandbox::object;
use crate::sandbox::printing::{self, Columns, Include, Printer};
use crate::sandbox::status::Status;

/// The form in which a client gets objects.
#[derive(Debug, Clone)]
pub enum View {
    /// As they are.
    Full,
    /// `PartialObjectMetadata`: no more than their metadata.
    Metadata {
        /// `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`.
        api_version: &'static str,
        /// Whether a list was asked for.
        list: bool,
    },
    /// `Table`: as the rows of what `kubectl get` shows.
    Table(Arc<Printer>),
}

impl View {
    /// Whether objects are sent as they are.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }

    /// An answer of one object in this form.
    pub fn of(&self, value: &Arc<Value>, now: Timestamp) -> Arc<Value> {
        match self {
            Self::Full => value.clone(),
            Self::Metadata { api_version, .. } => Arc::new(printing::partial(value, api_version)),
            Self::Table(printer) => Arc::new(printer.table(value, now)),
        }
    }

    /// The object of an event in this form.
    pub fn of_event(&self, value: &Arc<Value>, now: Timestamp) -> Arc<Value> {
        match self {
            Self::Table(printer) => Arc::new(printer.event(value, now)),
            _ => self.of(value, now),
        }
    }

    /// Refuses the metadata of a list for one object, and the other way round.
    ///
    /// # Errors
    /// 406.
    pub fn check(&self, answers_list: bool, kind: &str) -> Result<(), Status> {
        let Self::Metadata { list, .. } = *self else { return Ok(()) };
        let text = match (list, answers_list) {
            (true, false) => format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list ({kind})"
            ),
            (false, true) => format!(
                "you requested PartialObjectMetadata, but the requested object is a list ({kind}List)"
            ),
            _ => return Ok(()),
        };
        Err(Status::new(406, "NotAcceptable", text))
    }
}

/// What `Accept` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Objects as they are.
    Plain,
    /// `PartialObjectMetadata` in this version of `meta.k8s.io`, of an object or of a list.
    Metadata(&'static str, bool),
    /// `Table` in this version of `meta.k8s.io`.
    Table(&'static str),
}

impl Form {
    /// Reads `Accept`: of the forms that the server can make, the one with the highest quality, and of these the first.
    ///
    /// # Errors
    /// 406 when there is none.
    pub fn accepted(headers: &HeaderMap) -> Result<Self, Status> {
        let accept = header_text(headers, header::ACCEPT);
        if accept.trim().is_empty() {
            return Ok(Self::Plain);
        }
        let mut clauses: Vec<(f32, &str)> =
            accept.split(',').map(|clause| (quality(clause), clause.trim())).collect();
        clauses.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found = clauses.into_iter().find_map(|(_, clause)| Self::of(clause));
        let text = "only the following media types are accepted: application/json";
        found.ok_or_else(|| Status::new(406, "NotAcceptable", text))
    }

    /// The form that one clause names; `None` for one that cannot be made.
    fn of(clause: &str) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        if !matches!(parts.next(), Some("application/json" | "*/*")) {
            return None;
        }
        let (mut form, mut group, mut version) = ("", "", "");
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name {
                "as" => form = value,
                "g" => group = value,
                "v" => version = value,
                _ => {}
            }
        }
        let api_version = match (group, version) {
            _ if form.is_empty() => return Some(Self::Plain),
            ("meta.k8s.io", "v1") => "meta.k8s.io/v1",
            ("meta.k8s.io", "v1beta1") => "meta.k8s.io/v1beta1",
            _ => return None,
        };
        match form {
            "Table" => Some(Self::Table(api_version)),
            "PartialObjectMetadata" => Some(Self::Metadata(api_version, false)),
            "PartialObjectMetadataList" => Some(Self::Metadata(api_version, true)),
            _ => None,
        }
    }

    /// How objects are sent in this form; `columns` are asked for only if they are needed.
    ///
    /// # Errors
    /// 400 for an unknown `includeObject`.
    pub fn view(self, query: &Query, columns: impl FnOnce() -> Columns) -> Result<View, Status> {
        let api_version = match self {
            Self::Plain => return Ok(View::Full),
            Self::Metadata(api_version, list) => return Ok(View::Metadata { api_version, list }),
            Self::Table(api_version) => api_version,
        };
        let wanted = query.text("includeObject");
        let include = Include::parse(wanted).ok_or_else(|| {
            let rule = "must be 'Metadata', 'Object', 'None', or empty";
            let text = format!("includeObject: Invalid value: {wanted:?}: {rule}");
            Status::bad_request(format!("Unable to convert to Table as requested: {text}"))
        })?;
        Ok(View::Table(Arc::new(Printer::new(columns(), include, api_version))))
    }
}

/// How much a clause of `Accept` is wanted: 1 unless it says otherwise.
fn quality(clause: &str) -> f32 {
    let value = clause.split(';').find_map(|part| part.trim().strip_prefix("q="));
    value.and_then(|value| value.parse().ok()).unwrap_or(1.0)
}

/// A list of stored objects, in the version and the form that the client wants.
pub fn list_text(call: &Call, metadata: &Value, items: &[Arc<Value>]) -> String {
    let now = call.api.now();
    let served = items.iter().map(|item| call.as_served(item));
    let (kind, api_version) = match &call.view {
        View::Full => (format!("{}List", call.kind.kind), call.kind.api_version()),
        View::Metadata { api_version, .. } => {
            ("PartialObjectMetadataList".to_owned(), (*api_version).to_owned())
        }
        View::Table(printer) => return printer.list(metadata, served.map(|item| printer.row(&item, now))),
    };
    let head = (json!(kind), json!(api_version));
    let mut text =
        format!("{{\"kind\":{},\"apiVersion\":{},\"metadata\":{metadata},\"items\":[", head.0, head.1);
    for (index, item) in served.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&call.view.of(&item, now).to_string());
    }
    text.push_str("]}");
    text
}

/// A header as text, empty when it is absent or no text.
pub fn header_text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A JSON response.
pub fn json_response(code: u16, text: String) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// An object as a response.
pub fn object_response(code: u16, value: &Value) -> Response<Body> {
    json_response(code, value.to_string())
}

/// A refusal as a response; what can be tried again says when.
pub fn refusal(status: &Status) -> Response<Body> {
    let mut response = object_response(status.code, &status.to_value());
    if let Some(seconds) = status.details.get("retryAfterSeconds").and_then(Value::as_u64) {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response
}

/// `Status` of a deletion that removed the object.
pub fn deleted(resource: &str, value: &Value) -> Value {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut details = json!({"name": object::name(value), "kind": plural, "uid": object::uid(value)});
    if !group.is_empty() {
        details["group"] = json!(group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Result<Form, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Form::accepted(&headers).map_err(|status| status.code)
    }

    #[test]
    fn the_first_form_that_can_be_made_is_taken() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(accepted("application/json"), Ok(Form::Plain));
        assert_eq!(accepted(&format!("{table},application/json")), Ok(Form::Table("meta.k8s.io/v1")));
        let kubectl = "application/json;as=Table;g=meta.k8s.io;v=v1beta1,application/json";
        assert_eq!(accepted(kubectl), Ok(Form::Table("meta.k8s.io/v1beta1")));
        assert_eq!(accepted("application/vnd.kubernetes.protobuf,application/json"), Ok(Form::Plain));
        assert_eq!(
            accepted("application/json;as=Table;v=v2;g=meta.k8s.io,application/json"),
            Ok(Form::Plain)
        );
        let metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        assert_eq!(accepted(metadata), Ok(Form::Metadata("meta.k8s.io/v1", false)));
        for refused in [
            "application/yaml",
            "application/*",
            "application/json;as=Table",
            "application/json;as=Chair;v=v1;g=meta.k8s.io",
        ] {
            assert_eq!(accepted(refused), Err(406), "{refused}");
        }
    }

    #[test]
    fn quality_goes_before_order() {
        let table = "as=Table;v=v1;g=meta.k8s.io";
        let plain_first = format!("application/json;q=0.5,application/json;{table}");
        assert_eq!(accepted(&plain_first), Ok(Form::Table("meta.k8s.io/v1")));
        let table_last = format!("application/json;q=0.5;{table},*/*;q=0.9");
        assert_eq!(accepted(&table_last), Ok(Form::Plain));
    }

    #[test]
    fn what_stands_beside_a_row_is_checked() {
        let view = |query: &str| {
            let view = Form::Table("meta.k8s.io/v1").view(&Query::parse(query), || Columns::BuiltIn(&[]));
            view.map(|_| ()).map_err(|status| status.message)
        };
        assert_eq!(view("includeObject=None"), Ok(()));
        let why = "Unable to convert to Table as requested: includeObject: Invalid value: \"Foo\": must be 'Metadata', 'Object', \
                   'None', or empty";
        assert_eq!(view("includeObject=Foo"), Err(why.to_owned()));
    }
}
