//! Paths: which resource, which object, which subresource.

use super::query::decode;

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/`.
    Index,
    /// Nothing is there.
    Nothing,
    /// `/healthz`, `/livez`, `/readyz`, and the check below it, which may be empty.
    Health(String, String),
    /// `/openapi/…`.
    OpenApi(OpenApi),
    /// `/version`.
    Version,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/{group}`.
    Group(String),
    /// `/api/v1`, `/apis/{group}/{version}`: group and version.
    Types(String, String),
    /// A collection, an object or a subresource.
    Resource(Target),
}

/// An OpenAPI document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenApi {
    /// `/openapi/v2`.
    Version2,
    /// `/openapi/v3`.
    Index,
    /// `/openapi/v3/apis/{group}/{version}`.
    Version3(String, String),
}

/// A collection, an object or a subresource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// The namespace in the path.
    pub namespace: Option<String>,
    /// The object.
    pub name: Option<String>,
    /// `status`, `log` …
    pub subresource: Option<String>,
    /// Whether it is one of the old paths below `/watch/`.
    pub watch: bool,
}

/// Reads a path.
pub fn parse(path: &str) -> Route {
    let decoded: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match parts.as_slice() {
        [] => Route::Index,
        [probe @ ("healthz" | "livez" | "readyz"), check @ ..] => {
            Route::Health((*probe).to_owned(), check.join("/"))
        }
        ["version"] => Route::Version,
        ["openapi", rest @ ..] => open_api(rest).map_or(Route::Nothing, Route::OpenApi),
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => Route::Types(String::new(), (*version).to_owned()),
        ["apis", group, version] => Route::Types((*group).to_owned(), (*version).to_owned()),
        ["api", version, rest @ ..] => target("", version, rest).map_or(Route::Nothing, Route::Resource),
        ["apis", group, version, rest @ ..] => {
            target(group, version, rest).map_or(Route::Nothing, Route::Resource)
        }
        _ => Route::Nothing,
    }
}

fn open_api(rest: &[&str]) -> Option<OpenApi> {
    match rest {
        ["v2"] => Some(OpenApi::Version2),
        ["v3"] => Some(OpenApi::Index),
        ["v3", "api", version] => Some(OpenApi::Version3(String::new(), (*version).to_owned())),
        ["v3", "apis", group, version] => Some(OpenApi::Version3((*group).to_owned(), (*version).to_owned())),
        _ => None,
    }
}

fn target(group: &str, version: &str, rest: &[&str]) -> Option<Target> {
    if let ["watch", rest @ ..] = rest {
        let watched = target(group, version, rest)?;
        return watched.subresource.is_none().then_some(Target { watch: true, ..watched });
    }
    let (namespace, rest) = match rest {
        // A namespace's own subresources look like resources in it.
        ["namespaces", _, "status" | "finalize"] if group.is_empty() => (None, rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
        _ => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (plural, None, None),
        [plural, name] => (plural, Some(name), None),
        [plural, name, subresource] => (plural, Some(name), Some(subresource)),
        // what follows is the path of whoever is asked through the proxy
        [plural, name, proxy @ "proxy", ..] => (plural, Some(name), Some(proxy)),
        _ => return None,
    };
    Some(Target {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: (*plural).to_owned(),
        namespace,
        name: name.map(|name| (*name).to_owned()),
        subresource: subresource.map(|subresource| (*subresource).to_owned()),
        watch: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(path: &str) -> (String, String, Option<String>, Option<String>, Option<String>) {
        match parse(path) {
            Route::Resource(t) => (t.group, t.plural, t.namespace, t.name, t.subresource),
            other => panic!("{path}: {other:?}"),
        }
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn paths_name_resources() {
        assert_eq!(resource("/api/v1/pods"), (String::new(), "pods".into(), None, None, None));
        assert_eq!(
            resource("/api/v1/namespaces/n/pods/p/log"),
            (String::new(), "pods".into(), some("n"), some("p"), some("log"))
        );
        assert_eq!(
            resource("/api/v1/namespaces/n"),
            (String::new(), "namespaces".into(), None, some("n"), None)
        );
        assert_eq!(
            resource("/api/v1/namespaces/n/status"),
            (String::new(), "namespaces".into(), None, some("n"), some("status"))
        );
        assert_eq!(
            resource("/api/v1/namespaces/n/services/http:web:80/proxy/a/b"),
            (String::new(), "services".into(), some("n"), some("http:web:80"), some("proxy"))
        );
        assert_eq!(
            resource("/apis/apps/v1/namespaces/n/deployments/a%2Eb"),
            ("apps".into(), "deployments".into(), some("n"), some("a.b"), None)
        );
    }

    #[test]
    fn old_paths_watch() {
        match parse("/api/v1/watch/namespaces/n/pods/p") {
            Route::Resource(target) => {
                assert!(target.watch);
                assert_eq!((target.namespace, target.name), (some("n"), some("p")));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(parse("/api/v1/watch/namespaces/n/pods/p/status"), Route::Nothing);
    }

    #[test]
    fn discovery_paths() {
        assert_eq!(parse("/api"), Route::CoreVersions);
        assert_eq!(parse("/apis/apps"), Route::Group("apps".into()));
        assert_eq!(parse("/apis/apps/v1"), Route::Types("apps".into(), "v1".into()));
        assert_eq!(parse("/readyz/ping"), Route::Health("readyz".into(), "ping".into()));
        assert_eq!(parse("/"), Route::Index);
        assert_eq!(parse("/api/v1/a/b/c/d/e"), Route::Nothing);
        assert_eq!(
            parse("/openapi/v3/apis/apps/v1"),
            Route::OpenApi(OpenApi::Version3("apps".into(), "v1".into()))
        );
        assert_eq!(parse("/openapi/v4"), Route::Nothing);
    }
}
