use std::sync::Arc;

use serde_json::json;

use super::*;

fn chart(files: &[(&str, &str)]) -> Chart {
    let head = ("Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0, kubeVersion: '>=1.25.0'}");
    let files: BTreeMap<String, Arc<[u8]>> = [head]
        .iter()
        .chain(files)
        .map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes())))
        .collect();
    Chart::from_files(&files).unwrap()
}

fn rendered(files: &[(&str, &str)], values: &Json, lookups: Option<&Lookups>) -> Result<Outcome, String> {
    release_rendered(files, values, lookups, (7, 3))
}

/// With a seed of this byte, and of this revision.
fn release_rendered(
    files: &[(&str, &str)],
    values: &Json,
    lookups: Option<&Lookups>,
    (seed, revision): (u8, u32),
) -> Result<Outcome, String> {
    let request = Request {
        values,
        release: &Release {
            name: "demo".into(),
            namespace: "shop".into(),
            revision,
            is_upgrade: revision > 1,
        },
        capabilities: &Capabilities::of_version("v1.31.2").unwrap(),
        lookups,
        seed: &Seed { bytes: [seed; 32], born: Timestamp::UNIX_EPOCH },
        now: Timestamp::UNIX_EPOCH,
        limits: Limits::default(),
    };
    render(&chart(files), &request).map_err(|error| error.to_string())
}

fn objects(files: &[(&str, &str)]) -> Rendered {
    match rendered(files, &json!({}), None).unwrap() {
        Outcome::Rendered(rendered) => *rendered,
        Outcome::Wants(keys) => panic!("{keys:?}"),
    }
}

/// A ConfigMap with this text as its data.
fn map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n")
}

fn data(rendered: &Rendered, number: usize) -> &Json {
    &rendered.documents[number].objects[0]["data"]
}

#[test]
fn templates_see_their_surroundings() {
    let text = map(
        "a",
        "{a: '{{ .Release.Name }}/{{ .Release.Namespace }}/{{ .Release.Revision }}/{{ .Release.IsUpgrade }}/{{ .Release.IsInstall }}/{{ .Release.Service }}',
        b: '{{ .Chart.Name }}/{{ .Chart.IsRoot }}', c: '{{ .Template.Name }} {{ .Template.BasePath }}',
        d: '{{ .Capabilities.KubeVersion.Minor }}/{{ .Capabilities.APIVersions.Has \"apps/v1\" }}', e: '{{ .Files.Get \"f.txt\" }}', f: '{{ .Values.x }}'}",
    );
    let rendered = objects(&[("templates/a.yaml", &text), ("f.txt", "file"), ("values.yaml", "x: 80")]);
    assert_eq!(
        data(&rendered, 0),
        &json!({"a": "demo/shop/3/true/false/Helm", "b": "web/true", "c": "web/templates/a.yaml web/templates",
            "d": "31/true", "e": "file", "f": "80"})
    );
}

#[test]
fn subcharts_see_their_own_and_parents_win() {
    let rendered = objects(&[
        ("templates/_h.tpl", "{{ define \"who\" }}parent{{ end }}"),
        ("templates/a.yaml", &map("a", "{a: '{{ .Subcharts.db.Values.x }}', b: '{{ .Values.db.changed }}'}")),
        ("templates/NOTES.txt", "Hello {{ .Release.Name }}"),
        ("values.yaml", "db: {x: 1}"),
        ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
        ("charts/db/values.yaml", "{x: 0, z: 2}"),
        ("charts/db/templates/_h.tpl", "{{ define \"who\" }}child{{ end }}"),
        (
            "charts/db/templates/b.yaml",
            &map(
                "b",
                "{a: '{{ .Values.x }}{{ .Values.z }} {{ include \"who\" . }} {{ .Chart.Name }} {{ .Chart.IsRoot }}', b: '{{ set .Values \"changed\" true | len }}'}",
            ),
        ),
        ("charts/db/templates/NOTES.txt", "inner"),
    ]);
    let sources: Vec<&str> = rendered.documents.iter().map(|document| document.source.as_str()).collect();
    assert_eq!(sources, ["web/charts/db/templates/b.yaml", "web/templates/a.yaml"]);
    assert_eq!(data(&rendered, 0)["a"], "12 parent db false");
    assert_eq!(data(&rendered, 1), &json!({"a": "1", "b": "true"}), "the deepest are rendered first");
    assert_eq!(rendered.notes, "Hello demo");
}

#[test]
fn definitions_of_custom_resources_are_no_templates() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a, annotations: {x: '{{ y }}'}}\n";
    let rendered = objects(&[
        ("crds/b/a.yaml", crd),
        ("crds/b.yaml", &format!("{crd}---\n{crd}")),
        ("crds/README.md", "{{"),
        ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
        ("charts/db/crds/c.JSON", "{\"apiVersion\": \"v1\", \"kind\": \"X\"}"),
    ]);
    let sources: Vec<&str> = rendered.crds.iter().map(|document| document.source.as_str()).collect();
    assert_eq!(
        sources,
        ["web/crds/b/a.yaml", "web/crds/b.yaml", "web/crds/b.yaml", "web/charts/db/crds/c.JSON"]
    );
    assert_eq!(rendered.crds[0].objects[0]["metadata"]["annotations"]["x"], "{{ y }}");
}

