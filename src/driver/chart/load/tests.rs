use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const CHART: &str = "{apiVersion: v2, name: web, version: 1.0.0}";

fn files(texts: &[(&str, &str)]) -> BTreeMap<String, Arc<[u8]>> {
    texts.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect()
}

fn loaded(texts: &[(&str, &str)]) -> Result<Chart, String> {
    Chart::from_files(&files(texts)).map_err(|error| error.to_string())
}

fn archive(texts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tape = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in texts {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tape.append_data(&mut header, path, *content).unwrap();
    }
    tape.into_inner().unwrap().finish().unwrap()
}

fn paths(files: &Files) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

#[test]
fn files_come_to_their_places() {
    let chart = loaded(&[
        ("Chart.yaml", CHART),
        ("Chart.lock", "{}"),
        (".helmignore", "*.bak\nsecret/\n"),
        ("values.yaml", "\u{feff}a: 1\nb: {c: 1.5}\n"),
        ("values.schema.json", "{}"),
        ("templates/a.yaml", "x"),
        ("templates/.hidden", "x"),
        ("templates/a.bak", "x"),
        ("secret/key", "x"),
        ("crds/a.yaml", "x"),
        ("README.md", "x"),
        ("charts/_old/Chart.yaml", "broken"),
        ("charts/db.tgz.prov", "x"),
    ])
    .unwrap();
    assert_eq!((chart.metadata.name.as_str(), chart.metadata.version.as_str()), ("web", "1.0.0"));
    assert_eq!(chart.values, json!({"a": 1.0, "b": {"c": 1.5}}));
    assert_eq!(chart.schema.as_deref(), Some(b"{}".as_slice()));
    assert_eq!(paths(&chart.templates), ["templates/a.yaml"]);
    assert_eq!(paths(&chart.files), [".helmignore", "README.md", "charts/db.tgz.prov", "crds/a.yaml"]);
    assert!(chart.charts.is_empty() && chart.warnings.is_empty());
}

#[test]
fn an_archive_has_archives_in_it() {
    let inner = archive(&[("low/Chart.yaml", b"{apiVersion: v2, name: low, version: 0.1.0}")]);
    let middle = archive(&[
        ("db/Chart.yaml", b"{apiVersion: v2, name: db, version: 0.1.0}"),
        ("db/charts/low-0.1.0.tgz", &inner),
    ]);
    let outer = archive(&[("web/Chart.yaml", CHART.as_bytes()), ("web/charts/db-0.1.0.tgz", &middle)]);
    let chart = Chart::from_archive(&outer).unwrap();
    assert_eq!(chart.charts[0].charts[0].metadata.name, "low");
    let broken = archive(&[("web/Chart.yaml", CHART.as_bytes()), ("web/charts/db.tgz", b"no archive")]);
    let error = Chart::from_archive(&broken).unwrap_err().to_string();
    assert!(error.starts_with("error unpacking subchart db.tgz in web: "), "{error}");
}

#[test]
fn charts_do_not_stand_in_each_other_without_end() {
    let mut inner = archive(&[("a/Chart.yaml", CHART.as_bytes())]);
    for _ in 0..20 {
        inner = archive(&[("a/Chart.yaml", CHART.as_bytes()), ("a/charts/a.tgz", &inner)]);
    }
    assert!(Chart::from_archive(&inner).unwrap_err().to_string().contains("more than 16 deep"));
}

#[test]
fn charts_of_the_first_version_have_requirements() {
    let requirements = "dependencies: [{name: db, version: 1.x.x, condition: db.on}]";
    let first = "{name: web, version: 1.0.0}";
    let chart =
        loaded(&[("Chart.yaml", first), ("requirements.yaml", requirements), ("requirements.lock", "{}")])
            .unwrap();
    assert_eq!((chart.metadata.api_version.as_str(), chart.metadata.dependencies.len()), ("v1", 1));
    assert_eq!(paths(&chart.files), ["requirements.lock", "requirements.yaml"]);
    let chart = loaded(&[("Chart.yaml", CHART), ("requirements.yaml", requirements)]).unwrap();
    assert_eq!((chart.metadata.dependencies.len(), chart.files.len(), chart.warnings.len()), (1, 0, 1));
}

