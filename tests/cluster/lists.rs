//! Lists: selectors, pages, metadata alone.

use kube::api::{ListParams, VersionMatch};
use serde_json::json;

use crate::ground::Ground;
use crate::objects::{config_map, pod, refusal};
use crate::things::{Things, names, text, version};

cases!(
    label_selectors_choose,
    field_selectors_choose,
    an_unknown_field_is_refused,
    pages_make_up_one_list,
    pages_show_one_moment,
    a_broken_token_is_refused,
    metadata_can_be_listed_alone,
    all_namespaces_are_listed_together,
    a_list_may_show_the_past,
    a_list_from_any_cache_is_whole,
    list_options_that_make_no_sense_are_refused,
    selectors_that_make_no_sense_are_refused,
    each_kind_has_fields_to_select_by;
    only_sandbox:
        a_list_of_the_future_times_out: "over a connection the client asks again and again when it gets a 504",
        newer_fields_select: "Services are selected by type and address since 1.24",
);

async fn labelled(maps: &Things, name: &str, labels: serde_json::Value) {
    let mut map = config_map(name, "a");
    map["metadata"]["labels"] = labels;
    maps.create(map).await;
}

async fn label_selectors_choose(ground: &Ground) {
    let maps = ground.things("configmaps");
    labelled(&maps, "one", json!({"set": "x", "app": "web", "tier": "front"})).await;
    labelled(&maps, "three", json!({"set": "x", "app": "db"})).await;
    labelled(&maps, "two", json!({"set": "x", "app": "web", "tier": "edge"})).await;
    for (selector, expected) in [
        ("set=x", vec!["one", "three", "two"]),
        ("set=x,app=web", vec!["one", "two"]),
        ("set==x,app!=web", vec!["three"]),
        ("set=x,tier in (front, edge)", vec!["one", "two"]),
        ("set=x,tier notin (front)", vec!["three", "two"]),
        ("set=x,tier", vec!["one", "two"]),
        ("set=x,!tier", vec!["three"]),
        ("set=y", vec![]),
    ] {
        assert_eq!(maps.names(selector).await, expected, "{selector}");
    }
    let status = maps.try_list(&ListParams::default().labels("app in web")).await.expect_err("a refusal");
    assert_eq!(status.code, 400);
}

async fn field_selectors_choose(ground: &Ground) {
    let maps = ground.things("configmaps");
    maps.create(config_map("one", "a")).await;
    maps.create(config_map("two", "a")).await;
    let by = async |selector: &str| names(&maps.list(&ListParams::default().fields(selector)).await.items);
    assert_eq!(by("metadata.name=two").await, ["two"]);
    assert!(!by("metadata.name!=two").await.contains(&"two".to_owned()));
    let pods = ground.things("pods");
    pods.create(pod("one")).await;
    let running = pods.until_is("one", "it runs", |pod| text(pod, "/status/phase") == "Running").await;
    let by = async |selector: &str| names(&pods.list(&ListParams::default().fields(selector)).await.items);
    assert_eq!(by("status.phase=Running").await, ["one"]);
    assert_eq!(by("status.phase!=Running").await, Vec::<String>::new());
    assert_eq!(by("spec.nodeName=").await, Vec::<String>::new());
    assert_eq!(by(&format!("spec.nodeName={}", text(&running, "/spec/nodeName"))).await, ["one"]);
}

async fn an_unknown_field_is_refused(ground: &Ground) {
    let maps = ground.things("configmaps");
    let status = maps.try_list(&ListParams::default().fields("data.text=a")).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (400, "BadRequest"));
}

async fn some(ground: &Ground, count: usize) -> Things {
    let maps = ground.things("configmaps");
    // where a controller puts one into every namespace, it is there before the pages are counted
    if ground.sandbox.is_none() {
        maps.until("kube-root-ca.crt", "it is there", |map| map.is_some()).await;
    }
    for index in 0..count {
        labelled(&maps, &format!("map-{index}"), json!({"set": "x"})).await;
    }
    maps
}

async fn pages_make_up_one_list(ground: &Ground) {
    let maps = some(ground, 5).await;
    let all = maps.list(&ListParams::default()).await;
    let mut seen = Vec::new();
    let mut params = ListParams::default().limit(2);
    let first = maps.list(&params).await;
    assert_eq!(first.remaining, Some(all.items.len() as i64 - 2));
    let moment = first.resource_version.clone();
    let mut page = first;
    loop {
        assert!(page.items.len() <= 2);
        assert_eq!(page.resource_version, moment);
        seen.extend(names(&page.items));
        if page.next.is_empty() {
            break;
        }
        params = ListParams::default().limit(2).continue_token(&page.next);
        page = maps.list(&params).await;
    }
    assert_eq!(page.remaining, None);
    assert_eq!(seen, names(&all.items));
    let selected = maps.list(&ListParams::default().labels("set=x").limit(2)).await;
    assert_eq!((selected.remaining, selected.items.len()), (None, 2), "with a selector nobody counts");
}

