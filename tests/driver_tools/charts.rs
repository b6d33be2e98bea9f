//! Drivers whose chart comes from a repository: pulled when they are loaded, and kept.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::home::Home;

/// Files by their paths.
type Shelf = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A repository on loopback, until the end of the test.
struct Repository {
    port: u16,
    /// What is there, by path; nothing: it answers 503.
    files: Shelf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Repository {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (files, asked) = (Shelf::default(), Arc::<Mutex<Vec<String>>>::default());
        let (shelf, heard) = (Arc::clone(&files), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut first = String::new();
                stream.read_line(&mut first).unwrap();
                let mut line = String::from("x");
                while !line.trim().is_empty() {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                }
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let files = shelf.lock().unwrap();
                let found = files.iter().find(|(known, _)| *known == path);
                let (status, body) = match found {
                    Some((_, body)) => ("200 OK", body.clone()),
                    None if files.is_empty() => ("503 Service Unavailable", Vec::new()),
                    None => ("404 Not Found", Vec::new()),
                };
                heard.lock().unwrap().push(path);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                // a client that has what it wants may be gone
                let _ = stream.get_mut().write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self { port, files, asked }
    }

    /// Puts these versions of the chart `wiki` there.
    fn offer(&self, versions: &[&str]) {
        let mut index = "apiVersion: v1\nentries:\n  wiki:\n".to_owned();
        let mut files = Vec::new();
        for version in versions {
            index += &format!("  - name: wiki\n    version: {version}\n    urls: [wiki-{version}.tgz]\n");
            files.push((format!("/wiki-{version}.tgz"), chart(version)));
        }
        files.push(("/index.yaml".to_owned(), index.into_bytes()));
        *self.files.lock().unwrap() = files;
    }

    fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Makes the driver of the home one of the chart in this repository.
    fn use_chart(&self, home: &Home, version: &str) {
        let specification = format!(
            "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata:\n  name: wiki\nspec:\n  version: \"1.0.0\"\n  \
             default_version: \"1.0.0\"\n  helm:\n    main:\n      location: http://127.0.0.1:{}\n      chart: wiki\n      \
             version: \"{version}\"\n  components:\n    web:\n      identifier:\n        label:\n          app: wiki\n",
            self.port
        );
        fs::create_dir_all(home.path("wiki")).unwrap();
        fs::write(home.path("wiki/driver.styrmin.yml"), specification).unwrap();
        fs::write(home.path("wiki/values.j2.yml"), "name: {{ deployment.name }}\n").unwrap();
    }
}

/// The archive of a chart with one ConfigMap in it.
fn chart(version: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n\
                    data:\n  version: {{ .Chart.Version | quote }}\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Values.name }}\n  labels: {app: wiki}\n\
                    spec:\n  selector: {matchLabels: {app: wiki}}\n  template:\n    metadata: {labels: {app: wiki}}\n    \
                    spec: {containers: [{name: web, image: example.org/wiki}]}\n";
    for (path, text) in [
        ("wiki/Chart.yaml", format!("apiVersion: v2\nname: wiki\nversion: {version}\n")),
        ("wiki/templates/all.yaml", template.to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_chart_is_pulled_once_and_stays_what_it_was() {
    let home = Home::new();
    let repository = Repository::start();
    repository.offer(&["1.0.0"]);
    repository.use_chart(&home, "^1");
    assert_eq!(home.run(&["load", "wiki", "-o", "json"]).json()["outcome"], "New");
    assert_eq!(repository.take_asked(), ["/index.yaml", "/wiki-1.0.0.tgz"]);
    // a newer one that would do changes nothing for the version that is loaded
    repository.offer(&["1.0.0", "1.1.0"]);
    assert_eq!(home.run(&["load", "wiki", "-o", "json"]).json()["outcome"], "Known");
    assert_eq!(repository.take_asked(), [""; 0]);
    let objects = home.run(&["render", "wiki", "-o", "json"]).json();
    assert_eq!(
        (&objects[0]["metadata"]["name"], &objects[0]["data"]["version"]),
        (&"wiki".into(), &"1.1.0".into())
    );
    let difference = home.run(&["render", "wiki", "--diff", "wiki@1.0.0"]).good();
    let changed = |sign: &str, version: &str| {
        let mut lines = difference.lines().filter(|line| line.starts_with(sign) && line.contains("version:"));
        assert!(lines.any(|line| line.contains(version)), "{sign} {version}:\n{difference}");
    };
    changed("-", "1.0.0");
    changed("+", "1.1.0");
}

#[test]
fn when_the_repository_is_away_what_was_fetched_is_used() {
    let home = Home::new();
    let repository = Repository::start();
    repository.use_chart(&home, "1.0.0");
    home.run(&["lint", "wiki"]).refused(&["cannot be fetched", "503"]);
    home.run(&["load", "wiki"]).refused(&["127.0.0.1", "503"]);
    repository.offer(&["1.0.0"]);
    home.run(&["lint", "wiki"]).good();
    repository.files.lock().unwrap().clear();
    home.run(&["render", "wiki"]).good();
    home.run(&["load", "wiki"]).good();
    home.run(&["test", "wiki"]).good();
    // the driver has it for good
    fs::remove_dir_all(home.path(".local/state/styrmin/cache")).unwrap();
    assert_eq!(home.run(&["load", "wiki", "-o", "json"]).json()["outcome"], "Known");
}

#[test]
fn what_is_no_chart_is_not_recorded() {
    let home = Home::new();
    let repository = Repository::start();
    repository.offer(&["1.0.0"]);
    for (_, body) in repository.files.lock().unwrap().iter_mut().filter(|(path, _)| path.ends_with(".tgz")) {
        *body = GzEncoder::new(Vec::new(), Compression::default()).finish().unwrap();
    }
    repository.use_chart(&home, "1.0.0");
    home.run(&["load", "wiki"]).refused(&["wiki-1.0.0.tgz"]);
    let listed = home.run(&["list", "-o", "json"]).json();
    assert!(listed.as_array().unwrap().iter().all(|driver| driver["name"] != "wiki"), "{listed}");
}
