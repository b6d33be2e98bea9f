//! apply, diff, edit, patch, create, delete.

use crate::ground::{Ground, texts, web};

cases! {
    client_side_apply, server_side_apply, differences, editing, small_changes, dry_runs_and_validation, deletion, custom_resources,
}

fn map(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {value}}}\n")
}

async fn client_side_apply(kubectl: &Ground) {
    assert!(kubectl.ok_with("apply -f -", &map("green")).await.contains("configmap/settings created"));
    assert!(kubectl.ok_with("apply -f -", &map("green")).await.contains("configmap/settings unchanged"));
    assert!(kubectl.ok_with("apply -f -", &map("blue")).await.contains("configmap/settings configured"));
    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.colour}").await, "blue");
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    // A list whose elements are known by name is merged, and what is taken out of the file goes.
    let other = web("web", 1, "1.0.0")
        .replace("name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}", "name: A, value: b");
    kubectl.ok_with("apply -f -", &other).await;
    let names = "get deploy web -o jsonpath={.spec.template.spec.containers[0].env[*].name}";
    assert_eq!(kubectl.ok(names).await, "A");
    let last = kubectl.ok("apply view-last-applied deploy web").await;
    assert!(last.contains("notes-web:1.0.0"), "{last}");
    let labelled =
        |name: &str| map("red").replace("{name: settings}", &format!("{{name: {name}, labels: {{set: a}}}}"));
    kubectl.ok_with("apply -f -", &labelled("older")).await;
    let list = if kubectl.minor >= 26 { "--prune-allowlist" } else { "--prune-whitelist" };
    let prune = format!("apply --prune -l set=a {list}=core/v1/ConfigMap -f -");
    let told = kubectl.ok_with(&prune, &labelled("newer")).await;
    assert!(told.contains("configmap/older pruned"), "{told}");
}

async fn server_side_apply(kubectl: &Ground) {
    kubectl.ok_with("apply --server-side -f -", &map("green")).await;
    let refused = kubectl.refused("apply --server-side --field-manager=other -f -", &map("blue")).await;
    assert!(
        refused.contains("Apply failed with 1 conflict") && refused.contains(".data.colour"),
        "{refused}"
    );
    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.colour}").await, "green");
    kubectl.ok_with("apply --server-side --field-manager=other --force-conflicts -f -", &map("blue")).await;
    let flags = if kubectl.minor >= 21 { "--show-managed-fields" } else { "" };
    let fields = kubectl.ok(&format!("get cm settings -o yaml {flags}")).await;
    assert!(fields.contains("manager: other") && fields.contains("operation: Apply"), "{fields}");
}

async fn differences(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &map("green")).await;
    kubectl.ok_with("diff -f -", &map("green")).await;
    let output = kubectl.run_with("diff -f -", map("blue").as_bytes(), &[]).await;
    let (told, complained) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{complained}");
    assert!(told.contains("-  colour: green") && told.contains("+  colour: blue"), "{told}");
    assert_eq!(
        kubectl.ok("get cm settings -o jsonpath={.data.colour}").await,
        "green",
        "nothing was written"
    );
    let server = kubectl.run_with("diff --server-side -f -", map("blue").as_bytes(), &[]).await;
    assert!(server.status.code() == Some(1) || texts(&server).1.contains("conflict"), "{:?}", texts(&server));
}

async fn editing(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &map("green")).await;
    let editor = [("KUBE_EDITOR", "sed -i s/green/yellow/")];
    let edited = kubectl.run_with("edit cm settings", b"", &editor).await;
    assert!(edited.status.success(), "{:?}", texts(&edited));
    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.colour}").await, "yellow");
    let same = kubectl.run_with("edit cm settings", b"", &[("KUBE_EDITOR", "true")]).await;
    let (told, complained) = texts(&same);
    assert!(format!("{told}{complained}").contains("no changes made"), "{told}{complained}");
}