#[test]
fn definitions_of_custom_resources_are_bounded_whatever_their_aliases() {
    let refused = |aliases: usize, crd: &str| {
        let listed: Vec<String> =
            (0..aliases).map(|number| format!("{{name: db, version: 1.0.0, alias: a{number}}}")).collect();
        let head =
            format!("{{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{}]}}", listed.join(", "));
        let files = [
            ("Chart.yaml", head.as_str()),
            ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
            ("charts/db/crds/a.yaml", crd),
        ];
        rendered(&files, &json!({}), None).map(drop).err()
    };
    let object = "apiVersion: v1\nkind: X\n";
    let large = format!("{object}x: {}\n", "y".repeat(1 << 20));
    assert_eq!(refused(15, &large), None);
    assert!(refused(16, &large).unwrap().contains("more than 16777216 bytes"));
    let many = [object; 50].join("---\n");
    assert_eq!(refused(100, &many), None);
    assert!(refused(101, &many).unwrap().contains("more than 5000 documents"));
}

#[test]
fn what_is_not_known_of_the_cluster_is_asked_for() {
    let text = map(
        "a",
        "{a: '{{ with lookup \"v1\" \"Secret\" \"shop\" \"db\" }}{{ .data.password }}{{ else }}none{{ end }}'}",
    );
    let files = [("templates/a.yaml", text.as_str())];
    let key = LookupKey {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: "shop".into(),
        name: "db".into(),
    };
    let mut known = Lookups::new();
    match rendered(&files, &json!({}), Some(&known)) {
        Ok(Outcome::Wants(keys)) => assert_eq!(keys, std::slice::from_ref(&key)),
        other => panic!("{other:?}"),
    }
    known.insert(key.clone(), json!({"data": {"password": "c2VjcmV0"}}));
    let Ok(Outcome::Rendered(found)) = rendered(&files, &json!({}), Some(&known)) else { panic!("rendered") };
    assert_eq!(data(&found, 0)["a"], "c2VjcmV0");
    known.insert(key, Json::Null);
    let Ok(Outcome::Rendered(found)) = rendered(&files, &json!({}), Some(&known)) else { panic!("rendered") };
    assert_eq!(data(&found, 0)["a"], "none");
    assert!(matches!(rendered(&files, &json!({}), None), Ok(Outcome::Rendered(_))));
}

#[test]
fn lookups_are_bounded() {
    let text = map(
        "a",
        "{a: '{{ range until 600 }}{{ lookup \"v1\" \"Secret\" \"shop\" (printf \"s%d\" .) | len }}{{ end }}'}",
    );
    let Ok(Outcome::Wants(keys)) =
        rendered(&[("templates/a.yaml", &text)], &json!({}), Some(&Lookups::new()))
    else {
        panic!("wants")
    };
    assert_eq!(keys.len(), LOOKUP_LIMIT);
}

#[test]
fn what_cannot_be_installed_is_refused() {
    let refused = |files: &[(&str, &str)]| rendered(files, &json!({"replicas": "x"}), None).unwrap_err();
    assert_eq!(
        refused(&[("Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0, kubeVersion: '>=1.32.0'}")]),
        "chart requires kubeVersion: >=1.32.0 which is incompatible with Kubernetes v1.31.2"
    );
    assert_eq!(
        refused(&[("Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0, type: library}")]),
        "library charts are not installable"
    );
    let schema = "{\"properties\": {\"replicas\": {\"type\": \"integer\"}}}";
    assert_eq!(
        refused(&[("values.schema.json", schema)]),
        "values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- replicas: the value is not of type \"integer\""
    );
    assert!(refused(&[("templates/a.yaml", "{{ fail \"no\" }}")]).contains("no"));
    assert!(refused(&[("templates/a.yaml", "{{")]).contains("web/templates/a.yaml"));
}

#[test]
fn random_values_stay_until_the_seed_changes() {
    let draw = map(
        "a",
        "{a: '{{ randAlphaNum 12 }}', b: '{{ include \"drawn\" . }}', c: '{{ include \"drawn\" . }}'}",
    );
    let helper = ("templates/_h.tpl", "{{ define \"drawn\" }}{{ randAlphaNum 12 }}{{ end }}");
    let of = |text: &str, place: (u8, u32)| {
        let files = [("templates/a.yaml", text), helper];
        match release_rendered(&files, &json!({}), None, place).unwrap() {
            Outcome::Rendered(rendered) => data(&rendered, 0).clone(),
            Outcome::Wants(keys) => panic!("{keys:?}"),
        }
    };
    let first = of(&draw, (1, 1));
    assert_eq!(first, of(&draw, (1, 1)), "rendered again");
    assert_eq!(first, of(&draw, (1, 2)), "upgraded");
    assert_eq!(
        first,
        of(&format!("# more\n{draw}"), (1, 3)),
        "upgraded to a chart with another text around it"
    );
    assert_ne!(first, of(&draw, (2, 1)), "another deployment");
    let texts: BTreeSet<&str> = ["a", "b", "c"].iter().filter_map(|key| first[key].as_str()).collect();
    assert_eq!(texts.len(), 3, "{first}");
}
