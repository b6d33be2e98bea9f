//! Templates and what they make.

mod answers;
mod errors;
mod limits;
mod places;
mod random;

use jiff::Timestamp;

use super::*;
use crate::driver::chart::json::Numbers;
use crate::driver::chart::random::Draw;
use crate::driver::chart::yaml;

fn surroundings() -> Surroundings {
    Surroundings::new(Timestamp::UNIX_EPOCH, Draw::new([7; 32], Timestamp::UNIX_EPOCH))
}

/// Templates in which `lookup` finds one object.
fn templates(limits: Limits) -> Templates {
    let lookup = |key: &LookupKey| {
        Ok(match (key.kind.as_str(), key.name.as_str()) {
            ("Secret", "known") => Value::dict([("data", Value::dict([("key", Value::text("dmFsdWU="))]))]),
            ("Secret", "forbidden") => return Err("secrets is forbidden".to_owned()),
            _ => Value::Nil,
        })
    };
    Templates::new(surroundings(), Box::new(lookup), limits)
}

/// Executes `source` as the file `c/templates/a.yaml`, with the values of a chart.
fn render_with(source: &str, values: &str, limits: Limits) -> Result<String, TemplateError> {
    let values = yaml::read(values, Numbers::Float).unwrap();
    let mut templates = templates(limits);
    templates.add("c/templates/a.yaml", source)?;
    templates.execute("c/templates/a.yaml", &Value::dict([("Values", values)]))
}

fn render(source: &str, values: &str) -> Result<String, TemplateError> {
    on_deep_stack(|| render_with(source, values, Limits::default())).unwrap()
}

#[test]
fn missing_values_print_nothing() {
    assert_eq!(render("a{{ .Values.no }}b{{ .Values.none }}c", "none: ~").unwrap(), "abc");
}

#[test]
fn lookup_asks_for_an_object() {
    let yes = r#"{{ (lookup "v1" "Secret" "ns" "known").data.key }}"#;
    assert_eq!(render(yes, "").unwrap(), "dmFsdWU=");
    let no = r#"{{ lookup "v1" "Secret" "ns" "absent" }}{{ (lookup "v1" "Secret" "ns" "absent").data }}"#;
    assert_eq!(render(no, "").unwrap(), "map[]");
    let error = render(r#"{{ lookup "v1" "Secret" "ns" "forbidden" }}"#, "").unwrap_err();
    assert_eq!(error.message, "error calling lookup: secrets is forbidden");
}

#[test]
fn of_two_definitions_the_later_one_counts_unless_it_is_blank() {
    let rendered = on_deep_stack(|| {
        let mut templates = templates(Limits::default());
        templates
            .add("c/charts/d/templates/_helpers.tpl", r#"{{ define "name" }}dependency{{ end }}"#)
            .unwrap();
        templates.add("c/templates/_helpers.tpl", r#"{{ define "name" }}chart{{ end }}"#).unwrap();
        templates.add("c/templates/_blank.tpl", r#"{{ define "name" }}  {{ end }}"#).unwrap();
        templates.add("c/templates/a.yaml", r#"{{ include "name" . }}"#).unwrap();
        templates.execute("c/templates/a.yaml", &Value::Nil).unwrap()
    });
    assert_eq!(rendered.unwrap(), "chart");
}

#[test]
fn a_file_may_not_define_a_name_twice() {
    let error = render(r#"{{ define "x" }}1{{ end }}{{ define "x" }}2{{ end }}"#, "").unwrap_err();
    assert_eq!(error.message, r#"template: multiple definition of template "x""#);
}

#[test]
fn range_goes_through_numbers_as_in_helm_4() {
    assert_eq!(
        render("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}", "").unwrap(),
        "01201"
    );
}

/// A value with methods.
struct Version;

impl crate::driver::chart::value::Object for Version {
    fn type_name(&self) -> &'static str {
        "semver.Version"
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        (name == "Major").then_some(Ok(Value::Int(1)))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        (name == "Compare").then(|| match arguments {
            [Value::Text(other)] => Ok(Value::Int(if **other == *"1.2.3" { 0 } else { -1 })),
            _ => Err("no version".to_owned()),
        })
    }

    fn print(&self) -> String {
        "1.2.3".to_owned()
    }
}

#[test]
fn objects_have_fields_and_methods() {
    let rendered = |source: &'static str| {
        let work = move || {
            let mut templates = templates(Limits::default());
            templates.add("a", source)?;
            templates.execute("a", &Value::dict([("version", Value::Object(Rc::new(Version)))]))
        };
        on_deep_stack(work).unwrap().map_err(|error| error.message)
    };
    let made = rendered(
        r#"{{ .version }} {{ .version.Major }} {{ .version.Compare "1.2.3" }} {{ "x" | .version.Compare }}"#,
    );
    assert_eq!(made.unwrap(), "1.2.3 1 0 -1");
    assert_eq!(rendered("{{ if .version }}{{ toJson .version }}{{ end }}").unwrap(), "{}");
    assert_eq!(
        rendered("{{ .version.Minor }}").unwrap_err(),
        "can't evaluate field Minor in type semver.Version"
    );
    assert_eq!(rendered("{{ .version.Compare 1 }}").unwrap_err(), "error calling Compare: no version");
    assert_eq!(
        rendered("{{ .version.Major 1 }}").unwrap_err(),
        "Major has arguments but cannot be invoked as function"
    );
}

#[test]
fn dictionaries_that_contain_themselves_end_with_the_rendering() {
    for source in [
        "{{ $d := dict \"o\" .version }}{{ $_ := set $d \"d\" $d }}",
        "{{ $d := dict \"o\" .version }}{{ $_ := merge $d (dict \"d\" $d) }}",
        "{{ $d := dict \"o\" .version \"in\" (dict \"x\" 1) }}{{ $_ := mergeOverwrite $d (dict \"in\" (dict \"d\" $d)) }}",
    ] {
        let version: Rc<dyn crate::driver::chart::value::Object> = Rc::new(Version);
        let mut templates = templates(Limits::default());
        templates.add("a", source).unwrap();
        templates.execute("a", &Value::dict([("version", Value::Object(Rc::clone(&version)))])).unwrap();
        drop(templates);
        assert_eq!(Rc::strong_count(&version), 1, "{source}");
    }
}
