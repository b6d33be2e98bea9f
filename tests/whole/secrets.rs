//! A secret on its way from the keys to the pod: it is in its Secret, and in no frame, record, log or recording.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use styrmin::app::Target;
use styrmin::domain::{DeploymentDraft, DriverRef, Intent};
use styrmin::ui::event::Event;

use crate::journeys::Journey;

const SPEC: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: safe}
spec:
  version: 1.0.0
  default_version: 1.0.0
  components: {web: {identifier: {label: {part: web}}}}
  parameters:
    - {name: password, label: Password, kind: secret}
    - {name: certificate, label: Certificate, kind: secret, multiline: true, default: ''}
";

const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}', labels: {part: web}}
spec:
  selector: {matchLabels: {part: web}}
  template:
    metadata: {labels: {part: web}, annotations: {example.org/password: '{{ parameters.password.digest }}'}}
    spec:
      containers:
        - name: web
          image: 'example.org/safe:{{ app.version }}'
          env:
            - {name: PASSWORD, valueFrom: {secretKeyRef: {{ parameters.password | secret_key_ref }}}}
            - {name: CERTIFICATE, valueFrom: {secretKeyRef: {{ parameters.certificate | secret_key_ref }}}}
";

const PASSWORD: &str = "xyzzy-plugh-42";
const CERTIFICATE: &str = "-----BEGIN-----\nc2VjcmV0LWxpbmU\n-----END-----\n";

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The files that contain one of the secrets, as it is or as Base64.
fn telling(directory: &Path, secrets: &[&str]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let Ok(content) = fs::read(path) else { return false };
        let has = |text: &str| content.windows(text.len()).any(|part| part == text.as_bytes());
        secrets.iter().any(|secret| has(secret) || has(&STANDARD.encode(secret)))
    };
    files(directory).into_iter().filter(holds).collect()
}

/// What was typed in a recording, in one text: each key is an event of its own there.
fn typed(recording: &Path) -> String {
    let (_, entries) = styrmin::app::recorder::read(recording).unwrap();
    let characters = entries.iter().filter_map(|entry| match &entry.event {
        Event::Key(KeyEvent { code: KeyCode::Char(character), .. }) => Some(*character),
        _ => None,
    });
    characters.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_secret_is_in_its_secret_and_nowhere_else() {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let driver = state.path().join("config/drivers/safe");
    fs::create_dir_all(driver.join("manifests")).unwrap();
    fs::write(driver.join("driver.styrmin.yml"), SPEC).unwrap();
    fs::write(driver.join("manifests/a.yaml.j2"), MANIFEST).unwrap();
    let mut journey = Journey::start_on(Arc::clone(&state), Target::Sandbox, (100, 40)).await;
    journey.sees("No applications yet").await;
    journey.press(KeyCode::Char('n'));
    journey.sees("Show the plan").await;
    // the demo, nginx and postgres come before it
    for _ in 0..3 {
        journey.press(KeyCode::Right);
    }
    journey.sees("Certificate").await;
    for _ in 0..4 {
        journey.press(KeyCode::Tab);
    }
    journey.write(PASSWORD);
    journey.press(KeyCode::Tab);
    journey.send(Event::Paste(CERTIFICATE.to_owned()));
    journey.press(KeyCode::Tab);
    journey.press(KeyCode::Enter);
    journey.sees("Deploy safe 1.0.0 to demo").await;
    journey.sees("keeps certificate, password (masked)").await;
    journey.press(KeyCode::Char('y'));
    journey.sees("✓ Healthy").await;
    journey.press(KeyCode::Char('U'));
    journey.sees("set; stays as it is unless you type a new one").await;

    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> =
        kube::Api::namespaced(journey.client(), "demo");
    let data = secrets.get("safe-parameters").await.unwrap().data.unwrap();
    let value = |name: &str| {
        let (_, value) = data.iter().find(|(key, _)| key.starts_with(name)).unwrap();
        String::from_utf8(value.0.clone()).unwrap()
    };
    assert_eq!((value("password.").as_str(), value("certificate.").as_str()), (PASSWORD, CERTIFICATE));

    let recordings = state.path().join("recordings");
    let recording = journey.recorder.dump(&recordings, Timestamp::UNIX_EPOCH).unwrap();
    let recorded = typed(&recording);
    assert!(!recorded.contains(PASSWORD), "{recorded}");
    assert!(recorded.contains(&"*".repeat(PASSWORD.len())), "its keys are recorded, masked: {recorded}");
    assert!(recorded.starts_with('n') && recorded.ends_with("yU"), "others as they are: {recorded}");
    let frames = journey.history();
    assert!(frames.iter().any(|frame| frame.contains("••••")), "it was typed");
    assert!(!frames.iter().any(|frame| frame.contains(PASSWORD) || frame.contains("c2VjcmV0")));
    journey.end().await;
    let telling = telling(state.path(), &[PASSWORD, CERTIFICATE, "c2VjcmV0LWxpbmU"]);
    let cluster = |path: &PathBuf| path.starts_with(state.path().join("sandbox"));
    assert!(telling.iter().any(cluster), "the cluster has it: {telling:?}");
    assert!(telling.iter().all(cluster), "nobody else has: {telling:?}");
    assert!(files(&recordings).len() == 1 && files(state.path()).len() > 3);
}

const ACTING: &str = "
apiVersion: styrmin.io/v1
kind: ApplicationDriver
metadata: {name: acting}
spec:
  version: 1.0.0
  default_version: 1.0.0
  components: {web: {identifier: {label: {part: web}}}}
  actions:
    - {name: tell, location: 'actions.star::tell', prompts: [{name: token, label: Token, kind: secret}]}
";

const IDLE: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: '{{ deployment.name }}', labels: {part: web}}
spec:
  selector: {matchLabels: {part: web}}
  template:
    metadata: {labels: {part: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: 'styrmin/host:1', command: [sleep, '1000']}]
