//! Out of one sandbox, into another.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kube::Client;
use serde_json::{Value, json};

use crate::binary::{Running, run};
use crate::rig::{ask, block_on, config_map};

const RESOURCES: [&str; 8] = [
    "/api/v1/namespaces",
    "/api/v1/configmaps",
    "/api/v1/secrets",
    "/api/v1/services",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/example.com/v1/boats",
];

/// Makes one of everything that is hard to carry.
async fn fill(client: &Client) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "boats", "singular": "boat", "kind": "Boat", "listKind": "BoatList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let make = async |path: &str, body: Value| ask(client, "POST", path, &body).await.unwrap();
    make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition).await;
    make("/api/v1/namespaces", json!({"metadata": {"name": "demo"}})).await;
    let owner = make("/api/v1/namespaces/demo/configmaps", config_map("owner")).await;
    let mut owned = config_map("owned");
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}]);
    owned["data"] = json!({"text": "a: b\n---\n\tx\n", "yes": "no", "number": "007", "empty": ""});
    make("/api/v1/namespaces/demo/configmaps", owned).await;
    make(
        "/api/v1/namespaces/demo/secrets",
        json!({"metadata": {"name": "secret"}, "data": {"password": "c2VjcmV0"}}),
    )
    .await;
    make(
        "/apis/example.com/v1/namespaces/demo/boats",
        json!({"apiVersion": "example.com/v1", "kind": "Boat", "metadata": {"name": "b"}, "spec": {"sails": 3}}),
    )
    .await;
    let spec = json!({"selector": {"matchLabels": {"a": "b"}}, "replicas": 1, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "nginx"}]},
    }});
    make("/apis/apps/v1/namespaces/demo/deployments", json!({"metadata": {"name": "web"}, "spec": spec}))
        .await;
    make(
        "/api/v1/namespaces/demo/services",
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}),
    )
    .await;
}

/// What is the same before and after: everything but versions, what controllers write while it runs, and the block of
/// addresses of a run.
async fn contents(client: &Client) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for path in RESOURCES {
        let list = ask(client, "GET", path, &Value::Null).await.unwrap();
        for mut item in list["items"].as_array().unwrap().clone() {
            // each sandbox has an authority of its own
            if item["metadata"]["name"] == "kube-root-ca.crt" {
                continue;
            }
            let metadata = item["metadata"].as_object_mut().unwrap();
            metadata.remove("resourceVersion");
            metadata.remove("managedFields");
            let key =
                format!("{path} {}/{}", metadata.get("namespace").unwrap_or(&Value::Null), metadata["name"]);
            item.as_object_mut().unwrap().remove("status");
            if let Some(spec) = item.get_mut("spec").and_then(Value::as_object_mut) {
                spec.remove("clusterIP");
                spec.remove("clusterIPs");
            }
            all.insert(key, item);
        }
    }
    all
}

fn state(home: &Path, name: &str) -> String {
    home.join(name).to_str().unwrap().to_owned()
}

async fn running(home: &Path, state: &str) -> (Running, Client) {
    let running = Running::start(home, &["--state", state]).await;
    let client = running.client().await;
    (running, client)
}

#[test]
fn an_export_becomes_the_same_sandbox_elsewhere() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (state(home.path(), "first"), state(home.path(), "second"));
        let file = home.path().join("export.yaml");
        let (serving, client) = running(home.path(), &first).await;
        fill(&client).await;
        let path = "/apis/apps/v1/namespaces/demo/deployments/web";
        while ask(&client, "GET", path, &Value::Null).await.unwrap()["status"]["readyReplicas"] != 1 {
            tokio::task::yield_now().await;
        }
        let before = contents(&client).await;
        let export = ["sandbox", "export", "--state", &first, file.to_str().unwrap()];
        let (code, _, told) = run(home.path(), &export).await;
        assert_eq!(code, Some(1), "it is running");
        assert!(told.contains("stop it first"), "{told}");
        serving.stop().await;

        let (code, _, told) = run(home.path(), &export).await;
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("c2VjcmV0"));
        for absent in [
            "\nkind: Event\n",
            "\nkind: Pod\n",
            "\nkind: Node\n",
            "\nkind: EndpointSlice\n",
            "kube-root-ca.crt",
        ] {
            assert!(!text.contains(absent), "{absent}");
        }
        let import = ["sandbox", "import", "--state", &second, file.to_str().unwrap()];
        let (code, told, error) = run(home.path(), &import).await;
        assert_eq!(code, Some(0), "{error}");
        assert!(told.contains(" objects are new") && !told.contains("already"), "{told}");
        let (_, told, _) = run(home.path(), &import).await;
        assert!(told.starts_with("0 objects are new"), "{told}");

        let (serving, client) = running(home.path(), &second).await;
        while ask(&client, "GET", "/api/v1/namespaces/demo/pods", &Value::Null).await.unwrap()["items"][0]["status"]
            ["phase"]
            != "Running"
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(contents(&client).await, before);
        serving.stop().await;
    });
}

