//! Contexts and objects, from sources to the last label.

mod traefik;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    ClusterKind, ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, Environment,
};
use crate::driver::context::{self, ContextSources, service_name};
use crate::driver::{built_in, load_files};

mod routing;

pub(super) struct Sources {
    cluster: ClusterRecord,
    environment: Environment,
    deployment: Deployment,
    driver: DriverVersion,
}

impl Sources {
    /// The demo application as `deployment` of the environment `demo` of the sandbox.
    fn notes(deployment: &str, version: &str) -> Self {
        Self::of(built_in().remove(0).version, deployment, version)
    }

    fn of(driver: DriverVersion, deployment: &str, version: &str) -> Self {
        Self {
            cluster: ClusterRecord {
                name: "sandbox".to_owned(),
                kind: ClusterKind::Sandbox,
                fqdn_suffix: Some("localhost".to_owned()),
                storage_class: None,
                ingress_port: Some(8480),
                ingress_tls_port: None,
            },
            environment: Environment {
                name: "demo".to_owned(),
                cluster: "sandbox".to_owned(),
                namespace: "demo".to_owned(),
                ingress_class: Some("sandbox".to_owned()),
                fqdn_suffix: None,
                production: false,
                ..Environment::new("", "", "")
            },
            deployment: Deployment {
                id: DeploymentId(1),
                uid: "uid-1".to_owned(),
                draft: DeploymentDraft {
                    name: deployment.to_owned(),
                    environment: "demo".to_owned(),
                    driver: driver.reference.clone(),
                    application_version: version.to_owned(),
                    parameters: BTreeMap::new(),
                    ..DeploymentDraft::default()
                },
                phase: DesiredPhase::Running,
                revision: 1,
                created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
            },
            driver,
        }
    }

    /// A driver of one manifest, with one component `web` and the given services.
    fn manifest(text: &str) -> Self {
        let files = BTreeMap::from([
            ("driver.styrmin.yml".to_owned(), SPEC.to_owned()),
            ("manifests/a.yaml.j2".to_owned(), text.to_owned()),
        ]);
        Self::of(load_files("test", files).unwrap().version, "one", "1.0")
    }

    fn context(&self) -> Value {
        self.resolve(1).unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn resolve(&self, instance_number: u32) -> Result<Value, Problem> {
        context::resolve(&ContextSources {
            cluster: &self.cluster,
            environment: &self.environment,
            deployment: &self.deployment,
            driver: &self.driver,
            instance_number,
        })
    }

    fn render(&self) -> Result<Vec<Value>, Problem> {
        render_alone(&self.driver, &self.context()).map(|rendering| rendering.objects)
    }

    fn refusal(&self) -> String {
        self.render().unwrap_err().why
    }
}

const SPEC: &str = r#"
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: { name: one }
spec:
  version: "1"
  default_version: "1.0"
  components:
    web: { identifier: { label: { app: web } }, defaults: { env: { A: 1 }, command: run } }
  services:
    - { name: one, port: 80, targetPort: 8080, component: web, scope: external }
"#;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";

fn kinds(objects: &[Value]) -> Vec<String> {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    objects.iter().map(|object| text(object, "/kind") + "/" + &text(object, "/metadata/name")).collect()
}

#[test]
fn the_demo_application_renders_in_its_order() {
    let objects = Sources::notes("notes", "1.0.0").render().unwrap();
    assert_eq!(
        kinds(&objects),
        [
            "Service/notes",
            "Service/notes-db",
            "Deployment/notes-web",
            "StatefulSet/notes-db",
            "Ingress/notes"
        ]
    );
    assert_eq!(objects, Sources::notes("notes", "1.0.0").render().unwrap(), "rendering is deterministic");
    for object in &objects {
        assert_eq!(object["metadata"]["namespace"], "demo");
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "styrmin");
        assert_eq!(
            (&labels["styrmin.io/environment"], &labels["styrmin.io/deployment"]),
            (&json!("demo"), &json!("notes"))
        );
        assert!(!object.to_string().contains("styrmin.io/instance"), "{object}");
    }
}

