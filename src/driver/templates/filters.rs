//! The filters and tests that templates have beside the engine's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::bounds::weigh;
use super::secrets::{refuse, secret_key_ref};
use super::values::to_json;
use crate::domain::names::bounded;
use crate::domain::version;
use crate::driver::suggest;

/// The longest name of a workload: a StatefulSet's revision, its name and 11 characters, becomes a label of 63.
const OBJECT_NAME_MAX: usize = 52;

/// The widest indentation: with it, no text grows beyond what the fuel paid for by more than this factor.
const INDENT_LIMIT: usize = 80;

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("component_env_vars", |components: &Value, name: &str| {
        of_component(components, name, "env")
    });
    environment.add_filter("component_command", |components: &Value, name: &str| {
        of_component(components, name, "command")
    });
    environment.add_filter("component_args", |components: &Value, name: &str| {
        of_component(components, name, "args")
    });
    environment.add_filter("tojson", json);
    environment.add_filter("to_json", json);
    environment.add_filter("to_yaml", yaml);
    environment.add_filter("indent", indent);
    environment.add_filter("quote", quote);
    environment.add_filter("b64encode", base64);
    environment.add_filter("b64decode", unbase64);
    environment.add_filter("secret_key_ref", secret_key_ref);
    environment.add_filter("object_name", object_name);
    environment.add_test("version", in_range);
}

/// A list of a component, empty when it sets none.
fn of_component(components: &Value, name: &str, field: &str) -> Result<Value, Error> {
    let component = components.get_attr(name)?;
    if component.is_undefined() {
        let names: Vec<String> = components.try_iter()?.map(|name| name.to_string()).collect();
        let hint = suggest::hint(name, names.iter().map(String::as_str));
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("there is no component '{name}'; {hint}"),
        ));
    }
    let list = component.get_attr(field)?;
    Ok(if list.is_undefined() || list.is_none() { Value::from(Vec::<Value>::new()) } else { list })
}

/// The engine's own filter writes `null` for what is undefined.
fn json(
    state: &State<'_, '_>,
    value: &Value,
    indent: Option<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    defined(value)?;
    weigh(state, value)?;
    minijinja::filters::tojson(value, indent, options)
}

/// A value as a YAML block, without a line end: `{{ value | to_yaml | indent(4) }}`.
fn yaml(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    refuse(value)?;
    weigh(state, value)?;
    let text = serde_saphyr::to_string(&to_json(value)?)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// Indents the lines of a text, by default all but the first and the blank ones, as Jinja2 does. The engine's own filter takes
/// what is undefined for an empty text.
fn indent(
    value: &Value,
    width: Option<usize>,
    first: Option<bool>,
    options: Kwargs,
) -> Result<String, Error> {
    defined(value)?;
    let width = width.or(options.get("width")?).unwrap_or(4).min(INDENT_LIMIT);
    let first = first.or(options.get("first")?).unwrap_or(false);
    let blank = options.get::<Option<bool>>("blank")?.unwrap_or(false);
    options.assert_all_used()?;
    let text = value.to_string();
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let skipped = (number == 0 && !first) || (line.is_empty() && !blank);
        if skipped { line.to_owned() } else { format!("{:width$}{line}", "") }
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// A value as a quoted text, whatever its type: a JSON string is a YAML one.
fn quote(value: &Value) -> Result<String, Error> {
    defined(value)?;
    Ok(serde_json::Value::from(value.to_string()).to_string())
}

fn base64(value: &Value) -> Result<String, Error> {
    defined(value)?;
    Ok(STANDARD.encode(value.to_string()))
}

fn unbase64(value: &str) -> Result<String, Error> {
    let unreadable = || Error::new(ErrorKind::InvalidOperation, "this is no Base64 of a UTF-8 text");
    let bytes = STANDARD.decode(value.trim()).map_err(|_| unreadable())?;
    String::from_utf8(bytes).map_err(|_| unreadable())
}

/// `deployment.name | object_name("web")`: `<deployment>-web`, cut and hashed when it is too long.
fn object_name(deployment: &str, part: &str) -> String {
    bounded(&[deployment, part], OBJECT_NAME_MAX)
}

/// `app.version is version(">=1.1")`.
fn in_range(found: &str, range: &str) -> Result<bool, Error> {
    version::matches(range, found).map_err(|problem| {
        Error::new(ErrorKind::InvalidOperation, format!("{}: {}", problem.what, problem.why))
    })
}

fn defined(value: &Value) -> Result<(), Error> {
    refuse(value)?;
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(()) }
}
