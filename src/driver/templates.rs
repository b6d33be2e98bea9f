//! Jinja2 templates, with bounded work: fuel for instructions and for every byte that is produced, a depth limit, no files
//! but the driver's own, no network.

mod filters;
mod methods;
mod values;

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use super::{Diagnostic, suggest};

/// What one template may cost: an instruction or 64 bytes of output each.
const FUEL: u64 = 200_000;
/// How deep templates may include each other and recurse.
const DEPTH: usize = 64;
/// The largest output of one template, in bytes.
const OUTPUT_LIMIT: usize = 1 << 20;

/// Whether a file is a template.
pub(super) fn is_template(path: &str) -> bool {
    path.ends_with(".j2") || path == "values.j2.yml"
}

/// Whether a file is a manifest that is rendered: `manifests/*.yaml.j2`. Names that start with `_` are parts for `include`.
pub(super) fn is_manifest(path: &str) -> bool {
    let Some(name) = path.strip_prefix("manifests/") else { return false };
    let name = name.rsplit('/').next().unwrap_or(name);
    !name.starts_with('_') && (name.ends_with(".yaml.j2") || name.ends_with(".yml.j2"))
}

/// The syntax errors of all templates.
pub(super) fn check(files: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut environment = engine();
    let templates = files.iter().filter(|(path, _)| is_template(path));
    templates
        .filter_map(|(path, text)| {
            environment.add_template(path, text).err().map(|error| diagnostic(path, text, &error))
        })
        .collect()
}

/// Renders one template of the driver.
pub(super) fn render(
    files: &BTreeMap<String, String>,
    path: &str,
    context: &Value,
) -> Result<String, Diagnostic> {
    let mut environment = engine();
    for (path, text) in files.iter().filter(|(path, _)| is_template(path)) {
        environment.add_template(path, text).map_err(|error| diagnostic(path, text, &error))?;
    }
    let told = |error: &Error| {
        let file = error.name().unwrap_or(path);
        let mut found = diagnostic(file, files.get(file).map_or("", String::as_str), error);
        if error.kind() == ErrorKind::UndefinedError && found.hint.is_empty() {
            found.hint = undefined_hint(&found.message, context);
        }
        found
    };
    let template = environment.get_template(path).map_err(|error| told(&error))?;
    let text = template.render(values::to_template(context)).map_err(|error| told(&error))?;
    if text.len() > OUTPUT_LIMIT {
        let message = format!("its output has {} bytes, the limit is {OUTPUT_LIMIT}", text.len());
        return Err(Diagnostic::of_file(path, message, ""));
    }
    Ok(text)
}

fn engine<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    // The name of a template must not decide how values are written: `.yaml` would make JSON of them.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_debug(true);
    environment.set_unknown_method_callback(methods::call);
    filters::add(&mut environment);
    environment
}

/// An error of the engine at its place: file, line, and the expression that failed.
fn diagnostic(path: &str, text: &str, error: &Error) -> Diagnostic {
    let range = error.range().filter(|range| range.end <= text.len() && range.start < range.end);
    let expression = range.clone().and_then(|range| text.get(range)).map(str::trim).unwrap_or("");
    let column = range
        .and_then(|range| text.get(..range.start))
        .map_or(0, |before| before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
    // An error inside an included template is the cause of one in the template that includes it.
    let cause = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
    let innermost = cause.and_then(|cause| cause.downcast_ref::<Error>()).unwrap_or(error);
    let detail = innermost.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UndefinedError if !expression.is_empty() => {
            format!("'{expression}' is not defined")
        }
        ErrorKind::OutOfFuel => format!("the template does too much work (more than {FUEL} steps)"),
        kind => format!("{kind}{detail}"),
    };
    Diagnostic {
        file: path.to_owned(),
        line: error.line().unwrap_or(0),
        column,
        message,
        hint: String::new(),
    }
}

