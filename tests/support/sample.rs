// A fixed picture to draw and to test with. Included by `tests/frames.rs` and by the unit tests of `ui`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use styrmin::domain::diff::ObjectDiff;
use styrmin::domain::drift::{Drift, DriftAnswer, DriftedField};
use styrmin::domain::driver::{
    ActionSpec, ChartPin, ComponentSpec, DriverInfo, Hook, Mode, ParameterKind, ParameterSpec, ServiceScope,
    ServiceSpec,
};
use styrmin::domain::object::{ContainerSummary, Detail, EventSummary, PodDetail, WorkloadDetail};
use styrmin::domain::operation::{Goal, OperationEvent, Orders, Origin, Subject, Times};
use styrmin::domain::plan::{Step, Verb};
use styrmin::domain::route::{Certificate, Phases, Probe, ProbeOutcome, RouteKind, RouteView};
use styrmin::domain::world::{
    Application, ClusterView, ComponentView, Condition, EngineView, Installed, Link,
};
use styrmin::domain::{
    ClusterKind, ClusterRecord, Deployment, DeploymentDraft, DeploymentId, DesiredPhase, DriverRef,
    DriverSpec, DriverVersion, Environment, Health, Instance, InstanceState, ObjectKey, ObjectSummary,
    Operation, OperationId, OperationKind, OperationState, OperationView, Plan, Preview, Problem, StepRecord,
    StepState, Verdict, World,
};

/// The moment at which the picture is taken.
pub fn now() -> Timestamp {
    "2026-11-22T19:00:00Z".parse().unwrap()
}

