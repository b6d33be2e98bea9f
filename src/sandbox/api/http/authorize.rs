//! Who sends a request, whom they act as, and whether they may.

use std::sync::Arc;

use http::{Method, Request};

use super::query::{Query, decode};
use super::route::{Route, Target};
use crate::sandbox::access::attributes::Attributes;
use crate::sandbox::access::{Identity, impersonation};
use crate::sandbox::api::Api;
use crate::sandbox::status::Status;

/// Who acts in a request. What came through the in-memory pipe carries no identity: its sender is this very process.
///
/// # Errors
/// 403 when they may not do it, or may not act as whom they name.
pub fn admit<B>(api: &Api, route: &Route, request: &Request<B>) -> Result<Arc<Identity>, Status> {
    let sender = request.extensions().get::<Identity>().cloned().unwrap_or_else(Identity::admin);
    let user = impersonation::resolve(api, sender, request.headers())?;
    if !user.is_master() {
        let asked = asked(route, request);
        let decision = api.authorize(&user, &asked);
        if !decision.allowed {
            return Err(asked.refusal(&user, &decision.reason));
        }
    }
    Ok(Arc::new(user))
}

/// What a request asks for.
pub fn asked<B>(route: &Route, request: &Request<B>) -> Attributes {
    let query = Query::parse(request.uri().query().unwrap_or(""));
    attributes(route, request.method(), request.uri().path(), &query)
}

/// What a request asks for. The route is the one by which it is answered, so that both can never mean different things.
fn attributes(route: &Route, method: &Method, path: &str, query: &Query) -> Attributes {
    let Route::Resource(target) = route else {
        let verb = method.as_str().to_ascii_lowercase();
        return Attributes { verb, path: decode_path(path), ..Attributes::default() };
    };
    let mut name = target.name.clone().unwrap_or_default();
    let verb = verb(target, method, query);
    if matches!(verb, "list" | "watch") && name.is_empty() {
        name = selected_name(query.text("fieldSelector"));
    }
    // A namespace is in itself.
    let own = target.group.is_empty() && target.plural == "namespaces";
    let namespace = if own { target.name.clone() } else { target.namespace.clone() };
    Attributes {
        verb: verb.to_owned(),
        group: target.group.clone(),
        resource: target.plural.clone(),
        subresource: target.subresource.clone().unwrap_or_default(),
        namespace: namespace.unwrap_or_default(),
        name,
        path: String::new(),
    }
}

fn verb(target: &Target, method: &Method, query: &Query) -> &'static str {
    let named = target.name.is_some();
    match *method {
        Method::GET | Method::HEAD if target.watch => "watch",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if named => "delete",
        Method::DELETE => "deletecollection",
        Method::GET | Method::HEAD if named => "get",
        Method::GET | Method::HEAD if query.flag("watch") => "watch",
        Method::GET | Method::HEAD => "list",
        // No rule can name it.
        _ => "",
    }
}

/// The one object that a field selector leaves: who may get it may also list and watch it alone.
fn selected_name(selector: &str) -> String {
    let exact = selector.split(',').find_map(|part| part.trim().strip_prefix("metadata.name="));
    let name = exact.map(|name| name.strip_prefix('=').unwrap_or(name)).unwrap_or_default();
    if name.contains(['\\', '/', '%']) { String::new() } else { name.to_owned() }
}

fn decode_path(path: &str) -> String {
    path.split('/').map(decode).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::api::http::route;

    fn asked(method: &str, uri: &str) -> String {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let a = attributes(&route::parse(path), &method, path, &Query::parse(query));
        if !a.is_resource() {
            return format!("{} {}", a.verb, a.path);
        }
        format!("{} {}.{}/{} {}/{}", a.verb, a.resource, a.group, a.subresource, a.namespace, a.name)
    }

    #[test]
    fn verbs_come_from_method_and_path() {
        for (method, uri, expected) in [
            ("GET", "/api/v1/namespaces/n/pods/p", "get pods./ n/p"),
            ("GET", "/api/v1/namespaces/n/pods/p/log", "get pods./log n/p"),
            ("GET", "/api/v1/pods", "list pods./ /"),
            ("GET", "/api/v1/pods?watch=true", "watch pods./ /"),
            ("GET", "/api/v1/pods?watch=false", "list pods./ /"),
            ("GET", "/apis/apps/v1/namespaces/n/deployments", "list deployments.apps/ n/"),
            ("POST", "/apis/apps/v1/namespaces/n/deployments", "create deployments.apps/ n/"),
            ("PUT", "/apis/apps/v1/namespaces/n/deployments/d/scale", "update deployments.apps/scale n/d"),
            ("PATCH", "/api/v1/namespaces/n", "patch namespaces./ n/n"),
            ("PUT", "/api/v1/namespaces/n/finalize", "update namespaces./finalize n/n"),
            ("DELETE", "/api/v1/namespaces/n/pods/p", "delete pods./ n/p"),
            ("DELETE", "/api/v1/namespaces/n/pods", "deletecollection pods./ n/"),
            ("GET", "/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp", "list pods./ n/p"),
            ("GET", "/api/v1/pods?watch=1&fieldSelector=a%3Db%2Cmetadata.name%3D%3Dp", "watch pods./ /p"),
            ("GET", "/api/v1/pods?fieldSelector=metadata.name%21%3Dp", "list pods./ /"),
            ("OPTIONS", "/api/v1/pods", " pods./ /"),
            ("GET", "/apis/apps/v1", "get /apis/apps/v1"),
            ("POST", "/nothing", "post /nothing"),
        ] {
            assert_eq!(asked(method, uri), expected, "{method} {uri}");
        }
    }

    fn admitted(sender: Option<Identity>, act_as: Option<&str>) -> Result<String, String> {
        let api = Api::new(Arc::new(crate::sandbox::clock::SystemClock), 1);
        let mut request = Request::get("/api/v1/nodes").body(()).unwrap();
        request.extensions_mut().extend(
            sender
                .map(|sender| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(sender);
                    extensions
                })
                .unwrap_or_default(),
        );
        if let Some(user) = act_as {
            request.headers_mut().insert("impersonate-user", user.parse().unwrap());
        }
        let route = route::parse(request.uri().path());
        admit(&api, &route, &request).map(|user| user.name.clone()).map_err(|status| status.message)
    }

    #[test]
    fn who_carries_no_identity_is_this_process_itself() {
        assert_eq!(admitted(None, None), Ok("admin".to_owned()));
        let anonymous = admitted(Some(Identity::anonymous()), None).unwrap_err();
        assert!(
            anonymous.starts_with("nodes is forbidden: User \"system:anonymous\" cannot list"),
            "{anonymous}"
        );
    }

    #[test]
    fn only_who_may_acts_as_somebody_else() {
        let ann = Identity { name: "ann".into(), ..Identity::default() };
        let refused = admitted(Some(ann), Some("bob")).unwrap_err();
        assert_eq!(
            refused,
            "users \"bob\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
        );
        let acting = admitted(None, Some("system:serviceaccount:a:b")).unwrap_err();
        assert!(acting.contains("User \"system:serviceaccount:a:b\" cannot list"), "{acting}");
    }
}
