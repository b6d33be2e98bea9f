//! A program in a pseudo-terminal of our own: type keys, wait for what the screen shows.
#![allow(dead_code, reason = "shared with a benchmark; each uses its part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pty_process::{OwnedWritePty, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a named condition may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

fn cells(count: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(count).unwrap()
}

/// The program and the screen that it draws.
pub struct Pty {
    pub child: Child,
    writer: OwnedWritePty,
    reading: JoinHandle<()>,
    parser: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Counts the bytes that the program has written.
    changed: watch::Receiver<u64>,
}

impl Pty {
    /// Starts `program` with `arguments` and additional environment on a terminal of `columns` × `rows`.
    pub fn start(program: &str, arguments: &[&str], environment: &[(&str, &str)], size: (u16, u16)) -> Self {
        let (columns, rows) = size;
        let (pty, pts) = pty_process::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let mut command = pty_process::Command::new(program)
            .args(arguments)
            .env("TERM", "xterm-256color")
            .kill_on_drop(true);
        for name in [
            "NO_COLOR",
            "KUBECONFIG",
            "STYRMIN_STATE_DIR",
            "STYRMIN_CONFIG_DIR",
            "STYRMIN_THEME",
            "STYRMIN_KEYMAP",
        ] {
            command = command.env_remove(name);
        }
        for (name, value) in environment {
            command = command.env(name, value);
        }
        let child = command.spawn(pts).unwrap();
        let (mut reader, writer) = pty.into_split();
        let parser = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let (sender, changed) = watch::channel(0);
        let screen = Arc::clone(&parser);
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            // the end of the child closes the pty: an error then, not a zero
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                screen.lock().unwrap().process(&buffer[..count]);
                sender.send_modify(|written| *written += count as u64);
            }
        });
        Self { child, writer, reading, parser, bytes, changed }
    }

    /// Hangs up, as a broken connection does.
    pub fn hang_up(self) -> Child {
        self.reading.abort();
        self.child
    }

    /// Types bytes as a keyboard would send them.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.unwrap();
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.writer.resize(Size::new(rows, columns)).unwrap();
    }

    /// The bytes that the program has written to the terminal.
    pub fn written(&self) -> u64 {
        *self.changed.borrow()
    }

    /// What the program has written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// The screen with its attributes.
    pub fn screen(&self) -> vt100::Screen {
        self.parser.lock().unwrap().screen().clone()
    }

    /// Waits until `shown` holds of the screen's text; fails with the screen when it does not in time.
    pub async fn wait_until(&mut self, what: &str, within: Duration, mut shown: impl FnMut(&str) -> bool) {
        self.wait_screen(what, within, |screen| shown(&screen.contents())).await;
    }

    /// Waits until the terminal was given back: the ordinary screen, with its cursor.
    pub async fn wait_given_back(&mut self) {
        self.wait_screen("the ordinary screen and its cursor", PATIENCE, |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        })
        .await;
    }

    async fn wait_screen(
        &mut self,
        what: &str,
        within: Duration,
        mut holds: impl FnMut(&vt100::Screen) -> bool,
    ) {
        let waited = tokio::time::timeout(within, async {
            loop {
                self.changed.mark_unchanged();
                if holds(&self.screen()) {
                    return true;
                }
                if self.changed.changed().await.is_err() {
                    return holds(&self.screen());
                }
            }
        });
        let reached = waited.await;
        assert_eq!(reached, Ok(true), "waiting for: {what}\n{}", self.text());
    }

    /// Waits until the screen contains `text`.
    pub async fn wait_for(&mut self, text: &str) {
        self.wait_until(text, PATIENCE, |screen| screen.contains(text)).await;
    }

    /// Waits for the program's end.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => status.unwrap(),
            Err(_) => panic!("the program does not end\n{}", self.text()),
        }
    }
}
