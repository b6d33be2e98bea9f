//! What a client learns about a server before it does anything: versions, groups, resources, types; and the warnings of a server
//! about what it is sent.

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::config_map;

cases!(
    the_version_says_everything,
    groups_have_their_order_and_versions,
    resources_are_listed_with_what_they_can_do,
    what_is_not_there_is_said_in_its_own_way,
    health_can_be_asked_in_detail,
    the_index_lists_paths,
    namespaces_are_not_deleted_as_a_collection,
    openapi_2_describes_kinds_as_json,
    openapi_2_is_there_as_protobuf,
    a_definition_shows_in_discovery_and_openapi,
    a_deprecated_version_is_warned_about;
    only_sandbox:
    openapi_3_has_an_index_with_hashes: "1.20 has no OpenAPI v3 (it came with 1.24)",
    openapi_3_describes_kinds_and_operations: "1.20 has no OpenAPI v3 (it came with 1.24)",
    discovery_is_there_in_one_answer: "1.20 has no aggregated discovery (it came with 1.26)",
    endpoints_are_deprecated: "Endpoints are deprecated since 1.33",
    unknown_fields_are_dropped_told_or_refused: "1.20 has no fieldValidation (it came with 1.23)",
    duplicate_fields_are_told_or_refused: "1.20 has no fieldValidation (it came with 1.23)",
    unknown_fields_of_custom_resources_are_told_or_refused: "1.20 has no fieldValidation (it came with 1.23)",
    patches_are_validated_as_objects_are: "1.20 has no fieldValidation (it came with 1.23)",
);

const GROUP: &str = "discovery.styrmin.io";

/// An answer as it came.
struct Answer {
    code: u16,
    headers: http::HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn warnings(&self) -> Vec<String> {
        let all = self.headers.get_all(header::WARNING).iter();
        all.map(|value| value.to_str().expect("text").to_owned()).collect()
    }
}

async fn send(ground: &Ground, request: http::request::Builder, body: Vec<u8>) -> Answer {
    let request: Request<Body> = request.body(Body::from(body)).expect("a request");
    let response = ground.client.send(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
    Answer { code: parts.status.as_u16(), headers: parts.headers, bytes }
}

async fn get_as(ground: &Ground, path: &str, accept: &str) -> Answer {
    send(ground, Request::get(path).header(header::ACCEPT, accept), Vec::new()).await
}

async fn get(ground: &Ground, path: &str) -> Answer {
    get_as(ground, path, "application/json").await
}

async fn write(ground: &Ground, method: Method, path: &str, media: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, media);
    send(ground, request, body.as_bytes().to_vec()).await
}

fn names<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().filter_map(|item| item[field].as_str()).collect()
}

async fn the_version_says_everything(ground: &Ground) {
    let answer = get(ground, "/version").await;
    let version = answer.json();
    for field in ["major", "minor", "gitVersion", "gitTreeState", "buildDate", "compiler", "platform"] {
        assert!(version[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {version}");
    }
    for field in ["gitCommit", "goVersion"] {
        assert!(version[field].is_string(), "{field}: {version}");
    }
    assert!(version["gitVersion"].as_str().expect("text").starts_with("v1."));
}

async fn groups_have_their_order_and_versions(ground: &Ground) {
    let core = get(ground, "/api").await.json();
    assert_eq!((&core["kind"], &core["versions"]), (&json!("APIVersions"), &json!(["v1"])));
    let list = get(ground, "/apis").await.json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("APIGroupList"), &json!("v1")));
    let all = names(&list["groups"], "name");
    let order = [
        "apps",
        "events.k8s.io",
        "authorization.k8s.io",
        "batch",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
        "apiextensions.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
    ];
    let found: Vec<&str> = all.iter().copied().filter(|name| order.contains(name)).collect();
    assert_eq!(found, order);
    let apps = get(ground, "/apis/apps").await.json();
    let version = json!({"groupVersion": "apps/v1", "version": "v1"});
    let expected = json!({"kind": "APIGroup", "apiVersion": "v1", "name": "apps", "versions": [version], "preferredVersion": version});
    assert_eq!(apps, expected);
}