/// A moment before [`now`].
pub fn before(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A picture of a real cluster with a bit of everything.
pub fn world() -> World {
    World {
        generation: 7,
        cluster: cluster(ClusterKind::Kubeconfig, Link::Live, Installed::Yes),
        engine: EngineView::Here { epoch: 3, since: before(3600) },
        environments: ["demo", "staging"].map(environment).to_vec(),
        applications: vec![
            Arc::new(healthy("notes", "demo", 1)),
            Arc::new(crashing()),
            Arc::new(upgrading()),
            Arc::new(stopped()),
        ],
        drivers: drivers(),
        operations: operations().into_iter().map(Arc::new).collect(),
        ..World::default()
    }
}

/// A picture with nothing in it yet.
pub fn empty_world(kind: ClusterKind, link: Link, installed: Installed) -> World {
    World { generation: 1, cluster: cluster(kind, link, installed), drivers: drivers(), ..World::default() }
}

/// A picture with this many healthy applications.
pub fn large_world(count: usize) -> World {
    let name = |index| format!("application-{index:05}");
    let one = |index: usize| Arc::new(healthy(&name(index), &format!("env-{:02}", index % 40), 1));
    World { applications: (0..count).map(one).collect(), ..world() }
}

/// A lost link.
pub fn stale() -> Link {
    let problem = Problem::new(
        "The cluster does not answer",
        "connect 10.0.0.1:6443: connection refused",
        "it is tried again every few seconds",
    );
    Link::Stale { since: before(12), problem }
}

fn cluster(kind: ClusterKind, link: Link, installed: Installed) -> ClusterView {
    let name = if kind == ClusterKind::Sandbox { "sandbox" } else { "kind-local" };
    let record = ClusterRecord {
        name: name.into(),
        kind,
        fqdn_suffix: Some("localhost".into()),
        storage_class: None,
        ingress_port: Some(8480),
        ingress_tls_port: None,
    };
    ClusterView {
        record: Some(record),
        link,
        version: Some("v1.34.0".into()),
        installed,
        warnings: Vec::new(),
    }
}

fn environment(name: &str) -> Environment {
    Environment {
        name: name.into(),
        cluster: "kind-local".into(),
        namespace: name.into(),
        ingress_class: None,
        fqdn_suffix: None,
        production: false,
        ..Environment::new("", "", "")
    }
}

/// The route of an application that works.
pub fn route(name: &str, environment: &str) -> RouteView {
    let host = format!("{name}-{environment}.localhost");
    RouteView {
        service: name.into(),
        backend: name.into(),
        url: format!("http://{host}:8480/"),
        host,
        object: Some(key("Ingress", environment, name)),
        kind: RouteKind::Ingress,
        class: String::new(),
        addresses: vec!["127.0.0.1".into()],
        endpoints: None,
        certificate: None,
        trouble: Vec::new(),
        unprobed: false,
        probe: Some(probe(200, 12)),
        history: Arc::default(),
    }
}

/// A probe of eight seconds ago that was answered with this code after so many milliseconds.
pub fn probe(code: u16, millis: u32) -> Probe {
    let part = millis * 100;
    Probe {
        at: before(8),
        outcome: ProbeOutcome::Answered(code),
        phases: Phases {
            dns: Some(part),
            connect: Some(part),
            tls: None,
            http: Some(millis * 1_000 - 2 * part),
        },
        address: Some([127, 0, 0, 1].into()),
        addresses: vec![[127, 0, 0, 1].into()],
        hops: Vec::new(),
        certificate: None,
    }
}

/// A certificate for a host that holds for so many days from [`now`] on, or ended so many before.
pub fn certificate(host: &str, days: i64) -> Certificate {
    let ends = now() + SignedDuration::from_hours(24 * days + 1);
    Certificate {
        subject: host.into(),
        issuer: "R11".into(),
        names: vec![host.into()],
        not_before: ends - SignedDuration::from_hours(24 * 90),
        not_after: ends,
        earliest: ends,
        fingerprint: format!("{days:064x}"),
    }
}

fn reference(name: &str, version: &str) -> DriverRef {
    DriverRef { name: name.into(), version: version.into() }
}

/// The drivers of the picture: one with every kind of parameter, one plain.
pub fn drivers() -> Vec<Arc<DriverVersion>> {
    let parameter = |name: &str, label: &str, kind, default| ParameterSpec {
        name: name.into(),
        label: label.into(),
        kind,
        default,
        ..ParameterSpec::default()
    };
    let mut replicas = parameter("replicas", "Replicas", ParameterKind::Integer, Some(json!(1)));
    (replicas.min, replicas.max) = (Some(1.0), Some(5.0));
    replicas.description = "How many web servers run".into();
    let levels = ["debug", "info", "warn"].map(String::from).to_vec();
    let parameters = vec![
        parameter("title", "Title", ParameterKind::String, Some(json!("Team notes"))),
        replicas,
        parameter("public", "Public", ParameterKind::Boolean, Some(json!(false))),
        parameter("log_level", "Log level", ParameterKind::Enum(levels), Some(json!("info"))),
        parameter("password", "Password", ParameterKind::Secret, None),
    ];
    let info = DriverInfo {
        description: "A small notebook with a web front and a database.\nMade to try things out on.".into(),
        authors: vec!["The Styrmin authors".into()],
        license: "Apache-2.0".into(),
        links: vec![("home".into(), "https://example.org/notes".into())],
    };
    let service = ServiceSpec {
        name: "notes".into(),
        kind: "http".into(),
        scope: ServiceScope::External,
        port: 80,
        target_port: Some(8080),
        component: "web".into(),
        path: "/".into(),
        tls: None,
        allow_from: Vec::new(),
    };
    let database = ComponentSpec { backup: Some("action".into()), ..ComponentSpec::default() };
    let notes = DriverSpec {
        supported_versions: ">=1.0,<2.0".into(),
        default_version: "1.0.0".into(),
        known_versions: ["1.0.0", "1.1.0"].map(String::from).to_vec(),
        info,
        components: BTreeMap::from([("db".into(), database), ("web".into(), ComponentSpec::default())]),
        services: vec![service],
        parameters,
        actions: vec![migrate()],
        ..DriverSpec::default()
    };
    let mut older = notes.clone();
    older.parameters.retain(|parameter| parameter.name != "log_level");
    older.actions.clear();
    let wiki = DriverSpec {
        supported_versions: ">=3.0".into(),
        default_version: "3.2.1".into(),
        info: DriverInfo { description: "Pages that everybody edits.".into(), ..DriverInfo::default() },
        ..DriverSpec::default()
    };
    let pin = ChartPin {
        origin: "oci://registry.example.org/charts/wiki:4.2.0".into(),
        version: "4.2.0".into(),
        digest: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".into(),
    };
    let mut wiki = driver("wiki", "0.4.0", wiki, &[]);
    wiki.source = "git https://example.org/wiki.git @ 3f2a9c1".into();
    wiki.chart = Some(pin);
    let changed = NOTES_TEMPLATE.replace("log_level", "level");
    let new = [
        ("templates/web.yml.j2", NOTES_TEMPLATE),
        ("actions/migrate.py", "def migrate(context):\n    pass\n"),
    ];
    let old = [("templates/web.yml.j2", changed.as_str()), ("README.md", "Notes\n")];
    [driver("notes", "1.2.0", notes, &new), driver("notes", "1.1.0", older, &old), wiki]
        .map(Arc::new)
        .to_vec()
}

const NOTES_TEMPLATE: &str = "kind: Deployment
metadata:
  name: {{ deployment.name }}-web
spec:
  template:
    spec:
      containers:
        - name: web
          env:
            - name: LOG_LEVEL
              value: {{ parameters.log_level }}
";

fn migrate() -> ActionSpec {
    ActionSpec {
        name: "migrate".into(),
        hook: Some(Hook::Upgrade),
        mode: Some(Mode::Pre),
        location: "actions/migrate.py::migrate".into(),
        description: "Brings the tables of the database to the new version.".into(),
        ..ActionSpec::default()
    }
}

fn driver(name: &str, version: &str, spec: DriverSpec, files: &[(&str, &str)]) -> DriverVersion {
    DriverVersion {
        reference: reference(name, version),
        source: "built-in".into(),
        digest: format!("digest-of-{name}-{version}"),
        spec,
        files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        loaded_at: Some(before(86_400)),
        ..DriverVersion::default()
    }
}

fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    let api_version = if matches!(kind, "Deployment" | "StatefulSet") { "apps/v1" } else { "v1" };
    ObjectKey {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn object(key: ObjectKey, age: i64, detail: Detail) -> ObjectSummary {
    ObjectSummary {
        uid: format!("uid-{}", key.name),
        key,
        resource_version: "1".into(),
        owner: None,
        labels: BTreeMap::new(),
        created: Some(before(age)),
        deleting: false,
        verdict: Verdict::healthy(),
        detail,
    }
}

fn container(name: &str, image: &str) -> ContainerSummary {
    ContainerSummary {
        name: name.into(),
        image: image.into(),
        ready: true,
        restarts: 0,
        state: "Running".into(),
        exit_code: None,
        started: Some(before(3600)),
    }
}

fn pod(namespace: &str, name: &str, containers: Vec<ContainerSummary>) -> ObjectSummary {
    let detail = PodDetail {
        phase: "Running".into(),
        node: "node-1".into(),
        ip: "127.64.0.12".into(),
        containers,
        simulated: false,
    };
    object(key("Pod", namespace, name), 7_500, Detail::Pod(detail))
}

fn component(name: &str, image: &str, pods: Vec<ObjectSummary>) -> ComponentView {
    let desired = u32::try_from(pods.len()).unwrap();
    ComponentView {
        name: name.into(),
        verdict: Verdict::healthy(),
        ready: desired,
        desired,
        images: vec![image.into()],
        pods,
    }
}

/// An instance of the application with this row number.
pub fn instance(deployment: i64, number: u32, version: &str, state: InstanceState) -> Instance {
    Instance {
        deployment: DeploymentId(deployment),
        number,
        state,
        driver: reference("notes", "1.2.0"),
        application_version: version.into(),
        context: json!({}),
        digest: format!("digest-{number}"),
        created_at: before(300),
        message: None,
        draft: None,
    }
}

/// The instances of a healthy application, newest first.
fn history(id: i64) -> Vec<Arc<Instance>> {
    let old = |number, version, age| Instance {
        created_at: before(age),
        ..instance(id, number, version, InstanceState::Superseded)
    };
    let active = instance(id, 3, "1.0.0", InstanceState::Active);
    [active, old(2, "1.0.0-rc.2", 86_400), old(1, "0.9.0", 432_000)].map(Arc::new).to_vec()
}

/// A healthy application with two components.
pub fn healthy(name: &str, environment: &str, id: i64) -> Application {
    let web = format!("{name}-web");
    let db = format!("{name}-db");
    let pod_of = |part: &str, container_name: &str, image: &str, hash: &str| {
        pod(environment, &format!("{part}-{hash}"), vec![container(container_name, image)])
    };
    let components = vec![
        component("db", "styrmin/notes-db:1.0.0", vec![pod_of(&db, "db", "styrmin/notes-db:1.0.0", "0")]),
        component(
            "web",
            "styrmin/notes-web:1.0.0",
            vec![pod_of(&web, "web", "styrmin/notes-web:1.0.0", "6d4f9c7b8-x2x4l")],
        ),
    ];
    let workload = WorkloadDetail {
        desired: 1,
        ready: 1,
        updated: 1,
        available: 1,
        images: vec!["styrmin/notes-web:1.0.0".into()],
    };
    let service = Detail::Service { cluster_ip: "127.64.1.7".into(), ports: vec![80] };
    let volume = Detail::Volume { phase: "Bound".into(), size: "1Gi".into() };
    let objects = vec![
        object(key("Deployment", environment, &web), 432_000, Detail::Workload(workload.clone())),
        object(key("StatefulSet", environment, &db), 432_000, Detail::Workload(workload)),
        object(key("Service", environment, name), 432_000, service),
        object(key("PersistentVolumeClaim", environment, &format!("data-{db}-0")), 432_000, volume),
        object(key("Secret", environment, &format!("{name}-parameters")), 432_000, Detail::Other),
    ];
    let draft = DeploymentDraft {
        name: name.into(),
        environment: environment.into(),
        driver: reference("notes", "1.2.0"),
        application_version: "1.0.0".into(),
        parameters: BTreeMap::new(),
        ..DeploymentDraft::default()
    };
    let deployment = Deployment {
        id: DeploymentId(id),
        uid: format!("uid-{id}"),
        draft,
        phase: DesiredPhase::Running,
        revision: 1,
        created_at: before(432_000),
    };
    Application {
        deployment,
        namespace: environment.into(),
        instance: Some(instance(id, 3, "1.0.0", InstanceState::Active)),
        active: Some(instance(id, 3, "1.0.0", InstanceState::Active)),
        verdict: Verdict::healthy(),
        components,
        routes: vec![route(name, environment)],
        conditions: vec![
            condition("Ready", "True", "Healthy", "all components are healthy"),
            condition("Stalled", "False", "", ""),
        ],
        events: vec![event(
            40,
            ("Started", "Started container web"),
            &format!("Pod/{web}-6d4f9c7b8-x2x4l"),
            1,
        )],
        objects,
        problem: None,
        history: history(id),
        drift: Vec::new(),
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Condition {
    Condition {
        kind: kind.into(),
        status: status.into(),
        reason: reason.into(),
        message: message.into(),
        since: Some(before(300)),
    }
}

fn event(age: i64, (reason, message): (&str, &str), object: &str, count: u32) -> EventSummary {
    EventSummary {
        at: before(age),
        warning: reason.starts_with("Back") || reason.starts_with("Failed"),
        reason: reason.into(),
        message: message.into(),
        object: object.into(),
        count,
    }
}

/// An application whose web server ends again and again.
pub fn crashing() -> Application {
    let mut application = healthy("shop", "demo", 2);
    let name = "shop-web-7c9d8b5f4-lq2zt";
    let chain = |health| {
        Verdict {
        health,
        causes: vec![
            styrmin::domain::Cause {
                object: key("Deployment", "demo", "shop-web"),
                reason: "MinimumReplicasUnavailable".into(),
                message: "Deployment does not have minimum availability".into(),
            },
            styrmin::domain::Cause {
                object: key("Pod", "demo", name),
                reason: "CrashLoopBackOff".into(),
                message: "back-off 40s restarting failed container=web: cannot open /data/shop.db: permission denied".into(),
            },
        ],
    }
    };
    let failed = Instance {
        message: Some("Deployment/shop-web does not become healthy".into()),
        created_at: before(480),
        ..instance(2, 4, "1.1.0", InstanceState::Failed)
    };
    application.instance = Some(failed.clone());
    let before_it = Instance { created_at: before(43_200), ..instance(2, 3, "1.0.0", InstanceState::Active) };
    application.active = Some(before_it.clone());
    application.history.splice(..1, [Arc::new(failed), Arc::new(before_it)]);
    let mut broken = pod(
        "demo",
        name,
        vec![container("web", "styrmin/notes-web:1.0.0"), container("proxy", "envoy:1.31")],
    );
    broken.verdict = chain(Health::Degraded);
    if let Detail::Pod(detail) = &mut broken.detail {
        let web = &mut detail.containers[0];
        (web.ready, web.restarts, web.exit_code) = (false, 7, Some(101));
        web.state = "CrashLoopBackOff".into();
    }
    let web = &mut application.components[1];
    (web.pods, web.ready, web.verdict) = (vec![broken], 0, chain(Health::Degraded));
    application.verdict = chain(Health::Degraded);
    application.routes[0].probe = Some(probe(503, 4));
    application.routes[0].trouble = vec!["it answers 503: the ingress has no backend to ask".into()];
    application.conditions = vec![
        condition("Ready", "False", "Degraded", "component web is degraded"),
        condition("Stalled", "True", "CrashLoopBackOff", "web ends with exit code 101"),
    ];
    application.events = vec![
        event(
            9,
            (
                "BackOff",
                "Back-off restarting failed container web in pod shop-web-7c9d8b5f4-lq2zt_demo(6b1f)",
            ),
            &format!("Pod/{name}"),
            14,
        ),
        event(
            62,
            ("Pulled", "Container image \"styrmin/notes-web:1.0.0\" already present on machine"),
            &format!("Pod/{name}"),
            8,
        ),
        event(
            3_900,
            ("ScalingReplicaSet", "Scaled up replica set shop-web-7c9d8b5f4 to 1"),
            "Deployment/shop-web",
            1,
        ),
    ];
    application
}

/// An application on its way to a newer version.
fn upgrading() -> Application {
    let mut application = healthy("team-handbook", "staging", 3);
    application.instance = Some(instance(3, 4, "1.1.0", InstanceState::Applying));
    application.history.insert(0, Arc::new(instance(3, 4, "1.1.0", InstanceState::Applying)));
    application.drift = drift();
    application.verdict = Verdict::because(
        Health::Progressing,
        key("Deployment", "staging", "team-handbook-web"),
        "LessReady",
        "1 of 2 new replicas are ready",
    );
    application.deployment.created_at = before(75);
    let web = &mut application.components[1];
    (web.desired, web.ready, web.verdict) = (2, 1, application.verdict.clone());
    application.routes[0].probe = None;
    application
}

/// An application that was stopped, and that the engine cannot start.
fn stopped() -> Application {
    let mut application = healthy("wiki", "staging", 4);
    application.deployment.draft.driver = reference("wiki", "0.4.0");
    application.deployment.phase = DesiredPhase::Stopped;
    application.verdict = Verdict { health: Health::Stopped, causes: Vec::new() };
    application.components.clear();
    application.routes.clear();
    application
}

/// What somebody else changed: a field that is fought over, one that is being set right, an object that is gone.
fn drift() -> Vec<Drift> {
    let one = |kind: &str, name: &str, since: i64, answer| Drift {
        object: key(kind, "staging", name),
        missing: false,
        fields: Vec::new(),
        since: before(since),
        answer,
    };
    let field = |path: &str, wanted: &str, found: Option<&str>, manager: Option<&str>| DriftedField {
        path: path.into(),
        wanted: wanted.into(),
        found: found.map(Into::into),
        manager: manager.map(Into::into),
    };
    vec![
        Drift {
            fields: vec![
                field(".spec.replicas", "2", Some("5"), Some("kubectl-scale")),
                field(".spec.template.spec.containers[0].env[1].value", "\"info\"", None, None),
            ],
            ..one("Deployment", "team-handbook-web", 40, DriftAnswer::Fought(5))
        },
        Drift {
            fields: vec![field(".spec.ports[0].port", "80", Some("8080"), Some("kubectl-edit"))],
            ..one("Service", "team-handbook", 12, DriftAnswer::Correcting)
        },
        Drift { missing: true, ..one("ConfigMap", "team-handbook-web", 12, DriftAnswer::Correcting) },
    ]
}

/// A step that stands so: its record is begun and ended so many seconds ago.
fn record(state: StepState, started: i64, ended: Option<i64>) -> StepRecord {
    let attempt = u32::from(state != StepState::Pending && state != StepState::Skipped);
    StepRecord {
        state,
        attempt,
        started: (attempt > 0).then(|| before(started)),
        ended: ended.map(before),
        ..StepRecord::default()
    }
}

fn operation(
    (id, kind, state): (i64, OperationKind, OperationState),
    (environment, name): (&str, &str),
    title: &str,
    (created, ended): (i64, Option<i64>),
    steps: Vec<(Step, StepRecord)>,
) -> OperationView {
    let (mut plan_steps, records): (Vec<Step>, Vec<StepRecord>) = steps.into_iter().unzip();
    for (position, step) in plan_steps.iter_mut().enumerate().skip(1) {
        step.after = vec![position - 1];
    }
    let plan = Plan {
        title: title.into(),
        cluster: "kind-local".into(),
        target: environment.into(),
        steps: plan_steps,
        ..Plan::default()
    };
    let operation = Operation {
        id: OperationId(id),
        subject: Subject { cluster: "kind-local".into(), environment: environment.into(), name: name.into() },
        kind,
        state,
        plan_hash: plan.hash(),
        plan,
        origin: Origin {
            actor: "anna@jump-1".into(),
            cause: "confirmed in the cockpit".into(),
            confirmed: true,
        },
        goal: Goal::default(),
        action: None,
        request: None,
        parent: None,
        times: Times {
            created: before(created),
            started: Some(before(created)),
            ended: ended.map(before),
            deadline: None,
        },
        orders: Orders::default(),
        problem: None,
        epoch: 3,
    };
    OperationView { operation, steps: records, moving: BTreeMap::new() }
}

fn noted(step: Step, note: &str) -> Step {
    Step { note: note.into(), ..step }
}

/// Two steps that went well: what operations are made of that are of no further interest.
fn two_done(kind: &str, namespace: &str, name: &str, since: i64) -> Vec<(Step, StepRecord)> {
    let object = key(kind, namespace, name);
    vec![
        (Step::on(Verb::Update, object.clone()), record(StepState::Succeeded, since, Some(since - 2))),
        (Step::on(Verb::Wait, object), record(StepState::Succeeded, since - 2, Some(since - 42))),
    ]
}

/// An upgrade that waits for its pods.
pub fn running_operation() -> OperationView {
    let on =
        |verb, kind: &str, name: &str, note: &str| noted(Step::on(verb, key(kind, "staging", name)), note);
    let done = |started: i64| record(StepState::Succeeded, started, Some(started - 1));
    let waiting = StepRecord {
        problem: Some(Problem::new("1 of 2 new replicas are ready", "", "")),
        ..record(StepState::Started, 61, None)
    };
    let steps = vec![
        (on(Verb::Unchanged, "Namespace", "staging", ""), done(74)),
        (
            noted(
                Step::named(Verb::Record, "write the instance into StyrminDeployment/team-handbook"),
                "instance 4",
            ),
            done(73),
        ),
        (on(Verb::Unchanged, "Secret", "team-handbook-parameters", "1 key"), done(72)),
        (on(Verb::Update, "StatefulSet", "team-handbook-db", "styrmin/notes-db:1.1.0"), done(72)),
        (on(Verb::Wait, "StatefulSet", "team-handbook-db", "until it is healthy"), done(70)),
        (on(Verb::Update, "Deployment", "team-handbook-web", "styrmin/notes-web:1.1.0"), done(62)),
        (on(Verb::Wait, "Deployment", "team-handbook-web", "until it is healthy"), waiting),
        (Step::named(Verb::Record, "make the instance the active one"), record(StepState::Pending, 0, None)),
    ];
    let title = "Upgrade team-handbook in staging to 1.1.0";
    let about = (12, OperationKind::Upgrade, OperationState::Running);
    let mut view = operation(about, ("staging", "team-handbook"), title, (75, None), steps);
    view.operation.goal.instance = Some(4);
    view
}

/// An upgrade that failed, with the cause.
pub fn failed_operation() -> OperationView {
    let on = |verb, kind: &str, name: &str, note: &str| noted(Step::on(verb, key(kind, "demo", name)), note);
    let problem = Problem::new(
        "Deployment/shop-web does not become healthy",
        "Pod/shop-web-7c9d8b5f4-lq2zt ends again and again with exit code 101: cannot open /data/shop.db: permission denied",
        "look at the log of web, correct the cause and plan it again, or roll back",
    );
    let failed = StepRecord { problem: Some(problem.clone()), ..record(StepState::Failed, 478, Some(180)) };
    let steps = vec![
        (
            on(Verb::Update, "StatefulSet", "shop-db", "styrmin/notes-db:1.1.0"),
            record(StepState::Succeeded, 480, Some(479)),
        ),
        (
            on(Verb::Update, "Deployment", "shop-web", "styrmin/notes-web:1.1.0"),
            record(StepState::Succeeded, 479, Some(478)),
        ),
        (on(Verb::Wait, "Deployment", "shop-web", "until it is healthy"), failed),
        (
            Step::named(Verb::Record, "make the instance the active one"),
            record(StepState::Skipped, 0, Some(180)),
        ),
    ];
    let about = (11, OperationKind::Upgrade, OperationState::Failed);
    let mut view =
        operation(about, ("demo", "shop"), "Upgrade shop in demo to 1.1.0", (480, Some(180)), steps);
    view.operation.goal.instance = Some(4);
    view.operation.problem = Some(problem);
    view
}

/// A change that is tried again and again.
pub fn retrying_operation() -> OperationView {
    let retrying = StepRecord {
        attempt: 3,
        next_try: Some(now() + SignedDuration::from_secs(12)),
        problem: Some(Problem::new(
            "the API server does not accept StatefulSet/wiki",
            "429 Too Many Requests: the server is busy",
            "it is tried again by itself",
        )),
        ..record(StepState::Retrying, 95, None)
    };
    let object = key("StatefulSet", "staging", "wiki");
    let steps = vec![
        (
            Step::named(Verb::Record, "write the instance into StyrminDeployment/wiki"),
            record(StepState::Succeeded, 96, Some(95)),
        ),
        (Step::on(Verb::Update, object.clone()), retrying),
        (Step::on(Verb::Wait, object), record(StepState::Pending, 0, None)),
    ];
    let about = (10, OperationKind::Update, OperationState::Running);
    let mut view = operation(about, ("staging", "wiki"), "Change wiki in staging", (96, None), steps);
    view.operation.origin.actor = "ben@jump-1".into();
    view
}

/// A deletion with a step of which nobody can tell what became of it.
pub fn asking_operation() -> OperationView {
    let asking = StepRecord {
        problem: Some(Problem::new(
            "Was 'run the last export' done?",
            "Styrmin ended before it could note what came of it, and doing it twice may do harm",
            "look at what it works on, and answer: done, repeat, or fail",
        )),
        ..record(StepState::Asking, 3_500, None)
    };
    let steps = vec![
        (Step::named(Verb::Run, "run the last export"), asking),
        (
            Step::on(Verb::Delete, key("Deployment", "staging", "ledger-web")),
            record(StepState::Pending, 0, None),
        ),
        (
            Step { finally: true, ..Step::named(Verb::Record, "let go of StyrminDeployment/ledger") },
            record(StepState::Pending, 0, None),
        ),
    ];
    let about = (9, OperationKind::Delete, OperationState::Running);
    operation(about, ("staging", "ledger"), "Delete ledger from staging", (3_600, None), steps)
}

/// Operations, newest first: one of each way to stand.
pub fn operations() -> Vec<OperationView> {
    let done = |id, kind, title: &str, since: i64| {
        let steps = two_done("Deployment", "demo", "notes-web", since);
        operation(
            (id, kind, OperationState::Succeeded),
            ("demo", "notes"),
            title,
            (since, Some(since - 42)),
            steps,
        )
    };
    let mut change = done(8, OperationKind::Update, "Change notes in demo", 300);
    change.operation.goal.instance = Some(3);
    let mut superseded = done(7, OperationKind::Upgrade, "Upgrade notes in demo to 1.0.0-rc.2", 86_400);
    superseded.operation.state = OperationState::Superseded;
    superseded.operation.goal.instance = Some(2);
    superseded.operation.problem =
        Some(Problem::new("Superseded", "something newer is wanted", "look at the newer operation"));
    superseded.steps[1] = record(StepState::Skipped, 0, Some(86_358));
    let mut correction = done(6, OperationKind::Correct, "Set notes in demo right", 90_000);
    correction.operation.origin =
        Origin { actor: "styrmin".into(), cause: "drift of Deployment/notes-web".into(), confirmed: false };
    vec![
        running_operation(),
        failed_operation(),
        retrying_operation(),
        asking_operation(),
        change,
        superseded,
        correction,
        done(5, OperationKind::Deploy, "Deploy notes 0.9.0 to demo", 432_000),
    ]
}

/// What happened during [`failed_operation`].
pub fn operation_events() -> Vec<OperationEvent> {
    let event = |since: i64, step: Option<usize>, message: &str| OperationEvent {
        at: before(since),
        step,
        message: message.into(),
    };
    vec![
        event(480, None, "begun by the engine with number 3"),
        event(479, Some(0), "done"),
        event(478, Some(1), "done"),
        event(180, Some(2), "Failed: Deployment/shop-web does not become healthy"),
        event(180, Some(3), "Skipped: it needs 'wait Deployment/shop-web'"),
        event(180, None, "Failed"),
    ]
}

/// The plan of a deployment.
pub fn plan() -> Plan {
    let item = |verb, kind: &str, name: &str, note: &str| Step {
        note: note.into(),
        digest: format!("digest-{kind}-{name}"),
        ..Step::on(verb, key(kind, "demo", name))
    };
    Plan {
        title: "Deploy notes 1.0.0 to demo".into(),
        cluster: "kind-local".into(),
        target: "demo".into(),
        steps: vec![
            item(Verb::Unchanged, "Namespace", "demo", ""),
            item(Verb::Create, "StyrminDeployment", "notes-2", "notes 1.2.0"),
            item(Verb::Create, "Secret", "notes-2-parameters", "1 key"),
            item(Verb::Create, "PersistentVolumeClaim", "data-notes-2-db-0", "1Gi"),
            item(Verb::Create, "Service", "notes-2", "port 80"),
            item(Verb::Create, "StatefulSet", "notes-2-db", "styrmin/notes-db:1.0.0"),
            item(Verb::Create, "Deployment", "notes-2-web", "styrmin/notes-web:1.0.0"),
            item(Verb::Create, "Ingress", "notes-2", "notes-2-demo.localhost"),
            item(Verb::Update, "NetworkPolicy", "demo", "one more rule"),
        ],
        warnings: vec![
            "The image envoy:1.31 is not known here: its pod is simulated, no process stands behind it"
                .into(),
        ],
        ..Plan::default()
    }
}

/// A preview of [`plan`], with a change to look at.
pub fn preview() -> Preview {
    let policy = |ports: &[u16]| json!({"kind": "NetworkPolicy", "spec": {"ingress": [{"ports": ports}]}});
    let diff = ObjectDiff::between(
        key("NetworkPolicy", "demo", "demo"),
        Some(&policy(&[80])),
        Some(&policy(&[80, 8080])),
    );
    Preview { kind: Some(OperationKind::Deploy), plan: plan(), diffs: vec![diff], ..Preview::default() }
}
