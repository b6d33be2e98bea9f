//! Jinja2 templates, with bounded work: fuel for instructions and for every byte that is produced, a depth limit, no files
//! but the driver's own, no network.

mod bounds;
mod filters;
mod methods;
mod scan;
mod secrets;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::value::Value as TemplateValue;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use super::{Diagnostic, suggest};
use crate::domain::driver::HelmChart;

/// What one template may cost: an instruction or 64 bytes of output each.
const FUEL: u64 = 200_000;
/// What all templates of a driver together may cost.
const FUEL_TOTAL: u64 = 10 * FUEL;
/// How deep templates may include each other and recurse.
const DEPTH: usize = 64;
/// The largest output of one template, in bytes.
const OUTPUT_LIMIT: usize = 1 << 20;
/// The largest output of all templates of a driver together, in bytes.
const OUTPUT_TOTAL: usize = 16 << 20;

/// Whether a file is a template by its name: `*.j2`, and `*.j2.yml` or `*.j2.yaml` at the root, as values of a chart are.
pub(super) fn is_template(path: &str) -> bool {
    path.ends_with(".j2")
        || (!path.contains('/') && (path.ends_with(".j2.yml") || path.ends_with(".j2.yaml")))
}

/// Whether a file is a manifest that is rendered: `manifests/*.yaml.j2`. Names that start with `_` are parts for `include`.
pub(super) fn is_manifest(path: &str) -> bool {
    let Some(name) = path.strip_prefix("manifests/") else { return false };
    let name = name.rsplit('/').next().unwrap_or(name);
    !name.starts_with('_') && (name.ends_with(".yaml.j2") || name.ends_with(".yml.j2"))
}

/// The templates of a driver. What is in its chart's directory is Helm's; the chart's values are one whatever their name.
fn of_driver<'a>(
    files: &'a BTreeMap<String, String>,
    chart: Option<&'a HelmChart>,
) -> impl Iterator<Item = (&'a String, &'a String)> {
    let directory = chart.and_then(HelmChart::local_path).filter(|path| !path.is_empty());
    let is_helms = move |path: &str| {
        let inside = directory.and_then(|directory| path.strip_prefix(directory));
        inside.is_some_and(|rest| rest.starts_with('/'))
    };
    files.iter().filter(move |(path, _)| {
        chart.is_some_and(|chart| chart.values == **path) || (is_template(path) && !is_helms(path))
    })
}

/// The syntax errors of all templates.
pub(super) fn check(files: &BTreeMap<String, String>, chart: Option<&HelmChart>) -> Vec<Diagnostic> {
    let mut environment = engine();
    let templates = of_driver(files, chart);
    templates.filter_map(|(path, text)| add(&mut environment, path, text).err()).collect()
}

/// Renders one template of the driver.
pub(super) fn render(
    files: &BTreeMap<String, String>,
    chart: Option<&HelmChart>,
    path: &str,
    context: &Value,
) -> Result<String, Diagnostic> {
    Templates::new(files, chart, context)?.render(path)
}

/// The templates of a driver, read once, with one context.
pub(super) struct Templates<'a> {
    environment: Environment<'a>,
    files: &'a BTreeMap<String, String>,
    context: &'a Value,
    values: TemplateValue,
    /// What all of them together may still cost, and how many bytes they may still write.
    fuel: u64,
    output: usize,
}

impl<'a> Templates<'a> {
    /// Reads the templates.
    pub(super) fn new(
        files: &'a BTreeMap<String, String>,
        chart: Option<&'a HelmChart>,
        context: &'a Value,
    ) -> Result<Self, Diagnostic> {
        let mut environment = engine();
        for (path, text) in of_driver(files, chart) {
            add(&mut environment, path, text)?;
        }
        Ok(Self {
            environment,
            files,
            context,
            values: values::of_context(context),
            fuel: FUEL_TOTAL,
            output: OUTPUT_TOTAL,
        })
    }