#[test]
fn the_web_front_gets_its_parameters_and_finds_its_database() {
    let mut sources = Sources::notes("blog", "1.2.0-broken");
    sources.deployment.draft.parameters =
        BTreeMap::from([("title".to_owned(), json!("A \"B\": {c}")), ("replicas".to_owned(), json!(3))]);
    let objects = sources.render().unwrap();
    assert_eq!(kinds(&objects)[..3], ["Service/blog-notes", "Service/blog-notes-db", "Deployment/blog-web"]);
    let web = &objects[2];
    assert_eq!(web["spec"]["replicas"], 3);
    assert_eq!(web["spec"]["progressDeadlineSeconds"], 60);
    let container = &web["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "styrmin/notes-web:1.2.0-broken");
    assert_eq!(container["readinessProbe"]["httpGet"], json!({"path": "/readyz", "port": 8080}));
    let variable = |name: &str| {
        let all = container["env"].as_array().unwrap();
        all.iter().find(|variable| variable["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(variable("NOTES_TITLE"), "A \"B\": {c}");
    assert_eq!(variable("NOTES_DB_HOST"), "blog-notes-db");
    assert_eq!(variable("NOTES_DB_PORT"), "5433");
    assert_eq!(variable("NOTES_READ_ONLY"), "false");

    let (pod, selector) =
        (&web["spec"]["template"]["metadata"]["labels"], &web["spec"]["selector"]["matchLabels"]);
    assert_eq!(pod["styrmin.io/deployment"], "blog");
    assert!(selector.get("styrmin.io/deployment").is_none(), "selectors are the driver's own");
    for (label, value) in selector.as_object().unwrap() {
        assert_eq!(&pod[label], value);
    }
    for (label, value) in objects[0]["spec"]["selector"].as_object().unwrap() {
        assert_eq!(&pod[label], value, "the service finds the pods");
    }
}

#[test]
fn the_database_follows_the_versions_that_need_it() {
    for (version, image) in
        [("1.0.0", "1.0.0"), ("1.0.9", "1.0.0"), ("1.1.0", "1.1.0"), ("1.2.0-broken", "1.1.0")]
    {
        let mut sources = Sources::notes("notes", version);
        sources.cluster.storage_class = Some("fast".to_owned());
        let objects = sources.render().unwrap();
        let database = objects.iter().find(|object| object["kind"] == "StatefulSet").unwrap();
        let container = &database["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], format!("styrmin/notes-db:{image}"));
        let claim = &database["spec"]["volumeClaimTemplates"][0];
        assert_eq!(claim["spec"]["storageClassName"], "fast");
        assert_eq!(claim["metadata"]["labels"]["styrmin.io/deployment"], "notes");
    }
}

#[test]
fn external_services_get_both_hosts_and_internal_ones_none() {
    let sources = Sources::notes("notes", "1.0.0");
    let context = sources.context();
    let notes = &context["services"]["notes"];
    assert_eq!(notes["human_readable_fqdn"], "notes-demo.localhost");
    assert_eq!(notes["url"], "http://notes-demo.localhost:8480/");
    assert_eq!(context["services"]["notes-db"]["primary_fqdn"], "");
    let objects = sources.render().unwrap();
    let ingress = &objects.last().unwrap()["spec"];
    assert_eq!(ingress["ingressClassName"], "sandbox");
    assert_eq!(ingress["rules"][0]["host"], notes["primary_fqdn"]);
    assert_eq!(ingress["rules"][1]["host"], "notes-demo.localhost");
}

#[test]
fn without_a_suffix_there_is_no_host_and_no_ingress() {
    let mut sources = Sources::notes("notes", "1.0.0");
    sources.cluster.fqdn_suffix = None;
    assert_eq!(sources.context()["services"]["notes"]["url"], "");
    assert!(!kinds(&sources.render().unwrap()).contains(&"Ingress/notes".to_owned()));
    sources.environment.fqdn_suffix = Some("apps.example.org".to_owned());
    assert_eq!(sources.context()["services"]["notes"]["human_readable_fqdn"], "notes-demo.apps.example.org");
}

#[test]
fn the_number_of_the_instance_is_not_in_the_digest() {
    let sources = Sources::notes("notes", "1.0.0");
    let (first, second) = (sources.resolve(1).unwrap(), sources.resolve(2).unwrap());
    assert_ne!(first, second);
    assert_eq!(context::digest(&first), context::digest(&second));
    let other = Sources::notes("notes", "1.1.0").context();
    assert_ne!(context::digest(&first), context::digest(&other));
}

#[test]
fn defaults_of_components_are_lists_in_the_context() {
    let context = Sources::manifest(CONFIG).context();
    let web = &context["components"]["web"];
    assert_eq!(web["env"], json!([{"name": "A", "value": "1"}]));
    assert_eq!((&web["command"], &web["args"]), (&json!(["run"]), &json!([])));
}

#[test]
fn overrides_are_merged_into_their_component() {
    let mut sources = Sources::notes("notes", "1.0.0");
    let given = json!({"replicas": 3, "env": {"A": "1"}, "command": ["sh"], "args": ["-c", "x"]});
    sources.deployment.draft.components.insert("web".to_owned(), serde_json::from_value(given).unwrap());
    let web = sources.context()["components"]["web"].clone();
    assert_eq!(
        (&web["replicas"], &web["command"], &web["args"]),
        (&json!(3), &json!(["sh"]), &json!(["-c", "x"]))
    );
    assert!(web["env"].as_array().unwrap().contains(&json!({"name": "A", "value": "1"})));

    let mut sources = Sources::manifest(CONFIG);
    let given = json!({"env": {"A": "2", "B": "3"}});
    sources.deployment.draft.components.insert("web".to_owned(), serde_json::from_value(given).unwrap());
    let env = json!([{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]);
    assert_eq!(sources.context()["components"]["web"]["env"], env);
    assert!(sources.context()["components"]["web"].get("replicas").is_none());
}

#[test]
fn overrides_that_the_driver_does_not_know_are_refused() {
    let refusal = |component: &str, given: Value| {
        let mut sources = Sources::notes("notes", "1.0.0");
        let given = serde_json::from_value(given).unwrap();
        sources.deployment.draft.components.insert(component.to_owned(), given);
        sources.resolve(1).unwrap_err()
    };
    let problem = refusal("wbe", json!({"replicas": 2}));
    assert_eq!(problem.why, "it has no component 'wbe'");
    assert!(problem.next.contains("did you mean 'web'?"), "{problem}");
    let problem = refusal("db", json!({"args": ["x"]}));
    assert!(problem.why.contains("the args of 'db'") && problem.next.contains("web"), "{problem}");
}

#[test]
fn services_are_named_after_their_deployment_unless_they_are_already() {
    assert_eq!(service_name("notes", "notes"), "notes");
    assert_eq!(service_name("notes", "notes-db"), "notes-db");
    assert_eq!(service_name("note", "notes"), "note-notes");
    assert_eq!(service_name("blog", "notes-db"), "blog-notes-db");
    assert_eq!(service_name(&"d".repeat(60), "notes-db").len(), 63);
}

#[test]
fn what_cannot_be_deployed_is_refused_with_the_reason() {
    let mut sources = Sources::notes("notes", "3.0");
    let problem = sources.resolve(1).unwrap_err();
    assert!(problem.what.contains("does not support version '3.0'"), "{problem}");

    sources.deployment.draft.application_version = "1.0.0".to_owned();
    sources.deployment.draft.parameters =
        BTreeMap::from([("replicas".to_owned(), json!(9)), ("tilte".to_owned(), json!(1))]);
    let problem = sources.resolve(1).unwrap_err();
    assert!(problem.why.contains("replicas: expected 1 to 5, found 9"), "{problem}");
    assert!(problem.why.contains("did you mean 'title'?"), "{problem}");

    sources.deployment.draft.name = "No Label".to_owned();
    assert!(sources.resolve(1).is_err());
}

#[test]
fn a_chart_that_was_not_pulled_is_told() {
    let mut sources = Sources::notes("notes", "1.0.0");
    sources.driver.spec.helm = Some(crate::domain::driver::HelmChart {
        location: "oci://x/y".to_owned(),
        ..crate::domain::driver::HelmChart::default()
    });
    let problem = sources.resolve(1).unwrap_err();
    assert!(problem.why.contains("the chart oci://x/y was not pulled"), "{problem}");
}

/// A driver with a secret parameter, and a pod that uses it.
fn secretive(default: &str) -> Sources {
    let spec = format!("{SPEC}  parameters: [{{ name: token, kind: secret{default} }}]\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: { name: a, annotations: { digest: '{{ parameters.token.digest }}' } }\nspec: { containers: [{ name: a, env: [{ name: TOKEN, valueFrom: { secretKeyRef: {{ parameters.token | secret_key_ref }} } }] }] }\n";
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), spec),
        (
            "manifests/a.yaml.j2".to_owned(),
            format!("{{% if parameters.token %}}{pod}{{% else %}}{CONFIG}{{% endif %}}"),
        ),
    ]);
    Sources::of(load_files("test", files).unwrap().version, "one", "1.0")
}

#[test]
fn a_secret_parameter_is_rendered_as_the_place_where_it_lies() {
    let why = secretive("").resolve(1).unwrap_err().why;
    assert_eq!(why, "token: it is required");
    let optional = secretive(", default: ''").render().unwrap();
    assert_eq!(optional[0]["kind"], "ConfigMap");

    let mut sources = secretive("");
    let reference = json!({"secret": "one-parameters", "key": "token.ab", "digest": "ab"});
    sources.deployment.draft.parameters = BTreeMap::from([("token".to_owned(), reference)]);
    let objects = sources.render().unwrap();
    let pod = objects.iter().find(|object| object["kind"] == "Pod").unwrap();
    let variable = &pod["spec"]["containers"][0]["env"][0];
    let wanted = json!({"name": "one-parameters", "key": "token.ab"});
    assert_eq!(variable["valueFrom"]["secretKeyRef"], wanted);
    assert_eq!(pod["metadata"]["annotations"]["digest"], "ab");

    sources.deployment.draft.parameters = BTreeMap::from([("token".to_owned(), json!("hunter2"))]);
    let problem = sources.resolve(1).unwrap_err();
    assert!(
        problem.why.contains("expected a reference") && !problem.to_string().contains("hunter2"),
        "{problem}"
    );
}

#[test]
fn a_list_of_two_texts_is_a_list_and_no_secret() {
    let spec = format!("{SPEC}  parameters: [{{ name: hosts, kind: list }}]\n");
    let data = "data: { looped: '{% for host in parameters.hosts %}{{ host }};{% endfor %}', json: {{ parameters.hosts | tojson | quote }} }\n";
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), spec),
        ("manifests/a.yaml.j2".to_owned(), format!("{CONFIG}{data}")),
    ]);
    let mut sources = Sources::of(load_files("test", files).unwrap().version, "one", "1.0");
    let hosts = json!(["a.example.org", "b.example.org"]);
    sources.deployment.draft.parameters = BTreeMap::from([("hosts".to_owned(), hosts.clone())]);
    let objects = sources.render().unwrap();
    let data = &objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap()["data"];
    assert_eq!(data["looped"], "a.example.org;b.example.org;");
    let json: Value = serde_json::from_str(data["json"].as_str().unwrap()).unwrap();
    assert_eq!(json, hosts);
}

