//! What errors tell.

use super::*;

/// Two files and the error of executing the second one.
fn error(helpers: &str, source: &str) -> TemplateError {
    on_deep_stack(|| {
        let mut templates = templates(Limits::default());
        templates.add("c/templates/_helpers.tpl", helpers).unwrap();
        templates.add("c/templates/a.yaml", source).unwrap();
        templates.execute("c/templates/a.yaml", &Value::dict::<&str>([])).unwrap_err()
    })
    .unwrap()
}

#[test]
fn an_error_names_its_place_and_the_way_there() {
    let error = error("\n{{ define \"x\" }}\n  {{ .a.b }}{{ end }}", "a: 1\nb: {{ include \"x\" . }}");
    assert_eq!((error.template.as_str(), error.line, error.column), ("c/templates/_helpers.tpl", 3, 7));
    assert_eq!(error.message, "nil pointer evaluating interface {}.b");
    assert!(!error.raised);
    let stack: Vec<_> =
        error.stack.iter().map(|frame| (frame.executing.as_str(), frame.line, frame.at.as_str())).collect();
    assert_eq!(stack, [("x", 3, ".a.b"), ("c/templates/a.yaml", 2, "include \"x\" .")]);
    assert_eq!(
        error.to_string(),
        "template: c/templates/a.yaml:2:6: executing \"c/templates/a.yaml\" at <include \"x\" .>: error calling include: \
         template: c/templates/_helpers.tpl:3:7: executing \"x\" at <.a.b>: nil pointer evaluating interface {}.b"
    );
}

#[test]
fn what_the_author_raises_stands_alone() {
    let error = error(
        "{{ define \"x\" }}{{ required \"Set .Values.host!\" .host }}{{ end }}",
        "\n{{ include \"x\" . }}",
    );
    assert!(error.raised);
    assert_eq!(error.message, "Set .Values.host!");
    assert_eq!(error.to_string(), "execution error at (c/templates/a.yaml:2:3): Set .Values.host!");
}

#[test]
fn a_template_that_cannot_be_read_is_named_with_its_line() {
    let error = render("a\n{{ if }}\n", "").unwrap_err();
    assert_eq!((error.template.as_str(), error.line), ("c/templates/a.yaml", 2));
    assert_eq!(error.to_string(), "parse error at (c/templates/a.yaml:2): missing value for if");
}

#[test]
fn no_message_is_longer_than_a_screen() {
    let deep = error("{{ define \"x\" }}{{ include \"x\" . }}{{ end }}", "{{ include \"x\" . }}");
    assert!(deep.message.contains("rendering template has a nested reference name: x"), "{}", deep.message);
    assert!(deep.stack.len() > 1000);
    let long = "very long ".repeat(1000);
    let piece = error("", &format!("{{{{ .a.b \"{long}\" }}}}"));
    let raised = error("", &format!("{{{{ fail \"{long}\" }}}}"));
    let named = error(
        &format!("{{{{ define \"{long}\" }}}}{{{{ .a.b }}}}{{{{ end }}}}"),
        &format!("{{{{ include \"{long}\" . }}}}"),
    );
    let frames: usize = named.stack.iter().map(|frame| frame.executing.len() + frame.at.len()).sum();
    assert!(frames < 1000, "{frames}");
    let tpl = error("", &format!("{{{{ tpl \"{long}{{{{ .a.b }}}}\" . }}}}"));
    for error in [deep, piece, raised, tpl, named] {
        assert!(error.to_string().chars().count() < 24 * 80, "{error}");
    }
}
