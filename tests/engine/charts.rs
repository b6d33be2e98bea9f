//! A driver with a Helm chart: what it makes at random stays, its hooks are steps, it sees the cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use styrmin::domain::plan::Verb;
use styrmin::domain::{DeploymentDraft, DriverRef, DriverVersion, Intent, ObjectKey, Plan, Volumes};
use styrmin::driver::load_files;

use crate::bench::Bench;
use crate::rig::key;

const SHOP: &str = "shop";

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: shop}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  helm: {main: {location: ./chart}}
  components:
    web: {identifier: {label: {part: web}}}
  parameters:
    - {name: greeting, label: Greeting, kind: string, default: hello}
    - {name: fails, label: Whether the migration fails, kind: boolean, default: false}
";

const VALUES: &str = "
greeting: {{ parameters.greeting | tojson }}
version: {{ app.version | tojson }}
fails: {{ parameters.fails | tojson }}
";

const CHART: &str = "
apiVersion: v2
name: shop
version: 0.1.0
";

const WEB: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-password}
data:
  {{- $old := lookup "v1" "Secret" .Release.Namespace (printf "%s-password" .Release.Name) }}
  known: {{ ternary "yes" "no" (not (empty $old)) | b64enc }}
  password: {{ randAlphaNum 20 | b64enc }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-kept
  annotations: {helm.sh/resource-policy: keep}
data: {made: {{ now | date "15:04:05.000000000" | quote }}, greeting: {{ .Values.greeting | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web, labels: {part: web}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}, part: web}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}, part: web}
      annotations: {checksum: {{ .Values.greeting | sha256sum }}}
    spec:
      containers: [{name: web, image: "example.org/web:{{ .Values.version }}"}]
"#;

/// `MOMENT` and `NAME` are the hook's.
const HOOK: &str = r#"
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-NAME
  annotations: {helm.sh/hook: "MOMENT", helm.sh/hook-weight: "WEIGHT", helm.sh/hook-delete-policy: "POLICY"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: "styrmin/host:1", command: [sh, -c, 'SCRIPT']}]
