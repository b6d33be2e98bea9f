use serde_json::json;

use super::*;

fn sorted(texts: &[(&str, &str)]) -> Result<Sorted, String> {
    sort(texts.iter().copied(), &mut Warnings::default()).map_err(|error| error.to_string())
}

fn object(kind: &str, name: &str) -> String {
    format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
}

#[test]
fn documents_come_in_helms_order() {
    let text = ["Zebra", "Service", "Aardvark", "Namespace", "ConfigMap", "Service"]
        .iter()
        .enumerate()
        .map(|(number, kind)| object(kind, &format!("n{number}")))
        .collect::<Vec<_>>()
        .join("---\n");
    let sorted = sorted(&[("web/templates/a.yaml", &text)]).unwrap();
    let order: Vec<&str> = sorted
        .documents
        .iter()
        .filter_map(|document| document.objects[0]["metadata"]["name"].as_str())
        .collect();
    assert_eq!(order, ["n3", "n4", "n1", "n5", "n2", "n0"]);
}

#[test]
fn empty_documents_go_and_comments_stay_as_text() {
    let text = format!("\n---\n\n---\n# a comment\n---\n{}--- \n   \n", object("Pod", "a"));
    let sorted = sorted(&[("a", &text)]).unwrap();
    assert_eq!(sorted.documents.len(), 2);
    let comment = sorted.documents.iter().find(|document| document.objects.is_empty()).unwrap();
    assert!(comment.text.contains("# a comment"));
    let pod = sorted.documents.iter().find(|document| !document.objects.is_empty()).unwrap();
    assert_eq!(pod.objects[0]["kind"], "Pod");
    assert_eq!(pod.source, "a");
}

#[test]
fn a_list_is_its_items() {
    let text = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}, {apiVersion: v1, kind: ConfigMapList, items: [{apiVersion: v1, kind: ConfigMap}]}]";
    let sorted = sorted(&[("a", text)]).unwrap();
    assert_eq!(
        sorted.documents[0].objects,
        [json!({"apiVersion": "v1", "kind": "Pod"}), json!({"apiVersion": "v1", "kind": "ConfigMap"})]
    );
}

#[test]
fn hooks_stand_apart_and_unknown_ones_are_left_out() {
    let hook = |kind: &str, events: &str| {
        format!(
            "apiVersion: v1\nkind: {kind}\nmetadata: {{name: h, annotations: {{helm.sh/hook: '{events}'}}}}\n"
        )
    };
    let text = [hook("Job", "post-install"), hook("ConfigMap", "pre-install"), hook("Job", "crd-install")]
        .join("---\n");
    let mut warnings = Warnings::default();
    let sorted = sort([("a", text.as_str())], &mut warnings).unwrap();
    assert!(sorted.documents.is_empty());
    let kinds: Vec<_> =
        sorted.hooks.iter().map(|hook| hook.document.objects[0]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ConfigMap", "Job"]);
    assert_eq!(warnings.0, ["Job h: skipping unknown hook: \"crd-install\""]);
}

#[test]
fn what_is_no_object_names_its_template() {
    let refused = |text: &str| sorted(&[("web/templates/a.yaml", text)]).err().unwrap();
    assert!(refused("a: [").starts_with("YAML parse error on web/templates/a.yaml: "));
    assert!(refused("- a").starts_with("YAML parse error on web/templates/a.yaml: error unmarshaling JSON"));
    assert!(refused("kind: Pod\nmetadata: {annotations: {a: {b: c}}}").contains("YAML parse error"));
    assert!(refused("kind: Pod").contains("has no apiVersion"));
    assert!(refused("apiVersion: v1").contains("has no kind"));
    let many = vec![object("Pod", "a"); DOCUMENT_LIMIT + 1].join("---\n");
    assert!(refused(&many).contains("more than 5000 documents"));
}
