//! What the server says of itself: health, version, discovery, OpenAPI.

use http::{HeaderMap, HeaderValue, Method, Request, Response, header};

use super::query::Query;
use super::route::{OpenApi, Route};
use super::{Answer, Server, discovery, reply};
use crate::sandbox::api::{Api, definitions};
use crate::sandbox::body::{self, Body};
use crate::sandbox::kinds::Kinds;
use crate::sandbox::openapi::{self, Document, Served};
use crate::sandbox::status::Status;

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";
const PROTOBUF_2: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// How kubectl up to 1.26 asks for it.
const PROTOBUF_2_OLD: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

impl Server {
    /// Answers what is about no resource.
    pub(super) async fn about<B>(&self, route: &Route, request: &Request<B>) -> Answer {
        let method = request.method();
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Status::new(405, "MethodNotAllowed", format!("{method} is not supported here")));
        }
        let query = Query::parse(request.uri().query().unwrap_or(""));
        match route {
            Route::Health(probe, check) => health(probe, check, query.has("verbose"), self.disk_is_well()),
            Route::OpenApi(wanted) => self.open_api(wanted.clone(), &query, request.headers()).await,
            _ => {
                let host = request.uri().authority().map_or_else(
                    || reply::header_text(request.headers(), header::HOST).to_owned(),
                    ToString::to_string,
                );
                discover(&self.api, route, request.headers(), &host)
            }
        }
    }

    async fn open_api(&self, wanted: OpenApi, query: &Query, headers: &HeaderMap) -> Answer {
        let media = accepted(reply::header_text(headers, header::ACCEPT), &wanted).ok_or_else(|| {
            Status::new(
                406,
                "NotAcceptable",
                "the OpenAPI document is not served in any of the accepted forms",
            )
        })?;
        let (documents, served) = (self.documents.clone(), served(&self.api));
        let of = wanted.clone();
        // The first time, it takes a while.
        let made = tokio::task::spawn_blocking(move || match &of {
            OpenApi::Version2 => Some(documents.version_2(&served, media == PROTOBUF_2)),
            OpenApi::Index => Some(documents.index(&served)),
            OpenApi::Version3(group, version) => documents.version_3(&served, group, version),
        });
        let document = match made.await {
            Ok(Some(document)) => document,
            Ok(None) => return Ok(page_not_found()),
            Err(_) => {
                return Err(Status::new(500, "InternalError", "the OpenAPI document could not be made"));
            }
        };
        let hash = query.text("hash");
        if matches!(wanted, OpenApi::Version3(..)) && !hash.is_empty() {
            return Ok(by_hash(&wanted, hash, &document, headers));
        }
        Ok(tagged(document, media, headers))
    }
}

/// What the documents describe, as it is now.
fn served(api: &Api) -> Served {
    let objects = api.objects();
    Served {
        version: discovery::GIT_VERSION.to_owned(),
        kinds: objects.kinds.all().iter().map(|kind| (kind.clone(), discovery::entries(kind))).collect(),
        definitions: objects.list(definitions::RESOURCE, None),
    }
}

/// The first of the accepted media types in which a document is served.
fn accepted(accept: &str, wanted: &OpenApi) -> Option<&'static str> {
    if accept.trim().is_empty() {
        return Some(JSON);
    }
    accept.split(',').find_map(|media| match media.split(';').next().unwrap_or("").trim() {
        JSON | "*/*" | "application/*" => Some(JSON),
        PROTOBUF_2 | PROTOBUF_2_OLD if *wanted == OpenApi::Version2 => Some(PROTOBUF_2),
        _ => None,
    })
}

