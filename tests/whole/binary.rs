//! The real binary: bad input, signals, sizes, and what it leaves behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::agents::until_pods;
use crate::pty::{PATIENCE, Pty};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_styrmin");

/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;

/// Runs the program without a terminal, in an environment of its own.
fn run(home: &Path, arguments: &[&str]) -> Output {
    command(Path::new(PROGRAM), home, arguments).output().unwrap()
}

fn command(program: &Path, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", home).env("STYRMIN_INGRESS_PORT", "0");
    command
}

/// Asserts that the program refused: exit code, and every part of the message.
#[track_caller]
fn assert_refused(output: &Output, parts: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
}

/// A cockpit on the sandbox, with its state under `home`.
pub fn cockpit(home: &Path, size: (u16, u16)) -> Pty {
    let environment = [
        ("HOME", home.to_str().unwrap()),
        ("XDG_STATE_HOME", ""),
        ("XDG_CONFIG_HOME", ""),
        ("STYRMIN_INGRESS_PORT", "0"),
    ];
    Pty::start(PROGRAM, &["--sandbox"], &environment, size)
}

fn state(home: &Path) -> std::path::PathBuf {
    home.join(".local/state/styrmin")
}

#[test]
fn help_and_version_answer() {
    let home = tempfile::tempdir().unwrap();
    let help = run(home.path(), &["--help"]);
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["--sandbox", "--kubeconfig", "--state-dir", "replay", "agent"] {
        assert!(text.contains(word), "{word}");
    }
    let version = run(home.path(), &["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("styrmin "));
    assert_eq!(run(home.path(), &["--no-such-thing"]).status.code(), Some(2));
}

#[test]
fn an_unreadable_kubeconfig_is_named() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("missing.yaml");
    assert_refused(
        &run(home.path(), &["--kubeconfig", missing.to_str().unwrap()]),
        &["missing.yaml", "next:"],
    );
    let broken = home.path().join("broken.yaml");
    fs::write(&broken, "clusters: [\n").unwrap();
    assert_refused(&run(home.path(), &["--kubeconfig", broken.to_str().unwrap()]), &["broken.yaml", "next:"]);
}

#[test]
fn an_unknown_context_is_named_with_those_that_exist() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config");
    let text = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n\
                contexts: [{name: home, context: {cluster: c, user: u}}]\ncurrent-context: home\n";
    fs::write(&file, text).unwrap();
    let output = run(home.path(), &["--kubeconfig", file.to_str().unwrap(), "--context", "hoem"]);
    assert_refused(&output, &["hoem", "home"]);
}

#[test]
fn a_broken_driver_is_refused_with_file_line_and_column() {
    let home = tempfile::tempdir().unwrap();
    let driver = home.path().join("broken");
    fs::create_dir(&driver).unwrap();
    let text = "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata:\n  name: broken\nspec:\n  version: 1.0.0\n  parameters:\n    - name: size\n      kind: intger\n";
    fs::write(driver.join("driver.styrmin.yml"), text).unwrap();
    let output = run(home.path(), &["--sandbox", "--driver", driver.to_str().unwrap()]);
    assert_refused(&output, &["driver.styrmin.yml:9:", "integer"]);
}

#[test]
fn a_broken_theme_or_keymap_that_was_asked_for_is_refused_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/styrmin");
    fs::create_dir_all(config.join("themes")).unwrap();
    fs::create_dir_all(config.join("keymaps")).unwrap();
    fs::write(config.join("themes/mine.toml"), "[roles]\ntext = \"no such colour\"\n").unwrap();
    assert_refused(&run(home.path(), &["--sandbox", "--theme", "mine"]), &["mine.toml", "2"]);
    fs::write(
        config.join("keymaps/mine.toml"),
        "[global]\nkeys = [\n  { on = [\"x\"], run = \"fly\" },\n]\n",
    )
    .unwrap();
    assert_refused(&run(home.path(), &["--sandbox", "--keymap", "mine"]), &["mine.toml:3", "fly"]);
    assert_refused(&run(home.path(), &["--sandbox", "--theme", "midnigth"]), &["midnigth", "midnight"]);
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let inside = file.join("state");
    assert_refused(
        &run(home.path(), &["--sandbox", "--state-dir", inside.to_str().unwrap()]),
        &["file/state", "--state-dir"],
    );
    let read_only = home.path().join("read-only");
    fs::create_dir(&read_only).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o500)).unwrap();
    let arguments = ["--sandbox", "--state-dir", read_only.to_str().unwrap()];
    let output = match fs::write(read_only.join("probe"), "") {
        Err(_) => run(home.path(), &arguments),
        // This user may write everywhere. Another one may not, and needs a copy of the program that it may read.
        Ok(()) => {
            let program = home.path().join("styrmin");
            fs::copy(PROGRAM, &program).unwrap();
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
            fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
            match command(&program, home.path(), &arguments).uid(NOBODY).gid(NOBODY).output() {
                Ok(output) => output,
                Err(error) => {
                    return eprintln!("skipped: the program cannot be run as another user: {error}");
                }
            }
        }
    };
    assert_refused(&output, &["read-only", "--state-dir"]);
}

