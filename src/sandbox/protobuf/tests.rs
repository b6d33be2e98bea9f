//! Bytes as a Go client writes them, and bytes as nobody should.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn text(number: u64, content: &str) -> Vec<u8> {
    bytes(number, content.as_bytes())
}

fn integer(number: u64, value: i64) -> Vec<u8> {
    [varint(number << 3), varint(value.cast_unsigned())].concat()
}

fn double(number: u64, value: f64) -> Vec<u8> {
    [varint(number << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [text(1, api_version), text(2, kind)].concat();
    [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw), text(3, ""), text(4, "")].concat()
}

#[test]
fn a_config_map_as_kubectl_creates_it() {
    let metadata =
        [text(1, "settings"), text(2, ""), text(3, "default"), text(5, ""), integer(7, 0), bytes(8, &[])];
    let raw = [
        bytes(1, &metadata.concat()),
        bytes(2, &[text(1, "colour"), text(2, "green")].concat()),
        bytes(2, &[text(1, "empty"), text(2, "")].concat()),
        bytes(3, &[text(1, "blob"), bytes(2, &[0, 255])].concat()),
    ];
    let read = object(&envelope("v1", "ConfigMap", &raw.concat())).unwrap();
    let expected = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"},
        "data": {"colour": "green", "empty": ""},
        "binaryData": {"blob": "AP8="},
    });
    assert_eq!(read, expected);
}

#[test]
fn zeros_are_kept_where_go_has_pointers() {
    let container =
        [text(1, "web"), text(2, "x:1"), bytes(10, &[bytes(1, &[]), integer(3, 0), integer(7, 0)].concat())];
    let pod_spec = [bytes(2, &container.concat()), integer(4, 0), integer(11, 0)];
    let template = bytes(2, &pod_spec.concat());
    let spec = [integer(1, 0), bytes(3, &template), integer(5, 0), integer(7, 0)];
    let read = object(&envelope("apps/v1", "Deployment", &bytes(2, &spec.concat()))).unwrap();
    assert_eq!(read["spec"]["replicas"], 0);
    assert!(read["spec"].get("minReadySeconds").is_none() && read["spec"].get("paused").is_none());
    let pod = &read["spec"]["template"]["spec"];
    assert_eq!(pod["terminationGracePeriodSeconds"], 0);
    assert!(pod.get("hostNetwork").is_none());
    let probe = &pod["containers"][0]["livenessProbe"];
    assert!(probe.get("timeoutSeconds").is_none(), "zero means the default");
    assert_eq!(probe["terminationGracePeriodSeconds"], 0);
}