"#;

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: goods.shop.example.org}
spec:
  group: shop.example.org
  scope: Namespaced
  names: {plural: goods, singular: good, kind: Good, listKind: GoodList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

fn hook(name: &str, moment: &str, weight: &str, policy: &str, script: &str) -> (String, String) {
    let text = HOOK
        .replace("NAME", name)
        .replace("MOMENT", moment)
        .replace("WEIGHT", weight)
        .replace("POLICY", policy)
        .replace("SCRIPT", script);
    (format!("chart/templates/{name}.yaml"), text)
}

fn driver() -> DriverVersion {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let fails = "{{ if .Values.fails }}exit 7{{ else }}true{{ end }}";
    // no watch shows objects of this kind
    let good = |name: &str, annotations: &str| {
        format!(
            "---\napiVersion: shop.example.org/v1\nkind: Good\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\n"
        )
    };
    let goods = [
        good("first", ""),
        good("dear", "helm.sh/resource-policy: keep"),
        good("early", "helm.sh/hook: pre-install"),
    ]
    .concat();
    let files = BTreeMap::from([
        file("driver.styrmin.yml", SPEC),
        file("values.j2.yml", VALUES),
        file("chart/Chart.yaml", CHART),
        file("chart/values.yaml", "greeting: nothing\n"),
        file("chart/templates/web.yaml", WEB),
        file("chart/templates/good.yaml", &goods),
        file("chart/templates/NOTES.txt", "Say {{ .Values.greeting }}."),
        file("chart/crds/goods.yaml", DEFINITION),
        hook("migrate", "pre-install,pre-upgrade", "5", "before-hook-creation", fails),
        hook("prepare", "pre-upgrade", "-5", "hook-succeeded", "true"),
        hook("goodbye", "post-delete", "0", "before-hook-creation", "true"),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

fn draft(bench: &Bench, parameters: &[(&str, Value)]) -> DeploymentDraft {
    DeploymentDraft {
        driver: DriverRef { name: SHOP.to_owned(), version: "1.0.0".to_owned() },
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..bench.draft(SHOP, "1.0.0")
    }
}

fn good(name: &str) -> ObjectKey {
    ObjectKey { api_version: "shop.example.org/v1".to_owned(), ..key("Good", name) }
}

async fn exists(bench: &Bench, key: &ObjectKey) -> bool {
    bench.cluster.get(key).await.unwrap().is_some()
}

fn definition() -> ObjectKey {
    ObjectKey {
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        namespace: String::new(),
        name: "goods.shop.example.org".to_owned(),
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn position(plan: &Plan, name: &str) -> usize {
    let found = plan.steps.iter().position(|step| step.name == name);
    found.unwrap_or_else(|| panic!("{name} in {:#?}", names(plan)))
}

async fn secret(bench: &Bench, field: &str) -> Value {
    let found = bench.live(&key("Secret", "shop-password")).await.unwrap();
    found["data"][field].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_chart_makes_at_random_stays_and_its_hooks_are_steps() {
    let mut bench = Bench::with_driver(driver()).await;
    let wish = Intent::Deploy(draft(&bench, &[]));
    let plan = bench.engine.preview(&wish).await.unwrap().plan;
    let web = position(&plan, "create Deployment/shop-web");
    let hook = position(&plan, "pre-install: wait Job/shop-migrate");
    assert!(plan.steps[web].after.contains(&hook), "{:#?}", names(&plan));
    assert!(position(&plan, "create CustomResourceDefinition/goods.shop.example.org") < hook);
    assert!(!names(&plan).contains(&"pre-upgrade: create Job/shop-prepare"));
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(SHOP, 1).await;
    let password = secret(&bench, "password").await;
    let made = bench.live(&key("ConfigMap", "shop-kept")).await.unwrap()["data"]["made"].clone();
    assert!(bench.live(&key("Secret", "shop-seed")).await.is_some());
    assert!(bench.live(&key("Job", "shop-migrate")).await.unwrap()["status"]["succeeded"] == 1);
    bench.is_looked_at(SHOP).await;
    assert_eq!(bench.operations(SHOP).await.len(), 1, "nothing is left to be done");
    assert!(
        exists(&bench, &good("early")).await,
        "a hook is no part of what should run, and nobody takes it away"
    );

    // another engine, which has nothing in memory, and a new instance
    bench.restart().await;
    let change = Intent::Change(id, draft(&bench, &[("greeting", json!("good day"))]));
    let plan = bench.engine.preview(&change).await.unwrap().plan;
    let migrate = &plan.steps[position(&plan, "pre-upgrade: replace Job/shop-migrate")];
    assert!(migrate.after.contains(&position(&plan, "pre-upgrade: delete Job/shop-prepare")), "by weight");
    let kept = plan.steps.iter().find(|step| step.object.as_ref() == Some(&definition())).unwrap();
    assert_eq!(kept.verb, Verb::Unchanged, "a definition is made once");
    let before = bench.live(&key("Job", "shop-migrate")).await.unwrap()["metadata"]["uid"].clone();
    bench.confirm(change).await;
    bench.until_running(SHOP, 2).await;
    assert_eq!(secret(&bench, "password").await, password, "a change rotates nothing");
    assert_eq!(secret(&bench, "known").await, json!("eWVz"), "the chart saw what is there");
    let kept = bench.live(&key("ConfigMap", "shop-kept")).await.unwrap();
    assert_eq!(kept["data"]["greeting"], "good day");
    assert_ne!(kept["data"]["made"], made, "an instance has a moment of its own");
    assert_ne!(
        bench.live(&key("Job", "shop-migrate")).await.unwrap()["metadata"]["uid"],
        before,
        "it ran again"
    );
    assert!(bench.live(&key("Job", "shop-prepare")).await.is_none(), "it is gone when its work is done");

    bench.confirm(Intent::Delete(id, Volumes::Keep)).await;
    bench.until_settled(SHOP, None).await;
    assert!(bench.live(&key("Deployment", "shop-web")).await.is_none());
    assert!(bench.live(&key("Job", "shop-migrate")).await.is_none(), "its hooks go with it");
    assert!(bench.live(&key("Job", "shop-goodbye")).await.is_none());
    assert!(bench.live(&key("ConfigMap", "shop-kept")).await.is_some(), "the chart says that it stays");
    assert!(exists(&bench, &definition()).await);
    assert!(exists(&bench, &good("dear")).await, "no watch shows it, and it stays too");
    assert!(!exists(&bench, &good("first")).await && !exists(&bench, &good("early")).await);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_fails_ends_the_change_before_anything_is_applied() {
    let bench = Bench::with_driver(driver()).await;
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(SHOP, 1).await;
    bench
        .confirm(Intent::Change(id, draft(&bench, &[("fails", json!(true)), ("greeting", json!("no"))])))
        .await;
    let ended = bench.until_ended(SHOP, styrmin::domain::OperationState::PartiallyFailed, Some(2)).await;
    let problem = ended.operation.problem.unwrap().to_string();
    assert!(problem.contains("Job/shop-migrate"), "{problem}");
    let kept = bench.live(&key("ConfigMap", "shop-kept")).await.unwrap();
    assert_eq!(kept["data"]["greeting"], "hello", "nothing was applied");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_seed_is_told_and_made_anew_only_when_a_person_says_so() {
    let mut bench = Bench::with_driver(driver()).await;
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(SHOP, 1).await;
    let password = secret(&bench, "password").await;
    bench.end().await;
    bench.delete(&key("Secret", "shop-seed")).await;
    bench.restart().await;
    bench.until_problem(SHOP, "Secret/shop-seed is gone").await;
    assert_eq!(secret(&bench, "password").await, password, "nothing was touched");
    let change = Intent::Change(id, draft(&bench, &[("greeting", json!("again"))]));
    let warnings = bench.engine.preview(&change).await.unwrap().plan.warnings.join("\n");
    assert!(warnings.contains("are made anew"), "{warnings}");
    bench.confirm(change).await;
    bench.until_running(SHOP, 2).await;
    assert_ne!(secret(&bench, "password").await, password);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_looked_up_is_kept_for_whoever_renders_the_instance_next() {
    let mut bench = Bench::with_driver(driver()).await;
    let id = bench.deploy(draft(&bench, &[])).await;
    bench.until_running(SHOP, 1).await;
    // another process confirms: the engine that runs has what was looked up before in memory
    let other = bench.idle_engine();
    let change = Intent::Change(id, draft(&bench, &[("greeting", json!("good day"))]));
    let plan = other.preview(&change).await.unwrap().plan;
    let seed =
        plan.steps.iter().find(|step| step.object.as_ref() == Some(&key("Secret", "shop-seed"))).unwrap();
    assert_eq!(
        seed.verb,
        Verb::Update,
        "what is looked up for the new instance is kept: {:#?}",
        names(&plan)
    );
    other.confirm(&change, &plan.hash(), "anna@there").await.unwrap();
    bench.until_running(SHOP, 2).await;
    assert_eq!(secret(&bench, "known").await, json!("eWVz"));
    let kept = bench.live(&key("Secret", "shop-seed")).await.unwrap()["data"].clone();

    // what was looked up has changed since: the instance stays what it is, for this engine and for the next one
    let taken = json!({"metadata": {"annotations": {"somebody": "was here"}}});
    bench.patch(&key("Secret", "shop-password"), "somebody", taken).await;
    bench.confirm(Intent::Stop(id)).await;
    bench.until_settled(SHOP, Some(2)).await;
    bench.restart().await;
    bench.is_looked_at(SHOP).await;
    let plan = bench.engine.preview(&Intent::Start(id)).await.unwrap().plan;
    let changed = plan.steps.iter().filter(|step| matches!(step.verb, Verb::Create | Verb::Update));
    let changed: Vec<&str> = changed.map(|step| step.name.as_str()).collect();
    assert_eq!(changed, ["update Deployment/shop-web"]);
    assert_eq!(bench.live(&key("Secret", "shop-seed")).await.unwrap()["data"], kept);
    bench.close().await;
}