#[test]
fn a_corrupt_database_is_named_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let directory = state(home.path());
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("styrmin.db");
    let garbage = vec![0x5a; 8192];
    fs::write(&file, &garbage).unwrap();
    assert_refused(&run(home.path(), &["--sandbox"]), &["styrmin.db", "next:"]);
    assert_eq!(fs::read(&file).unwrap(), garbage, "the file is kept as it was");
}

#[test]
fn a_corrupt_sandbox_is_named_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let directory = state(home.path()).join("sandbox");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("sandbox.sqlite");
    fs::write(&file, vec![0x5a; 8192]).unwrap();
    assert_refused(
        &run(home.path(), &["--sandbox"]),
        &["sandbox.sqlite", "damaged", "next: nothing was changed"],
    );
    assert_eq!(fs::read(&file).unwrap(), vec![0x5a; 8192], "the file is kept as it was");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_refused(&run(home.path(), &["--sandbox", "--ingress-port", &port]), &[&port, "--ingress-port"]);
    let secure = ["--sandbox", "--ingress-port", "0", "--ingress-tls-port", &port];
    assert_refused(&run(home.path(), &secure), &[&port, "--ingress-tls-port"]);
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    assert_refused(&run(home.path(), &["--sandbox", "--ephemeral"]), &["terminal", "next:"]);
}

#[tokio::test]
async fn a_terminal_that_goes_away_ends_it() {
    for before in ["", "setsid -w "].repeat(3) {
        let home = tempfile::tempdir().unwrap();
        let marker = home.path().to_string_lossy().into_owned();
        let environment = [("HOME", marker.as_str()), ("STYRMIN_INGRESS_PORT", "0")];
        // a shell in front of it, as over ssh; in a session of its own it gets no signal
        let line = format!("{before}{PROGRAM} --sandbox");
        let mut pty = Pty::start("/bin/sh", &["-c", &line], &environment, (100, 30));
        pty.wait_for("No applications yet").await;
        // in the middle of reading, too
        pty.send(&[b'j'; 500]).await;
        let mut child = pty.hang_up();
        let ended = async {
            child.wait().await.unwrap();
            while !processes(&marker, "--sandbox").is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, ended).await;
        assert!(ended.is_ok(), "it goes on without a terminal: {:?}", processes(&marker, "--sandbox"));
    }
}

#[tokio::test]
async fn a_signal_gives_the_terminal_back() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = cockpit(home.path(), (80, 24));
    pty.wait_for("No applications yet").await;
    assert!(pty.screen().alternate_screen());
    let pid = rustix::process::Pid::from_raw(i32::try_from(pty.child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = pty.ended().await;
    assert_eq!(status.code(), Some(0));
    pty.wait_given_back().await;
}

#[tokio::test]
async fn it_survives_any_size() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = cockpit(home.path(), (200, 60));
    pty.wait_for("No applications yet").await;
    for (columns, rows) in [(20, 5), (1, 1), (300, 90), (80, 24)] {
        pty.resize(columns, rows);
    }
    pty.wait_until("the picture at 80×24", PATIENCE, |screen| screen.contains("No applications yet")).await;
    pty.send(b"qq").await;
    assert!(pty.ended().await.success());
}

/// Processes whose environment names `marker`: the pods of one sandbox, wherever their parent is.
pub fn processes_of(marker: &str) -> Vec<i32> {
    processes(marker, "image")
}

/// The processes with `marker` in their environment and `word` in their command.
fn processes(marker: &str, word: &str) -> Vec<i32> {
    let numbered = |entry: fs::DirEntry| entry.file_name().to_string_lossy().parse::<i32>().ok();
    let ours = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(marker)
            && String::from_utf8_lossy(&command).contains(word)
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(numbered).filter(ours).collect()
}

/// Confirms the form as it is offered, and waits until the application answers.
pub async fn deploy_the_demo(pty: &mut Pty) {
    pty.wait_for("No applications yet").await;
    pty.send(b"n").await;
    pty.wait_for("Show the plan").await;
    pty.send(b"\x1b[Z\r").await;
    pty.wait_for("to create").await;
    pty.send(b"y").await;
    pty.wait_for("200 in").await;
    pty.wait_for("Healthy").await;
}

