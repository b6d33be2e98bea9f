//! What a server prints of each kind: its columns, and the cells of a small object.

use http::Method;
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::tables::{AGE, ANY, columns, printed_as, same};
use crate::things::{Things, condition, resource};

cases!(
    workloads_have_their_columns,
    services_have_their_columns,
    configuration_has_its_columns,
    cluster_objects_have_their_columns,
    pods_are_summed_up,
    custom_resources_have_the_columns_of_their_definition;
    only_sandbox:
        newer_columns_are_there: "1.20 has other columns for jobs, volumes, claims and quotas, and no cron jobs in batch/v1",
        restarts_tell_when: "before 1.23 restarts are a number",
        subresources_are_tables: "1.20 refuses Tables of status and scale",
);

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "x"}}, "spec": {"nodeSelector": {"disk": "none"},
        "containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]}})
}

async fn workloads_have_their_columns(ground: &Ground) {
    let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [
        {"key": "app", "operator": "In", "values": ["y", "x"]}, {"key": "none", "operator": "DoesNotExist"}]});
    let selected = "app=x,app in (x,y),!none";
    let object = |replicas: Option<u8>| {
        let mut object =
            json!({"metadata": {"name": "w"}, "spec": {"selector": selector, "template": template()}});
        if let Some(replicas) = replicas {
            object["spec"]["replicas"] = json!(replicas);
        }
        object
    };
    printed_as(
        ground.printed(&ground.path("apis/apps/v1", "deployments"), object(Some(0))).await,
        "Name Ready Up-to-date Available Age [Containers] [Images] [Selector]",
        json!(["w", "0/0", 0, 0, AGE, "a,b", "i,j", selected]),
    );
    printed_as(
        ground.printed(&ground.path("apis/apps/v1", "replicasets"), object(Some(0))).await,
        "Name Desired Current Ready Age [Containers] [Images] [Selector]",
        json!(["w", 0, 0, 0, AGE, "a,b", "i,j", selected]),
    );
    let mut set = object(Some(0));
    set["spec"]["serviceName"] = json!("none");
    printed_as(
        ground.printed(&ground.path("apis/apps/v1", "statefulsets"), set).await,
        "Name Ready Age [Containers] [Images]",
        json!(["w", "0/0", AGE, "a,b", "i,j"]),
    );
    printed_as(
        ground.printed(&ground.path("apis/apps/v1", "daemonsets"), object(None)).await,
        "Name Desired Current Ready Up-to-date Available Node Selector Age [Containers] [Images] [Selector]",
        json!(["w", 0, 0, 0, 0, 0, "disk=none", AGE, "a,b", "i,j", selected]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("apis/apps/v1", "controllerrevisions"),
                json!({"metadata": {"name": "r"}, "revision": 3, "data": {}}),
            )
            .await,
        "Name Controller Revision Age",
        json!(["r", "<none>", 3, AGE]),
    );
}

