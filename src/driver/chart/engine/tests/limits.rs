//! Hostile templates end in an error.

use super::*;

/// The message of the error that `source` ends in.
fn refusal(source: &str, limits: Limits) -> String {
    on_deep_stack(|| render_with(source, "a: 1\nl: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", limits))
        .unwrap()
        .unwrap_err()
        .message
}

fn little() -> Limits {
    Limits { fuel: 4_000_000, output: 10_000, ..Limits::default() }
}

#[test]
fn loops_run_out_of_fuel() {
    let nested = "{{ range $.Values.l }}".repeat(12) + &"{{ end }}".repeat(12);
    for source in [
        nested.as_str(),
        "{{ range 1000000000000 }}{{ end }}",
        "{{ range 2000000 }}{{ range 2000000 }}{{ end }}{{ end }}",
    ] {
        let message = refusal(source, little());
        assert!(message.contains("steps to render: it was stopped"), "{message}");
    }
}

#[test]
fn texts_that_double_run_out_of_fuel() {
    let source = "{{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}";
    let message = refusal(source, little());
    assert!(message.contains("steps to render: it was stopped"), "{message}");
    let source = "{{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range 100 }}{{ $x = toJson (print $x $x) }}{{ end }}";
    assert!(refusal(source, little()).contains("steps to render: it was stopped"));
}

#[test]
fn outputs_have_an_end() {
    let message = refusal("{{ range 20000 }}x{{ end }}", little());
    assert!(message.starts_with("the output has more than"), "{message}");
    let message = refusal("{{ printf \"%1000000d\" 1 }}{{ printf \"%*d\" 1000000 1 }}", little());
    assert!(message.starts_with("the output has more than"), "{message}");
}

#[test]
fn recursion_has_an_end() {
    let sources = [
        "{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}",
        "{{ define \"x\" }}{{ if 1 }}{{ with 1 }}{{ range 1 }}{{ template \"x\" (print (print (print 1))) }}{{ end }}{{ end }}{{ end }}{{ end }}{{ template \"x\" }}",
        "{{ define \"x\" }}{{ include \"y\" . }}{{ end }}{{ define \"y\" }}{{ template \"x\" . }}{{ end }}{{ include \"x\" . }}",
        "{{ define \"x\" }}{{ tpl \"{{ include \\\"x\\\" . }}\" . }}{{ end }}{{ include \"x\" . }}",
        "{{ define \"x\" }}{{ tpl . . }}{{ end }}{{ $t := \"{{ tpl . . }}\" }}{{ tpl $t $t }}",
    ];
    for source in sources {
        let message = refusal(source, Limits::default());
        let known = message.contains("nested more than") || message.contains("nested reference name");
        assert!(known, "{source}: {message}");
    }
}

#[test]
fn where_the_stack_is_small_recursion_ends_sooner() {
    let source =
        "{{ define \"x\" }}{{ if 1 }}{{ print (include \"x\" .) }}{{ end }}{{ end }}{{ include \"x\" . }}";
    let error = render_with(source, "", Limits::default()).unwrap_err();
    assert!(error.message.contains("nested more than 60 deep"), "{}", error.message);
}

#[test]
fn deep_sources_are_refused() {
    let nested = [
        ("(".repeat(100_000), String::new()),
        ("{{ if 1 }}".repeat(100_000), String::new()),
        ("{{ range 1 }}{{ with 1 }}".repeat(50_000), "{{ end }}".repeat(100_000)),
        (format!("{{{{ {} 1", "print (".repeat(100_000)), format!("{} }}}}", ")".repeat(100_000))),
        (format!("{{{{ {}", "(".repeat(100_000)), String::new()),
    ];
    for (begin, end) in &nested[1..] {
        let message = refusal(&format!("{begin}{end}"), Limits::default());
        assert!(message.contains("nested more than 200 deep"), "{message}");
    }
    // Outside of an action, parentheses are text.
    assert!(on_deep_stack(|| render_with(&nested[0].0, "", Limits::default())).unwrap().is_ok());
}

#[test]
fn long_sources_are_fine() {
    let chain = format!("{{{{ if 0 }}}}{}{{{{ end }}}}", "{{ else if 0 }}".repeat(50_000));
    let fields = format!("{{{{ $x := . }}}}{{{{ $x{} }}}}", ".a".repeat(50_000));
    let pipeline = format!("{{{{ 1{} }}}}", " | print".repeat(10_000));
    for source in [chain, pipeline] {
        on_deep_stack(|| render_with(&source, "", Limits::default())).unwrap().unwrap();
    }
    assert!(refusal(&fields, Limits::default()).contains("nil pointer"));
}