/// The nearest name in the context to the path that is not defined.
fn undefined_hint(message: &str, context: &Value) -> String {
    let path = message.strip_prefix('\'').and_then(|rest| rest.split('\'').next()).unwrap_or("");
    let mut value = context;
    for name in path
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
        .filter(|name| !name.is_empty())
    {
        match (value.get(name), value.as_object()) {
            (Some(next), _) => value = next,
            (None, Some(map)) => return suggest::hint(name, map.keys().map(String::as_str)),
            (None, None) => return String::new(),
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(text: &str, context: Value) -> Result<String, Diagnostic> {
        let files = BTreeMap::from([("manifests/a.yaml.j2".to_owned(), text.to_owned())]);
        render(&files, "manifests/a.yaml.j2", &context)
    }

    fn output(text: &str, context: Value) -> String {
        rendered(text, context).unwrap_or_else(|error| panic!("{error}"))
    }

    fn failure(text: &str, context: Value) -> String {
        rendered(text, context).unwrap_err().to_string()
    }

    #[test]
    fn values_are_written_as_they_are() {
        assert_eq!(
            output(
                "v: {{ app.version }} {{ n }} {{ b }}",
                json!({"app": {"version": "1.0"}, "n": 3, "b": true})
            ),
            "v: 1.0 3 True"
        );
        assert_eq!(output("{{ a | tojson }}", json!({"a": {"x": [1, "y"]}})), r#"{"x": [1, "y"]}"#);
        assert_eq!(output("{{ a | quote }}", json!({"a": "yes \"1\""})), r#""yes \"1\"""#);
        assert_eq!(output("{{ a | b64encode }}", json!({"a": "äbc"})), "w6RiYw==");
        assert_eq!(
            output("x:\n  {{ a | to_yaml | indent(2) }}", json!({"a": {"k": "1", "l": [true]}})),
            "x:\n  k: \"1\"\n  l:\n  - true"
        );
        assert_eq!(
            output(
                "{% for k, v in a.items() %}{{ k }}={{ v.upper() }}{% endfor %}",
                json!({"a": {"k": "v"}})
            ),
            "k=V"
        );
    }

    #[test]
    fn component_filters_give_lists() {
        let context =
            json!({"components": {"web": {"env": [{"name": "A", "value": "1"}], "command": ["run"]}}});
        assert_eq!(
            output("{{ components | component_env_vars('web') | tojson }}", context.clone()),
            r#"[{"name": "A", "value": "1"}]"#
        );
        assert_eq!(
            output("{{ components | component_command('web') | tojson }}", context.clone()),
            r#"["run"]"#
        );
        assert_eq!(output("{{ components | component_args('web') | tojson }}", context.clone()), "[]");
        let error = failure("\n{{ components | component_args('wbe') }}", context);
        assert!(
            error.starts_with("manifests/a.yaml.j2:2:") && error.contains("did you mean 'web'?"),
            "{error}"
        );
    }

    #[test]
    fn versions_can_be_tested() {
        let text = "{% if app.version is version('>=1.1') %}new{% else %}old{% endif %}";
        assert_eq!(output(text, json!({"app": {"version": "1.2.0-broken"}})), "new");
        assert_eq!(output(text, json!({"app": {"version": "1.0.9"}})), "old");
    }

    #[test]
    fn what_is_undefined_has_its_place_and_a_suggestion() {
        let context = json!({"parameters": {"title": "x"}});
        let error = failure("a: 1\nb: {{ parameters.titel }}\n", context.clone());
        assert_eq!(
            error,
            "manifests/a.yaml.j2:2:7: 'parameters.titel' is not defined (did you mean 'title'?)"
        );
        for filter in ["tojson", "to_yaml", "quote", "b64encode", "indent(2)"] {
            let error = failure(&format!("b: {{{{ parameters.nope | {filter} }}}}"), context.clone());
            assert!(error.starts_with("manifests/a.yaml.j2:1:"), "{filter}: {error}");
        }
        assert_eq!(output("{% if parameters.nope %}x{% endif %}", context), "", "asking is allowed");
    }

    #[test]
    fn work_and_output_are_limited() {
        let error = failure(
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            json!({}),
        );
        assert!(error.contains("too much work"), "{error}");
        let error = failure("{{ 'x' * 100000000 }}", json!({}));
        assert!(error.contains("too much work"), "{error}");
        let error = failure("{% include 'manifests/a.yaml.j2' %}", json!({}));
        assert!(error.contains("recursion"), "{error}");
        let error = failure("{% include '/etc/passwd' %}", json!({}));
        assert!(error.contains("not found"), "{error}");
    }

    #[test]
    fn syntax_errors_have_their_line() {
        let files = BTreeMap::from([
            ("manifests/a.yaml.j2".to_owned(), "a: 1\n{% if x %}\n".to_owned()),
            ("manifests/b.yaml.j2".to_owned(), "{{ x | nope }}".to_owned()),
            ("notes.txt".to_owned(), "{% never read %}".to_owned()),
        ]);
        let found = check(&files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].file, "manifests/a.yaml.j2");
        assert!(found[0].line >= 2, "{found:?}");
    }
}
