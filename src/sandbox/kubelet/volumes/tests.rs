use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::sandbox::api::Api;
use crate::sandbox::clock::SystemClock;
use crate::sandbox::kubelet::tokens::Tokens;

#[test]
fn paths_stay_inside() {
    let base = Path::new("/base");
    assert_eq!(join(base, "/a/./b"), Some(PathBuf::from("/base/a/b")));
    for bad in ["..", "/a/../../b", "a/.."] {
        assert_eq!(join(base, bad), None, "{bad}");
    }
}

#[test]
fn arguments_that_begin_with_a_mount_are_translated() {
    let mount = |path: &str, source: &str| Mount { path: path.into(), source: source.into() };
    let mounts = [mount("/data", "/v/one"), mount("/data/cache", "/v/two")];
    assert_eq!(translate("/data", &mounts), "/v/one");
    assert_eq!(translate("/data/x", &mounts), "/v/one/x");
    assert_eq!(translate("/data/cache/x", &mounts), "/v/two/x");
    for same in ["/database", "-f/data", "data", "/data/../../etc"] {
        assert_eq!(translate(same, &mounts), same);
    }
}

#[test]
fn config_maps_become_files_and_mounts_become_links() {
    let (api, tokens) = (Api::new(Arc::new(SystemClock), 1), Tokens::default());
    let map =
        json!({"metadata": {"name": "m", "namespace": "default"}, "data": {"a.txt": "hello", "b": "x"}});
    api.create("configmaps", map, "test").unwrap();
    let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": {"volumes": [
        {"name": "conf", "configMap": {"name": "m", "items": [{"key": "a.txt", "path": "sub/a.txt"}]}},
        {"name": "scratch", "emptyDir": {}},
    ]}});
    let sources = sources(&api, &pod, &tokens);
    let directory = tempfile::tempdir().unwrap();
    let (own, claims, root) =
        (directory.path().join("own"), directory.path().join("claims"), directory.path().join("root"));
    let volumes = prepare(&sources, &own, &claims).unwrap();
    let container = json!({"volumeMounts": [
        {"name": "conf", "mountPath": "/etc/app"},
        {"name": "scratch", "mountPath": "/data", "subPath": "one"},
    ]});
    let copies = directory.path().join("copies");
    let place = Place { volumes: &volumes, root: &root, copies: &copies };
    for _ in 0..2 {
        let mounts = mount(&container, &place, |_| None).unwrap();
        assert_eq!([mounts[0].path.as_str(), mounts[1].path.as_str()], ["/etc/app", "/data"]);
    }
    assert_eq!(fs::read_to_string(root.join("etc/app/sub/a.txt")).unwrap(), "hello");
    assert!(!root.join("etc/app/b").exists());
    fs::write(root.join("data/f"), "1").unwrap();
    assert!(own.join("scratch/one/f").exists());
    let bad = json!({"volumeMounts": [{"name": "conf", "mountPath": "/../x"}]});
    assert!(mount(&bad, &place, |_| None).is_err());
}

#[test]
fn unbound_claims_and_unknown_kinds_are_refused() {
    let (api, tokens) = (Api::new(Arc::new(SystemClock), 1), Tokens::default());
    let try_volume = |volume: Value| {
        let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": {"volumes": [volume]}});
        let sources = sources(&api, &pod, &tokens);
        prepare(&sources, Path::new("/nonexistent/own"), Path::new("/nonexistent/claims")).unwrap_err()
    };
    let claim = try_volume(json!({"name": "v", "persistentVolumeClaim": {"claimName": "c"}}));
    assert!(claim.contains("persistentvolumeclaim \"c\" not found"), "{claim}");
    let host = try_volume(json!({"name": "v", "hostPath": {"path": "/"}}));
    assert!(host.contains("does not implement volumes of kind hostPath"), "{host}");
}

fn sources<'a>(api: &'a Api, pod: &'a Value, tokens: &'a Tokens) -> Sources<'a> {
    Sources { api, pod, address: Ipv4Addr::LOCALHOST, node_address: Ipv4Addr::LOCALHOST, tokens }
}

#[test]
fn files_follow_their_sources_and_sub_paths_do_not() {
    let (api, tokens) = (Api::new(Arc::new(SystemClock), 1), Tokens::default());
    let map = json!({"metadata": {"name": "m", "namespace": "default"}, "data": {"a": "1", "b": "1"}});
    api.create("configmaps", map, "test").unwrap();
    let pod = json!({"metadata": {"name": "p", "namespace": "default", "labels": {"x": "y"}}, "spec": {
        "containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}],
        "volumes": [{"name": "all", "projected": {"defaultMode": 0o400, "sources": [
            {"configMap": {"name": "m"}},
            {"secret": {"name": "absent", "optional": true}},
            {"downwardAPI": {"items": [
                {"path": "info/labels", "mode": 0o444, "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "memory", "resourceFieldRef":
                    {"containerName": "main", "resource": "limits.memory", "divisor": "1Mi"}},
            ]}},
        ]}}],
    }});
    let sources = sources(&api, &pod, &tokens);
    let directory = tempfile::tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    let volumes = prepare(&sources, &at("own"), &at("claims")).unwrap();
    let container = json!({"volumeMounts": [
        {"name": "all", "mountPath": "/all"},
        {"name": "all", "mountPath": "/one", "subPathExpr": "$(KEY)"},
    ]});
    let (root, copies) = (at("root"), at("copies"));
    let place = Place { volumes: &volumes, root: &root, copies: &copies };
    mount(&container, &place, |name| (name == "KEY").then_some("a")).unwrap();
    let read = |path: &str| fs::read_to_string(at(path)).unwrap();
    assert_eq!((read("root/all/info/labels"), read("root/all/memory")), ("x=\"y\"".into(), "64".into()));
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(at(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("root/all/a"), mode("root/all/info/labels")), (0o400, 0o444));
    api.mutate("configmaps", "default", "m", "test", |map| map["data"] = json!({"a": "2"})).unwrap();
    prepare(&sources, &at("own"), &at("claims")).unwrap();
    assert_eq!((read("root/all/a"), read("root/one")), ("2".into(), "1".into()));
    assert!(!at("root/all/b").exists());
}

#[test]
fn missing_keys_are_named() {
    let (api, tokens) = (Api::new(Arc::new(SystemClock), 1), Tokens::default());
    let secret = json!({"metadata": {"name": "s", "namespace": "default"}, "data": {}});
    api.create("secrets", secret, "test").unwrap();
    let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": {"volumes": [
        {"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}},
    ]}});
    let directory = tempfile::tempdir().unwrap();
    let why = prepare(&sources(&api, &pod, &tokens), directory.path(), directory.path()).unwrap_err();
    let expected = "MountVolume.SetUp failed for volume \"v\" : references non-existent secret key: k";
    assert_eq!(why, expected);
}