async fn services_have_their_columns(ground: &Ground) {
    let columns = "Name Type Cluster-IP External-IP Port(s) Age [Selector]";
    let path = ground.path("api/v1", "services");
    let ports = json!([{"port": 80, "name": "a"}, {"port": 53, "protocol": "UDP", "name": "b"}]);
    let services = [
        (
            json!({"selector": {"b": "2", "a": "1"}, "ports": ports}),
            json!(["ClusterIP", ANY, "<none>", "80/TCP,53/UDP", AGE, "a=1,b=2"]),
        ),
        (
            json!({"clusterIP": "None", "ports": [{"port": 80}]}),
            json!(["ClusterIP", "None", "<none>", "80/TCP", AGE, "<none>"]),
        ),
        (
            json!({"type": "ExternalName", "externalName": "example.com"}),
            json!(["ExternalName", "<none>", "example.com", "<none>", AGE, "<none>"]),
        ),
    ];
    for (index, (spec, cells)) in services.into_iter().enumerate() {
        let name = format!("s{index}");
        let mut expected = json!([name]);
        expected.as_array_mut().unwrap().extend(cells.as_array().unwrap().clone());
        let service = json!({"metadata": {"name": name}, "spec": spec});
        printed_as(ground.printed(&path, service).await, columns, expected);
    }
    let subsets = json!([{"addresses": [{"ip": "10.9.0.1"}, {"ip": "10.9.0.2"}],
        "ports": [{"port": 80, "name": "a"}, {"port": 443, "name": "b"}]}]);
    printed_as(
        ground
            .printed(
                &ground.path("api/v1", "endpoints"),
                json!({"metadata": {"name": "e"}, "subsets": subsets}),
            )
            .await,
        "Name Endpoints Age",
        json!(["e", "10.9.0.1:80,10.9.0.2:80,10.9.0.1:443 + 1 more...", AGE]),
    );
    let rule = |host: &str| {
        let backend = json!({"service": {"name": "s", "port": {"number": 80}}});
        json!({"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}})
    };
    let rules: Vec<Value> = ["a.b", "c.d", "e.f", "g.h"].map(rule).into();
    let spec = json!({"ingressClassName": "none", "tls": [{"hosts": ["a.b"]}], "rules": rules});
    printed_as(
        ground
            .printed(
                &ground.path("apis/networking.k8s.io/v1", "ingresses"),
                json!({"metadata": {"name": "i"}, "spec": spec}),
            )
            .await,
        "Name Class Hosts Address Ports Age",
        json!(["i", "none", "a.b,c.d,e.f + 1 more...", "", "80, 443", AGE]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("apis/networking.k8s.io/v1", "networkpolicies"),
                json!({"metadata": {"name": "n"}, "spec": {"podSelector": {"matchLabels": {"a": "b"}}}}),
            )
            .await,
        "Name Pod-Selector Age",
        json!(["n", "a=b", AGE]),
    );
}

async fn configuration_has_its_columns(ground: &Ground) {
    printed_as(
        ground
            .printed(
                &ground.path("api/v1", "configmaps"),
                json!({"metadata": {"name": "c"}, "data": {"a": "b"}, "binaryData": {"c": "eA=="}}),
            )
            .await,
        "Name Data Age",
        json!(["c", 2, AGE]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("api/v1", "secrets"),
                json!({"metadata": {"name": "c"}, "stringData": {"a": "b"}}),
            )
            .await,
        "Name Type Data Age",
        json!(["c", "Opaque", 1, AGE]),
    );
    printed_as(
        ground.printed(&ground.path("api/v1", "serviceaccounts"), json!({"metadata": {"name": "c"}})).await,
        "Name Secrets Age",
        json!(["c", 0, AGE]),
    );
    let made = ground
        .printed(
            &ground.path("api/v1", "limitranges"),
            json!({"metadata": {"name": "c"}, "spec": {"limits": []}}),
        )
        .await;
    printed_as(made, "Name Created At", json!(["c", ANY]));
    let involved = json!({"kind": "Pod", "name": "p", "namespace": ground.namespace, "fieldPath": "spec"});
    let event = json!({"metadata": {"name": "c", "namespace": ground.namespace}, "involvedObject": involved, "reason": "R",
        "message": " hi\n", "type": "Normal", "source": {"component": "c", "host": "h"}});
    printed_as(
        ground.printed(&ground.path("api/v1", "events"), event).await,
        "Last Seen Type Reason Object [Subobject] [Source] Message [First Seen] [Count] [Name]",
        json!(["<unknown>", "Normal", "R", "pod/p", "spec", "c, h", "hi", "<unknown>", 1, "c"]),
    );
    let subjects = json!([{"kind": "User", "name": "a"}, {"kind": "User", "name": "b"}, {"kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
    printed_as(
        ground
            .printed(
                &ground.path("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
                json!({"metadata": {"name": "c"}, "roleRef": role, "subjects": subjects}),
            )
            .await,
        "Name Role Age [Users] [Groups] [ServiceAccounts]",
        json!(["c", "ClusterRole/view", AGE, "a, b", "g", "n/s"]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("apis/rbac.authorization.k8s.io/v1", "roles"),
                json!({"metadata": {"name": "c"}}),
            )
            .await,
        "Name Created At",
        json!(["c", ANY]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("apis/coordination.k8s.io/v1", "leases"),
                json!({"metadata": {"name": "c"}, "spec": {"holderIdentity": "me"}}),
            )
            .await,
        "Name Holder Age",
        json!(["c", "me", AGE]),
    );
}

async fn cluster_objects_have_their_columns(ground: &Ground) {
    let namespace = ground.table(&format!("/api/v1/namespaces/{}", ground.namespace)).await;
    assert_eq!(columns(&namespace), "Name Status Age");
    assert_eq!(namespace["rows"][0]["cells"][1], "Active");
    let nodes = ground.table("/api/v1/nodes?limit=1").await;
    let expected = "Name Status Roles Age Version [Internal-IP] [External-IP] [OS-Image] [Kernel-Version] [Container-Runtime]";
    assert_eq!(columns(&nodes), expected);
    let name = ground.unique("tables");
    let annotations = json!({"storageclass.beta.kubernetes.io/is-default-class": "true"});
    let class = json!({"metadata": {"name": name, "annotations": annotations}, "provisioner": "a/b"});
    let classes = "/apis/storage.k8s.io/v1/storageclasses";
    let dry = format!("{classes}?dryRun=All");
    printed_as(
        ground.printed(&dry, class).await,
        "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
        json!([format!("{name} (default)"), "a/b", "Delete", "Immediate", false, AGE]),
    );
    let class = json!({"metadata": {"name": name}, "spec": {"controller": "a.b/c"}});
    printed_as(
        ground.printed("/apis/networking.k8s.io/v1/ingressclasses?dryRun=All", class).await,
        "Name Controller Parameters Age",
        json!([name, "a.b/c", "<none>", AGE]),
    );
    let definitions = ground.table("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=1").await;
    assert_eq!(columns(&definitions), "Name Created At");
    assert_eq!(definitions["columnDefinitions"][1]["type"], "date");
}

/// A pod on a node that nobody runs, so that its status is what the test writes.
async fn with_status(ground: &Ground, status: Value) -> Value {
    let path = ground.path("api/v1", "pods");
    let containers = json!([{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]);
    let pod =
        json!({"metadata": {"generateName": "p-"}, "spec": {"nodeName": "nobody", "containers": containers}});
    let made = ground.ask(Method::POST, &path, "application/json", pod).await.unwrap();
    let one = format!("{path}/{}", made["metadata"]["name"].as_str().unwrap());
    let change = json!({"status": status});
    ground.ask(Method::PATCH, &format!("{one}/status"), "application/json", change).await.unwrap();
    let table = ground.table(&one).await;
    let options = json!({"gracePeriodSeconds": 0});
    ground.ask(Method::DELETE, &one, "application/json", options).await.unwrap();
    table
}

fn container(name: &str, state: Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": state.get("running").is_some(), "restartCount": 3,
        "state": state, "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2020-01-01T00:00:00Z"}}})
}

async fn pods_are_summed_up(ground: &Ground) {
    let done = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    let half = json!({"phase": "Running", "podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.9"}],
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [container("a", json!({"running": {}})), container("b", done.clone())]});
    let table = with_status(ground, half).await;
    assert_eq!(
        columns(&table),
        "Name Ready Status Restarts Age [IP] [Node] [Nominated Node] [Readiness Gates]"
    );
    let cells = &table["rows"][0]["cells"];
    assert_eq!((&cells[1], &cells[2]), (&json!("1/2"), &json!("NotReady")));
    assert_eq!(
        json!([cells[5], cells[6], cells[7], cells[8]]),
        json!(["10.0.0.9", "nobody", "<none>", "<none>"])
    );
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let looping = json!({"phase": "Running", "containerStatuses": [container("a", waiting), container("b", done.clone())]});
    assert_eq!(with_status(ground, looping).await["rows"][0]["cells"][2], "CrashLoopBackOff");
    let failed = json!({"terminated": {"exitCode": 3}});
    let ended =
        json!({"phase": "Failed", "containerStatuses": [container("a", failed), container("b", done)]});
    let row = &with_status(ground, ended).await["rows"][0];
    assert_eq!(row["cells"][2], "ExitCode:3");
    let condition =
        json!({"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."});
    assert_eq!(row["conditions"], json!([condition]));
}

async fn restarts_tell_when(ground: &Ground) {
    let running = json!({"phase": "Running", "containerStatuses": [container("a", json!({"running": {}}))]});
    let cell = with_status(ground, running).await["rows"][0]["cells"][3].clone();
    let text = cell.as_str().unwrap();
    assert!(text.starts_with("3 (") && text.ends_with(" ago)"), "{text}");
}

async fn custom_resources_have_the_columns_of_their_definition(ground: &Ground) {
    let plural = ground.unique("tables");
    let group = "tables.styrmin.io";
    let column = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
    let mut size = column("Size", "integer", ".spec.size");
    size["priority"] = json!(1);
    size["format"] = json!("int32");
    size["description"] = json!("How large it is.");
    let columns_of_v1 = json!([
        size,
        column("Names", "string", ".spec.containers[*].name"),
        column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        column("Map", "string", ".spec.map"),
        column("Since", "date", ".spec.since"),
        column("Bad", "date", ".spec.map.a"),
        column("Ratio", "number", ".spec.ratio"),
        column("On", "boolean", ".spec.on"),
        column("None", "string", ".spec.none"),
        column("Wrong", "integer", ".spec.on"),
        column("Second", "string", ".spec.containers[1].name"),
        column("Last", "string", ".spec.containers[-1:].name")
    ]);
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": format!("Kind{}", plural.replace('-', "x"))},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": schema, "additionalPrinterColumns": columns_of_v1},
                {"name": "v2", "served": true, "storage": false, "schema": schema}]}});
    let kind = definition["spec"]["names"]["kind"].clone();
    let definitions = ground.things("customresourcedefinitions");
    let name = format!("{plural}.{group}");
    definitions.create(definition).await;
    definitions.until_is(&name, "it is established", |crd| condition(crd, "Established").0 == "True").await;
    let object = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": "x"}, "spec": {"size": 3, "ratio": 1.5,
        "on": true, "since": "2020-01-01T00:00:00Z", "map": {"b": [1], "a": "x"}, "containers": [{"name": "a"}, {"name": "b"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let served = resource(&format!("{group}/v1"), kind.as_str().unwrap(), &plural);
    let things = Things::of(ground, &served, Some(&ground.namespace));
    // a real server serves the resource a moment later than it says
    let created = async {
        while things.try_create(object.clone()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    ground.within("the resource is served", created).await;
    let table = ground.table(&ground.path(&format!("apis/{group}/v1"), &plural)).await;
    assert_eq!(columns(&table), "Name [Size] Names Ready Map Since Bad Ratio On None Wrong Second Last");
    let expected = json!({"name": "Size", "type": "integer", "format": "int32", "description": "How large it is.", "priority": 1});
    assert_eq!(table["columnDefinitions"][1], expected);
    let described = "Custom resource definition column (in JSONPath format): .spec.containers[*].name";
    assert_eq!(table["columnDefinitions"][2]["description"], described);
    let map = "{\"a\":\"x\",\"b\":[1]}";
    let cells = json!(["x", 3, "a", "True", map, ANY, "<invalid>", 1.5, true, null, null, "b", "b"]);
    same(&table["rows"][0]["cells"], &cells);
    let age = ground.table(&ground.path(&format!("apis/{group}/v2"), &plural)).await;
    assert_eq!(columns(&age), "Name Age");
    same(&age["rows"][0]["cells"], &json!(["x", AGE]));
    definitions.delete(&name).await;
}

async fn newer_columns_are_there(ground: &Ground) {
    let container = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}});
    let job = json!({"metadata": {"name": "j"}, "spec": {"suspend": true, "completions": 2, "template": container}});
    printed_as(
        ground.printed(&ground.path("apis/batch/v1", "jobs"), job).await,
        "Name Status Completions Duration Age [Containers] [Images] [Selector]",
        json!(["j", "Running", "0/2", "", AGE, "a", "i", ANY]),
    );
    let cron = json!({"metadata": {"name": "c"}, "spec": {"schedule": "0 0 1 1 *", "timeZone": "Etc/UTC", "suspend": true,
        "jobTemplate": {"spec": {"template": container}}}});
    printed_as(
        ground.printed(&ground.path("apis/batch/v1", "cronjobs"), cron).await,
        "Name Schedule Timezone Suspend Active Last Schedule Age [Containers] [Images] [Selector]",
        json!(["c", "0 0 1 1 *", "Etc/UTC", "True", 0, "<none>", AGE, "a", "i", "<none>"]),
    );
    let spec = json!({"storageClassName": "none", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    printed_as(
        ground
            .printed(
                &ground.path("api/v1", "persistentvolumeclaims"),
                json!({"metadata": {"name": "c"}, "spec": spec}),
            )
            .await,
        "Name Status Volume Capacity Access Modes StorageClass VolumeAttributesClass Age [VolumeMode]",
        json!(["c", "Pending", "", "", "", "none", "<unset>", AGE, "Filesystem"]),
    );
    let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"], "hostPath": {"path": "/x"},
        "storageClassName": "none"});
    let volume = json!({"metadata": {"name": "v"}, "spec": spec});
    printed_as(
        ground.printed("/api/v1/persistentvolumes?dryRun=All", volume).await,
        "Name Capacity Access Modes Reclaim Policy Status Claim StorageClass VolumeAttributesClass Reason Age [VolumeMode]",
        json!(["v", "1Gi", "RWO,RWX", "Retain", ANY, "", "none", "<unset>", "", AGE, "Filesystem"]),
    );
    printed_as(
        ground
            .printed(
                &ground.path("api/v1", "resourcequotas"),
                json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "4"}}}),
            )
            .await,
        "Name Request Limit Age",
        json!(["q", ANY, "", AGE]),
    );
}

async fn subresources_are_tables(ground: &Ground) {
    let spec = json!({"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": template()});
    let path = ground.path("apis/apps/v1", "deployments");
    ground.printed(&path, json!({"metadata": {"name": "d"}, "spec": spec})).await;
    let status = ground.table(&format!("{path}/d/status")).await;
    assert_eq!(columns(&status), "Name Ready Up-to-date Available Age [Containers] [Images] [Selector]");
    let scale = ground.table(&format!("{path}/d/scale")).await;
    assert_eq!(columns(&scale), "Name Desired Available Age");
    same(&scale["rows"][0]["cells"], &json!(["d", 0, 0, AGE]));
}
