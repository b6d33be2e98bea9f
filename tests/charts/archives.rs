//! A chart's archive renders as its directory does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use styrmin::driver::chart::Chart;

use crate::{case, ours};

fn packed(files: &BTreeMap<String, Arc<[u8]>>) -> Vec<u8> {
    let mut tape = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tape.append_data(&mut header, Path::new("chart").join(path), &**content).unwrap();
    }
    tape.into_inner().unwrap().finish().unwrap()
}

/// The same chart with every chart in `charts/` as an archive.
fn with_archives(files: &BTreeMap<String, Arc<[u8]>>) -> BTreeMap<String, Arc<[u8]>> {
    let mut inner: BTreeMap<String, BTreeMap<String, Arc<[u8]>>> = BTreeMap::new();
    let mut outer = BTreeMap::new();
    for (path, content) in files {
        match path.strip_prefix("charts/").and_then(|path| path.split_once('/')) {
            Some((chart, rest)) => {
                inner.entry(chart.to_owned()).or_default().insert(rest.to_owned(), Arc::clone(content));
            }
            None => {
                outer.insert(path.clone(), Arc::clone(content));
            }
        }
    }
    for (chart, files) in inner {
        outer.insert(format!("charts/{chart}-1.0.0.tgz"), packed(&with_archives(&files)).into());
    }
    outer
}

#[test]
fn a_chart_renders_the_same_from_its_archive() {
    // Of an archive nothing is ignored: where there is something to ignore, its files may be others.
    for name in case::names().into_iter().filter(|name| !case::directory(name).join(".helmignore").exists()) {
        let files = case::files(&case::directory(&name));
        let archives = [packed(&files), packed(&with_archives(&files))];
        for case in case::cases(&name) {
            let from_directory = ours::rendered(&case::directory(&name), &case);
            for archive in &archives {
                let chart = Chart::from_archive(archive).unwrap();
                assert_eq!(ours::of(&chart, &case), from_directory, "{name}, {}", case.name);
            }
        }
    }
}
