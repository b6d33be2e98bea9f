//! Templates and what they make, as the real Helm 3.17.3 answers.

use jiff::Timestamp;

use super::*;
use crate::driver::chart::random::Draw;

fn surroundings() -> Surroundings {
    let draw = Draw::new([7; 32], Timestamp::UNIX_EPOCH);
    Surroundings { now: Timestamp::UNIX_EPOCH, draw: RefCell::new(draw) }
}

/// Executes `source` as `c/templates/a.yaml` on a deep stack, as a chart's rendering does.
fn render(source: &str, dot: impl FnOnce() -> Value + Send) -> Result<String, TemplateError> {
    on_deep_stack(move || {
        let mut templates = Templates::new(surroundings(), Box::new(|_| Ok(Value::Nil)), Limits::default());
        templates.add("c/templates/a.yaml", source)?;
        templates.execute("c/templates/a.yaml", &dot())
    })
    .unwrap()
}

#[test]
fn hello() {
    let dot = || Value::dict([("name", Value::text("world"))]);
    assert_eq!(render("Hello {{ .name }}{{ .missing }}!", dot).unwrap(), "Hello world!");
}
