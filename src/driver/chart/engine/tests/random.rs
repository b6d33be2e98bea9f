//! Templates made at random neither panic nor hang.

use proptest::prelude::*;

use super::*;

/// Pieces of which templates are made.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "(",
        ")",
        "|",
        ".",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "\"a\"",
        "`b`",
        "'c'",
        "1",
        "-1",
        "2.5",
        "0x1f",
        "true",
        "nil",
        "if ",
        "else",
        "end",
        "range ",
        "with ",
        "define \"d\"",
        "template \"d\" ",
        "block \"e\" .",
        "break",
        "continue",
        ".Values",
        ".Values.l",
        ".Values.m.x",
        "print ",
        "printf \"%v\" ",
        "include \"d\" .",
        "tpl ",
        "toYaml ",
        "fromYaml ",
        "index ",
        "len ",
        "eq ",
        "and ",
        "or ",
        "not ",
        "required \"r\" ",
        "/*",
        "*/",
        "text",
        "é",
        "\\",
        "\"",
        "%",
    ])
}

/// Actions that are well-formed, so that more of them are executed.
fn action() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{{ .Values.a }}",
        "{{ .Values.l }}",
        "{{ .Values.no.no }}",
        "{{ range .Values.l }}",
        "{{ range $k, $v := .Values.m }}",
        "{{ with .Values.m }}",
        "{{ if .Values.a }}",
        "{{ else }}",
        "{{ else if .Values.no }}",
        "{{ end }}",
        "{{ end }}",
        "{{ end }}",
        "{{ break }}",
        "{{ continue }}",
        "{{ $x := .Values.s }}",
        "{{ $x = 2 }}",
        "{{ $x }}",
        "{{ toYaml . | fromYaml | toJson }}",
        "{{ define \"d\" }}",
        "{{ include \"d\" . }}",
        "{{ template \"d\" . }}",
        "{{ tpl .Values.t . }}",
        "{{ tpl .Values.s . }}",
        "{{ printf \"%5.2f|%-8v|%q\" 1.5 .Values.l .Values.s }}",
        "{{ index .Values.l 1 }}",
        "{{ index .Values.m \"x\" }}",
        "{{ eq .Values.a 1.0 }}",
        "{{ lt .Values.s \"b\" }}",
        "{{ len .Values.l }}",
        " text\n",
        "{{- /* c */ -}}",
        "{{ .Values.m.x.y }}",
        "{{ (print .Values.l).x }}",
        "{{ toYamlPretty .Values }}",
        "{{ toToml .Values }}",
        "{{ html .Values.s }}",
    ])
}

const VALUES: &str =
    "a: 1\ns: '{{ .Values.a }}'\nt: '{{ tpl .Values.s . }}'\nl: [1, two, [3]]\nm: {x: {y: z}, 'k k': ~}\n";

fn tries(source: &str) {
    let limits = Limits { fuel: 2_000_000, ..Limits::default() };
    let outcome = on_deep_stack(|| render_with(source, VALUES, limits));
    if let Err(error) = outcome.unwrap() {
        assert!(!error.message.is_empty(), "{source}");
        assert!(error.to_string().chars().count() < 24 * 80, "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_in_any_order(pieces in prop::collection::vec(piece(), 0..40)) {
        tries(&pieces.concat());
    }

    #[test]
    fn actions_in_any_order(actions in prop::collection::vec(action(), 0..25)) {
        tries(&actions.concat());
    }

    #[test]
    fn any_text(text in "(\\{\\{|\\}\\}|.|\n){0,60}") {
        tries(&text);
    }

    #[test]
    fn any_verbs(
        template in "(%[-+# 0]{0,2}[0-9*]{0,3}(\\.[0-9*]{0,2})?(\\[[0-9]\\])?[a-zA-Z%é]|x){0,6}",
        number in prop::sample::select(vec![-5, 0, 40, i64::MIN, i64::MAX]),
    ) {
        let arguments = [Value::Int(number), Value::Float(2.5), Value::text("é\n"), Value::Nil, Value::list([Value::Bool(true)])];
        crate::driver::chart::format::sprintf(&template, &arguments).unwrap();
    }
}