#[test]
fn volumes_and_handlers_are_part_of_their_parents() {
    let source = bytes(19, &[bytes(1, &text(1, "settings"))].concat());
    let volume = [text(1, "config"), bytes(2, &source)];
    let claim = bytes(2, &bytes(10, &[text(1, "data-0")].concat()));
    let other = [text(1, "data"), claim];
    let spec = [bytes(1, &volume.concat()), bytes(1, &other.concat())];
    let read = object(&envelope("v1", "Pod", &bytes(2, &spec.concat()))).unwrap();
    let expected = json!([{"name": "config", "configMap": {"name": "settings"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]);
    assert_eq!(read["spec"]["volumes"], expected);
}

#[test]
fn quantities_times_and_ports_have_forms_of_their_own() {
    let requests = bytes(2, &[text(1, "cpu"), bytes(2, &text(1, "250m"))].concat());
    let pod = bytes(2, &bytes(2, &[text(1, "web"), bytes(8, &requests)].concat()));
    let read = object(&envelope("v1", "Pod", &pod)).unwrap();
    assert_eq!(read["spec"]["containers"][0]["resources"], json!({"requests": {"cpu": "250m"}}));

    let named = [integer(3, 80), bytes(4, &[integer(1, 1), integer(2, 0), text(3, "http")].concat())];
    let numbered = [integer(3, 81), bytes(4, &[integer(1, 0), integer(2, 8081), text(3, "")].concat())];
    let service = bytes(2, &[bytes(1, &named.concat()), bytes(1, &numbered.concat())].concat());
    let read = object(&envelope("v1", "Service", &service)).unwrap();
    assert_eq!(read["spec"]["ports"][0]["targetPort"], "http");
    assert_eq!(read["spec"]["ports"][1]["targetPort"], 8081);

    let renewed = bytes(4, &[integer(1, 1_772_366_405), integer(2, 123_456_000)].concat());
    let lease = bytes(2, &[text(1, "me"), renewed].concat());
    let read = object(&envelope("coordination.k8s.io/v1", "Lease", &lease)).unwrap();
    assert_eq!(read["spec"]["renewTime"], "2026-03-01T12:00:05.123456Z");
}

#[test]
fn schemas_of_custom_resources_are_unions() {
    let size = [text(5, "integer"), double(9, 10.0), double(11, 0.5), bytes(8, &bytes(1, b"3"))];
    let property = bytes(29, &[text(1, "size"), bytes(2, &size.concat())].concat());
    let list = bytes(24, &bytes(1, &text(5, "string")));
    let closed = bytes(30, &integer(1, 0));
    let schema = [text(5, "object"), property, list, closed];
    let version = [text(1, "v1"), integer(2, 1), integer(3, 1), bytes(4, &bytes(1, &schema.concat()))];
    let definition = bytes(2, &[text(1, "example.org"), bytes(7, &version.concat())].concat());
    let read = object(&envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", &definition)).unwrap();
    let schema = &read["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    assert_eq!(
        schema["properties"]["size"],
        json!({"type": "integer", "maximum": 10, "minimum": 0.5, "default": 3})
    );
    assert_eq!(
        (&schema["items"], &schema["additionalProperties"]),
        (&json!({"type": "string"}), &json!(false))
    );
}

#[test]
fn what_is_no_object_is_refused_with_the_reason() {
    assert_eq!(object(b"{}"), Err(DecodeError::Prefix));
    let cut = envelope("v1", "Pod", &text(2, "x"));
    assert!(matches!(object(&cut[..cut.len() - 6]), Err(DecodeError::Malformed(_))));
    let custom = object(&envelope("example.org/v1", "Widget", &[])).unwrap_err();
    assert!(custom.to_string().contains("Widget"), "{custom}");
    let number = object(&envelope("v1", "ConfigMap", &integer(1, 7)));
    assert_eq!(number, Err(DecodeError::WrongType("metadata".into())));
    let no_text = object(&envelope("v1", "ConfigMap", &bytes(1, &bytes(1, &[0xff]))));
    assert_eq!(no_text, Err(DecodeError::Text("name".into())));
    let mut deep = text(5, "object");
    for _ in 0..200 {
        deep = bytes(28, &deep);
    }
    let version = bytes(7, &bytes(4, &bytes(1, &deep)));
    let deep = object(&envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", &bytes(2, &version)));
    assert_eq!(deep, Err(DecodeError::TooDeep));
}

#[test]
fn what_is_newer_than_the_table_is_skipped() {
    let read = object(&envelope("v1", "ConfigMap", &[text(900, "new"), integer(901, 3)].concat())).unwrap();
    assert_eq!(read, json!({"apiVersion": "v1", "kind": "ConfigMap"}));
}

#[test]
fn objects_of_a_real_server_are_the_same_in_both_forms() {
    let lines: Vec<&str> =
        include_str!("recorded.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 4);
    for pair in lines.chunks(2) {
        let expected: Value = serde_json::from_str(pair[1]).unwrap();
        assert_eq!(object(&STANDARD.decode(pair[0]).unwrap()).unwrap(), expected);
    }
}

/// A SubjectAccessReview as a real server 1.20 answered it.
#[test]
fn reviews_are_read() {
    let read = object(&STANDARD.decode(REVIEW).unwrap()).unwrap();
    let expected = json!({
        "user": "u", "groups": ["g"], "uid": "7", "extra": {"k": ["v", "w"]},
        "resourceAttributes": {"namespace": "n", "verb": "get", "group": "apps", "version": "v1",
            "resource": "deployments", "subresource": "scale", "name": "d"},
    });
    assert_eq!((&read["kind"], &read["spec"]), (&json!("SubjectAccessReview"), &expected));
}

const REVIEW: &str = "azhzAAouChdhdXRob3JpemF0aW9uLms4cy5pby92MRITU3ViamVjdEFjY2Vzc1JldmlldxL5AgqpAgoAEgAaACIAKgAyADgAQgB6AIoBkwIKAXQSBlVwZGF0ZRoXYXV0aG9yaXphdGlvbi5rOHMuaW8vdjEiCAiV4o3YBhAAMghGaWVsZHNWMTrYAQrVAXsiZjpzcGVjIjp7ImY6ZXh0cmEiOnsiLiI6e30sImY6ayI6e319LCJmOmdyb3VwcyI6e30sImY6cmVzb3VyY2VBdHRyaWJ1dGVzIjp7Ii4iOnt9LCJmOmdyb3VwIjp7fSwiZjpuYW1lIjp7fSwiZjpuYW1lc3BhY2UiOnt9LCJmOnJlc291cmNlIjp7fSwiZjpzdWJyZXNvdXJjZSI6e30sImY6dmVyYiI6e30sImY6dmVyc2lvbiI6e319LCJmOnVpZCI6e30sImY6dXNlciI6e319fRJBCikKAW4SA2dldBoEYXBwcyICdjEqC2RlcGxveW1lbnRzMgVzY2FsZToBZBoBdSIBZyoLCgFrEgYKAXYKAXcyATcaCAgAEgAaACAAGgAiAA==";

proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = object(&envelope("v1", "Pod", &raw));
        let _ = object(&[MAGIC, &raw].concat());
    }
}
