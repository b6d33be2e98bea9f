//! Buckets of real S3 servers, and the public `restic` on them.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use styrmin::backup::repository::{Patience, Repository, Source};
use styrmin::domain::backup::{Depth, Location};

use super::ground::{ACCESS, Restic, SECRET, made, noise, program, read, s3, save, secrets, with_password};

/// A server, ended with the test.
struct Server {
    child: Child,
    endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `rclone serve s3` on a directory; it says its address.
fn rclone(home: &Path) -> Option<Server> {
    std::fs::create_dir_all(home.join("bucket")).unwrap();
    let mut child = Command::new(program("rclone")?)
        .args(["serve", "s3", "--config", "", "-v", "--addr", "127.0.0.1:0"])
        .args(["--auth-key", &format!("{ACCESS},{SECRET}")])
        .arg(home)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let endpoint = lines.find_map(|line| {
        let line = line.ok()?;
        let from = line.find("http://")?;
        Some(line[from..].trim_end_matches(['/', ']']).to_owned())
    });
    // it must not wait for somebody to read what it says
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Some(Server { child, endpoint: endpoint.expect("rclone says where it listens") })
}

/// `weed server`; it is there when its port answers with S3's words. Where a port was taken it ends.
fn weed(home: &Path) -> Option<Server> {
    let weed = program("weed")?;
    std::fs::create_dir_all(home).unwrap();
    let identity = serde_json::json!({
        "identities": [{
            "name": "styrmin",
            "credentials": [{ "accessKey": ACCESS, "secretKey": SECRET }],
            "actions": ["Admin", "Read", "Write", "List"],
        }],
    });
    let config = home.join("s3.json");
    std::fs::write(&config, identity.to_string()).unwrap();
    let ports: Vec<TcpListener> = (0..8).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let numbers: Vec<u16> = ports.iter().map(|port| port.local_addr().unwrap().port()).collect();
    drop(ports);
    let names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"];
    let more = ["filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"];
    let options = names.iter().chain(&more).zip(&numbers).map(|(name, port)| format!("-{name}={port}"));
    let child = Command::new(weed)
        .args(["server", "-ip=127.0.0.1", "-s3", "-filer", "-master.volumeSizeLimitMB=64", "-volume.max=20"])
        .arg(format!("-dir={}", home.display()))
        .arg(format!("-s3.config={}", config.display()))
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Server { child, endpoint: format!("http://127.0.0.1:{}", numbers[6]) })
}

/// Makes the bucket, as soon as the server is there; false when it has ended.
async fn with_bucket(server: &mut Server) -> bool {
    use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
    let bucket =
        Bucket::new(server.endpoint.parse().unwrap(), UrlStyle::Path, "bucket", "eu-central-1").unwrap();
    let credentials = Credentials::new(ACCESS, SECRET);
    let address = server.endpoint.trim_start_matches("http://").to_owned();
    let begun = Instant::now();
    loop {
        let url = bucket.create_bucket(&credentials).sign(Duration::from_secs(60)).to_string();
        let target = url.trim_start_matches(&server.endpoint).to_owned();
        let address = address.clone();
        let answer = tokio::task::spawn_blocking(move || {
            use std::io::Write;
            let mut stream = std::net::TcpStream::connect(&address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
            let head = format!(
                "PUT {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            Some(answer)
        });
        let answer = answer.await.unwrap().unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200") || answer.contains("BucketAlready") {
            return true;
        }
        if server.child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the server did not make a bucket: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn serves(location: &Location) {
    let repository = made(location).await;
    let text: String = (0..50_000).map(|line| format!("line {line}\n")).collect();
    let mut saved = Vec::new();
    for (path, bytes) in [
        ("/a/db.sql", text.into_bytes().into()),
        ("/a/data.tar", noise(1, 40_000_000)),
        ("/empty", bytes::Bytes::new()),
    ] {
        let made = save(&repository, path, Source::of(bytes)).await.unwrap();
        assert_eq!(read(&repository, &made.snapshot).await.unwrap(), (made.bytes, made.digest.clone()));
        saved.push((path, made));
    }
    assert_eq!(repository.check(Depth::Full, &[]).await.unwrap(), []);
    let wrong = Repository::open(location, &with_password("wrong")).await.unwrap_err();
    assert!(wrong.to_string().contains("does not open"), "{wrong}");
    let mut keys = secrets();
    keys.s3.as_mut().unwrap().secret_access_key = zeroize::Zeroizing::new("wrong".to_owned());
    let denied = Repository::open(location, &keys).await.unwrap_err();
    assert!(denied.to_string().contains("does not let us"), "{denied}");

    let gone = saved.remove(1).1;
    repository.delete(&[gone.snapshot]).await.unwrap();
    let alone = Patience { young: SignedDuration::ZERO, marked: SignedDuration::ZERO };
    repository.prune_with(alone, false).await.unwrap();
    let freed = repository.prune_with(alone, false).await.unwrap();
    assert!(freed.bytes > 39_000_000, "{freed:?}");
    assert!(repository.size().await.unwrap() < 4_000_000);
    if let Some(restic) = Restic::on(location) {
        let seen: Vec<_> = saved.iter().map(|(path, saved)| (*path, saved)).collect();
        restic.agrees(&seen);
    }
}

#[tokio::test]
async fn rclone_serves() {
    let home = tempfile::tempdir().unwrap();
    let Some(mut server) = rclone(home.path()) else { return };
    assert!(with_bucket(&mut server).await, "rclone has ended");
    serves(&s3(&server.endpoint, "kept/here", None)).await;
}

#[tokio::test]
async fn seaweedfs_serves() {
    let home = tempfile::tempdir().unwrap();
    // its ports were free when they were chosen; somebody else may have taken one since
    for attempt in ["first", "second", "third"] {
        let Some(mut server) = weed(&home.path().join(attempt)) else { return };
        if with_bucket(&mut server).await {
            return serves(&s3(&server.endpoint, "", None)).await;
        }
    }
    panic!("the server has ended three times before it served");
}