async fn pages_show_one_moment(ground: &Ground) {
    let maps = some(ground, 4).await;
    let first = maps.list(&ListParams::default().labels("set=x").limit(2)).await;
    assert_eq!(names(&first.items), ["map-0", "map-1"]);
    maps.delete("map-2").await;
    labelled(&maps, "map-9", json!({"set": "x"})).await;
    let rest = maps.list(&ListParams::default().labels("set=x").limit(10).continue_token(&first.next)).await;
    assert_eq!(names(&rest.items), ["map-2", "map-3"]);
}

async fn a_broken_token_is_refused(ground: &Ground) {
    let maps = some(ground, 1).await;
    let status = maps.try_list(&ListParams::default().limit(1).continue_token("nonsense")).await;
    assert_eq!(status.expect_err("a refusal").code, 400);
}

async fn metadata_can_be_listed_alone(ground: &Ground) {
    let maps = some(ground, 2).await;
    let list = maps.api.list_metadata(&ListParams::default().labels("set=x")).await.expect("a list");
    let found: Vec<&str> = list.items.iter().filter_map(|item| item.metadata.name.as_deref()).collect();
    assert_eq!(found, ["map-0", "map-1"]);
    let one = maps.api.get_metadata("map-0").await.expect("metadata");
    assert_eq!(one.metadata.labels.and_then(|labels| labels.get("set").cloned()).as_deref(), Some("x"));
    let full = maps.get("map-0").await;
    assert_eq!(one.metadata.resource_version, Some(version(&full)));
}

async fn all_namespaces_are_listed_together(ground: &Ground) {
    let other = ground.unique("other");
    ground.things("namespaces").create(json!({"metadata": {"name": other}})).await;
    let mark = ground.unique("mark");
    for namespace in [&ground.namespace, &other] {
        labelled(&ground.things_in("configmaps", namespace), "same", json!({"mark": mark})).await;
    }
    let everywhere = Things::of(ground, &crate::things::resource("v1", "ConfigMap", "configmaps"), None);
    let list = everywhere.list(&ListParams::default().labels(&format!("mark={mark}"))).await;
    let mut spaces: Vec<&str> = list.items.iter().map(|map| text(map, "/metadata/namespace")).collect();
    spaces.sort_unstable();
    let mut expected = [ground.namespace.as_str(), other.as_str()];
    expected.sort_unstable();
    assert_eq!(spaces, expected);
    ground.things("namespaces").delete(&other).await;
}

async fn a_list_may_show_the_past(ground: &Ground) {
    let maps = some(ground, 2).await;
    let then = maps.list(&ListParams::default().labels("set=x")).await.resource_version;
    maps.delete("map-0").await;
    labelled(&maps, "map-7", json!({"set": "x"})).await;
    let exact = ListParams { resource_version: Some(then.clone()), ..ListParams::default().labels("set=x") };
    let past = maps.list(&exact.clone().matching(VersionMatch::Exact)).await;
    assert_eq!((names(&past.items), &past.resource_version), (vec!["map-0".into(), "map-1".into()], &then));
    let limited = maps.list(&exact.clone().limit(5)).await;
    assert_eq!(names(&limited.items), ["map-0", "map-1"], "a limit and a version mean that version");
    let now = maps.list(&ListParams::default().labels("set=x")).await.resource_version;
    let newer = ListParams { resource_version: Some(now), ..exact }.matching(VersionMatch::NotOlderThan);
    let mut found = names(&maps.list(&newer).await.items);
    // a real server's cache had no order before 1.27
    found.sort_unstable();
    assert_eq!(found, ["map-1", "map-7"]);
}

async fn a_list_from_any_cache_is_whole(ground: &Ground) {
    let maps = some(ground, 3).await;
    maps.until_all("set=x", "the cache has them", |maps| maps.len() == 3).await;
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    let request = http::Request::get(format!("{path}?labelSelector=set%3Dx&limit=1&resourceVersion=0"));
    let list = ground.client.request::<serde_json::Value>(request.body(Vec::new()).expect("a request")).await;
    let list = list.expect("a list");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(text(&list, "/metadata/continue"), "");
}

async fn a_list_of_the_future_times_out(ground: &Ground) {
    let path = format!("/api/v1/namespaces/{}/configmaps?resourceVersion=99999999", ground.namespace);
    for path in [path.clone(), path.replace("configmaps?", "configmaps/one?")] {
        let status = refusal(ground, "GET", &path, "application/json", "").await;
        assert_eq!((status.code, status.reason.as_str()), (504, "Timeout"), "{path}");
        assert!(
            status.message.starts_with("Timeout: Too large resource version: 99999999"),
            "{}",
            status.message
        );
        let cause = &status.details.expect("details").causes[0];
        assert_eq!(cause.reason, "ResourceVersionTooLarge");
    }
}