#[test]
fn a_namespace_goes_into_a_sandbox_that_has_lived() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (state(home.path(), "first"), state(home.path(), "second"));
        let (serving, client) = running(home.path(), &first).await;
        fill(&client).await;
        serving.stop().await;
        let (serving, client) = running(home.path(), &second).await;
        ask(&client, "POST", "/api/v1/namespaces", &json!({"metadata": {"name": "demo"}})).await.unwrap();
        let own =
            ask(&client, "POST", "/api/v1/namespaces/demo/configmaps", &config_map("owner")).await.unwrap();
        serving.stop().await;

        let file = home.path().join("demo.yaml");
        let file = file.to_str().unwrap();
        let (code, ..) =
            run(home.path(), &["sandbox", "export", "--state", &first, "-n", "nowhere", file]).await;
        assert_eq!(code, Some(1));
        let (code, ..) =
            run(home.path(), &["sandbox", "export", "--state", &first, "-n", "demo", file]).await;
        assert_eq!(code, Some(0));
        let import = ["sandbox", "import", "--state", &second, file];
        let (code, _, told) = run(home.path(), &import).await;
        assert_eq!(code, Some(1));
        assert!(told.contains("no kind Boat") && told.contains("line "), "{told}");

        let without = fs::read_to_string(file).unwrap();
        let without: Vec<&str> =
            without.split("---\n").filter(|part| !part.contains("kind: Boat\n")).collect();
        fs::write(file, without.join("---\n")).unwrap();
        let (code, told, error) = run(home.path(), &import).await;
        assert_eq!(code, Some(0), "{error}");
        assert!(told.contains("  configmaps demo/owner\n") && told.contains("  namespaces demo\n"), "{told}");
        let (serving, client) = running(home.path(), &second).await;
        let path = "/api/v1/namespaces/demo/configmaps/owned";
        let owned = ask(&client, "GET", path, &Value::Null).await.unwrap();
        assert_eq!(owned["metadata"]["ownerReferences"][0]["uid"], own["metadata"]["uid"]);
        serving.stop().await;
    });
}

#[test]
fn what_is_no_export_changes_nothing() {
    block_on(async {
        let home = tempfile::tempdir().unwrap();
        let directory = state(home.path(), "state");
        let (code, _, told) = run(home.path(), &["sandbox", "export", "--state", &directory]).await;
        assert_eq!(code, Some(1));
        assert!(told.contains("there is no sandbox"), "{told}");
        let file = home.path().join("file.yaml");
        let good = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, uid: u}\n";
        for (bad, why) in [
            ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, namespace: a}\n", "metadata.uid"),
            (
                "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, uid: u-1, namespace: gone}\n",
                "no namespace",
            ),
            ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, uid: u-1}\n", "metadata.namespace"),
            (
                "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, uid: u-1, namespace: a}\ndata: 5\n",
                "line 5",
            ),
            ("just a text\n", "no Kubernetes object"),
            ("a: [\n", "line 5: "),
        ] {
            fs::write(&file, format!("{good}---\n{bad}")).unwrap();
            let import = ["sandbox", "import", "--state", &directory, file.to_str().unwrap()];
            let (code, _, told) = run(home.path(), &import).await;
            assert_eq!(code, Some(1), "{bad}");
            assert!(told.contains(why), "'{why}' is not in:\n{told}");
        }
        let (code, told, _) = run(home.path(), &["sandbox", "export", "--state", &directory]).await;
        assert_eq!(code, Some(0));
        assert!(!told.contains("kind: Namespace"), "{told}");
        let (code, _, told) =
            run(home.path(), &["sandbox", "export", "--state", &directory, file.to_str().unwrap()]).await;
        assert_eq!(code, Some(1), "another file is not replaced");
        assert!(told.contains("no earlier export"), "{told}");
    });
}
