//! Journeys: keys in, frame and cluster out. The whole application runs in the test's process, on an ephemeral sandbox whose
//! pods are real processes of the built binary; only the terminal is a buffer. Every wait is for a named condition.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use styrmin::app::effects::Effects;
use styrmin::app::links::Links;
use styrmin::app::paths::Paths;
use styrmin::app::recorder::Recorder;
use styrmin::app::route::SandboxRoute;
use styrmin::app::run::{Cockpit, Inbox};
use styrmin::app::session;
use styrmin::app::session::Session;
use styrmin::app::terminal::Surface;
use styrmin::app::{self, Options, Target};
use styrmin::domain::{Clock, SystemClock};
use styrmin::store::Store;
use styrmin::ui::event::Event;
use styrmin::ui::{Model, UiConfig};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::pty::PATIENCE;

/// A backend that publishes the screen's text with every frame.
struct Screen {
    inner: TestBackend,
    frames: watch::Sender<String>,
    history: Arc<Mutex<Vec<String>>>,
}

impl Surface for Screen {}

impl Backend for Screen {
    type Error = std::convert::Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        let frame = self.inner.to_string();
        self.history.lock().unwrap().push(frame.clone());
        self.frames.send_replace(frame);
        Ok(())
    }
}

/// The running application.
pub struct Journey {
    keys: mpsc::UnboundedSender<Event>,
    frames: watch::Receiver<String>,
    /// Every frame so far.
    history: Arc<Mutex<Vec<String>>>,
    /// What would be written down if it panicked.
    pub recorder: Recorder,
    /// The way to the sandbox, when that is the cluster.
    pub sandbox: Option<SandboxRoute>,
    pub session: Session,
    stop: CancellationToken,
    running: JoinHandle<()>,
    leading: JoinHandle<()>,
    state: Arc<tempfile::TempDir>,
}