async fn resources_are_listed_with_what_they_can_do(ground: &Ground) {
    let list = get(ground, "/apis/apps/v1").await.json();
    assert_eq!(
        (&list["kind"], &list["apiVersion"], &list["groupVersion"]),
        (&json!("APIResourceList"), &json!("v1"), &json!("apps/v1"))
    );
    assert_eq!(
        names(&list["resources"], "name"),
        [
            "controllerrevisions",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
        ]
    );
    let named = |name: &str| {
        let mut found = list["resources"].as_array().expect("a list").iter();
        let mut found = found.find(|one| one["name"] == name).expect("a resource").clone();
        // 1.20 leaves it empty
        found.as_object_mut().expect("an object").remove("singularName");
        found
    };
    let all = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    assert_eq!(
        named("deployments"),
        json!({"name": "deployments", "namespaced": true, "kind": "Deployment", "verbs": all,
            "shortNames": ["deploy"], "categories": ["all"], "storageVersionHash": "8aSe+NMegvE="})
    );
    assert_eq!(
        named("deployments/scale"),
        json!({"name": "deployments/scale", "namespaced": true, "group": "autoscaling", "version": "v1",
            "kind": "Scale", "verbs": ["get", "patch", "update"]})
    );
    let core = get(ground, "/api/v1").await.json();
    let core_names = names(&core["resources"], "name");
    for name in ["pods/log", "pods/exec", "pods/eviction", "namespaces/finalize", "services/status"] {
        assert!(core_names.contains(&name), "{name}");
    }
    let events = core["resources"].as_array().expect("a list").iter().find(|one| one["name"] == "events");
    let new = get(ground, "/apis/events.k8s.io/v1").await.json();
    let hash = &events.expect("events")["storageVersionHash"];
    assert_eq!(&new["resources"][0]["storageVersionHash"], hash, "both are stored as one");
}

async fn what_is_not_there_is_said_in_its_own_way(ground: &Ground) {
    let group = get(ground, "/apis/nothing.styrmin.io").await;
    assert_eq!((group.code, group.text().as_str()), (404, "404 page not found\n"));
    assert!(group.header(header::CONTENT_TYPE).starts_with("text/plain"));
    for path in ["/apis/apps/v9", "/apis/apps/v1/nothing", "/api/v1/namespaces/default/nothing", "/api/v9"] {
        let answer = get(ground, path).await;
        let expected = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "the server could not find the requested resource", "reason": "NotFound", "details": {}, "code": 404});
        assert_eq!((answer.code, answer.json()), (404, expected), "{path}");
    }
    let path = get(ground, "/nothing").await;
    assert_eq!(path.code, 404);
    // a real server lists the paths of the last of the servers in it
    assert!(
        path.json()["paths"].as_array().expect("paths").contains(&json!("/apis/apiextensions.k8s.io/v1"))
    );
}

async fn health_can_be_asked_in_detail(ground: &Ground) {
    for probe in ["healthz", "livez", "readyz"] {
        let brief = get_as(ground, &format!("/{probe}"), "*/*").await;
        assert_eq!((brief.code, brief.text().as_str()), (200, "ok"));
        let verbose = get_as(ground, &format!("/{probe}?verbose"), "*/*").await.text();
        assert!(verbose.starts_with("[+]ping ok\n"), "{verbose}");
        assert!(verbose.ends_with(&format!("{probe} check passed\n")), "{verbose}");
        assert_eq!(get_as(ground, &format!("/{probe}/ping"), "*/*").await.text(), "ok");
        assert_eq!(get_as(ground, &format!("/{probe}/nothing"), "*/*").await.code, 404);
    }
}

async fn the_index_lists_paths(ground: &Ground) {
    let index = get(ground, "/").await.json();
    let paths: Vec<&str> =
        index["paths"].as_array().expect("paths").iter().filter_map(Value::as_str).collect();
    for path in
        ["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/openapi/v2", "/version"]
    {
        assert!(paths.contains(&path), "{path}");
    }
}

