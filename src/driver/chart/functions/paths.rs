//! Paths with slashes: Go's `path`, which on Linux is also its `filepath`.

use super::super::value::Value;
use super::Kind::Text;
use super::arguments::{Answer, fixed, string, text};
use super::{Entry, entry};

pub(super) const TABLE: &[Entry] = &[
    entry("base", &[Text], |_, given| map(given, base)),
    entry("dir", &[Text], |_, given| map(given, directory)),
    entry("clean", &[Text], |_, given| map(given, clean)),
    entry("ext", &[Text], |_, given| map(given, extension)),
    entry("isAbs", &[Text], |_, given| is_absolute(given)),
    entry("osBase", &[Text], |_, given| map(given, base)),
    entry("osDir", &[Text], |_, given| map(given, directory)),
    entry("osClean", &[Text], |_, given| map(given, clean)),
    entry("osExt", &[Text], |_, given| map(given, extension)),
    entry("osIsAbs", &[Text], |_, given| is_absolute(given)),
];

fn map(arguments: &[Value], change: fn(&str) -> String) -> Answer {
    let [path] = fixed(arguments)?;
    string(change(&text(path)?))
}

fn is_absolute(arguments: &[Value]) -> Answer {
    let [path] = fixed(arguments)?;
    Ok(Value::Bool(text(path)?.starts_with('/')))
}

fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.rsplit('/').next().unwrap_or(path).to_owned(),
    }
}

fn directory(path: &str) -> String {
    clean(&path[..path.rfind('/').map_or(0, |slash| slash + 1)])
}

/// The shortest path that means the same.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or(String::new(), |dot| name[dot..].to_owned())
}