    /// Renders one of them.
    pub(super) fn render(&mut self, path: &str) -> Result<String, Diagnostic> {
        let granted = FUEL.min(self.fuel);
        self.environment.set_fuel(Some(granted));
        let template = self.environment.get_template(path).map_err(|error| self.told(path, &error))?;
        match template.render_captured(self.values.clone()) {
            Ok(captured) => {
                self.fuel -= captured.state().fuel_levels().map_or(granted, |(used, _)| used.min(granted));
                let text = captured.into_output();
                if text.len() > OUTPUT_LIMIT {
                    let message = format!("its output has {} bytes, the limit is {OUTPUT_LIMIT}", text.len());
                    return Err(Diagnostic::of_file(path, message, ""));
                }
                if let Some((parameter, message)) =
                    secrets::printed(&text, |name| self.context["parameters"].get(name).is_some())
                {
                    let source = self.files.get(path).map_or("", String::as_str);
                    let line = secrets::line_of(source, &parameter);
                    return Err(Diagnostic { line, ..Diagnostic::of_file(path, message, "") });
                }
                self.output = self.output.checked_sub(text.len()).ok_or_else(|| {
                    let message = format!("the driver renders more than {OUTPUT_TOTAL} bytes");
                    Diagnostic::of_file(path, message, "")
                })?;
                Ok(text)
            }
            Err(error) => {
                // How much was used until then is not known.
                self.fuel -= granted;
                Err(self.told(path, &error))
            }
        }
    }

    fn told(&self, path: &str, error: &Error) -> Diagnostic {
        let file = error.name().unwrap_or(path);
        // The places of an error are those of the template as it was prepared.
        let prepared = self.environment.get_template(file).ok();
        let mut found = diagnostic(file, prepared.as_ref().map_or("", |template| template.source()), error);
        if error.kind() == ErrorKind::UndefinedError && found.hint.is_empty() {
            found.hint = undefined_hint(&found.message, self.context);
        }
        found
    }
}

fn add<'a>(environment: &mut Environment<'a>, path: &'a str, text: &str) -> Result<(), Diagnostic> {
    let prepared = bounds::prepare(path, text)?;
    let added = environment.add_template_owned(path, prepared.clone());
    added.map_err(|error| diagnostic(path, &prepared, &error))
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
    bounds::add(&mut environment);
    secrets::guard(&mut environment);
    filters::add(&mut environment);
    environment
}

/// An error of the engine at its place: file, line, and the expression that failed.
fn diagnostic(path: &str, text: &str, error: &Error) -> Diagnostic {
    let range = error.range().filter(|range| range.end <= text.len() && range.start < range.end);
    let range = range.map(|range| match error.kind() {
        ErrorKind::UndefinedError => filtered(text, range.clone()).unwrap_or(range),
        _ => range,
    });
    let expression = range.clone().and_then(|range| text.get(range)).map(str::trim).unwrap_or("");
    let column = range
        .and_then(|range| text.get(..range.start))
        .map_or(0, |before| bounds::column(before.rsplit('\n').next().unwrap_or("")));
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
    let message = super::reader::cut(message);
    Diagnostic { line: error.line().unwrap_or(0), column, ..Diagnostic::of_file(path, message, "") }
}