async fn namespaces_are_not_deleted_as_a_collection(ground: &Ground) {
    // selects none, should it be understood after all
    let answer = write(
        ground,
        Method::DELETE,
        "/api/v1/namespaces?labelSelector=nothing.styrmin.io/has-this",
        "application/json",
        "",
    )
    .await;
    assert_eq!((answer.code, &answer.json()["reason"]), (405, &json!("MethodNotAllowed")));
}

async fn openapi_2_describes_kinds_as_json(ground: &Ground) {
    let answer = get(ground, "/openapi/v2").await;
    let document = answer.json();
    assert_eq!((&document["swagger"], &document["info"]["title"]), (&json!("2.0"), &json!("Kubernetes")));
    let definitions = &document["definitions"];
    let containers = &definitions["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(containers["items"]["$ref"], "#/definitions/io.k8s.api.core.v1.Container");
    assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
    assert_eq!(containers["x-kubernetes-patch-strategy"], "merge");
    let strategy = &definitions["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"];
    assert_eq!(strategy["x-kubernetes-patch-strategy"], "retainKeys");
    let ports = &definitions["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"];
    assert_eq!(ports["x-kubernetes-list-map-keys"], json!(["port", "protocol"]));
    let deployment = &definitions["io.k8s.api.apps.v1.Deployment"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(deployment["x-kubernetes-group-version-kind"], json!([kind]));
    let item = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    assert_eq!(item["patch"]["x-kubernetes-group-version-kind"], kind);
    assert!(names(&item["patch"]["parameters"], "name").contains(&"dryRun"));
    let int_or_string = &definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"];
    assert_eq!(
        (&int_or_string["type"], &int_or_string["format"]),
        (&json!("string"), &json!("int-or-string"))
    );
    let tag = answer.header(header::ETAG).to_owned();
    assert!(!tag.is_empty());
    let again = Request::get("/openapi/v2").header(header::IF_NONE_MATCH, tag);
    let again = send(ground, again.header(header::ACCEPT, "application/json"), Vec::new()).await;
    assert_eq!((again.code, again.bytes.len()), (StatusCode::NOT_MODIFIED.as_u16(), 0));
}

async fn openapi_2_is_there_as_protobuf(ground: &Ground) {
    let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = get_as(ground, "/openapi/v2", accept).await;
    assert_eq!(answer.code, 200);
    // the first two fields: the version of the format, and the title
    assert!(answer.bytes.starts_with(b"\x0a\x032.0\x12"), "{:?}", &answer.bytes[..16]);
    assert!(answer.bytes.windows(12).any(|bytes| bytes == b"\x0a\x0aKubernetes"));
}

/// A definition with an old, deprecated version and a new one.
fn definition(plural: &str, kind: &str) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "description": "A thing to be discovered.", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "description": "How large it is."},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "shortNames": [format!("x{plural}")], "categories": ["findings"]},
            "versions": [
                {"name": "v1beta1", "served": true, "storage": true, "deprecated": true, "schema": schema},
                {"name": "v1", "served": true, "storage": false, "schema": schema}]}})
}

/// Makes a definition and waits until its objects are served; its plural and its kind.
async fn define(ground: &Ground) -> (String, String) {
    let kind = ground.unique("Finding").replace('-', "x");
    let plural = format!("{}s", kind.to_lowercase());
    ground.things("customresourcedefinitions").create(definition(&plural, &kind)).await;
    let path = format!("/apis/{GROUP}/v1/namespaces/{}/{plural}", ground.namespace);
    until(ground, "its objects are served", &path, |answer| answer.code == 200).await;
    (plural, kind)
}

async fn undefine(ground: &Ground, plural: &str) {
    ground.things("customresourcedefinitions").delete(&format!("{plural}.{GROUP}")).await;
}