#[test]
fn what_is_no_chart_is_refused_with_helms_words() {
    assert_eq!(loaded(&[("values.yaml", "")]).unwrap_err(), "Chart.yaml file is missing");
    let refused = |file: &str, text: &str| loaded(&[("Chart.yaml", CHART), (file, text)]).unwrap_err();
    assert!(refused("values.yaml", "- a").starts_with("cannot load values.yaml: "));
    assert!(refused("values.yaml", "a: 1: b").starts_with("cannot load values.yaml: "));
    assert!(refused("Chart.yaml", "a: [").starts_with("cannot load Chart.yaml: "));
    assert!(
        refused("Chart.yaml", "{name: web, version: 'one'}")
            .contains("chart.metadata.version \"one\" is invalid")
    );
    assert!(refused("requirements.yaml", "dependencies: x").starts_with("cannot load requirements.yaml: "));
    assert_eq!(
        refused("charts/README.md", "x"),
        "error unpacking subchart README.md in web: Chart.yaml file is missing"
    );
    assert!(refused(".helmignore", "a/**").contains("double-star"));
}

#[test]
fn only_the_first_document_of_the_values_counts() {
    let chart = loaded(&[("Chart.yaml", CHART), ("values.yaml", "a: 1\n---\nb: 2\n")]).unwrap();
    assert_eq!(chart.values, json!({"a": 1.0}));
    assert_eq!(chart.warnings.len(), 1);
    let chart = loaded(&[("Chart.yaml", CHART), ("values.yaml", "---\n# nothing\n")]).unwrap();
    assert_eq!(chart.values, json!({}));
    for (text, values, warnings) in [
        ("# the values\n\n---\na: 1\n", json!({"a": 1.0}), 0),
        ("%YAML 1.2\n---\na: 1\n", json!({"a": 1.0}), 0),
        ("---\n---\na: 1\n", json!({}), 1),
        ("# x\na: 1\n--- \nb: 2\n", json!({"a": 1.0}), 1),
    ] {
        let chart = loaded(&[("Chart.yaml", CHART), ("values.yaml", text)]).unwrap();
        assert_eq!((chart.values, chart.warnings.len()), (values, warnings), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_files_never_panic(
        chart in "[a-z:\\[\\]{}&*!|> \n\"'.0-9-]{0,120}",
        values in "[a-z:\\[\\]{}&*!|> \n\"'.0-9-]{0,200}",
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let _ = loaded(&[("Chart.yaml", &chart)]);
        let _ = loaded(&[("Chart.yaml", CHART), ("values.yaml", &values), ("requirements.yaml", &chart)]);
        let mut random = files(&[("values.yaml", &values)]);
        random.insert("Chart.yaml".to_owned(), bytes.into());
        let _ = Chart::from_files(&random);
    }
}

#[test]
fn values_that_nest_without_end_are_refused() {
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
        assert!(loaded(&[("Chart.yaml", CHART), ("values.yaml", &deep)]).is_err());
    }
    let nested = format!("a: {}1{}", "[".repeat(200), "]".repeat(200));
    assert!(loaded(&[("Chart.yaml", CHART), ("values.yaml", &nested)]).is_ok());
    for depth in [1_000, 5_000, 9_999, 20_000] {
        let closed = format!("a: {}1{}", "[".repeat(depth), "]".repeat(depth));
        let _ = loaded(&[("Chart.yaml", CHART), ("values.yaml", &closed)]);
    }
}

#[test]
fn aliases_do_not_multiply_without_end() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(loaded(&[("Chart.yaml", CHART), ("values.yaml", &bomb)]).is_err());
}