#[tokio::test]
async fn killed_it_leaves_no_process_and_starts_again_with_the_same_applications() {
    let home = tempfile::tempdir().unwrap();
    let marker = home.path().to_string_lossy().into_owned();
    let mut first = cockpit(home.path(), (100, 30));
    deploy_the_demo(&mut first).await;
    assert_eq!(processes_of(&marker).len(), 2, "the web server and the database");
    first.child.start_kill().unwrap();
    first.ended().await;
    let gone = async {
        while !processes_of(&marker).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    assert!(gone.is_ok(), "left behind: {:?}", processes_of(&marker));
    let mut second = cockpit(home.path(), (100, 30));
    second.wait_for("notes").await;
    second.wait_for("✓ Healthy").await;
    // they run again; the first picture may show the status from before
    until_pods(&marker, 2, &[]).await;
    second.send(b"qq").await;
    assert!(second.ended().await.success());
    // an orderly end leaves nothing either
    until_pods(&marker, 0, &[]).await;
}

#[tokio::test]
async fn urls_are_links_where_the_terminal_knows_them() {
    let home = tempfile::tempdir().unwrap();
    let mut linked = cockpit(home.path(), (100, 30));
    deploy_the_demo(&mut linked).await;
    linked.send(b"5").await;
    linked.wait_for("HISTORY").await;
    linked.wait_for("notes-demo.localhost").await;
    let found = String::from_utf8_lossy(&linked.bytes()).into_owned();
    assert!(found.contains("\x1b]8;;http://notes-demo.localhost:"), "no link was written");
    assert!(found.contains("\x1b]8;;\x1b\\"), "no link ends");
    linked.send(b"1qq").await;
    assert!(linked.ended().await.success());
    let environment = [
        ("HOME", home.path().to_str().unwrap()),
        ("STYRMIN_INGRESS_PORT", "0"),
        ("STYRMIN_NO_LINKS", "true"),
    ];
    let mut plain = Pty::start(PROGRAM, &["--sandbox"], &environment, (100, 30));
    plain.wait_for("200 in").await;
    plain.send(b"5").await;
    plain.wait_for("HISTORY").await;
    plain.wait_for("notes-demo.localhost").await;
    assert!(!String::from_utf8_lossy(&plain.bytes()).contains("\x1b]8;"), "links were asked not to be");
    plain.send(b"1qq").await;
    assert!(plain.ended().await.success());
}

/// A sandbox behind a port, that counts the requests that write.
pub async fn counted_cluster(
    home: &Path,
) -> (styrmin::sandbox::Sandbox, Arc<AtomicUsize>, std::path::PathBuf) {
    let options = styrmin::sandbox::SandboxOptions::in_memory(7, PROGRAM);
    let sandbox = styrmin::sandbox::Sandbox::start(options).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (service, writes) = (sandbox.service(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&writes);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (service, counter) = (service.clone(), Arc::clone(&counter));
            let answer = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                // reviews are questions, whatever their verb
                let asks =
                    request.method() == http::Method::GET || request.uri().path().contains("selfsubject");
                counter.fetch_add(usize::from(!asks), Ordering::SeqCst);
                tower::ServiceExt::oneshot(service.clone(), request)
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(io, answer).with_upgrades(),
            );
        }
    });
    let file = home.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n\
         contexts: [{{name: work, context: {{cluster: c, user: u}}}}]\ncurrent-context: work\n"
    );
    fs::write(&file, text).unwrap();
    (sandbox, writes, file)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_to_a_cluster_before_the_installation_is_confirmed() {
    let home = tempfile::tempdir().unwrap();
    let (sandbox, writes, file) = counted_cluster(home.path()).await;
    let environment = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", file.to_str().unwrap())];
    let mut pty = Pty::start(PROGRAM, &[], &environment, (100, 30));
    pty.wait_for("Install Styrmin on work").await;
    pty.send(b"\t\r").await;
    pty.wait_for("CustomResourceDefinition").await;
    pty.wait_for("to create").await;
    assert!(sandbox.api().list("customresourcedefinitions.apiextensions.k8s.io", None).is_empty());
    let dry_runs_only = sandbox.api().get("namespaces", "", "styrmin-system");
    assert!(dry_runs_only.is_none(), "nothing exists before the confirmation");
    let before = writes.load(Ordering::SeqCst);
    pty.send(b"y").await;
    pty.wait_for("is installed on work").await;
    assert!(writes.load(Ordering::SeqCst) > before, "the counter sees writes");
    assert!(sandbox.api().get("namespaces", "", "styrmin-system").is_some());
    pty.send(b"\x1bqq").await;
    drop(pty);
    sandbox.stop().await;
}
