use futures::StreamExt;
use jiff::Timestamp;

use super::*;
use crate::sandbox::clock::ManualClock;
use crate::sandbox::runtime::{LogOptions, LogSource, Since};

struct Rig {
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    log: Arc<LogWriter>,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let log = Arc::new(LogWriter::create(directory.path(), 0, clock.clone()).unwrap());
        Self { directory, clock, log }
    }

    async fn read(&self, options: LogOptions) -> String {
        let stream = read(path(self.directory.path(), 0), &options, self.clock.now(), None);
        let parts: Vec<Vec<u8>> = stream.map(|part| part.unwrap().to_vec()).collect().await;
        String::from_utf8(parts.concat()).unwrap()
    }
}

#[tokio::test]
async fn lines_of_pipes_are_kept_with_time_and_stream() {
    let rig = Rig::new();
    capture(&b"one\ntwo"[..], "stdout", rig.log.clone()).await;
    rig.clock.advance(jiff::SignedDuration::from_secs(10));
    capture(&b"oops\n"[..], "stderr", rig.log.clone()).await;
    assert_eq!(rig.read(LogOptions::default()).await, "one\ntwo\noops\n");
    let tail = LogOptions { tail_lines: Some(1), timestamps: true, ..LogOptions::default() };
    assert_eq!(rig.read(tail).await, "1970-01-01T00:00:10.000000000Z oops\n");
    let recent = LogOptions { since: Some(Since::Seconds(5)), ..LogOptions::default() };
    assert_eq!(rig.read(recent).await, "oops\n");
    let stdout = LogOptions { source: LogSource::Stdout, ..LogOptions::default() };
    assert_eq!(rig.read(stdout).await, "one\ntwo\n");
    let limited = LogOptions { limit_bytes: Some(6), ..LogOptions::default() };
    assert_eq!(rig.read(limited).await, "one\ntw");
    assert_eq!(rig.read(LogOptions { tail_lines: Some(0), ..LogOptions::default() }).await, "");
}

#[tokio::test]
async fn long_lines_come_back_whole() {
    let rig = Rig::new();
    let long = "x".repeat(PIECE_MAX * 2 + 7);
    capture(format!("{long}\nend\n").as_bytes(), "stdout", rig.log.clone()).await;
    assert_eq!(rig.read(LogOptions::default()).await, format!("{long}\nend\n"));
}

#[tokio::test]
async fn a_follower_sees_every_line_over_a_rotation_and_ends_with_the_container() {
    let rig = Rig::new();
    capture(&b"first\n"[..], "stdout", rig.log.clone()).await;
    let options = LogOptions { follow: true, ..LogOptions::default() };
    let path = path(rig.directory.path(), 0);
    let mut stream = read(path.clone(), &options, rig.clock.now(), Some(rig.log.progress()));
    assert_eq!(stream.next().await.unwrap().unwrap(), "first\n");
    let line = "y".repeat(1000);
    let count = usize::try_from(FILE_MAX).unwrap() / 1000 + 10;
    let writing = {
        let (log, line) = (rig.log.clone(), line.clone());
        tokio::spawn(async move {
            for _ in 0..count {
                log.write("stdout", true, line.as_bytes());
                tokio::task::yield_now().await;
            }
            log.close();
        })
    };
    let mut seen = 0;
    while let Some(part) = stream.next().await {
        assert_eq!(part.unwrap().len(), 1001);
        seen += 1;
    }
    writing.await.unwrap();
    assert_eq!(seen, count);
    assert!(rotated(&path).exists());
}

#[test]
fn only_the_last_two_lives_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    for life in 0..4 {
        LogWriter::create(directory.path(), life, clock.clone()).unwrap();
    }
    let exists: Vec<bool> = (0..4).map(|life| path(directory.path(), life).exists()).collect();
    assert_eq!(exists, [false, false, true, true]);
}