#[test]
fn the_context_says_what_the_environment_and_the_chart_are() {
    let mut sources = Sources::notes("notes", "1.0.0");
    let plain = sources.context();
    assert_eq!(plain["instance"]["config"]["ingress_class"], "sandbox");
    assert!(plain["environment"].get("dedicated_ingress").is_none() && plain["app"].get("chart").is_none());
    sources.environment.ip_whitelist = vec!["10.0.0.0/8".to_owned()];
    let annotations = BTreeMap::from([("lb".to_owned(), "internal".to_owned())]);
    sources.environment.dedicated_ingress =
        Some(crate::domain::DedicatedIngress { service_annotations: annotations });
    let own = sources.context();
    assert_eq!(own["environment"]["ip_whitelist"], json!(["10.0.0.0/8"]));
    assert_eq!(
        own["environment"]["dedicated_ingress"],
        json!({"service": {"annotations": {"lb": "internal"}}})
    );
    assert!(own["instance"]["config"].get("ingress_class").is_none(), "there is no class to choose");
    assert_ne!(context::digest(&plain), context::digest(&own));
}

#[test]
fn errors_name_file_document_and_line() {
    let two = format!("# head\n{CONFIG}---\napiVersion: v1\nkind: ConfigMap\nmetadata: [\n");
    let why = Sources::manifest(&two).refusal();
    assert!(why.starts_with("manifests/a.yaml.j2: document 2, line "), "{why}");
    let line: usize = why.split("line ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((7..=9).contains(&line), "{why}");

    let why = Sources::manifest("a: {{ parameters.nope }}\n").refusal();
    assert!(why.starts_with("manifests/a.yaml.j2:1:7: 'parameters.nope' is not defined"), "{why}");
    let why = Sources::manifest("- 1\n").refusal();
    assert!(why.contains("expected a Kubernetes object"), "{why}");
    let why = Sources::manifest("apiVersion: v1\nkind: Pod\n").refusal();
    assert!(why.contains("the Pod has no metadata.name"), "{why}");
    let why = Sources::manifest("kind: Pod\nkind: Pod\n").refusal();
    assert!(why.contains("duplicate"), "{why}");
    let why = Sources::manifest("apiVersion: v1\nkind: Pod\nmetadata: { name: A_b }\n").refusal();
    assert!(why.contains("'A_b' cannot name a Pod"), "{why}");
}

#[test]
fn objects_stay_inside_their_environment() {
    let elsewhere = CONFIG.replace("name: a", "name: a, namespace: kube-system");
    assert!(Sources::manifest(&elsewhere).refusal().contains("wants the namespace 'kube-system'"));
    assert!(Sources::manifest(&CONFIG.replace("name: a", "name: a, namespace: demo")).render().is_ok());
    for kind in ["Namespace", "Node", "PersistentVolume"] {
        let why =
            Sources::manifest(&format!("apiVersion: v1\nkind: {kind}\nmetadata: {{ name: a }}\n")).refusal();
        assert!(why.contains("is part of the cluster itself"), "{why}");
    }
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: a }\n";
    let objects = Sources::manifest(role).render().unwrap();
    assert_eq!(objects[0]["metadata"].get("namespace"), None, "it lies in no namespace");
    assert_eq!(objects[0]["metadata"]["labels"]["styrmin.io/environment"], "demo");
    let own = "apiVersion: styrmin.io/v1alpha1\nkind: StyrminDeployment\nmetadata: { name: a }\n";
    assert!(Sources::manifest(own).refusal().contains("Styrmin's own"));
    for reserved in ["one-parameters", "one-seed"] {
        let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{ name: {reserved} }}\n");
        assert!(Sources::manifest(&secret).refusal().contains("keeps the deployment's secrets"));
    }
    assert!(Sources::manifest(&format!("{CONFIG}---\n{CONFIG}")).refusal().contains("rendered twice"));
}

