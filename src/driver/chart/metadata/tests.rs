use super::*;

fn dict<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::dict(entries)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn web() -> Value {
    dict([("apiVersion", text("v2")), ("name", text("web")), ("version", text("1.2.3"))])
}

/// The same chart with one more field.
fn with(name: &str, value: Value) -> Value {
    let chart = web();
    if let Value::Dict(entries) = &chart {
        entries.borrow_mut().insert(name.into(), value);
    }
    chart
}

fn refused(value: &Value) -> String {
    Metadata::read(value).unwrap().check().unwrap_err().to_string()
}

#[test]
fn fields_are_converted_as_go_does() {
    let chart = dict([
        ("Name", text("web")),
        ("version", text("1.0.0")),
        ("appVersion", Value::Float(1.1)),
        ("description", text("two\nlines\u{200b}\u{a0}é")),
        ("keywords", Value::list([Value::Float(1.0), Value::Bool(true), text("x")])),
        ("annotations", dict([("a", Value::Int(1)), ("b", Value::Bool(false))])),
        ("icon", Value::Nil),
    ]);
    let read = Metadata::read(&chart).unwrap();
    assert_eq!((read.name.as_str(), read.api_version.as_str()), ("web", "v1"));
    assert_eq!(read.app_version, "1.1");
    assert_eq!(read.description, "two lines é");
    assert_eq!(read.about.keywords, ["1", "true", "x"]);
    assert_eq!((read.annotations["a"].as_str(), read.annotations["b"].as_str()), ("1", "false"));
}

#[test]
fn fields_of_another_kind_are_named() {
    let refused = |name: &str, value: Value| Metadata::read(&with(name, value)).unwrap_err();
    assert_eq!(
        refused("keywords", text("x")),
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.keywords of type []string"
    );
    assert!(refused("deprecated", text("true")).contains("Metadata.deprecated of type bool"));
    assert!(refused("dependencies", Value::list([text("x")])).contains("chart.Dependency"));
    assert!(refused("maintainers", Value::list([Value::Nil])).contains("empty or null nodes"));
    assert!(Metadata::read(&Value::list([])).unwrap_err().contains("array into Go value"));
}

#[test]
fn what_helm_refuses_is_refused() {
    assert!(Metadata::read(&web()).unwrap().check().is_ok());
    assert!(refused(&dict([("version", text("1.0.0"))])).contains("name is required"));
    assert!(refused(&dict([("name", text("web"))])).contains("version is required"));
    assert!(refused(&with("name", text("a/b"))).contains("is invalid"));
    assert!(refused(&with("name", text(".."))).contains("is invalid"));
    assert!(refused(&with("type", text("operator"))).contains("application or library"));
    let twice =
        Value::list([dict([("name", text("db"))]), dict([("name", text("x")), ("alias", text("db"))])]);
    assert!(refused(&with("dependencies", twice)).contains("more than one dependency"));
    let alias = Value::list([dict([("name", text("db")), ("alias", text("a.b"))])]);
    assert!(refused(&with("dependencies", alias)).contains("disallowed characters"));
}

#[test]
fn imports_have_two_forms() {
    let imports =
        Value::list([text("data"), dict([("child", text("a.b")), ("parent", text("."))]), Value::Float(1.0)]);
    let dependency = Value::list([dict([("name", text("db")), ("import-values", imports)])]);
    let read = Metadata::read(&with("dependencies", dependency)).unwrap();
    let table = Import::Table { child: "a.b".to_owned(), parent: ".".to_owned() };
    assert_eq!(read.dependencies[0].imports, [Import::Export("data".to_owned()), table]);
    let broken = Value::list([dict([("import-values", Value::list([dict([("child", text("a"))])]))])]);
    assert!(Metadata::read(&with("dependencies", broken)).is_err());
}

#[test]
fn templates_see_a_struct() {
    let metadata = Metadata::read(&with("annotations", dict([("a", text("1"))]))).unwrap();
    let Value::Object(chart) = &metadata.object(true) else { panic!("an object") };
    let field = |name: &str| chart.field(name).map(Result::unwrap);
    assert!(matches!(&field("Name"), Some(Value::Text(name)) if &**name == "web"));
    assert!(matches!(field("IsRoot"), Some(Value::Bool(true))));
    assert!(field("Nothing").is_none() && field("name").is_none());
    assert!(matches!(field("Annotations").unwrap().get("a"), Some(Value::Text(_))));
    assert_eq!(chart.print(), "{{web  [] 1.2.3  [] []  v2    false map[a:1]  [] } true}");
    let plain = chart.plain().unwrap();
    assert!(
        plain.get("IsRoot").is_some() && plain.get("apiVersion").is_some() && plain.get("home").is_none()
    );
}
