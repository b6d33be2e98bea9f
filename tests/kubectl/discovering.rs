//! api-resources, explain, version, auth.

use crate::ground::{Ground, cells, texts};

cases! { what_is_served, explanations, versions, rights }

async fn what_is_served(kubectl: &Ground) {
    let resources = kubectl.ok("api-resources").await;
    let row = |name: &str| cells(&resources).into_iter().find(|row| row[0] == name).unwrap_or_default();
    assert_eq!(row("deployments"), ["deployments", "deploy", "apps/v1", "true", "Deployment"]);
    assert_eq!(row("namespaces"), ["namespaces", "ns", "v1", "false", "Namespace"]);
    assert!(!row("customresourcedefinitions").is_empty());
    let verbs = kubectl.ok("api-resources --verbs=list,delete --namespaced=false -o name").await;
    assert!(verbs.lines().any(|line| line == "nodes") && !verbs.contains("pods"), "{verbs}");
    let versions = kubectl.ok("api-versions").await;
    assert!(versions.lines().any(|line| line == "apps/v1") && versions.lines().any(|line| line == "v1"));
    let raw = kubectl.ok("get --raw /readyz").await;
    assert_eq!(raw, "ok");
    assert!(kubectl.ok("cluster-info").await.contains("is running at"));
}

async fn explanations(kubectl: &Ground) {
    let strategy = kubectl.ok("explain deployment.spec.strategy.rollingUpdate").await;
    assert!(strategy.contains("maxSurge") && strategy.contains("maxUnavailable"), "{strategy}");
    assert!(strategy.contains("DESCRIPTION"), "{strategy}");
    let pod = kubectl.ok("explain pods --recursive").await;
    assert!(pod.contains("terminationGracePeriodSeconds"), "{pod}");
    let wrong = kubectl.refused("explain pods.spec.nothing", "").await;
    assert!(wrong.contains("does not exist"), "{wrong}");
}

async fn versions(kubectl: &Ground) {
    let version = kubectl.ok("version -o json").await;
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    let served = version["serverVersion"]["gitVersion"].as_str().unwrap();
    assert!(served.starts_with("v1.") && served.contains("styrmin"), "it says what it is: {served}");
}

async fn rights(kubectl: &Ground) {
    assert_eq!(kubectl.ok("auth can-i create deployments").await.trim(), "yes");
    kubectl.ok("create role reader --verb=get,list,watch --resource=pods,pods/log").await;
    kubectl.ok("create rolebinding reader --role=reader --user=jane").await;
    assert_eq!(kubectl.ok("auth can-i list pods --as jane").await.trim(), "yes");
    let output = kubectl.run_with("auth can-i delete pods --as jane", b"", &[]).await;
    assert_eq!((output.status.code(), texts(&output).0.trim()), (Some(1), "no"));
    kubectl.ok("get pods --as jane").await;
    let denied = kubectl.refused("get secrets --as jane", "").await;
    let words = "secrets is forbidden: User \"jane\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"";
    assert!(denied.contains(words), "{denied}");
    let list = kubectl.ok("auth can-i --list --as jane").await;
    assert!(list.contains("pods") && list.contains("[get list watch]"), "{list}");
    let account = kubectl.ok("get sa").await;
    assert!(account.contains("default"), "{account}");
    if kubectl.minor >= 24 {
        let token = kubectl.ok("create token default").await;
        assert_eq!(token.trim().split('.').count(), 3);
        let as_account = kubectl.refused(&format!("get pods --token={}", token.trim()), "").await;
        assert!(
            as_account.contains("system:serviceaccount:default:default") || as_account.is_empty(),
            "{as_account}"
        );
    }
    if kubectl.minor >= 28 {
        assert!(kubectl.ok("auth whoami").await.contains("system:masters"));
    }
}
