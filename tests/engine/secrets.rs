//! Secret parameters from the form to the pod: the value is in its Secret, and nowhere else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use styrmin::domain::plan::Verb;
use styrmin::domain::{
    DeploymentDraft, DriverRef, DriverVersion, Intent, ObjectKey, SecretReference, SecretText, Step, Volumes,
};
use styrmin::driver::load_files;

use crate::bench::Bench;
use crate::rig::key;

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: safe}
spec:
  version: 1.0.0
  supported_versions: '>=1.0,<3.0'
  default_version: 1.0.0
  upgrades_from: '>=1.0,<1.5'
  components: {web: {identifier: {label: {part: web}}}}
  parameters:
    - {name: password, kind: secret, min: 8}
    - {name: token, kind: secret, default: ''}
    - {name: text, kind: string, default: hello}
";

const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}', labels: {part: web}}
spec:
  selector: {matchLabels: {app: '{{ deployment.name }}', part: web}}
  template:
    metadata:
      labels: {app: '{{ deployment.name }}', part: web}
      annotations: {example.org/password: '{{ parameters.password.digest }}'}
    spec:
      containers:
        - name: web
          image: 'example.org/safe:{{ app.version }}'
          env:
            - {name: TEXT, value: '{{ parameters.text }}'}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {{ parameters.password | secret_key_ref }}}}
            {%- if parameters.token %}
            - {name: TOKEN, valueFrom: {secretKeyRef: {{ parameters.token | secret_key_ref }}}}
            {%- endif %}
";

const NAME: &str = "safe";
const FIRST: &str = "correct-horse";
const SECOND: &str = "battery-staple";

fn driver() -> DriverVersion {
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), SPEC.to_owned()),
        ("manifests/a.yaml.j2".to_owned(), MANIFEST.to_owned()),
    ]);
    load_files("test", files).unwrap_or_else(|errors| panic!("{errors:?}")).version
}

/// A draft with this password typed.
fn draft(bench: &Bench, password: &str) -> DeploymentDraft {
    let mut draft = DeploymentDraft {
        driver: DriverRef { name: "safe".to_owned(), version: "1.0.0".to_owned() },
        ..bench.draft(NAME, "1.0.0")
    };
    draft.typed.insert("password".to_owned(), SecretText::new(password));
    draft
}

fn vault() -> ObjectKey {
    key("Secret", "safe-parameters")
}

/// The values in the Secret by their keys, without the key of the digests.
async fn values(bench: &Bench) -> BTreeMap<String, String> {
    let live = bench.live(&vault()).await.unwrap();
    let data = live["data"].as_object().unwrap().iter().filter(|(key, _)| key.contains('.'));
    data.map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
        (key.clone(), String::from_utf8(bytes).unwrap())
    })
    .collect()
}