#[test]
fn one_name_in_two_groups_is_two_objects() {
    let service = |version: &str| format!("apiVersion: {version}\nkind: Service\nmetadata: {{ name: a }}\n");
    let (core, knative) = (service("v1"), service("serving.knative.dev/v1"));
    let objects = Sources::manifest(&format!("{core}---\n{knative}")).render().unwrap();
    assert_eq!(kinds(&objects).iter().filter(|kind| *kind == "Service/a").count(), 2);
    let beta = service("serving.knative.dev/v1beta1");
    assert!(Sources::manifest(&format!("{knative}---\n{beta}")).refusal().contains("rendered twice"));
}

#[test]
fn too_many_objects_or_errors_end_the_work() {
    let objects = |from: usize, to: usize| {
        let one = |n| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c{n} }}\n---\n");
        (from..to).map(one).collect::<String>()
    };
    let why = Sources::manifest(&format!("{}kind: Pod\n", objects(0, OBJECT_LIMIT + 1))).refusal();
    assert_eq!(why, "more than 2000 objects are rendered", "what follows is not looked at");
    let list = "apiVersion: v1\nkind: List\nitems:\n".to_owned() + &"- {}\n".repeat(500);
    let twice = objects(0, 300).repeat(2);
    let elsewhere = objects(0, 300).replace(" }", ", namespace: other }");
    for wrong in ["kind: Pod\n---\n".repeat(500), list, twice, elsewhere] {
        let why = Sources::manifest(&wrong).refusal();
        let lines: Vec<&str> = why.lines().collect();
        assert_eq!(lines.len(), ERROR_LIMIT + 1, "{why}");
        assert_eq!(lines[ERROR_LIMIT], "there is more to say, which is left out");
    }
}