async fn small_changes(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 1, "1.0.0")).await;
    kubectl.ok("label deploy web team=a").await;
    let taken = kubectl.refused("label deploy web team=b", "").await;
    assert!(taken.contains("overwrite"), "{taken}");
    kubectl.ok("annotate deploy web note='two words'").await;
    kubectl.ok("patch deploy web -p '{\"spec\":{\"minReadySeconds\":1}}'").await;
    kubectl.ok("patch deploy web --type=merge -p '{\"spec\":{\"minReadySeconds\":2}}'").await;
    let operations = r#"[{"op":"test","path":"/spec/minReadySeconds","value":2},{"op":"remove","path":"/spec/minReadySeconds"}]"#;
    kubectl.ok(&format!("patch deploy web --type=json -p '{operations}'")).await;
    let again = kubectl.refused(&format!("patch deploy web --type=json -p '{operations}'"), "").await;
    assert!(!again.is_empty());
    kubectl.ok("set env deploy/web A=b").await;
    assert!(kubectl.ok("set env deploy/web --list").await.contains("A=b"));
    kubectl.ok("set resources deploy web --limits=memory=1Gi").await;
    // It reads before it writes, and loses against a rollout's news.
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    let replaced = web("web", 3, "1.0.0");
    kubectl.ok_with("replace -f -", &replaced).await;
    assert_eq!(kubectl.ok("get deploy web -o jsonpath={.spec.replicas}").await, "3");
}

async fn dry_runs_and_validation(kubectl: &Ground) {
    let made = kubectl.ok("create deployment web --image=nginx:1 --dry-run=server -o yaml").await;
    assert!(made.contains("uid:") && made.contains("progressDeadlineSeconds: 600"), "{made}");
    assert!(kubectl.refused("get deploy web", "").await.contains("not found"));
    kubectl.ok("create deployment web --image=nginx:1 --dry-run=client -o yaml").await;
    let misspelt = web("web", 1, "1.0.0").replace("replicas:", "replicsa:");
    let refused = kubectl.refused("apply -f -", &misspelt).await;
    assert!(refused.contains("unknown field") && refused.contains("replicsa"), "{refused}");
    let other = web("web", 1, "1.0.0").replace(
        "template:\n    metadata: {labels: {app: web}}",
        "template:\n    metadata: {labels: {app: other}}",
    );
    let wrong = kubectl.refused("create -f - --validate=false", &other).await;
    assert!(wrong.contains("selector") && wrong.contains("spec.template.metadata.labels"), "{wrong}");
    let name = kubectl.refused("create cm Not_A_Name", "").await;
    assert!(name.contains("Invalid value") && name.contains("RFC 1123"), "{name}");
}

async fn deletion(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", &web("web", 2, "1.0.0")).await;
    kubectl.ok("rollout status deployment web --timeout=50s").await;
    assert!(kubectl.ok("delete deployment web --cascade=foreground --timeout=50s").await.contains("deleted"));
    assert_eq!(kubectl.ok("get pods,rs -o name").await, "");
    kubectl.ok("create ns fleeting").await;
    kubectl.ok("create cm settings -n fleeting --from-literal=a=b").await;
    kubectl.ok("delete ns fleeting --timeout=50s").await;
    assert!(kubectl.refused("get ns fleeting", "").await.contains("not found"));
    kubectl.ok("create cm a").await;
    kubectl.ok("create cm b").await;
    kubectl.ok("delete cm a b").await;
    assert!(kubectl.refused("delete cm a", "").await.contains("not found"));
    kubectl.ok("delete cm a --ignore-not-found").await;
}

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        description: A thing to be counted.
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How large it is.}
";

async fn custom_resources(kubectl: &Ground) {
    kubectl.ok_with("apply -f -", DEFINITION).await;
    kubectl.ok("wait --for=condition=Established crd/widgets.example.org --timeout=50s").await;
    let widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: 3}\n";
    kubectl.ok_with("apply -f -", widget).await;
    let table = kubectl.ok("get wd").await;
    assert_eq!(crate::ground::cells(&table)[0], ["NAME", "SIZE", "AGE"]);
    assert_eq!(crate::ground::cells(&table)[1][..2], ["one", "3"]);
    let refused = kubectl.refused("apply -f -", &widget.replace("size: 3", "size: 0")).await;
    assert!(refused.contains("spec.size") && refused.contains("greater than or equal to 1"), "{refused}");
    let explained = kubectl.ok("explain widget.spec.size").await;
    assert!(explained.contains("How large it is."), "{explained}");
    kubectl.ok("delete crd widgets.example.org --timeout=50s").await;
    let gone = kubectl.refused("get widgets", "").await;
    assert!(
        gone.contains("resource type") || gone.contains("could not find the requested resource"),
        "{gone}"
    );
}