/// A document that was asked for by its hash: it can be kept for ever, or it has another hash by now.
fn by_hash(wanted: &OpenApi, hash: &str, document: &Document, headers: &HeaderMap) -> Response<Body> {
    if hash == document.hash {
        let mut response = tagged(document.clone(), JSON, headers);
        let keep = HeaderValue::from_static("public, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, keep);
        return response;
    }
    let OpenApi::Version3(group, version) = wanted else { return page_not_found() };
    let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
    let mut response = Response::new(body::empty());
    *response.status_mut() = http::StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::try_from(format!("/openapi/v3/{path}?hash={}", document.hash)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A document with its `ETag`; nothing but that when the client has it already.
fn tagged(document: Document, media: &'static str, headers: &HeaderMap) -> Response<Body> {
    let tag = format!("\"{}\"", document.hash);
    let known = reply::header_text(headers, header::IF_NONE_MATCH);
    let has_it = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if has_it { body::empty() } else { body::full(document.bytes) });
    if has_it {
        *response.status_mut() = http::StatusCode::NOT_MODIFIED;
    }
    let all = response.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    all.insert(header::VARY, HeaderValue::from_static("Accept"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        all.insert(header::ETAG, tag);
    }
    response
}

fn discover(api: &Api, route: &Route, headers: &HeaderMap, host: &str) -> Answer {
    let accept = reply::header_text(headers, header::ACCEPT);
    let objects = api.objects();
    let kinds = &objects.kinds;
    let value = match route {
        Route::CoreVersions | Route::Groups => {
            let core = *route == Route::CoreVersions;
            if let Some(version) = aggregated_version(accept) {
                return Ok(aggregated(kinds, core, version, headers));
            }
            if core { discovery::core_versions(host) } else { discovery::groups(kinds) }
        }
        Route::Index => discovery::index(kinds),
        Route::Version => discovery::version(),
        Route::Group(group) => match discovery::group(kinds, group) {
            Some(group) => group,
            None => return Ok(page_not_found()),
        },
        Route::Types(group, version) => {
            discovery::types(kinds, group, version).ok_or_else(Status::unknown_resource)?
        }
        Route::Nothing | Route::Health(..) | Route::OpenApi(_) | Route::Resource(_) => {
            return Ok(reply::object_response(404, &discovery::index(kinds)));
        }
    };
    Ok(reply::object_response(200, &value))
}

/// The version of `apidiscovery.k8s.io` that a client prefers to the plain form, if any.
fn aggregated_version(accept: &str) -> Option<&'static str> {
    for media in accept.split(',') {
        let parts: Vec<&str> = media.split(';').map(str::trim).collect();
        let has = |part: &str| parts.contains(&part);
        if !has("g=apidiscovery.k8s.io") && matches!(parts[0], JSON | "*/*") {
            return None;
        }
        if has(JSON) && has("g=apidiscovery.k8s.io") && has("as=APIGroupDiscoveryList") {
            match parts.iter().find_map(|part| part.strip_prefix("v=")) {
                Some("v2") => return Some("v2"),
                Some("v2beta1") => return Some("v2beta1"),
                _ => {}
            }
        }
    }
    None
}

fn aggregated(kinds: &Kinds, core: bool, version: &str, headers: &HeaderMap) -> Response<Body> {
    let bytes = discovery::aggregated(kinds, core, version).to_string().into_bytes();
    let document = Document { hash: openapi::hash(&bytes), bytes: bytes.into() };
    let media = if version == "v2" {
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    } else {
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
    };
    tagged(document, media, headers)
}

/// `/healthz`, `/livez`, `/readyz`: a sandbox that answers is alive. One that keeps its objects is ready while its disk takes
/// them; to end it for that would lose what it still holds, so it lives on.
fn health(probe: &str, check: &str, verbose: bool, storage: Option<bool>) -> Answer {
    let mut checks = vec![("ping", true)];
    checks.extend(storage.filter(|_| probe != "livez").map(|well| ("storage", well)));
    if !check.is_empty() {
        return Ok(match checks.iter().find(|(name, _)| *name == check) {
            Some((_, true)) => plain("ok".to_owned()),
            Some((name, false)) => failed(format!("internal server error: {name} failed\n")),
            None => page_not_found(),
        });
    }
    let well = checks.iter().all(|(_, well)| *well);
    if well && !verbose {
        return Ok(plain("ok".to_owned()));
    }
    let mut text: String = checks
        .iter()
        .map(|(name, well)| match well {
            true => format!("[+]{name} ok\n"),
            false => format!("[-]{name} failed: reason withheld\n"),
        })
        .collect();
    text.push_str(&format!("{probe} check {}\n", if well { "passed" } else { "failed" }));
    Ok(if well { unsniffed(plain(text)) } else { failed(text) })
}

fn failed(text: String) -> Response<Body> {
    let mut response = unsniffed(plain(text));
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn unsniffed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn plain(text: String) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PLAIN));
    response
}

/// What a web server says of a page that it does not have.
fn page_not_found() -> Response<Body> {
    let mut response = unsniffed(plain("404 page not found\n".to_owned()));
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_served_is_taken() {
        let json = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let both = format!("{json},{},application/json", json.replace("v=v2", "v=v2beta1"));
        assert_eq!(aggregated_version(&both), Some("v2"));
        assert_eq!(aggregated_version(&both.replace("v=v2;", "v=v3;")), Some("v2beta1"));
        assert_eq!(aggregated_version("application/json, */*"), None);
        assert_eq!(aggregated_version(&format!("application/json,{json}")), None);
        assert_eq!(accepted(PROTOBUF_2_OLD, &OpenApi::Version2), Some(PROTOBUF_2));
        assert_eq!(accepted("application/json, */*", &OpenApi::Version2), Some(JSON));
        assert_eq!(accepted(PROTOBUF_2_OLD, &OpenApi::Index), None);
    }
}
