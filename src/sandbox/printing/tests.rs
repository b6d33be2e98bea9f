//! One small object of each kind, and the cells that a real server shows for it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Columns, Include, Printer, built_in};
use crate::sandbox::kinds::built_in as served;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An object that is two hours old.
fn object(mut object: Value) -> Value {
    object["metadata"]["name"] = json!("x");
    object["metadata"]["creationTimestamp"] = json!("2026-03-01T07:58:00Z");
    object
}

const AGE: &str = "4h2m";

fn cells_of(resource: &str, value: Value) -> Value {
    let printer = Printer::new(Columns::BuiltIn(built_in(resource)), Include::None, "meta.k8s.io/v1");
    printer.row(&object(value), now())["cells"].clone()
}

#[track_caller]
fn shows(resource: &str, value: Value, expected: Value) {
    assert_eq!(cells_of(resource, value), expected, "{resource}");
}

#[test]
fn every_row_has_a_cell_for_every_column() {
    for kind in served() {
        let columns = built_in(&kind.qualified());
        let cells = cells_of(&kind.qualified(), json!({}));
        assert_eq!(cells.as_array().map(Vec::len), Some(columns.len()), "{}", kind.qualified());
    }
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}],
        "nodeSelector": {"disk": "ssd"}}});
    let spec = json!({"replicas": 3, "selector": {"matchLabels": {"app": "x"}}, "template": template});
    shows(
        "deployments.apps",
        json!({"spec": spec, "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}}),
        json!(["x", "1/3", 2, 1, AGE, "a,b", "i,j", "app=x"]),
    );
    shows(
        "replicasets.apps",
        json!({"spec": spec, "status": {"replicas": 2, "readyReplicas": 1}}),
        json!(["x", 3, 2, 1, AGE, "a,b", "i,j", "app=x"]),
    );
    shows("statefulsets.apps", json!({"spec": spec}), json!(["x", "0/3", AGE, "a,b", "i,j"]));
    let status = json!({"desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3,
        "updatedNumberScheduled": 2, "numberAvailable": 1});
    shows(
        "daemonsets.apps",
        json!({"spec": spec, "status": status}),
        json!(["x", 5, 4, 3, 2, 1, "disk=ssd", AGE, "a,b", "i,j", "app=x"]),
    );
    let owner = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "controller": true}]);
    shows(
        "controllerrevisions.apps",
        json!({"metadata": {"ownerReferences": owner}, "revision": 2}),
        json!(["x", "statefulset.apps/web", 2, AGE]),
    );
    shows("controllerrevisions.apps", json!({"revision": 1}), json!(["x", "<none>", 1, AGE]));
    shows(
        "poddisruptionbudgets.policy",
        json!({"spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 1}}),
        json!(["x", "50%", "N/A", 1, AGE]),
    );
    shows(
        "poddisruptionbudgets.policy",
        json!({"spec": {"maxUnavailable": 1}}),
        json!(["x", "N/A", "1", 0, AGE]),
    );
}

#[test]
fn jobs() {
    let job = |spec: Value, status: Value| {
        let cells = cells_of("jobs.batch", json!({"spec": spec, "status": status}));
        json!([cells[1], cells[2], cells[3]])
    };
    let condition = |kind: &str| json!([{"type": kind, "status": "True"}]);
    assert_eq!(job(json!({"completions": 3}), json!({"succeeded": 1})), json!(["Running", "1/3", ""]));
    assert_eq!(job(json!({"parallelism": 2}), json!({})), json!(["Running", "0/1 of 2", ""]));
    assert_eq!(job(json!({"parallelism": 1}), json!({})), json!(["Running", "0/1", ""]));
    let done = json!({"succeeded": 1, "conditions": condition("Complete"),
        "startTime": "2026-03-01T10:00:00Z", "completionTime": "2026-03-01T10:02:05Z"});
    assert_eq!(job(json!({"completions": 1}), done), json!(["Complete", "1/1", "2m5s"]));
    let failed = json!({"conditions": condition("Failed"), "startTime": "2026-03-01T11:59:00Z"});
    assert_eq!(job(json!({"completions": 1}), failed), json!(["Failed", "0/1", "60s"]));
    for (kind, word) in
        [("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "Running")]
    {
        assert_eq!(job(json!({}), json!({"conditions": condition(kind)}))[0], word);
    }
    let deleting = json!({"metadata": {"deletionTimestamp": "2026-03-01T12:00:00Z"}});
    assert_eq!(cells_of("jobs.batch", deleting)[1], "Terminating");
}

#[test]
fn cron_jobs() {
    let template = json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "i"}]}}}});
    shows(
        "cronjobs.batch",
        json!({"spec": {"schedule": "* * * * *", "suspend": false, "jobTemplate": template}, "status": {"active": [{}, {}]}}),
        json!(["x", "* * * * *", "<none>", "False", 2, "<none>", AGE, "a", "i", "<none>"]),
    );
    let cells = cells_of(
        "cronjobs.batch",
        json!({"spec": {"timeZone": "Europe/Oslo", "suspend": true}, "status": {"lastScheduleTime": "2026-03-01T11:59:30Z"}}),
    );
    assert_eq!(json!([cells[2], cells[3], cells[5]]), json!(["Europe/Oslo", "True", "30s"]));
    assert_eq!(cells_of("cronjobs.batch", json!({}))[3], "<unset>");
}