/// What a filter was given, when `range` is the filter's name: that is what is undefined, not the filter.
fn filtered(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let before = text.get(..range.start)?.trim_end().strip_suffix('|')?;
    let opened = ["{{", "{%"].iter().filter_map(|open| before.rfind(open)).max()? + 2;
    let inside = before.get(opened..)?;
    // What stands before it on the same level: `{{ a ~ b | upper }}` filters `b`.
    let cut = |c: char| c.is_whitespace() || matches!(c, '(' | ',' | '=' | '~' | '+' | '[' | '{' | ':' | '-');
    let trimmed = inside.trim_end();
    let start = trimmed.rfind(cut).map_or(0, |place| place + 1);
    (start < trimmed.len()).then(|| opened + start..opened + trimmed.len())
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
        render(&files, None, "manifests/a.yaml.j2", &context)
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
    fn a_secret_is_a_place_and_has_no_text() {
        let reference = json!({"secret": "notes-parameters", "key": "password.ab12", "digest": "ab12"});
        let context = json!({"parameters": {"password": reference, "empty": ""}});
        let out = |text: &str| output(text, context.clone());
        assert_eq!(
            out("secretKeyRef: {{ parameters.password | secret_key_ref }}"),
            "secretKeyRef: {'key': 'password.ab12', 'name': 'notes-parameters'}"
        );
        assert_eq!(
            out("{{ parameters.password.name }} {{ parameters.password.digest }}"),
            "notes-parameters ab12"
        );
        assert_eq!(out("{{ parameters.password.key | quote }}"), "\"password.ab12\"");
        assert_eq!(out("{% if parameters.password %}a{% endif %}{% if parameters.empty %}b{% endif %}"), "a");
        for wrong in [
            "password",
            "password | quote",
            "password | tojson",
            "password | to_yaml",
            "password | b64encode",
            "password | indent(2)",
            "password | upper",
            "password ~ ''",
            "password | string",
            "password | replace('a', 'b')",
        ] {
            let error = failure(&format!("a: 1\nb: {{{{ parameters.{wrong} }}}}"), context.clone());
            assert!(error.contains("| secret_key_ref }}"), "{wrong}: {error}");
            assert!(error.starts_with("manifests/a.yaml.j2:2"), "{wrong}: {error}");
        }
        let icons = "\u{E000} \u{E000}\u{E041}\u{E000}\u{E000}";
        assert_eq!(out(icons), icons, "signs of icon fonts are no secrets");
        let error = failure(&format!("{icons}{{{{ parameters.password ~ '\u{E000}' }}}}"), context.clone());
        assert!(error.contains("| secret_key_ref }}"), "{error}");
        let error = failure("{{ parameters.empty | secret_key_ref }}", context.clone());
        assert!(error.contains("not set"), "{error}");
        assert_eq!(out("{{ 'w6Q=' | b64decode }}"), "ä");
        assert!(failure("{{ '?' | b64decode }}", context).contains("no Base64"));
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
            let expected = "manifests/a.yaml.j2:1:7: 'parameters.nope' is not defined";
            assert!(error.starts_with(expected), "{filter}: {error}");
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
    fn all_templates_together_are_limited_too() {
        let busy = "{% for a in range(3000) %}{% for b in range(7) %}{% endfor %}{% endfor %}";
        let paths: Vec<String> = (0..40).map(|n| format!("manifests/{n}.yaml.j2")).collect();
        let files: BTreeMap<String, String> =
            paths.iter().map(|path| (path.clone(), busy.to_owned())).collect();
        let context = json!({});
        let mut templates = Templates::new(&files, None, &context).unwrap();
        assert_eq!(templates.render(&paths[0]).unwrap(), "", "one alone is allowed");
        let refused = paths.iter().find_map(|path| templates.render(path).err()).unwrap();
        assert!(refused.message.contains("too much work"), "{refused}");

        let large = BTreeMap::from([("manifests/a.yaml.j2".to_owned(), "x".repeat(OUTPUT_LIMIT))]);
        let mut templates = Templates::new(&large, None, &context).unwrap();
        let refused = (0..20).find_map(|_| templates.render("manifests/a.yaml.j2").err()).unwrap();
        assert!(refused.message.contains("renders more than"), "{refused}");
    }

    #[test]
    fn syntax_errors_have_their_line() {
        let files = BTreeMap::from([
            ("manifests/a.yaml.j2".to_owned(), "a: 1\n{% if x %}\n".to_owned()),
            ("manifests/b.yaml.j2".to_owned(), "{{ x | nope }}".to_owned()),
            ("notes.txt".to_owned(), "{% never read %}".to_owned()),
        ]);
        let found = check(&files, None);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].file, "manifests/a.yaml.j2");
        assert!(found[0].line >= 2, "{found:?}");
    }
}