#[test]
fn many_definitions_and_variables_take_no_time_to_look_for() {
    let definitions: String =
        (0..30_000).map(|n| format!("{{{{ define \"d{n}\" }}}}x{{{{ end }}}}")).collect();
    on_deep_stack(|| render_with(&definitions, "", Limits::default())).unwrap().unwrap();
    let variables: String = (0..30_000).map(|n| format!("{{{{ $v{n} := 1 }}}}{{{{ $v0 }}}}")).collect();
    assert_eq!(refusal(&variables, Limits::default()), "more than 2000 variables in one place");
}

#[test]
fn values_that_contain_themselves_are_not_written() {
    let cycle = || {
        let dict = Value::dict::<&str>([]);
        if let Value::Dict(entries) = &dict {
            entries.borrow_mut().insert(Rc::from("self"), dict.clone());
        }
        dict
    };
    let message = |source: &'static str| {
        let work = move || {
            let mut templates = templates(Limits::default());
            templates.add("a", source).unwrap();
            templates.execute("a", &cycle()).map_err(|error| error.message)
        };
        on_deep_stack(work).unwrap()
    };
    for source in ["{{ . }}", "{{ print . }}", "{{ printf \"%s\" . }}", "{{ html . }}"] {
        assert!(message(source).unwrap_err().contains("nested more than 500 deep"), "{source}");
    }
    for source in ["{{ toYaml . }}", "{{ toJson . }}", "{{ toYamlPretty . }}", "{{ toToml . }}"] {
        assert!(message(source).unwrap_err().contains("nested more than 500 deep"), "{source}");
    }
}

#[test]
fn values_that_unfold_without_end_are_not_written() {
    let message = on_deep_stack(|| {
        let mut value = Value::text("x");
        for _ in 0..60 {
            value = Value::list([value.clone(), value]);
        }
        let mut templates = templates(Limits::default());
        templates.add("a", "{{ toJson . }}").unwrap();
        templates.execute("a", &value).unwrap_err().message
    });
    assert!(message.unwrap().contains("has more than 16 MiB"));
}

#[test]
fn values_nested_without_end_are_dropped() {
    let mut value = Value::Nil;
    for _ in 0..100_000 {
        value = Value::list([Value::dict([("x", value)])]);
    }
    assert!(value.truth());
}

#[test]
fn what_is_within_a_dictionary_many_times_is_paid_before_it_is_looked_at() {
    let source =
        "{{ $d := dict }}{{ range 2000 }}{{ $_ := set $d (print .) $d }}{{ end }}{{ $x := toString $d }}";
    let began = std::time::Instant::now();
    assert!(refusal(source, Limits::default()).contains("nested more than 500 deep"));
    let deep = "{{ $l := list }}{{ range 1000 }}{{ $l = list $l }}{{ end }}{{ $x := toString $l }}";
    assert!(refusal(deep, Limits::default()).contains("nested more than 500 deep"));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn the_names_of_templates_within_templates_have_an_end() {
    let name = "n".repeat(100_000);
    for call in ["template", "include"] {
        let source = format!(
            "{{{{ define \"{name}\" }}}}{{{{ {call} \"{name}\" . }}}}{{{{ end }}}}{{{{ {call} \"{name}\" . }}}}"
        );
        let message = refusal(&source, Limits::default());
        assert!(message.contains("within one another have more than 256 KiB"), "{message}");
    }
}

/// Templates that make little text, and take long.
#[test]
fn what_takes_long_runs_out_of_fuel() {
    let big = "{{ $s := \"xxxxxxxxxxxxxxxx\" }}{{ range 14 }}{{ $s = print $s $s }}{{ end }}{{ $l := list $s $s $s $s }}\
        {{ $d := dict }}{{ range 2000 }}{{ $_ := set $d (print .) 1 }}{{ end }}";
    for body in [
        "{{ if eq $s $s }}{{ end }}",
        "{{ printf \"%.0s\" $s }}",
        "{{ printf \"%.0s\" $l }}",
        "{{ range $d }}{{ break }}{{ end }}",
        "{{ if mustHas 1 $l }}{{ end }}",
        "{{ if without $l $s }}{{ end }}",
        "{{ if dict $l 1 }}{{ end }}",
        "{{ if toDecimal $l }}{{ end }}",
        "{{ if lt $s $s }}{{ end }}",
        "{{ $x := uniq (until 300) }}",
    ] {
        let source = format!("{big}{{{{ range 4000 }}}}{body}{{{{ end }}}}");
        let message = refusal(&source, Limits { fuel: 12_000_000, ..Limits::default() });
        assert!(message.contains("steps to render: it was stopped"), "{body}: {message}");
    }
    let operands =
        format!("{{{{ range 4000 }}}}{{{{ if (and{}) }}}}{{{{ end }}}}{{{{ end }}}}", " true".repeat(1000));
    let message = refusal(&operands, Limits { fuel: 12_000_000, ..Limits::default() });
    assert!(message.contains("steps to render: it was stopped"), "{message}");
}