#[test]
fn services() {
    let shown = |spec: Value, status: Value| {
        let cells = cells_of("services", json!({"spec": spec, "status": status}));
        json!([cells[1], cells[2], cells[3], cells[4], cells[6]])
    };
    let cluster = json!({"type": "ClusterIP", "clusterIPs": ["10.0.0.1"], "selector": {"b": "2", "a": "1"},
        "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]});
    assert_eq!(
        shown(cluster, json!({})),
        json!(["ClusterIP", "10.0.0.1", "<none>", "80/TCP,53/UDP", "a=1,b=2"])
    );
    let headless = json!({"type": "ClusterIP", "clusterIPs": ["None"]});
    assert_eq!(shown(headless, json!({})), json!(["ClusterIP", "None", "<none>", "<none>", "<none>"]));
    let node = json!({"type": "NodePort", "clusterIPs": ["10.0.0.1"], "externalIPs": ["9.9.9.9"],
        "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]});
    assert_eq!(shown(node, json!({})), json!(["NodePort", "10.0.0.1", "9.9.9.9", "80:30080/TCP", "<none>"]));
    let balanced = json!({"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]});
    assert_eq!(shown(balanced.clone(), json!({}))[2], "<pending>");
    let status = json!({"loadBalancer": {"ingress": [{"hostname": "b.example"}, {"ip": "1.2.3.4", "hostname": "a.example"}]}});
    assert_eq!(shown(balanced, status)[2], "1.2.3.4,b.example");
    let external = json!({"type": "ExternalName", "externalName": "example.com"});
    assert_eq!(
        shown(external, json!({})),
        json!(["ExternalName", "<none>", "example.com", "<none>", "<none>"])
    );
}

#[test]
fn endpoints_and_their_slices() {
    let subsets = json!([{"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": [{"port": 80}, {"port": 443}]}]);
    shows(
        "endpoints",
        json!({"subsets": subsets}),
        json!(["x", "10.0.0.1:80,[fd00::1]:80,10.0.0.1:443 + 1 more...", AGE]),
    );
    shows("endpoints", json!({}), json!(["x", "<none>", AGE]));
    shows(
        "endpoints",
        json!({"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}),
        json!(["x", "10.0.0.1", AGE]),
    );
    let slice = json!({"addressType": "IPv4", "ports": [{"port": 80}, {"name": "web"}, {}],
        "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}, {"addresses": ["10.0.0.3"]}, {"addresses": ["10.0.0.4"]}]});
    let addresses = "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...";
    shows("endpointslices.discovery.k8s.io", slice, json!(["x", "IPv4", "80,web,*", addresses, AGE]));
    shows(
        "endpointslices.discovery.k8s.io",
        json!({"addressType": "IPv4"}),
        json!(["x", "IPv4", "<unset>", "<unset>", AGE]),
    );
}

#[test]
fn ingresses_and_policies() {
    let rules = json!([{"host": "a"}, {"host": "b"}, {}, {"host": "c"}, {"host": "d"}]);
    let status = json!({"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}});
    shows(
        "ingresses.networking.k8s.io",
        json!({"spec": {"ingressClassName": "traefik", "rules": rules, "tls": [{}]}, "status": status}),
        json!(["x", "traefik", "a,b,c + 2 more...", "127.0.0.1", "80, 443", AGE]),
    );
    shows(
        "ingresses.networking.k8s.io",
        json!({"spec": {"rules": [{}]}}),
        json!(["x", "<none>", "*", "", "80", AGE]),
    );
    let parameters = json!({"apiGroup": "k8s.example.com", "kind": "Parameters", "name": "p"});
    shows(
        "ingressclasses.networking.k8s.io",
        json!({"spec": {"controller": "c/d", "parameters": parameters}}),
        json!(["x", "c/d", "Parameters.k8s.example.com/p", AGE]),
    );
    shows(
        "ingressclasses.networking.k8s.io",
        json!({"spec": {"controller": "c/d"}}),
        json!(["x", "c/d", "<none>", AGE]),
    );
    shows(
        "networkpolicies.networking.k8s.io",
        json!({"spec": {"podSelector": {}}}),
        json!(["x", "<none>", AGE]),
    );
}

#[test]
fn nodes_and_namespaces() {
    let labels = json!({"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "db"});
    let info = json!({"kubeletVersion": "v1.33.0", "osImage": "Debian", "kernelVersion": "6.1"});
    let status = json!({"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": info,
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]});
    shows(
        "nodes",
        json!({"metadata": {"labels": labels}, "spec": {"unschedulable": true}, "status": status}),
        json!([
            "x",
            "Ready,SchedulingDisabled",
            "control-plane,db,worker",
            AGE,
            "v1.33.0",
            "127.0.0.1",
            "<none>",
            "Debian",
            "6.1",
            "<unknown>"
        ]),
    );
    let lost = json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
    assert_eq!(cells_of("nodes", lost)[1], "NotReady");
    assert_eq!(cells_of("nodes", json!({}))[1], "Unknown");
    shows("namespaces", json!({"status": {"phase": "Active"}}), json!(["x", "Active", AGE]));
    shows("leases.coordination.k8s.io", json!({"spec": {"holderIdentity": "me"}}), json!(["x", "me", AGE]));
}

#[test]
fn events() {
    let old = json!({"type": "Warning", "reason": "BackOff", "message": " again\n", "count": 4,
        "firstTimestamp": "2026-03-01T11:00:00Z", "lastTimestamp": "2026-03-01T11:59:50Z",
        "source": {"component": "kubelet", "host": "n"},
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{a}"}});
    let expected = json!([
        "10s",
        "Warning",
        "BackOff",
        "pod/p",
        "spec.containers{a}",
        "kubelet, n",
        "again",
        "60m",
        4,
        "x"
    ]);
    shows("events", old, expected.clone());
    let same_in_new_form = json!({"type": "Warning", "reason": "BackOff", "note": "again", "deprecatedCount": 4,
        "deprecatedFirstTimestamp": "2026-03-01T11:00:00Z", "deprecatedLastTimestamp": "2026-03-01T11:59:50Z",
        "deprecatedSource": {"component": "kubelet", "host": "n"},
        "regarding": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{a}"}});
    shows("events.events.k8s.io", same_in_new_form, expected);
    let new = json!({"type": "Normal", "reason": "Scheduled", "message": "m", "eventTime": "2026-03-01T11:59:00.000000Z",
        "reportingComponent": "scheduler", "involvedObject": {"kind": "Pod"}});
    shows("events", new, json!(["60s", "Normal", "Scheduled", "pod", "", "scheduler", "m", "60s", 1, "x"]));
    let series = json!({"count": 1, "lastTimestamp": "2026-03-01T11:00:00Z",
        "series": {"count": 9, "lastObservedTime": "2026-03-01T11:59:59.000000Z"}});
    let cells = cells_of("events", series);
    assert_eq!(json!([cells[0], cells[7], cells[8]]), json!(["1s", "<unknown>", 9]));
}

#[test]
fn autoscalers() {
    let of =
        |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
    let share = of("cpu", json!({"type": "Utilization", "averageUtilization": 80}));
    let spec = |metrics: Value| json!({"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 4, "metrics": metrics}});
    let cells = |targets: &str| json!(["x", "Deployment/web", targets, "<unset>", 4, 0, AGE]);
    let name = "horizontalpodautoscalers.autoscaling";
    shows(name, spec(json!([])), cells("<none>"));
    shows(name, spec(json!([share])), cells("cpu: <unknown>/80%"));
    let memory = of("memory", json!({"type": "AverageValue", "averageValue": "64Mi"}));
    let pods = json!({"type": "Pods", "pods": {"target": {"type": "AverageValue", "averageValue": "10"}}});
    shows(name, spec(json!([memory, pods, share])), cells("memory: <unknown>/64Mi,<unknown>/10 + 1 more..."));
    let external = |target: Value| json!({"type": "External", "external": {"target": target}});
    let both = json!([external(json!({"value": "3"})), external(json!({"averageValue": "4"}))]);
    shows(name, spec(both), cells("<unknown>/3,<unknown>/4 (avg)"));
    let mut measured = spec(json!([share]));
    measured["spec"]["minReplicas"] = json!(2);
    measured["status"] = json!({"currentReplicas": 3, "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}]});
    shows(name, measured, json!(["x", "Deployment/web", "cpu: 12%/80%", "2", 4, 3, AGE]));
}

#[test]
fn configuration() {
    shows("configmaps", json!({"data": {"a": "", "b": ""}, "binaryData": {"c": ""}}), json!(["x", 3, AGE]));
    shows("secrets", json!({"type": "Opaque", "data": {"a": ""}}), json!(["x", "Opaque", 1, AGE]));
    shows("serviceaccounts", json!({}), json!(["x", 0, AGE]));
    let status =
        json!({"hard": {"requests.cpu": "2", "limits.memory": "1Gi", "pods": "4"}, "used": {"pods": "1"}});
    shows(
        "resourcequotas",
        json!({"status": status}),
        json!(["x", "pods: 1/4, requests.cpu: 0/2", "limits.memory: 0/1Gi", AGE]),
    );
    shows("limitranges", json!({}), json!(["x", "2026-03-01T07:58:00Z"]));
}

#[test]
fn volumes() {
    let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"], "storageClassName": "fast",
        "persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "n", "name": "c"}, "volumeMode": "Filesystem"});
    shows(
        "persistentvolumes",
        json!({"spec": spec, "status": {"phase": "Bound"}}),
        json!(["x", "1Gi", "RWO,RWX", "Delete", "Bound", "n/c", "fast", "<unset>", "", AGE, "Filesystem"]),
    );
    shows(
        "persistentvolumeclaims",
        json!({"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}),
        json!(["x", "Pending", "", "", "", "fast", "<unset>", AGE, "<unset>"]),
    );
    let bound =
        json!({"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOncePod"]});
    shows(
        "persistentvolumeclaims",
        json!({"spec": {"volumeName": "v", "volumeMode": "Block"}, "status": bound}),
        json!(["x", "Bound", "v", "1Gi", "RWOP", "", "<unset>", AGE, "Block"]),
    );
    let default = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    shows(
        "storageclasses.storage.k8s.io",
        json!({"metadata": {"annotations": default}, "provisioner": "p"}),
        json!(["x (default)", "p", "Delete", "Immediate", false, AGE]),
    );
}

#[test]
fn bindings() {
    let subjects = json!([{"kind": "User", "name": "a"}, {"kind": "User", "name": "b"}, {"kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]);
    shows(
        "rolebindings.rbac.authorization.k8s.io",
        json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}),
        json!(["x", "Role/r", AGE, "a, b", "g", "n/s"]),
    );
}

#[test]
fn only_the_first_event_defines_the_columns() {
    let printer = Printer::new(Columns::BuiltIn(built_in("configmaps")), Include::Metadata, "meta.k8s.io/v1");
    let first = printer.event(&object(json!({"metadata": {"resourceVersion": "7"}})), now());
    assert_eq!(first["columnDefinitions"][1]["name"], "Data");
    assert_eq!(first["metadata"], json!({"resourceVersion": "7"}));
    assert_eq!(first["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(printer.event(&object(json!({})), now())["columnDefinitions"], Value::Null);
}

#[test]
fn custom_columns() {
    let columns = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
    let crd = json!({"spec": {"versions": [{"name": "v1", "additionalPrinterColumns": [
        columns("Size", "integer", ".spec.size"), columns("Ratio", "number", ".spec.ratio"), columns("On", "boolean", ".spec.on"),
        columns("Names", "string", ".spec.containers[*].name"), columns("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        columns("Map", "string", ".spec.map"), columns("Since", "date", ".spec.at"), columns("Bad", "date", ".spec.bad"),
        columns("Wrong", "integer", ".spec.bad"), columns("None", "string", ".spec.none"), columns("Whole", "integer", ".spec.ratio"),
        columns("Null", "string", ".spec.null"), columns("Float", "string", ".spec.million")]}]}});
    let printer = Printer::new(Columns::of_definition(&crd, "v1"), Include::None, "meta.k8s.io/v1");
    let value = object(
        json!({"spec": {"size": 3, "ratio": 1.5, "on": true, "containers": [{"name": "a"}, {"name": "b"}],
        "map": {"b": [1], "a": "x"}, "at": "2026-03-01T11:59:00Z", "bad": "soon", "null": null, "million": 1000000.0},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
    );
    let expected = json!([
        "x",
        3,
        1.5,
        true,
        "a",
        "True",
        "{\"a\":\"x\",\"b\":[1]}",
        "60s",
        "<invalid>",
        null,
        null,
        1,
        "<no value>",
        "1000000"
    ]);
    assert_eq!(printer.row(&value, now())["cells"], expected);
    let definitions = printer.table(&value, now())["columnDefinitions"].clone();
    assert_eq!(definitions[0]["format"], "name");
    assert_eq!(
        definitions[1]["description"],
        "Custom resource definition column (in JSONPath format): .spec.size"
    );
}

mod pods;