/// Asks until the answer is as wanted: controllers of a real server need a while.
async fn until(ground: &Ground, what: &str, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
    ground
        .within(what, async {
            loop {
                let answer = get(ground, path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await
}

async fn a_definition_shows_in_discovery_and_openapi(ground: &Ground) {
    let (plural, kind) = define(ground).await;
    let path = format!("/apis/{GROUP}");
    let group = until(ground, "the group is there", &path, |answer| answer.code == 200).await.json();
    assert_eq!(names(&group["versions"], "version"), ["v1", "v1beta1"]);
    assert_eq!(group["preferredVersion"]["version"], "v1", "and not the stored one");
    let list = until(ground, "the resource is there", &format!("{path}/v1"), |answer| {
        answer.code == 200 && answer.text().contains(&plural)
    })
    .await
    .json();
    let resource =
        list["resources"].as_array().expect("a list").iter().find(|one| one["name"] == plural.as_str());
    let resource = resource.expect("the resource");
    assert_eq!(resource["shortNames"], json!([format!("x{plural}")]));
    assert_eq!((&resource["categories"], &resource["namespaced"]), (&json!(["findings"]), &json!(true)));
    let name = format!("io.styrmin.discovery.v1.{kind}");
    let document =
        until(ground, "OpenAPI has it", "/openapi/v2", |answer| answer.text().contains(&name)).await.json();
    let schema = &document["definitions"][&name];
    assert_eq!(schema["description"], "A thing to be discovered.");
    assert_eq!(schema["properties"]["spec"]["properties"]["size"]["description"], "How large it is.");
    let of = json!([{"group": GROUP, "version": "v1", "kind": kind}]);
    assert_eq!(schema["x-kubernetes-group-version-kind"], of);
    let item = format!("/apis/{GROUP}/v1/namespaces/{{namespace}}/{plural}/{{name}}");
    assert_eq!(document["paths"][&item]["get"]["x-kubernetes-action"], "get");
    undefine(ground, &plural).await;
    until(ground, "OpenAPI has it no more", "/openapi/v2", |answer| !answer.text().contains(&name)).await;
}

async fn a_deprecated_version_is_warned_about(ground: &Ground) {
    let (plural, kind) = define(ground).await;
    let path = |version: &str| format!("/apis/{GROUP}/{version}/namespaces/{}/{plural}", ground.namespace);
    assert_eq!(get(ground, &path("v1")).await.warnings(), Vec::<String>::new());
    let text = format!("299 - \"{GROUP}/v1beta1 {kind} is deprecated; use {GROUP}/v1 {kind}\"");
    assert_eq!(get(ground, &path("v1beta1")).await.warnings(), [text]);
    undefine(ground, &plural).await;
}

async fn openapi_3_has_an_index_with_hashes(ground: &Ground) {
    let index = get(ground, "/openapi/v3").await.json();
    let url = |name: &str| index["paths"][name]["serverRelativeURL"].as_str().expect("a URL").to_owned();
    for name in ["api/v1", "apis/apps/v1"] {
        let url = url(name);
        let (path, hash) = url.split_once("?hash=").expect("a hash");
        assert_eq!(path, format!("/openapi/v3/{name}"));
        let exact = get(ground, &url).await;
        assert_eq!((exact.code, exact.header(header::ETAG)), (200, format!("\"{hash}\"").as_str()));
        assert_eq!(exact.header(header::CACHE_CONTROL), "public, immutable");
        let known = Request::get(path).header(header::IF_NONE_MATCH, format!("\"{hash}\""));
        assert_eq!(send(ground, known, Vec::new()).await.code, 304);
        let other = get(ground, &format!("{path}?hash=0")).await;
        assert_eq!((other.code, other.header(header::LOCATION)), (301, url.as_str()));
    }
    let answer = get(ground, "/openapi/v3/apis/nothing.styrmin.io/v1").await;
    assert_eq!((answer.code, answer.text().as_str()), (404, "404 page not found\n"));
    let protobuf = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
    assert_eq!(get_as(ground, "/openapi/v3/api/v1", protobuf).await.code, 406);
}

async fn openapi_3_describes_kinds_and_operations(ground: &Ground) {
    let document = get(ground, "/openapi/v3/apis/apps/v1").await.json();
    assert_eq!(document["openapi"], "3.0.0");
    let schemas = &document["components"]["schemas"];
    let deployment = &schemas["io.k8s.api.apps.v1.Deployment"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(deployment["x-kubernetes-group-version-kind"], json!([kind]));
    let spec = &deployment["properties"]["spec"];
    assert_eq!(spec["allOf"], json!([{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}]));
    assert!(spec["description"].is_string());
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(
        (&containers["x-kubernetes-list-type"], &containers["x-kubernetes-list-map-keys"]),
        (&json!("map"), &json!(["name"]))
    );
    let item = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    let patch = &item["patch"];
    assert_eq!(
        (&patch["x-kubernetes-action"], &patch["x-kubernetes-group-version-kind"]),
        (&json!("patch"), &kind)
    );
    let parameters = names(&patch["parameters"], "name");
    assert!(parameters.contains(&"fieldValidation") && parameters.contains(&"dryRun"), "{parameters:?}");
}

async fn discovery_is_there_in_one_answer(ground: &Ground) {
    let media = |version: &str| {
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
    };
    for version in ["v2", "v2beta1"] {
        let accept = format!("{},application/json", media(version));
        let answer = get_as(ground, "/apis", &accept).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), media(version));
        let list = answer.json();
        assert_eq!(
            (&list["kind"], &list["apiVersion"]),
            (&json!("APIGroupDiscoveryList"), &json!(format!("apidiscovery.k8s.io/{version}")))
        );
        let apps =
            list["items"].as_array().expect("items").iter().find(|item| item["metadata"]["name"] == "apps");
        let apps = &apps.expect("apps")["versions"][0];
        assert_eq!((&apps["version"], &apps["freshness"]), (&json!("v1"), &json!("Current")));
        let deployments = apps["resources"].as_array().expect("resources").iter();
        let deployments =
            deployments.clone().find(|one| one["resource"] == "deployments").expect("deployments");
        assert_eq!(
            (&deployments["scope"], &deployments["singularResource"], &deployments["shortNames"]),
            (&json!("Namespaced"), &json!("deployment"), &json!(["deploy"]))
        );
        assert_eq!(names(&deployments["subresources"], "subresource"), ["scale", "status"]);
        let scale = json!({"group": "autoscaling", "version": "v1", "kind": "Scale"});
        assert_eq!(deployments["subresources"][0]["responseKind"], scale);
        let known = Request::get("/apis").header(header::ACCEPT, accept);
        let known = known.header(header::IF_NONE_MATCH, answer.header(header::ETAG));
        assert_eq!(send(ground, known, Vec::new()).await.code, 304);
    }
    let core = get_as(ground, "/api", &media("v2")).await.json();
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    let plain = get_as(ground, "/apis", &format!("application/json,{}", media("v2"))).await.json();
    assert_eq!(plain["kind"], "APIGroupList", "the first form that is accepted");
}

async fn endpoints_are_deprecated(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/endpoints", ground.namespace);
    let text = "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
    assert_eq!(get(ground, &path).await.warnings(), [text]);
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "odd"}, "spec": {
        "replica": 2, "replicas": 0, "selector": {"matchLabels": {"app": "odd"}}, "template": {
            "metadata": {"labels": {"app": "odd"}},
            "spec": {"containers": [{"name": "main", "image": "example/odd:1", "imag": "x"}]}}}})
}

