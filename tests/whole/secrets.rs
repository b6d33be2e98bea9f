//! A secret on its way from the keys to the pod: it is in its Secret, and in no frame, record, log or recording.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use styrmin::app::Target;
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
fn telling(directory: &Path) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let Ok(content) = fs::read(path) else { return false };
        let has = |text: &str| content.windows(text.len()).any(|part| part == text.as_bytes());
        has(PASSWORD)
            || has(&STANDARD.encode(PASSWORD))
            || has("c2VjcmV0LWxpbmU")
            || has(&STANDARD.encode(CERTIFICATE))
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
    let telling = telling(state.path());
    let cluster = |path: &PathBuf| path.starts_with(state.path().join("sandbox"));
    assert!(telling.iter().any(cluster), "the cluster has it: {telling:?}");
    assert!(telling.iter().all(cluster), "nobody else has: {telling:?}");
    assert!(files(&recordings).len() == 1 && files(state.path()).len() > 3);
}