async fn list_options_that_make_no_sense_are_refused(ground: &Ground) {
    let maps = some(ground, 2).await;
    let page = maps.list(&ListParams::default().labels("set=x").limit(1)).await;
    let next = format!("limit=1&continue={}", page.next);
    let path = format!("/api/v1/namespaces/{}/configmaps", ground.namespace);
    for (query, code, part) in [
        ("resourceVersionMatch=Exact", 422, "is forbidden unless resourceVersion is provided"),
        ("resourceVersionMatch=Exact&resourceVersion=0", 422, "forbidden for resourceVersion \"0\""),
        ("resourceVersionMatch=Foo&resourceVersion=5", 422, "Unsupported value: \"Foo\""),
        (
            &format!("{next}&resourceVersion=5&resourceVersionMatch=Exact"),
            422,
            "forbidden when continue is provided",
        ),
        (
            &format!("{next}&resourceVersion=5"),
            400,
            "specifying resource version is not allowed when using continue",
        ),
        ("continue=xx", 400, "continue key is not valid"),
        ("limit=many", 400, ""),
    ] {
        let status = refusal(ground, "GET", &format!("{path}?{query}"), "application/json", "").await;
        assert_eq!(status.code, code, "{query}: {}", status.message);
        assert!(status.message.contains(part), "{query}: {}", status.message);
    }
}

async fn selectors_that_make_no_sense_are_refused(ground: &Ground) {
    let maps = ground.things("configmaps");
    for (labels, message) in [
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"),
        ("a in (b,c", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a>x", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"),
        ("_a=b", "unable to parse requirement: invalid label key \"_a\": name part must consist"),
        ("a=_b", "unable to parse requirement: invalid label value: \"_b\": at key: \"a\":"),
    ] {
        let status = maps.try_list(&ListParams::default().labels(labels)).await.expect_err(labels);
        assert_eq!((status.code, status.reason.as_str()), (400, "BadRequest"), "{labels}");
        assert!(status.message.starts_with(message), "{labels}: {}", status.message);
    }
    for (fields, message) in [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name=b=c", "invalid field selector: unescaped character in value: 61"),
        (
            "data.a=b",
            "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        ),
    ] {
        let status = maps.try_list(&ListParams::default().fields(fields)).await.expect_err(fields);
        assert_eq!((status.code, status.message.as_str()), (400, message), "{fields}");
    }
    let status = ground.things("pods").try_list(&ListParams::default().fields("spec.image=a")).await;
    assert_eq!(status.expect_err("a refusal").message, "field label not supported: spec.image");
}

async fn each_kind_has_fields_to_select_by(ground: &Ground) {
    let by = async |things: &Things, fields: &str| {
        names(&things.list(&ListParams::default().fields(fields)).await.items)
    };
    let secrets = ground.things("secrets");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "type": "test.styrmin.io/a"});
    secrets.create(secret).await;
    assert_eq!(by(&secrets, "type=test.styrmin.io/a").await, ["one"]);
    assert!(!by(&secrets, "type!=test.styrmin.io/a").await.contains(&"one".to_owned()));
    let namespaces = ground.things("namespaces");
    let name = &ground.namespace;
    assert_eq!(
        by(&namespaces, &format!("status.phase=Active,metadata.name={name}")).await,
        std::slice::from_ref(name)
    );
    let events = ground.things("events");
    events
        .create(json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "told"}, "reason": "Tried", "type": "Normal",
            "involvedObject": {"kind": "Pod", "name": "ghost", "uid": "u-1", "namespace": ground.namespace}}))
        .await;
    assert_eq!(
        by(&events, "involvedObject.name=ghost,involvedObject.kind=Pod,involvedObject.uid=u-1").await,
        ["told"]
    );
    assert_eq!(by(&events, "reason=Tried,type=Normal,involvedObject.name=ghost").await, ["told"]);
    assert_eq!(by(&events, "involvedObject.name=ghost,type=Warning").await, Vec::<String>::new());
    let jobs = ground.things("jobs");
    jobs.create(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "idle"}, "spec": {"parallelism": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/one:1"}]}}}}))
        .await;
    assert_eq!(by(&jobs, "status.successful=0").await, ["idle"], "a count that is absent is nought");
    assert_eq!(by(&jobs, "status.successful=1").await, Vec::<String>::new());
    let pods = ground.things("pods");
    pods.create(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lonely"}, "spec": {"schedulerName": "nobody",
        "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/one:1"}]}}))
        .await;
    assert_eq!(by(&pods, "spec.schedulerName=nobody,spec.restartPolicy=Never").await, ["lonely"]);
}

async fn newer_fields_select(ground: &Ground) {
    let services = ground.things("services");
    services
        .create(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}))
        .await;
    let by = async |fields: &str| names(&services.list(&ListParams::default().fields(fields)).await.items);
    assert_eq!(by("spec.type=ClusterIP,spec.clusterIP=None").await, ["web"]);
    assert_eq!(by("spec.type=NodePort").await, Vec::<String>::new());
}
