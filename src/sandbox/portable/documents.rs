//! Objects in a stream of YAML documents.

use serde_json::Value;

use super::PortableError;

/// How every export begins.
pub const HEADER: &str = "# Written by `styrmin sandbox export`. It may hold Secrets: keep it to yourself.\n";
/// What stands between two documents.
const MARK: &str = "---";

/// One object, with the line where its document begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// From 1.
    pub line: usize,
    /// The object.
    pub object: Value,
}

/// An object as a document: YAML where that reads back as the same object, JSON (which is YAML as well) otherwise.
pub fn write(object: &Value) -> Result<String, serde_json::Error> {
    let yaml = serde_saphyr::to_string(object).ok();
    let faithful = |yaml: &String| !has_mark(yaml) && read_one(yaml).as_ref() == Ok(object);
    let mut text = match yaml.filter(faithful) {
        Some(yaml) => yaml,
        None => serde_json::to_string_pretty(object)?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(format!("{MARK}\n{text}"))
}

/// Every object of a stream; a `List` stands for its items.
pub fn read(text: &str) -> Result<Vec<Found>, PortableError> {
    let mut found = Vec::new();
    for (line, document) in split(text) {
        let object = read_one(&document).map_err(|why| PortableError::Document { line, why })?;
        match object {
            Value::Null => {}
            Value::Object(mut map) if map.get("kind").is_some_and(|kind| kind == "List") => {
                if let Some(Value::Array(items)) = map.remove("items") {
                    found.extend(items.into_iter().map(|object| Found { line, object }));
                }
            }
            object => found.push(Found { line, object }),
        }
    }
    Ok(found)
}

fn read_one(document: &str) -> Result<Value, String> {
    // the file is the person's own: it may be as large as it is
    let mut options = serde_saphyr::Options::default();
    options.budget = None;
    serde_saphyr::from_str_with_options(document, options).map_err(|error| error.to_string())
}

fn is_mark(line: &str) -> bool {
    line.strip_prefix(MARK).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
}

fn has_mark(text: &str) -> bool {
    text.lines().any(|line| is_mark(line) || line.starts_with("..."))
}

/// The documents with their first lines: a mark at the beginning of a line can be nothing else in YAML.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_mark(line.trim_end_matches('\n')) {
            documents.push((index + 2, line[MARK.len()..].to_owned()));
        } else if let Some((_, document)) = documents.last_mut() {
            document.push_str(line);
        }
    }
    documents.retain(|(_, document)| {
        document.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    });
    documents
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_is_split_where_documents_begin() {
        let text = "# head\n---\na: 1\n--- # two\nb: |\n  ---\n  x\n---\n\n---\nkind: List\nitems: [{c: 1}, {d: 2}]\n";
        let found = read(text).unwrap();
        let lines: Vec<usize> = found.iter().map(|found| found.line).collect();
        let objects: Vec<Value> = found.into_iter().map(|found| found.object).collect();
        assert_eq!(objects, [json!({"a": 1}), json!({"b": "---\nx\n"}), json!({"c": 1}), json!({"d": 2})]);
        assert_eq!(lines, [3, 5, 11, 11]);
    }

    #[test]
    fn a_broken_document_is_told_with_its_line() {
        let error = read("---\na: 1\n---\na: [\n").unwrap_err();
        assert!(matches!(error, PortableError::Document { line: 4, .. }), "{error}");
    }

    #[test]
    fn difficult_texts_come_back() {
        let texts = [
            "yes",
            "null",
            "~",
            "1e3",
            "0x1F",
            "010",
            "",
            " ",
            "a: b",
            "- x",
            "---",
            "...",
            "# no",
            "\t",
            "x\n",
            "\nx\n\n",
            "a\n---\nb",
            "\u{0}",
            "\u{85}\u{2028}",
            "\u{feff}x",
            "é😀",
            "'\"\\",
            "{{ x }}",
            "1_000",
            ".inf",
        ];
        for text in texts {
            let object = json!({"kind": "X", text: text, "list": [text, [text], {}]});
            let found = read(&write(&object).unwrap()).unwrap();
            assert_eq!(found.len(), 1, "{text:?}");
            assert_eq!(found[0].object, object, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(key in "\\PC*", text in any::<String>(), number in any::<i64>()) {
            let object = json!({"kind": "X", "data": {key: text}, "number": number});
            let found = read(&write(&object).unwrap()).unwrap();
            prop_assert_eq!(&found[0].object, &object);
        }
    }
}