#[test]
fn a_service_or_ingress_of_the_manifests_is_left_alone() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: { name: one }\nspec: { ports: [{ port: 1 }] }\n";
    let objects = Sources::manifest(service).render().unwrap();
    assert_eq!(kinds(&objects), ["Service/one", "Ingress/one"]);
    assert_eq!(objects[0]["spec"]["ports"][0]["port"], 1);
    let objects = Sources::manifest(CONFIG).render().unwrap();
    assert_eq!(objects[1]["spec"]["ports"][0]["targetPort"], 8080);
    assert_eq!(objects[1]["spec"]["selector"], json!({"app": "web", "styrmin.io/deployment": "one"}));
}

#[test]
fn lists_are_taken_apart_and_empty_documents_left_out() {
    let list = "---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n- {apiVersion: v1, kind: ServiceAccount, metadata: {name: c}, automountServiceAccountToken: false}\n--- # end\n";
    let objects = Sources::manifest(list).render().unwrap();
    assert_eq!(kinds(&objects)[..2], ["ServiceAccount/c", "Secret/b"]);
}

#[test]
fn cron_jobs_are_labelled_down_to_their_pods() {
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: a }\nspec: { jobTemplate: { spec: { template: { spec: {} } } } }\n";
    let objects = Sources::manifest(cron).render().unwrap();
    let job = objects.iter().find(|object| object["kind"] == "CronJob").unwrap();
    let labels = &job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels["styrmin.io/deployment"], "one");
}