async fn unknown_fields_are_dropped_told_or_refused(ground: &Ground) {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", ground.namespace);
    let post = async |validation: &str| {
        let path = format!("{path}?dryRun=All&fieldValidation={validation}");
        write(ground, Method::POST, &path, "application/json", &deployment().to_string()).await
    };
    let ignored = post("Ignore").await;
    assert_eq!((ignored.code, ignored.warnings().len()), (201, 0));
    assert!(ignored.json()["spec"].get("replica").is_none());
    let expected = [
        r#"299 - "unknown field \"spec.replica\"""#,
        r#"299 - "unknown field \"spec.template.spec.containers[0].imag\"""#,
    ];
    for validation in ["Warn", ""] {
        let warned = post(validation).await;
        assert_eq!((warned.code, warned.warnings()), (201, expected.map(str::to_owned).to_vec()));
    }
    let refused = post("Strict").await;
    let text = r#"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica", unknown field "spec.template.spec.containers[0].imag""#;
    let status = refused.json();
    assert_eq!(
        (refused.code, &status["reason"], &status["message"]),
        (400, &json!("BadRequest"), &json!(text))
    );
    let wrong = post("Loose").await;
    assert_eq!((wrong.code, &wrong.json()["reason"]), (422, &json!("Invalid")));
}