impl Journey {
    /// Starts the application on a new sandbox, on a screen of this size.
    pub async fn start(columns: u16, rows: u16) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), columns, rows).await
    }

    /// Starts one more application on the same state directory.
    pub async fn beside(&self, columns: u16, rows: u16) -> Self {
        Self::start_in(Arc::clone(&self.state), columns, rows).await
    }

    async fn start_in(state: Arc<tempfile::TempDir>, columns: u16, rows: u16) -> Self {
        Self::start_on(state, Target::Sandbox, (columns, rows)).await
    }

    /// Starts the application on a cluster.
    pub async fn start_on(
        state: Arc<tempfile::TempDir>,
        target: Target,
        (columns, rows): (u16, u16),
    ) -> Self {
        let options = Options {
            target,
            executable: Some(PathBuf::from(env!("CARGO_BIN_EXE_styrmin"))),
            ..Options::default()
        };
        let paths = Paths { state: state.path().to_owned(), config: state.path().join("config") };
        paths.make_state().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Store::open(&paths.state, Arc::clone(&clock)).unwrap();
        let opened = session::open(&options, &paths, store, Arc::clone(&clock)).await.unwrap();
        assert_eq!(opened.notices, []);
        let stop = CancellationToken::new();
        let (replies, events) = mpsc::channel(256);
        let world = app::wire(&opened.session, &replies, &stop);
        let leading = tokio::spawn(opened.leader.telling(replies.clone()).run(stop.clone()));
        let (frames, shown) = watch::channel(String::new());
        let history = Arc::new(Mutex::new(Vec::new()));
        let screen = Screen { inner: TestBackend::new(columns, rows), frames, history: Arc::clone(&history) };
        let recorder = Recorder::new((columns, rows));
        let cockpit = Cockpit {
            terminal: Terminal::new(screen).unwrap(),
            model: Model::new(UiConfig::default(), (columns, rows)),
            effects: Effects::new(opened.session.clone(), replies),
            recorder: recorder.clone(),
            clock,
            links: Links::default(),
        };
        let (keys, pressed) = mpsc::unbounded_channel();
        let input = Box::pin(futures::stream::unfold(pressed, |mut pressed| async move {
            pressed.recv().await.map(|key| (key, pressed))
        }));
        let inbox = Inbox { input, events, world, stop: stop.clone() };
        let running = tokio::spawn(async move { cockpit.run(inbox).await.unwrap() });
        let (sandbox, session) = (opened.sandbox, opened.session);
        Self { keys, frames: shown, history, recorder, sandbox, session, stop, running, leading, state }
    }

    /// A client of the sandbox, as any other program would have one.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.sandbox.clone().unwrap(), "default")
    }

    /// What every process of this sandbox has in its environment.
    pub fn marker(&self) -> String {
        self.state.path().to_string_lossy().into_owned()
    }

    /// Presses a key.
    pub fn press(&self, code: KeyCode) {
        self.keys.send(Event::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
    }

    /// Something else happens.
    pub fn send(&self, event: Event) {
        self.keys.send(event).unwrap();
    }

    /// Every frame so far.
    pub fn history(&self) -> Vec<String> {
        self.history.lock().unwrap().clone()
    }

    /// Types a text, key by key.
    pub fn write(&self, text: &str) {
        for letter in text.chars() {
            self.press(KeyCode::Char(letter));
        }
    }

    /// The screen.
    pub fn screen(&self) -> String {
        self.frames.borrow().clone()
    }

    /// Waits until `shown` holds of the screen.
    pub async fn until(&mut self, what: &str, mut shown: impl FnMut(&str) -> bool) {
        let reached = tokio::time::timeout(PATIENCE, self.frames.wait_for(|screen| shown(screen)))
            .await
            .map(|frame| frame.is_ok());
        let reached = matches!(reached, Ok(true));
        assert!(reached, "waiting for: {what}\n{}", self.screen());
    }

    /// Waits until the screen contains `text`.
    pub async fn sees(&mut self, text: &str) {
        self.until(text, |screen| screen.contains(text)).await;
    }

    /// Ends the application and waits for it.
    pub async fn end(self) {
        self.stop.cancel();
        let ended = async {
            self.running.await.unwrap();
            self.leading.await.unwrap();
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("everything ends");
    }
}

/// The key that closes what is open.
const ESCAPE: KeyCode = KeyCode::Esc;

impl Journey {
    /// Fills in the form for `version` under `name` and confirms its plan.
    pub async fn deploy(&mut self, version: &str, name: &str) {
        self.sees("No applications yet").await;
        self.press(KeyCode::Char('n'));
        self.sees("Show the plan").await;
        self.press(KeyCode::Tab);
        self.press(KeyCode::Tab);
        self.replace(version);
        self.press(KeyCode::Tab);
        self.replace(name);
        self.sees(name).await;
        for _ in 0..4 {
            self.press(KeyCode::BackTab);
        }
        self.press(KeyCode::Enter);
        self.sees(&format!("Deploy {name} {version} to demo")).await;
        self.sees("to create").await;
        self.press(KeyCode::Char('y'));
    }

    fn replace(&self, text: &str) {
        self.keys.send(Event::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL))).unwrap();
        self.write(text);
    }

    /// What the application's page says, asked for through the sandbox's ingress.
    pub async fn visit(&self, host: &str, path: &str) -> (u16, String) {
        let record = self.session.store.cluster(self.session.cluster.name()).await.unwrap().unwrap();
        let port = record.ingress_port.unwrap();
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(path)
            .header("host", format!("{host}:{port}"))
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_deployed_answers_and_is_followed() {
    let mut journey = Journey::start(120, 40).await;
    journey.sees("No applications yet").await;
    journey.deploy("1.0.0", "notes").await;
    journey.sees("✓ Healthy").await;
    journey.sees("200 in").await;
    let (status, page) = journey.visit("notes-demo.localhost", "/").await;
    assert_eq!(status, 200);
    assert!(page.contains("<html"), "{page}");
    journey.press(KeyCode::Char('l'));
    journey.sees("following").await;
    journey.press(KeyCode::Char('c'));
    journey.sees("notes-web").await;
    journey.write("web");
    journey.press(KeyCode::Enter);
    journey
        .until("the log of the web server", |screen| screen.contains("› web") && screen.contains("following"))
        .await;
    journey.visit("notes-demo.localhost", "/a-request-to-recognise").await;
    journey.sees("a-request-to-recognise").await;
    journey.press(ESCAPE);
    journey.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_seen_and_healed() {
    let mut journey = Journey::start(120, 40).await;
    journey.deploy("1.0.0", "notes").await;
    journey.sees("✓ Healthy").await;
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(journey.client(), "demo");
    let before = web_restarts(&pods).await;
    kill_web(&journey);
    journey.sees("1 restart").await;
    journey.sees("✓ Healthy").await;
    let after = web_restarts(&pods).await;
    assert_eq!((before, after), (0, 1));
    journey.end().await;
}

/// How often the web container was restarted.
async fn web_restarts(pods: &kube::Api<k8s_openapi::api::core::v1::Pod>) -> i32 {
    let found = pods.list(&kube::api::ListParams::default()).await.unwrap();
    let web =
        found.items.into_iter().find(|pod| pod.metadata.name.as_ref().unwrap().contains("web")).unwrap();
    web.status.unwrap().container_statuses.unwrap()[0].restart_count
}

/// Kills the web server's process, as an operator's mistake would.
fn kill_web(journey: &Journey) {
    let marker = journey.state.path().to_string_lossy().into_owned();
    let ours = |pid: &str| {
        let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let text = |file: &str| String::from_utf8_lossy(&read(file)).replace('\0', " ");
        text("cmdline").contains("image notes-web") && text("environ").contains(&marker)
    };
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.chars().all(|c| c.is_ascii_digit()) && ours(&name) {
            let pid = rustix::process::Pid::from_raw(name.parse().unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            killed += 1;
        }
    }
    assert_eq!(killed, 1, "one web process of this sandbox");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_never_becomes_ready_says_why() {
    let mut journey = Journey::start(120, 40).await;
    journey.deploy("1.2.0-broken", "notes").await;
    journey.sees("1.2.0-broken").await;
    journey.sees("Unhealthy").await;
    journey.sees("503").await;
    assert!(!journey.screen().contains("✓ Healthy"), "{}", journey.screen());
    journey.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_custom_resource_is_carried_out() {
    let mut journey = Journey::start(120, 40).await;
    journey.deploy("1.0.0", "notes").await;
    journey.sees("200 in").await;
    let resource = kube::api::ApiResource {
        group: "styrmin.io".into(),
        version: "v1alpha1".into(),
        api_version: "styrmin.io/v1alpha1".into(),
        kind: "StyrminDeployment".into(),
        plural: "styrmindeployments".into(),
    };
    let deployments: kube::Api<kube::api::DynamicObject> =
        kube::Api::namespaced_with(journey.client(), "demo", &resource);
    let change = serde_json::json!({"spec": {"parameters": {"title": "Changed from outside"}}});
    deployments
        .patch("notes", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(change))
        .await
        .unwrap();
    journey.sees("instance 2").await;
    journey.sees("✓ Healthy").await;
    let (_, page) = journey.visit("notes-demo.localhost", "/").await;
    assert!(page.contains("Changed from outside"), "{page}");
    journey.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_is_made_by_deploying_into_it() {
    let mut journey = Journey::start(120, 40).await;
    journey.sees("No applications yet").await;
    journey.press(KeyCode::Char('n'));
    journey.sees("Show the plan").await;
    journey.press(KeyCode::Tab);
    journey.replace("staging");
    journey.press(KeyCode::BackTab);
    journey.press(KeyCode::BackTab);
    journey.press(KeyCode::Enter);
    journey.sees("Deploy notes 1.0.0 to staging").await;
    journey.sees("the environment staging is new").await;
    journey.press(KeyCode::Char('y'));
    journey.sees("✓ Healthy").await;
    let (status, _) = journey.visit("notes-staging.localhost", "/").await;
    assert_eq!(status, 200);
    journey.end().await;
}