/// The key of the password that the pods get.
async fn used(bench: &Bench) -> String {
    let live = bench.live(&key("Deployment", NAME)).await.unwrap();
    let variables = live["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let password = variables.iter().find(|variable| variable["name"] == "PASSWORD").unwrap();
    assert_eq!(password["valueFrom"]["secretKeyRef"]["name"], "safe-parameters");
    password["valueFrom"]["secretKeyRef"]["key"].as_str().unwrap().to_owned()
}

/// Everything that is recorded and told about the application.
async fn records(bench: &Bench) -> String {
    let record = bench.recorded(NAME).await.unwrap();
    let mut all = format!("{record:?} {:?}", bench.store.instances(record.id).await.unwrap());
    for view in bench.operations(NAME).await {
        all += &serde_json::to_string(&view).unwrap();
        all += &bench.told(&view).await;
    }
    all += &format!("{:?}", bench.store.inventory(record.id).await.unwrap());
    all += &format!("{:?} {:?}", bench.resource(NAME), bench.cluster.index().objects("demo"));
    all + &format!("{:?}", bench.live(&key(styrmin::cluster::KIND, NAME)).await)
}

fn is_silent(text: &str) {
    for secret in [FIRST, SECOND] {
        assert!(!text.contains(secret), "{text}");
        assert!(!text.contains(&STANDARD.encode(secret)), "{text}");
    }
}

async fn deployed() -> Bench {
    let mut bench = Bench::with_driver(driver()).await;
    bench.id = Some(bench.deploy(draft(&bench, FIRST)).await);
    bench.until_running(NAME, 1).await;
    bench
}

fn reference(parameters: &BTreeMap<String, Value>) -> SecretReference {
    SecretReference::read(&parameters["password"]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_lands_in_the_secret_and_nowhere_else() {
    let bench = Bench::with_driver(driver()).await;
    let missing = DeploymentDraft { typed: Default::default(), ..draft(&bench, "") };
    let problem = bench.engine.preview(&Intent::Deploy(missing)).await.unwrap_err();
    assert!(problem.why.contains("password: it is required"), "{problem}");
    let problem = bench.engine.preview(&Intent::Deploy(draft(&bench, "hunter2"))).await.unwrap_err();
    assert!(problem.why.contains("at least 8 characters, found 7"), "{problem}");
    assert!(!problem.to_string().contains("hunter2"), "{problem}");

    let intent = Intent::Deploy(draft(&bench, FIRST));
    is_silent(&format!("{intent:?} {}", serde_json::to_string(&intent).unwrap()));
    let preview = bench.engine.preview(&intent).await.unwrap();
    is_silent(&format!("{preview:?}"));
    let steps = &preview.plan.steps;
    let kept = steps.iter().position(|step| step.object.as_ref() == Some(&vault())).unwrap();
    assert_eq!((steps[kept].verb, steps[kept].note.as_str()), (Verb::Create, "keeps password (masked)"));
    let about = |kind: &str| {
        let of_kind = |step: &Step| step.object.as_ref().is_some_and(|object| object.kind == kind);
        steps.iter().find(|step| step.verb == Verb::Create && of_kind(step)).unwrap()
    };
    assert!(
        about("Deployment").after.iter().any(|place| steps[*place].after.contains(&kept)),
        "it waits for it"
    );
    assert_eq!(bench.live(&vault()).await, None, "a preview writes nothing");

    bench.engine.confirm(&intent, &preview.plan.hash(), "anna").await.unwrap();
    bench.until_running(NAME, 1).await;
    let record = bench.recorded(NAME).await.unwrap();
    let reference = reference(&record.draft.parameters);
    assert_eq!(values(&bench).await, BTreeMap::from([(reference.key.clone(), FIRST.to_owned())]));
    assert_eq!(used(&bench).await, reference.key);
    let live = bench.live(&vault()).await.unwrap();
    assert_eq!(live["metadata"]["labels"]["styrmin.io/deployment"], NAME);
    is_silent(&records(&bench).await);

    bench.confirm(Intent::Delete(record.id, Volumes::Keep)).await;
    bench.until_settled(NAME, None).await;
    assert_eq!(bench.live(&vault()).await, None, "it goes with the deployment");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_old_value_for_a_rollback() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    let first = bench.recorded(NAME).await.unwrap().draft.parameters;

    // Something else changes: the value stays where it is, and no step is about it.
    let mut other = DeploymentDraft { parameters: first.clone(), ..draft(&bench, "") };
    other.typed.clear();
    other.parameters.insert("text".to_owned(), json!("other"));
    let preview = bench.engine.preview(&Intent::Change(id, other.clone())).await.unwrap();
    assert!(preview.plan.steps.iter().all(|step| step.object.as_ref() != Some(&vault())), "{}", preview.plan);
    // The same value typed again is no change of it.
    let mut again = other.clone();
    again.typed.insert("password".to_owned(), SecretText::new(FIRST));
    let same = bench.engine.preview(&Intent::Change(id, again)).await.unwrap();
    assert_eq!(same.plan.hash(), preview.plan.hash());

    bench.confirm(Intent::Change(id, draft(&bench, SECOND))).await;
    bench.until_running(NAME, 2).await;
    let second = reference(&bench.recorded(NAME).await.unwrap().draft.parameters);
    assert_ne!(second.digest, reference(&first).digest, "pods that carry the digest are replaced");
    assert_eq!(used(&bench).await, second.key);
    let both = values(&bench).await;
    assert_eq!(both.values().map(String::as_str).collect::<std::collections::BTreeSet<_>>().len(), 2);
    is_silent(&records(&bench).await);

    bench.confirm(Intent::Rollback(id, 1)).await;
    bench.until_running(NAME, 3).await;
    assert_eq!(used(&bench).await, reference(&first).key);
    assert_eq!(both[&used(&bench).await], FIRST);

    // A value that is gone is told before anything is planned.
    let patch = json!({"data": {second.key: null}});
    bench.patch(&vault(), "kubectl-edit", patch).await;
    let problem = bench.engine.preview(&Intent::Rollback(id, 2)).await.unwrap_err();
    assert!(problem.what.contains("the value of password is lost"), "{problem}");
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_nobody_refers_to_go_after_a_while() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    let patch = json!({"data": {"password.0abc": STANDARD.encode("left over"), "theirs": ""}});
    bench.patch(&vault(), "kubectl-edit", patch).await;
    let parameters = bench.recorded(NAME).await.unwrap().draft.parameters;
    let change = |text: &str| {
        let mut draft = DeploymentDraft { parameters: parameters.clone(), ..draft(&bench, "") };
        draft.typed.clear();
        draft.parameters.insert("text".to_owned(), json!(text));
        Intent::Change(id, draft)
    };
    bench.confirm(change("soon")).await;
    bench.until_running(NAME, 2).await;
    bench.until_idle().await;
    assert_eq!(values(&bench).await.len(), 2, "it may be about to be recorded");
    bench.clock.advance(3600);
    bench.confirm(change("later")).await;
    bench.until_running(NAME, 3).await;
    bench.until_live(&vault(), |live| live["data"].get("password.0abc").is_none()).await;
    assert_eq!(values(&bench).await.values().collect::<Vec<_>>(), [FIRST]);
    let live = bench.live(&vault()).await.unwrap();
    assert!(live["data"].get("theirs").is_some() && live["data"].get("digest-key").is_some());
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_clear_in_the_custom_resource_is_not_recorded() {
    let bench = deployed().await;
    let resource = key(styrmin::cluster::KIND, NAME);
    let patch = json!({"spec": {"parameters": {"password": SECOND}}});
    bench.edit(&resource, "styrmindeployments", patch).await;
    let problem = bench.until_problem(NAME, "has a secret in clear").await;
    is_silent(&problem.to_string());
    let record = bench.recorded(NAME).await.unwrap();
    is_silent(&format!("{record:?}"));

    // A Secret of somebody else's does as well, and an upgrade from outside of the driver's ranges does not.
    bench.create("secrets", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}, "data": {"it": "eA=="}})).await;
    let foreign = json!({"secret": "mine", "key": "it", "digest": null});
    let patch = json!({"spec": {"parameters": {"password": foreign}}});
    bench.edit(&resource, "styrmindeployments", patch).await;
    bench.until_running(NAME, 2).await;
    let live = bench.live(&key("Deployment", NAME)).await.unwrap();
    let variable = &live["spec"]["template"]["spec"]["containers"][0]["env"][1];
    assert_eq!(variable["valueFrom"]["secretKeyRef"], json!({"name": "mine", "key": "it"}));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_from_outside_of_the_driver_s_ranges_is_refused() {
    let bench = deployed().await;
    let id = bench.id.unwrap();
    let parameters = bench.recorded(NAME).await.unwrap().draft.parameters;
    let to = |version: &str| {
        let mut draft = DeploymentDraft { parameters: parameters.clone(), ..draft(&bench, "") };
        draft.typed.clear();
        draft.application_version = version.to_owned();
        Intent::Change(id, draft)
    };
    bench.confirm(to("1.6.0")).await;
    bench.until_running(NAME, 2).await;
    let problem = bench.engine.preview(&to("2.0.0")).await.unwrap_err();
    assert!(problem.why.contains("the application is at 1.6.0"), "{problem}");
    assert!(problem.why.contains(">=1.0,<1.5"), "{problem}");
    let patch = json!({"spec": {"applicationVersion": "2.0.0"}});
    bench.edit(&key(styrmin::cluster::KIND, NAME), "styrmindeployments", patch).await;
    bench.until_problem(NAME, "cannot come from 1.6.0 to 2.0.0").await;
    let back = Intent::Rollback(id, 1);
    let warnings = bench.engine.preview(&back).await.unwrap().plan.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("upgrades from >=1.0,<1.5 only")), "{warnings:?}");
    bench.confirm(back).await;
    bench.until_running(NAME, 3).await;
    bench.close().await;
}
