//! The values of a driver's chart.

use serde_json::Value;

use super::{Diagnostic, templates};
use crate::domain::DriverVersion;

/// The text of the chart's values (YAML, not read yet): the template that `spec.helm.main.values` names, rendered with a
/// context that [`super::context::resolve`] made. Empty where the driver has no such file: the chart's own values hold.
///
/// # Errors
/// The template fails: the file, the line, and what is wrong.
pub fn values(driver: &DriverVersion, context: &Value) -> Result<String, Diagnostic> {
    match &driver.spec.helm {
        Some(chart) if driver.files.contains_key(&chart.values) => {
            templates::render(&driver.files, Some(chart), &chart.values, context)
        }
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::driver::{Loaded, load_directory};

    /// A driver that was written for the described system.
    fn described(name: &str) -> Loaded {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers").join(name);
        load_directory(&directory).unwrap_or_else(|errors| panic!("{errors:#?}"))
    }

    fn rendered(name: &str, context: &Value) -> Value {
        let text = values(&described(name).version, context).unwrap_or_else(|error| panic!("{error}"));
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn context() -> Value {
        let parameters =
            json!({"site_title": "A: \"B\"", "workers": 3, "open_registration": true, "log_level": "info"});
        json!({
            "app": { "name": "wiki", "version": "1.6.0" },
            "cluster": { "standard_storage": {} },
            "instance": { "config": { "ingress_class": "shared" } },
            "parameters": parameters,
            "components": {
                "server": {
                    "env": [{ "name": "WIKI_UPLOAD_LIMIT", "value": "20" }],
                    "command": ["sleep", "inf"],
                    "args": [],
                },
                "task-worker": { "env": [] },
            },
            "services": { "wiki": {
                "primary_fqdn": "wiki-0123abcd.example.org",
                "human_readable_fqdn": "wiki-demo.example.org",
            } },
        })
    }

    #[test]
    fn drivers_of_the_described_system_load_unchanged_and_say_what_python_needs() {
        for (name, python, other) in [("wiki", 4, "nobody is asked"), ("tracker", 0, "is left to an action")]
        {
            let warnings: Vec<String> = described(name).warnings.iter().map(ToString::to_string).collect();
            let of_python = warnings.iter().filter(|warning| warning.contains("Python needs python3"));
            assert_eq!(of_python.count(), python, "{name}: {warnings:#?}");
            assert_eq!(warnings.len(), python + 1, "{name}: {warnings:#?}");
            assert!(warnings.iter().any(|warning| warning.contains(other)), "{name}: {warnings:#?}");
        }
        let wiki = described("wiki").version.spec;
        assert_eq!(wiki.actions[3].prompts[0].name, "email");
        assert_eq!(wiki.helm.unwrap().version.as_deref(), Some("8.2.1"));
        let tracker = described("tracker").version.spec;
        assert_eq!(tracker.components["server"].volumes, ["attachments", "plugins"]);
        assert_eq!(tracker.helm.unwrap().values, "tracker-values.j2.yml");
    }

    #[test]
    fn the_values_of_a_chart_come_from_the_context() {
        let values = rendered("wiki", &context());
        assert_eq!(values["image"]["tag"], "1.6.0");
        assert_eq!(values["siteTitle"], "A: \"B\"");
        assert_eq!(values["registration"], true);
        assert_eq!(values["worker"], json!({ "replicas": 3, "extraEnv": [] }));
        assert_eq!(
            values["server"],
            json!({
                "extraEnv": [{ "name": "WIKI_UPLOAD_LIMIT", "value": "20" }],
                "command": ["sleep", "inf"],
                "args": [],
            })
        );
        assert_eq!(
            values["ingress"],
            json!({
                "enabled": true,
                "className": "shared",
                "hosts": ["wiki-0123abcd.example.org", "wiki-demo.example.org"],
            })
        );
    }

    #[test]
    fn what_an_environment_does_not_have_is_left_out() {
        let mut context = context();
        context["instance"]["config"] = json!({});
        context["components"]["server"]["command"] = json!([]);
        let values = rendered("wiki", &context);
        assert_eq!(values["ingress"].get("className"), None);
        assert_eq!(values["server"].get("command"), None);
        assert_eq!(values["persistence"]["storageClass"], "");
        context["services"]["wiki"] = json!({ "primary_fqdn": "", "human_readable_fqdn": "" });
        assert_eq!(rendered("wiki", &context)["ingress"], json!({ "enabled": false }));
    }

    #[test]
    fn an_error_has_its_line_and_a_chart_without_a_template_has_no_values() {
        let mut context = context();
        context["parameters"] = json!({ "site_titel": "x" });
        let mut driver = described("wiki").version;
        let error = values(&driver, &context).unwrap_err().to_string();
        assert_eq!(
            error,
            "values.j2.yml:4:15: 'parameters.site_title' is not defined (did you mean 'site_titel'?)"
        );
        driver.files.remove("values.j2.yml");
        assert_eq!(values(&driver, &context).unwrap(), "");
    }
}
