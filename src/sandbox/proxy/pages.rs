//! What the proxy says itself.

use http::{HeaderValue, Response, StatusCode, header};

use crate::sandbox::body::{Body, full};

/// A small page with a status: what happened, and what to do.
pub(super) fn page(status: StatusCode, what: &str, hint: &str) -> Response<Body> {
    let (what, hint) = (escape(what), escape(hint));
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{status}</title>\
         <style>body{{font:17px/1.5 ui-sans-serif,system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;\
         color-scheme:light dark}}p{{opacity:.75}}</style><h1>{status}</h1><div>{what}</div><p>{hint}</p></html>\n"
    );
    let mut response = Response::new(full(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