";

/// It tells the secret wherever it can.
const TELL: &str = r#"
def tell(ctx):
    print(ctx.prompts.token)
    said = execute_commands("web", ["sh", "-c", "echo it is $TOKEN; echo $TOKEN >&2; printf %s $TOKEN | wc -c"],
                            env = {"TOKEN": ctx.prompts.token})
    failed = execute_commands("web", ["sh", "-c", "cat; exit 3"], stdin = ctx.prompts.token, check = False)
    fail("what was said: " + said.stdout + failed.stdout)
"#;

const TOKEN: &str = "open-sesame-77";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_a_prompt_is_in_no_frame_record_or_log() {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let driver = state.path().join("config/drivers/acting");
    fs::create_dir_all(driver.join("manifests")).unwrap();
    fs::write(driver.join("driver.styrmin.yml"), ACTING).unwrap();
    fs::write(driver.join("manifests/a.yaml.j2"), IDLE).unwrap();
    fs::write(driver.join("actions.star"), TELL).unwrap();
    let mut journey = Journey::start_on(Arc::clone(&state), Target::Sandbox, (100, 40)).await;
    journey.sees("No applications yet").await;
    let draft = DeploymentDraft {
        name: "acting".to_owned(),
        environment: "demo".to_owned(),
        driver: DriverRef { name: "acting".to_owned(), version: "1.0.0".to_owned() },
        application_version: "1.0.0".to_owned(),
        ..DeploymentDraft::default()
    };
    let (engine, deploy) = (journey.session.engine.clone(), Intent::Deploy(draft));
    let plan = engine.preview(&deploy).await.unwrap().plan;
    engine.confirm(&deploy, &plan.hash(), "anna@here").await.unwrap();
    journey.sees("✓ Healthy").await;
    journey.press(KeyCode::Char('x'));
    journey.sees("asks for Token (secret)").await;
    journey.press(KeyCode::Enter);
    journey.sees("IT ASKS").await;
    journey.write(TOKEN);
    journey.press(KeyCode::Tab);
    journey.press(KeyCode::Enter);
    journey.sees("keeps token (masked)").await;
    journey.press(KeyCode::Char('y'));
    journey.sees("y again, or enter, carries it out").await;
    journey.press(KeyCode::Char('y'));
    journey.until("the command had it", |screen| screen.contains("it is (secret)")).await;
    journey.sees("what was said: it is (secret)").await;

    let recordings = state.path().join("recordings");
    let recording = journey.recorder.dump(&recordings, Timestamp::UNIX_EPOCH).unwrap();
    let recorded = typed(&recording);
    assert!(!recorded.contains(TOKEN) && recorded.contains(&"*".repeat(TOKEN.len())), "{recorded}");
    assert!(!journey.history().iter().any(|frame| frame.contains(TOKEN)));
    let events: kube::Api<k8s_openapi::api::core::v1::Event> =
        kube::Api::namespaced(journey.client(), "demo");
    // it is told after the operation was recorded
    let told = async {
        loop {
            let all = events.list(&Default::default()).await.unwrap().items;
            let all = serde_json::to_string(&all).unwrap();
            if all.contains("what was said: it is (secret)") {
                return all;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let events = tokio::time::timeout(crate::pty::PATIENCE, told).await.expect("the event is there");
    assert!(!events.contains(TOKEN), "{events}");
    journey.end().await;
    let telling = telling(state.path(), &[TOKEN]);
    let cluster = |path: &PathBuf| path.starts_with(state.path().join("sandbox"));
    assert!(telling.iter().all(cluster), "nobody but the cluster has it: {telling:?}");
}