async fn duplicate_fields_are_told_or_refused(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    let body = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "twice"}, "data": {"a": "1", "a": "2"}}"#;
    let warned = write(ground, Method::POST, &path, "application/json", body).await;
    assert_eq!(warned.warnings(), [r#"299 - "duplicate field \"data.a\"""#]);
    assert_eq!(warned.json()["data"], json!({"a": "2"}), "the last one counts");
    let strict = format!("{path}/twice?fieldValidation=Strict");
    let refused = write(ground, Method::PUT, &strict, "application/json", body).await;
    let text = r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a""#;
    assert_eq!((refused.code, &refused.json()["message"]), (400, &json!(text)));
}

async fn unknown_fields_of_custom_resources_are_told_or_refused(ground: &Ground) {
    let (plural, kind) = define(ground).await;
    let path = format!("/apis/{GROUP}/v1/namespaces/{}/{plural}", ground.namespace);
    let body =
        json!({"apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": {"name": "one", "nam": "x"},
        "spec": {"size": 1, "siz": 2, "rows": [{"id": "a", "idd": "b"}]}})
        .to_string();
    let post = async |validation: &str| {
        let path = format!("{path}?fieldValidation={validation}");
        write(ground, Method::POST, &path, "application/json", &body).await
    };
    let refused = post("Strict").await;
    let unknown = ["metadata.nam", "spec.rows[0].idd", "spec.siz"];
    let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    let text = format!(
        "{kind} in version \"v1\" cannot be handled as a {kind}: strict decoding error: {}",
        texts.join(", ")
    );
    assert_eq!((refused.code, &refused.json()["message"]), (400, &json!(text)));
    let warned = post("Warn").await;
    let expected: Vec<String> =
        unknown.iter().map(|path| format!(r#"299 - "unknown field \"{path}\"""#)).collect();
    assert_eq!((warned.code, warned.warnings()), (201, expected));
    assert_eq!(warned.json()["spec"], json!({"size": 1, "rows": [{"id": "a"}]}));
    undefine(ground, &plural).await;
}

async fn patches_are_validated_as_objects_are(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    let path = format!("/api/v1/namespaces/{}/configmaps/one", ground.namespace);
    let merge = "application/merge-patch+json";
    let body = r#"{"dat": {"b": "1"}, "data": {"b": "2", "b": "3"}}"#;
    let warned = write(ground, Method::PATCH, &path, merge, body).await;
    let expected = [r#"299 - "duplicate field \"data.b\"""#, r#"299 - "unknown field \"dat\"""#];
    assert_eq!((warned.code, warned.warnings()), (200, expected.map(str::to_owned).to_vec()));
    assert_eq!(warned.json()["data"], json!({"text": "a", "b": "3"}));
    let strict = format!("{path}?fieldValidation=Strict");
    let refused =
        write(ground, Method::PATCH, &strict, "application/strategic-merge-patch+json", r#"{"dat": 1}"#)
            .await;
    let status = refused.json();
    assert_eq!((refused.code, &status["reason"]), (422, &json!("Invalid")));
    assert_eq!(status["details"]["causes"][0]["field"], "patch");
    let message = status["message"].as_str().expect("a message");
    assert!(message.ends_with(r#": strict decoding error: unknown field "dat""#), "{message}");
    let applied = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}, "data": {"a": "1", "a": "2"}}"#;
    let path = format!(
        "/api/v1/namespaces/{}/configmaps/two?fieldManager=x&fieldValidation=Strict",
        ground.namespace
    );
    let refused = write(ground, Method::PATCH, &path, "application/apply-patch+yaml", applied).await;
    assert_eq!((refused.code, &refused.json()["reason"]), (400, &json!("BadRequest")));
    assert!(maps.find("two").await.is_none());
}
