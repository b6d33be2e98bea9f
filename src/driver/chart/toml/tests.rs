//! What Helm writes as TOML. The answers in `written.txt` are those of the real Helm 3.17.3.

use super::*;
use crate::driver::chart::json::{self, Numbers};

#[test]
fn values_are_written_as_by_helm() {
    let lines: Vec<&str> = include_str!("written.txt").lines().collect();
    assert!(lines.len() > 60);
    for case in lines.chunks(2) {
        let [source, expected] = case else { panic!("{case:?}") };
        let value = json::read(source, Numbers::Float).unwrap();
        let expected: String = serde_json::from_str(expected.trim()).unwrap();
        assert_eq!(write(&value).unwrap_or_else(|problem| problem), expected, "{source}");
    }
}

#[test]
fn documents_are_read() {
    let value =
        read("a = 1\n[b]\nc = [1.5, \"x\", true]\nd = 1979-05-27T07:32:00Z\n[[e]]\nf = 0xff\n").unwrap();
    assert_eq!(
        json::write(&value).unwrap(),
        r#"{"a":1,"b":{"c":[1.5,"x",true],"d":"1979-05-27T07:32:00Z"},"e":[{"f":255}]}"#
    );
    assert!(read("a = 1\nb = ").unwrap_err().starts_with("toml: line 2: "));
    assert!(read(&format!("a = {}", "[".repeat(100_000))).is_err());
}
