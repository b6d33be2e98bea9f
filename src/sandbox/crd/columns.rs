//! Printer columns and the scale subresource: values at JSON paths.

use serde_json::Value;

mod path;

pub use path::{at_path, put_at_path, values_at};

/// A column of a Table of custom resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterColumn {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: String,
    /// `date-time`, `byte` and the like; empty when it was not given.
    pub format: String,
    /// Where the value is.
    pub json_path: String,
    /// What it means.
    pub description: String,
    /// 0: always shown; above: only in wide output.
    pub priority: i64,
}

/// The columns of a version; a definition without any has the age.
pub fn printer_columns(crd: &Value, version: &str) -> Vec<PrinterColumn> {
    let columns =
        super::version(crd, version).and_then(|version| version["additionalPrinterColumns"].as_array());
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
        return vec![PrinterColumn {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            json_path: ".metadata.creationTimestamp".to_owned(),
            description: "The time since the object was created.".to_owned(),
            priority: 0,
        }];
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let column = |column: &Value| PrinterColumn {
        name: text(&column["name"]),
        kind: text(&column["type"]),
        format: text(&column["format"]),
        json_path: text(&column["jsonPath"]),
        description: text(&column["description"]),
        priority: column["priority"].as_i64().unwrap_or(0),
    };
    columns.iter().map(column).collect()
}

/// Where the scale subresource of a version reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    /// `.spec.replicas`.
    pub spec_replicas: String,
    /// `.status.replicas`.
    pub status_replicas: String,
    /// `.status.selector`.
    pub label_selector: Option<String>,
}

/// The scale subresource of a version, if it has one.
pub fn scale_paths(crd: &Value, version: &str) -> Option<ScalePaths> {
    let scale = super::version(crd, version)?["subresources"].get("scale")?;
    Some(ScalePaths {
        spec_replicas: scale["specReplicasPath"].as_str()?.to_owned(),
        status_replicas: scale["statusReplicasPath"].as_str()?.to_owned(),
        label_selector: scale["labelSelectorPath"].as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_and_scale_of_a_version() {
        let crd = json!({"spec": {"versions": [
            {"name": "v1", "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1}],
                "subresources": {"scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}}},
            {"name": "v2"}]}});
        let columns = printer_columns(&crd, "v1");
        assert_eq!((columns[0].name.as_str(), columns[0].priority), ("Size", 1));
        assert_eq!(printer_columns(&crd, "v2")[0].name, "Age");
        assert_eq!(scale_paths(&crd, "v1").unwrap().spec_replicas, ".spec.n");
        assert_eq!(scale_paths(&crd, "v2"), None);
    }
}
