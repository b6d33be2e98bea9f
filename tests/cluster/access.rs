//! Who may do what: roles, bindings, impersonation, reviews, tokens.

use http::Request;
use kube::Client;
use kube::api::{DeleteParams, ListParams, WatchParams};
use kube::core::Status;
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::things::{Seen, Things, resource, status_of, text};

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

/// A client that acts as somebody else.
fn acting(ground: &Ground, headers: &[(&'static str, &str)]) -> Client {
    let client = ground.client.clone();
    let headers: Vec<(&'static str, String)> =
        headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let service = tower::service_fn(move |mut request: Request<kube::client::Body>| {
        for (name, value) in &headers {
            request.headers_mut().append(*name, value.parse().expect("a header"));
        }
        let client = client.clone();
        async move { client.send(request).await }
    });
    Client::new(service, ground.namespace.clone())
}

/// The same ground, seen by a user who belongs to nothing.
fn seen_by(ground: &Ground, user: &str) -> Ground {
    with_client(ground, acting(ground, &[("impersonate-user", user)]))
}

fn with_client(ground: &Ground, client: Client) -> Ground {
    Ground { client, namespace: ground.namespace.clone(), limit: ground.limit, sandbox: None }
}

async fn send(ground: &Ground, method: &str, path: &str, body: Value) -> Result<Value, Status> {
    let media = match method {
        "PATCH" if path.contains("fieldManager=") => "application/apply-patch+yaml",
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", media);
    ground.client.request(request.body(body).expect("a request")).await.map_err(status_of)
}

async fn refused(ground: &Ground, method: &str, path: &str, body: Value) -> Status {
    let answer = send(ground, method, path, body).await;
    let status = answer.err().unwrap_or_else(|| panic!("{method} {path} was allowed"));
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"), "{method} {path}: {status:?}");
    status
}

async fn done(ground: &Ground, method: &str, path: &str, body: Value) -> Value {
    let answer = send(ground, method, path, body).await;
    answer.unwrap_or_else(|status| panic!("{method} {path}: {status:?}"))
}

fn rights(ground: &Ground, kind: &str) -> Things {
    let namespace = (!kind.starts_with("Cluster")).then_some(ground.namespace.as_str());
    Things::of(ground, &resource(RBAC, kind, &format!("{}s", kind.to_lowercase())), namespace)
}

/// Gives a user a Role of these rules in the test's namespace.
async fn grant(ground: &Ground, user: &str, rules: Value) {
    let name = ground.unique("granted");
    let kind = "Role";
    rights(ground, kind)
        .create(json!({"apiVersion": RBAC, "kind": kind, "metadata": {"name": name}, "rules": rules}))
        .await;
    bind(ground, user, ("Role", &name)).await;
}

/// Binds a role to a user in the test's namespace.
async fn bind(ground: &Ground, user: &str, role: (&str, &str)) {
    let name = ground.unique("bound");
    rights(ground, "RoleBinding").create(binding("RoleBinding", &name, user, role)).await;
}

fn binding(kind: &str, name: &str, user: &str, (role_kind, role): (&str, &str)) -> Value {
    json!({"apiVersion": RBAC, "kind": kind, "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]})
}

/// Whether whoever asks may do something, as a SelfSubjectAccessReview says it.
async fn review(ground: &Ground, attributes: &Value) -> Value {
    let path = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    let about = if attributes.get("path").is_some() { "nonResourceAttributes" } else { "resourceAttributes" };
    let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {about: attributes}});
    done(ground, "POST", &path, body).await["status"].clone()
}

/// Waits until the authorizer knows of a role: a real one learns it from a watch.
async fn until_allowed(ground: &Ground, allowed: bool, verb: &str, resource: &str) {
    let (group, resource) = resource.split_once('/').unwrap_or(("", resource));
    let asked = json!({"verb": verb, "group": group, "resource": resource, "namespace": ground.namespace});
    let wait = async {
        while review(ground, &asked).await["allowed"] != allowed {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    ground.within(&format!("{verb} {resource} allowed: {allowed}"), wait).await;
}

async fn nobody_may_do_anything(ground: &Ground) {
    let user = ground.unique("nobody");
    let nobody = seen_by(ground, &user);
    let place = format!("/api/v1/namespaces/{}", ground.namespace);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    for (method, path, verb, named) in [
        ("GET", format!("{place}/configmaps"), "list", false),
        ("GET", format!("{place}/configmaps?watch=1"), "watch", false),
        ("GET", format!("{place}/configmaps/a"), "get", true),
        ("POST", format!("{place}/configmaps"), "create", false),
        ("PUT", format!("{place}/configmaps/a"), "update", true),
        ("PATCH", format!("{place}/configmaps/a"), "patch", true),
        ("DELETE", format!("{place}/configmaps/a"), "delete", true),
        ("DELETE", format!("{place}/configmaps"), "deletecollection", false),
    ] {
        let body = if method == "GET" { Value::Null } else { map.clone() };
        let status = refused(&nobody, method, &path, body).await;
        let about = if named { "configmaps \"a\"" } else { "configmaps" };
        let expected = format!(
            "{about} is forbidden: User \"{user}\" cannot {verb} resource \"configmaps\" in API group \"\" in the namespace \"{}\"",
            ground.namespace
        );
        assert_eq!(status.message, expected);
        let details = status.details.expect("details");
        assert_eq!(
            (details.kind.as_str(), details.name.as_str()),
            ("configmaps", if named { "a" } else { "" })
        );
    }
}

async fn refusals_name_subresource_scope_and_path(ground: &Ground) {
    let user = ground.unique("nobody");
    let (nobody, home) = (seen_by(ground, &user), &ground.namespace);
    for (path, expected) in [
        (
            format!("/api/v1/namespaces/{home}/pods/p/log"),
            format!(
                "pods \"p\" is forbidden: User \"{user}\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"{home}\""
            ),
        ),
        (
            format!("/apis/apps/v1/namespaces/{home}/deployments/d/scale"),
            format!(
                "deployments.apps \"d\" is forbidden: User \"{user}\" cannot get resource \"deployments/scale\" in API group \"apps\" in the namespace \"{home}\""
            ),
        ),
        (
            "/api/v1/nodes".to_owned(),
            format!(
                "nodes is forbidden: User \"{user}\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
            ),
        ),
        (
            format!("/api/v1/namespaces/{home}"),
            format!(
                "namespaces \"{home}\" is forbidden: User \"{user}\" cannot get resource \"namespaces\" in API group \"\" in the namespace \"{home}\""
            ),
        ),
        (
            "/apis/nothing.example/v1/things".to_owned(),
            format!(
                "things.nothing.example is forbidden: User \"{user}\" cannot list resource \"things\" in API group \"nothing.example\" at the cluster scope"
            ),
        ),
        ("/metrics".to_owned(), format!("forbidden: User \"{user}\" cannot get path \"/metrics\"")),
    ] {
        assert_eq!(refused(&nobody, "GET", &path, Value::Null).await.message, expected);
    }
    // Everybody who is known may look at what there is.
    for path in ["/api", "/apis", "/apis/apps/v1", "/version"] {
        done(&nobody, "GET", path, Value::Null).await;
    }
}

async fn a_role_allows_what_it_says_and_no_more(ground: &Ground) {
    let user = ground.unique("reader");
    let reader = seen_by(ground, &user);
    for name in ["one", "two"] {
        ground.things("configmaps").create(json!({"metadata": {"name": name}})).await;
    }
    grant(
        ground,
        &user,
        json!([
            {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["secrets"]},
            {"verbs": ["get", "list", "watch", "update"], "apiGroups": [""], "resources": ["configmaps"],
                "resourceNames": ["one"]},
        ]),
    )
    .await;
    until_allowed(&reader, true, "list", "secrets").await;
    let maps = reader.things("configmaps");
    let mut one = maps.get("one").await;
    one["data"] = json!({"a": "b"});
    maps.replace(one).await;
    assert_eq!(maps.api.get("two").await.map_err(status_of).expect_err("two").code, 403);
    assert_eq!(maps.try_list(&ListParams::default()).await.expect_err("all").code, 403);
    let alone = maps.try_list(&ListParams::default().fields("metadata.name=one")).await.expect("one alone");
    assert_eq!(alone.items.len(), 1);
    assert_eq!(maps.try_delete("one", &DeleteParams::default()).await.expect_err("delete").code, 403);
    // What is allowed in one namespace is not allowed in all of them, nor in another one.
    refused(&reader, "GET", "/api/v1/secrets", Value::Null).await;
    refused(&reader, "GET", "/api/v1/namespaces/kube-system/secrets", Value::Null).await;
}

async fn watches_need_their_own_verb(ground: &Ground) {
    let user = ground.unique("lister");
    let lister = seen_by(ground, &user);
    grant(ground, &user, json!([{"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}])).await;
    until_allowed(&lister, true, "list", "configmaps").await;
    let listed = lister.things("configmaps").list(&ListParams::default()).await;
    let path = format!("/api/v1/namespaces/{}/configmaps?watch=1", ground.namespace);
    refused(&lister, "GET", &path, Value::Null).await;
    grant(ground, &user, json!([{"verbs": ["watch"], "apiGroups": [""], "resources": ["configmaps"]}])).await;
    until_allowed(&lister, true, "watch", "configmaps").await;
    let mut watch =
        lister.things("configmaps").watch(&WatchParams::default(), &listed.resource_version).await;
    ground.things("configmaps").create(json!({"metadata": {"name": "seen"}})).await;
    assert_eq!(watch.next_change().await.0, Seen::Added("seen".to_owned()));
}

async fn subresources_are_resources_of_their_own(ground: &Ground) {
    let user = ground.unique("scaler");
    let scaler = seen_by(ground, &user);
    let labels = json!({"app": "a"});
    ground
        .things("deployments")
        .create(json!({"metadata": {"name": "a"}, "spec": {"replicas": 0, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}}))
        .await;
    let rule = json!([{"verbs": ["get", "patch"], "apiGroups": ["apps"], "resources": ["*/scale"]}]);
    grant(ground, &user, rule).await;
    let place = format!("/apis/apps/v1/namespaces/{}/deployments/a", ground.namespace);
    let asked = json!({"verb": "get", "group": "apps", "resource": "deployments", "subresource": "scale",
        "namespace": ground.namespace});
    ground
        .within("the scale can be read", async {
            while review(&scaler, &asked).await["allowed"] != true {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    let scale = done(&scaler, "GET", &format!("{place}/scale"), Value::Null).await;
    assert_eq!(scale["spec"].get("replicas").and_then(Value::as_i64).unwrap_or(0), 0);
    let scaled = done(&scaler, "PATCH", &format!("{place}/scale"), json!({"spec": {"replicas": 0}})).await;
    assert_eq!(scaled["kind"], "Scale");
    refused(&scaler, "GET", &place, Value::Null).await;
    refused(&scaler, "PATCH", &place, json!({"spec": {"replicas": 1}})).await;
    refused(&scaler, "PATCH", &format!("{place}/status"), json!({"status": {}})).await;
}

async fn applying_what_is_not_there_is_creating(ground: &Ground) {
    let user = ground.unique("patcher");
    let patcher = seen_by(ground, &user);
    grant(ground, &user, json!([{"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"]}])).await;
    until_allowed(&patcher, true, "patch", "configmaps").await;
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let path = format!("/api/v1/namespaces/{}/configmaps/a?fieldManager=t", ground.namespace);
    let status = refused(&patcher, "PATCH", &path, map.clone()).await;
    assert_eq!(status.message, "configmaps \"a\" is forbidden: ");
    ground.things("configmaps").apply("t", map.clone()).await;
    assert_eq!(done(&patcher, "PATCH", &path, map).await["metadata"]["name"], "a");
}

async fn default_roles_read_write_and_grant(ground: &Ground) {
    let (viewer, editor, owner) = (ground.unique("viewer"), ground.unique("editor"), ground.unique("owner"));
    for (user, role) in [(&viewer, "view"), (&editor, "edit"), (&owner, "admin")] {
        bind(ground, user, ("ClusterRole", role)).await;
    }
    let may = [
        ("list", "pods", [true, true, true]),
        ("get", "secrets", [false, true, true]),
        ("create", "apps/deployments", [false, true, true]),
        ("create", "serviceaccounts", [false, true, true]),
        ("impersonate", "serviceaccounts", [false, true, true]),
        ("create", "rbac.authorization.k8s.io/roles", [false, false, true]),
        ("create", "nodes", [false, false, false]),
        ("escalate", "rbac.authorization.k8s.io/roles", [false, false, false]),
    ];
    for (index, user) in [viewer, editor, owner].iter().enumerate() {
        let ground = seen_by(ground, user);
        until_allowed(&ground, true, "list", "pods").await;
        for (verb, resource, allowed) in may {
            let (group, plural) = resource.split_once('/').unwrap_or(("", resource));
            let asked =
                json!({"verb": verb, "group": group, "resource": plural, "namespace": ground.namespace});
            assert_eq!(review(&ground, &asked).await["allowed"], allowed[index], "{user} {verb} {resource}");
        }
    }
}

async fn reviews_say_whether_and_why(ground: &Ground) {
    let user = ground.unique("viewer");
    let viewer = seen_by(ground, &user);
    bind(ground, &user, ("ClusterRole", "view")).await;
    until_allowed(&viewer, true, "list", "pods").await;
    let asked = json!({"verb": "list", "resource": "pods", "namespace": ground.namespace});
    let own = review(&viewer, &asked).await;
    let why = own["reason"].as_str().expect("a reason");
    assert!(why.starts_with("RBAC: allowed by RoleBinding \""), "{why}");
    assert!(
        why.ends_with(&format!("/{}\" of ClusterRole \"view\" to User \"{user}\"", ground.namespace)),
        "{why}"
    );
    let elsewhere = json!({"verb": "list", "resource": "pods", "namespace": "kube-system"});
    assert_eq!(review(&viewer, &elsewhere).await, json!({"allowed": false}));
    assert_eq!(review(&viewer, &json!({"verb": "get", "path": "/api"})).await["allowed"], true);
    assert_eq!(review(&viewer, &json!({"verb": "get", "path": "/metrics"})).await["allowed"], false);
    let spec = json!({"user": user, "resourceAttributes": asked});
    let others = format!("{AUTHORIZATION}/subjectaccessreviews");
    assert_eq!(done(ground, "POST", &others, json!({"spec": spec})).await["status"], own);
    let local = format!("{AUTHORIZATION}/namespaces/{}/localsubjectaccessreviews", ground.namespace);
    let body = json!({"metadata": {"namespace": ground.namespace}, "spec": spec});
    assert_eq!(done(ground, "POST", &local, body).await["status"], own);
    refused(&viewer, "POST", &others, json!({"spec": spec})).await;
}

async fn reviews_that_make_no_sense_are_refused(ground: &Ground) {
    let others = format!("{AUTHORIZATION}/subjectaccessreviews");
    let local = format!("{AUTHORIZATION}/namespaces/{}/localsubjectaccessreviews", ground.namespace);
    let pods = json!({"verb": "get", "resource": "pods", "namespace": "kube-system"});
    let path = json!({"verb": "get", "path": "/x"});
    for (url, metadata, spec, field) in [
        (&others, json!({}), json!({"user": "a"}), "spec.resourceAttributes"),
        (&others, json!({}), json!({"resourceAttributes": pods}), "spec.user"),
        (
            &others,
            json!({}),
            json!({"user": "a", "resourceAttributes": pods, "nonResourceAttributes": path}),
            "spec.nonResourceAttributes",
        ),
        (
            &local,
            json!({"namespace": ground.namespace}),
            json!({"user": "a", "resourceAttributes": pods}),
            "spec.resourceAttributes.namespace",
        ),
    ] {
        let status = send(ground, "POST", url, json!({"metadata": metadata, "spec": spec})).await;
        let status = status.expect_err("a refusal");
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{status:?}");
        let causes = status.details.expect("details").causes;
        assert_eq!(causes.iter().map(|cause| cause.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    let rules = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let status = send(ground, "POST", &rules, json!({"spec": {}})).await.expect_err("a refusal");
    assert_eq!((status.code, status.message.as_str()), (400, "no namespace on request"));
}

async fn rules_reviews_list_what_one_may(ground: &Ground) {
    let user = ground.unique("reader");
    let reader = seen_by(ground, &user);
    let rule = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]});
    grant(ground, &user, json!([rule, {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}])).await;
    bind(ground, &user, ("Role", "missing")).await;
    until_allowed(&reader, true, "list", "pods").await;
    let path = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let body = json!({"spec": {"namespace": ground.namespace}});
    let missing = "role.rbac.authorization.k8s.io \"missing\" not found";
    let mut status = Value::Null;
    ground
        .within("the lost binding is known", async {
            while status["evaluationError"] != missing {
                status = done(&reader, "POST", &path, body.clone()).await["status"].clone();
            }
        })
        .await;
    assert_eq!(status["incomplete"], false);
    let rules = status["resourceRules"].as_array().expect("rules");
    assert!(rules.contains(&rule), "{rules:?}");
    let paths = status["nonResourceRules"].as_array().expect("rules");
    let discovery =
        |rule: &&Value| rule["nonResourceURLs"].as_array().is_some_and(|all| all.contains(&json!("/apis/*")));
    assert_eq!(paths.iter().filter(discovery).count(), 1, "{paths:?}");
    let asked = json!({"verb": "delete", "resource": "pods", "namespace": ground.namespace});
    let why = review(&reader, &asked).await;
    assert_eq!(why, json!({"allowed": false, "reason": format!("RBAC: {missing}")}));
}

async fn roles_gather_the_rules_of_others(ground: &Ground) {
    let roles = rights(ground, "ClusterRole");
    let (gathering, part, label) = (ground.unique("gathers"), ground.unique("part"), ground.unique("label"));
    let rule = json!({"verbs": ["get"], "apiGroups": ["a.example"], "resources": ["things"]});
    roles
        .create(
            json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": gathering}, "rules": [],
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label.as_str(): "true"}}]}}),
        )
        .await;
    let has = |wanted: Value| move |role: &Value| role.get("rules").unwrap_or(&Value::Null) == &wanted;
    roles
        .create(json!({"apiVersion": RBAC, "kind": "ClusterRole", "rules": [rule],
            "metadata": {"name": part, "labels": {label.as_str(): "true"}}}))
        .await;
    roles.until_is(&gathering, "it has the rule", has(json!([rule]))).await;
    roles.merge(&gathering, json!({"rules": []})).await;
    roles.until_is(&gathering, "it has the rule again", has(json!([rule]))).await;
    roles.delete(&part).await;
    let empty = |role: &Value| role.get("rules").is_none_or(|rules| rules.is_null() || rules == &json!([]));
    roles.until_is(&gathering, "it has no rule", empty).await;
    roles.delete(&gathering).await;
}

async fn nobody_grants_what_they_have_not(ground: &Ground) {
    let user = ground.unique("owner");
    let owner = seen_by(ground, &user);
    bind(ground, &user, ("ClusterRole", "admin")).await;
    until_allowed(&owner, true, "create", "rbac.authorization.k8s.io/roles").await;
    // what it gathers from others comes later
    until_allowed(&owner, true, "list", "pods").await;
    let roles = rights(&owner, "Role");
    let role =
        |rules: Value| json!({"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "r"}, "rules": rules});
    let status = roles
        .try_create(role(json!([
            {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["*"], "apiGroups": [""], "resources": ["nodes", "pods"]},
            {"verbs": ["get", "watch"], "apiGroups": ["a.b"], "resources": ["x/y"], "resourceNames": ["n1"]},
        ])))
        .await
        .expect_err("a refusal");
    assert_eq!(status.code, 403);
    let expected = format!(
        "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"{user}\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"*\"]}}\n{{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"*\"]}}\n{{APIGroups:[\"a.b\"], Resources:[\"x/y\"], ResourceNames:[\"n1\"], Verbs:[\"get\" \"watch\"]}}"
    );
    assert_eq!(status.message, expected);
    roles.create(role(json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]))).await;
    let more = json!({"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["nodes"]}]});
    let patched = roles.try_patch("r", &Default::default(), kube::api::Patch::Merge(more)).await;
    assert_eq!(patched.expect_err("a refusal").code, 403);
    let bindings = rights(&owner, "RoleBinding");
    let to = |role: (&str, &str)| binding("RoleBinding", "b", "somebody", role);
    let refused = bindings.try_create(to(("ClusterRole", "cluster-admin"))).await.expect_err("a refusal");
    assert!(
        refused.message.ends_with("Verbs:[\"*\"]}\n{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"),
        "{refused:?}"
    );
    let lost = bindings.try_create(to(("ClusterRole", "no-such-role"))).await.expect_err("a refusal");
    assert_eq!(
        (lost.code, lost.message.as_str()),
        (404, "clusterroles.rbac.authorization.k8s.io \"no-such-role\" not found")
    );
    bindings.create(to(("ClusterRole", "view"))).await;
}

async fn some_may_grant_more_than_they_have(ground: &Ground) {
    let user = ground.unique("granter");
    let granter = seen_by(ground, &user);
    let group = "rbac.authorization.k8s.io";
    grant(
        ground,
        &user,
        json!([
            {"verbs": ["create", "escalate"], "apiGroups": [group], "resources": ["roles"]},
            {"verbs": ["create"], "apiGroups": [group], "resources": ["rolebindings"]},
            {"verbs": ["bind"], "apiGroups": [group], "resources": ["clusterroles"], "resourceNames": ["edit"]},
        ]),
    )
    .await;
    until_allowed(&granter, true, "escalate", "rbac.authorization.k8s.io/roles").await;
    let rules = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    let role = json!({"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "r"}, "rules": rules});
    rights(&granter, "Role").create(role).await;
    let bindings = rights(&granter, "RoleBinding");
    bindings.create(binding("RoleBinding", "one", "somebody", ("ClusterRole", "edit"))).await;
    let other = binding("RoleBinding", "two", "somebody", ("ClusterRole", "view"));
    assert_eq!(bindings.try_create(other).await.expect_err("a refusal").code, 403);
}

async fn acting_as_others_must_be_allowed(ground: &Ground) {
    let user = ground.unique("actor");
    let actor = seen_by(ground, &user);
    let rule = json!([{"verbs": ["impersonate"], "apiGroups": [""], "resources": ["serviceaccounts"],
        "resourceNames": ["robot"]}]);
    grant(ground, &user, rule).await;
    // A chain of impersonations is not possible over HTTP: the reviews answer for the first link.
    let asked = |resource: &str, name: &str| json!({"verb": "impersonate", "resource": resource, "name": name, "namespace": ground.namespace});
    ground
        .within("the robot may be acted as", async {
            while review(&actor, &asked("serviceaccounts", "robot")).await["allowed"] != true {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await;
    for (resource, name) in [("serviceaccounts", "other"), ("users", "robot"), ("groups", "system:masters")] {
        assert_eq!(review(&actor, &asked(resource, name)).await["allowed"], false, "{resource} {name}");
    }
    let path = format!("/api/v1/namespaces/{}/pods", ground.namespace);
    let groupless = with_client(ground, acting(ground, &[("impersonate-group", "a")]));
    let broken =
        groupless.client.request_text(Request::get(&path).body(Vec::new()).expect("a request")).await;
    match broken {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 500),
        other => panic!("{other:?}"),
    }
    // An account brings its groups.
    let account = format!("system:serviceaccount:{}:robot", ground.namespace);
    let robot = seen_by(ground, &account);
    let bound = ground.unique("robots");
    rights(ground, "RoleBinding")
        .create(json!({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": {"name": bound},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io",
                "name": format!("system:serviceaccounts:{}", ground.namespace)}]}))
        .await;
    until_allowed(&robot, true, "list", "pods").await;
    done(&robot, "GET", &path, Value::Null).await;
    // A member of system:masters needs no role.
    let master = with_client(
        ground,
        acting(ground, &[("impersonate-user", "somebody"), ("impersonate-group", "system:masters")]),
    );
    done(&master, "GET", "/api/v1/nodes", Value::Null).await;
}

async fn token_of(ground: &Ground, account: &str, spec: Value) -> Result<Value, Status> {
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", ground.namespace);
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    send(ground, "POST", &path, body).await
}

async fn reviewed(ground: &Ground, token: &str, audiences: Value) -> Value {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": {"token": token, "audiences": audiences}});
    let answer = done(ground, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body).await;
    answer["status"].clone()
}

async fn tokens_are_for_their_account_and_audience(ground: &Ground) {
    let account = ground.things("serviceaccounts").create(json!({"metadata": {"name": "robot"}})).await;
    let issued = token_of(ground, "robot", json!({"audiences": ["a", "b"], "expirationSeconds": 1200})).await;
    let issued = issued.expect("a token");
    assert_eq!(issued["spec"]["expirationSeconds"], 1200);
    let token = text(&issued, "/status/token").to_owned();
    assert_eq!(token.split('.').count(), 3);
    let status = reviewed(ground, &token, json!(["b", "c"])).await;
    assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!(["b"])));
    let user = &status["user"];
    let name = format!("system:serviceaccount:{}:robot", ground.namespace);
    assert_eq!((&user["username"], &user["uid"]), (&json!(name), &account["metadata"]["uid"]));
    let own = format!("system:serviceaccounts:{}", ground.namespace);
    assert_eq!(user["groups"], json!(["system:serviceaccounts", own, "system:authenticated"]));
    for (token, audiences) in
        [(token.as_str(), json!(["c"])), (token.as_str(), json!([])), ("x.y.z", json!(["a"]))]
    {
        let status = reviewed(ground, token, audiences).await;
        assert_eq!((status.get("authenticated"), &status["user"]), (None, &json!({})), "{status}");
        assert!(text(&status, "/error").contains("invalid bearer token"), "{status}");
    }
    // Without an audience it is for the API server, for an hour.
    let issued = token_of(ground, "robot", json!({})).await.expect("a token");
    assert_eq!(issued["spec"]["expirationSeconds"], 3600);
    let status = reviewed(ground, text(&issued, "/status/token"), json!([])).await;
    assert_eq!(status["audiences"], issued["spec"]["audiences"]);
}

async fn tokens_end_with_what_they_are_bound_to(ground: &Ground) {
    let accounts = ground.things("serviceaccounts");
    accounts.create(json!({"metadata": {"name": "robot"}})).await;
    let secrets = ground.things("secrets");
    secrets.create(json!({"metadata": {"name": "bound"}})).await;
    let reference = json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": "bound"}});
    let issue = async |spec: Value| -> String {
        let issued = token_of(ground, "robot", spec).await.expect("a token");
        text(&issued, "/status/token").to_owned()
    };
    let (free, bound) = (issue(json!({})).await, issue(reference).await);
    let holds = async |token: &str| reviewed(ground, token, json!([])).await["authenticated"] == true;
    let until = async |token: &str, expected: bool| {
        while holds(token).await != expected {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    assert!(holds(&free).await && holds(&bound).await);
    secrets.delete("bound").await;
    // A real server remembers for ten seconds what it found.
    ground.within("the bound token is over", until(&bound, false)).await;
    assert!(holds(&free).await);
    accounts.delete("robot").await;
    accounts.create(json!({"metadata": {"name": "robot"}})).await;
    ground.within("the account's token is over", until(&free, false)).await;
}

async fn token_requests_that_make_no_sense_are_refused(ground: &Ground) {
    let pod = |name: &str| json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": name}});
    for (account, spec, code, message) in [
        ("no-such", json!({}), 404, "serviceaccounts \"no-such\" not found"),
        ("default", pod("no-such"), 404, "pods \"no-such\" not found"),
        (
            "default",
            json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Foo", "name": "a"}}),
            400,
            "cannot bind token to object of type /v1, Kind=Foo",
        ),
        (
            "default",
            json!({"expirationSeconds": 10}),
            422,
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes",
        ),
    ] {
        let status = token_of(ground, account, spec).await.expect_err("a refusal");
        assert_eq!((status.code, status.message.as_str()), (code, message));
    }
    let nobody = seen_by(ground, &ground.unique("nobody"));
    assert_eq!(token_of(&nobody, "default", json!({})).await.expect_err("a refusal").code, 403);
}

async fn one_can_ask_who_one_is(ground: &Ground) {
    let headers = [
        ("impersonate-user", "ann"),
        ("impersonate-group", "red"),
        ("impersonate-uid", "7"),
        ("impersonate-extra-example.com%2fteam", "blue"),
    ];
    let ann = with_client(ground, acting(ground, &headers));
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = done(&ann, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body).await;
    let expected = json!({"username": "ann", "uid": "7", "groups": ["red", "system:authenticated"],
        "extra": {"example.com/team": ["blue"]}});
    assert_eq!(answer["status"]["userInfo"], expected);
}

async fn everybody_may_find_out_what_they_may(ground: &Ground) {
    let roles = rights(ground, "ClusterRole");
    let basic = roles.get("system:basic-user").await;
    assert_eq!(basic["metadata"]["labels"]["kubernetes.io/bootstrapping"], "rbac-defaults");
    assert_eq!(basic["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"], "true");
    let binding = rights(ground, "ClusterRoleBinding").get("cluster-admin").await;
    assert_eq!(text(&binding, "/subjects/0/name"), "system:masters");
    // Somebody who is not authenticated is refused even that.
    let anonymous = seen_by(ground, "system:anonymous");
    refused(&anonymous, "GET", "/api", Value::Null).await;
    done(&anonymous, "GET", "/version", Value::Null).await;
    let path = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    refused(&anonymous, "POST", &path, json!({"spec": {"resourceAttributes": {"verb": "get"}}})).await;
}

cases!(
    nobody_may_do_anything,
    refusals_name_subresource_scope_and_path,
    a_role_allows_what_it_says_and_no_more,
    watches_need_their_own_verb,
    subresources_are_resources_of_their_own,
    applying_what_is_not_there_is_creating,
    default_roles_read_write_and_grant,
    reviews_say_whether_and_why,
    reviews_that_make_no_sense_are_refused,
    rules_reviews_list_what_one_may,
    roles_gather_the_rules_of_others,
    nobody_grants_what_they_have_not,
    some_may_grant_more_than_they_have,
    acting_as_others_must_be_allowed,
    tokens_are_for_their_account_and_audience,
    tokens_end_with_what_they_are_bound_to,
    token_requests_that_make_no_sense_are_refused,
    everybody_may_find_out_what_they_may;
    only_sandbox:
        one_can_ask_who_one_is: "SelfSubjectReview and Impersonate-Uid came after 1.20",
);
