//! Drivers are untrusted: whatever their files say, loading and rendering them ends, within bounds, and never panics.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Content, load_content, load_files, render_alone, templates};
use crate::domain::DriverVersion;

/// A driver of the described system, to be broken.
const WIKI: &str = include_str!("../../tests/drivers/wiki/driver.styrmin.yml");
const ACTIONS: &str = include_str!("../../tests/drivers/wiki/actions.py");
const VALUES: &str = include_str!("../../tests/drivers/wiki/values.j2.yml");

const SMALL: &str = "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata: { name: a }\nspec: { version: '1', default_version: '1', components: { a: { identifier: { label: { x: z } } } } }\n";

fn files(spec: &str, template: &str) -> BTreeMap<String, String> {
    let texts = [
        ("driver.styrmin.yml", spec),
        ("manifests/a.yaml.j2", template),
        ("actions.py", ACTIONS),
        ("values.j2.yml", VALUES),
    ];
    texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

/// Loads it; what is told is told within bounds.
fn load(spec: &str) {
    let told = match load_files("test", files(spec, "")) {
        Ok(loaded) => loaded.warnings,
        Err(errors) => {
            assert!(!errors.is_empty());
            errors
        }
    };
    assert!(told.len() < 300, "{} findings", told.len());
    for finding in told {
        assert!(finding.to_string().len() < 8_000, "{finding}");
    }
}

fn context() -> Value {
    json!({
        "app": {"name": "a", "version": "1.2"},
        "deployment": {"name": "a"},
        "environment": {"name": "e"},
        "instance": {"namespace": "e", "config": {}},
        "components": {"web": {"env": [], "command": ["x"], "args": []}},
        "parameters": {
            "title": "t", "count": 3, "list": ["a", "b"],
            "password": {"secret": "a-parameters", "key": "password.ab", "digest": "ab"},
        },
        "services": {},
    })
}

/// Renders a manifest and its objects.
fn rendered(template: &str) -> String {
    let Ok(loaded) = load_files("test", files(SMALL, template)) else { return String::new() };
    let text = templates::render(&loaded.version.files, None, "manifests/a.yaml.j2", &context());
    match &text {
        Ok(text) => assert!(text.len() <= 1 << 20),
        Err(error) => assert!(error.to_string().len() < 8_000, "{error}"),
    }
    match render_alone(&loaded.version, &context()) {
        Ok(rendering) => assert!(rendering.objects.len() <= 2_000),
        Err(problem) => assert!(problem.to_string().len() < 100_000),
    }
    text.unwrap_or_else(|error| error.to_string())
}

/// What a template is put together from.
const WORDS: [&str; 48] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{%-",
    "-}}",
    "{",
    "}",
    " raw ",
    " endraw ",
    " if ",
    " for ",
    " in ",
    " else ",
    " endif ",
    " endfor ",
    " set ",
    " macro ",
    " endmacro ",
    " include ",
    " block ",
    " x ",
    " parameters",
    ".title",
    ".password",
    ".list",
    " components ",
    "|",
    "tojson",
    "to_yaml",
    "indent(3)",
    "b64decode",
    "secret_key_ref",
    "component_args('web')",
    "default('d')",
    "[",
    "]",
    "(",
    ")",
    "'a'",
    "*",
    "999999999",
    "~",
    "range",
    "manifests/a.yaml.j2",
    "\n",
];

/// Characters that mean something in YAML, and a few that mean nothing.
const SIGNS: &str = "[ -~\\n\\t:&*{}\\[\\]|>'\"#%@!äあ🙂-]{0,200}";

fn broken_wiki() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), SIGNS, any::<bool>());
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut text: Vec<char> = WIKI.chars().collect();
        for (from, length, new, doubled) in edits {
            let start = from.index(text.len().max(1)).min(text.len());
            let end = (start + length.index(80)).min(text.len());
            let kept: Vec<char> = if doubled { text[start..end].to_vec() } else { Vec::new() };
            text.splice(start..end, new.chars().chain(kept));
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_text_may_be_a_driver_file(text in SIGNS) {
        load(&text);
        load(&format!("{SMALL}{text}"));
    }

    #[test]
    fn any_edit_of_a_driver_is_told(text in broken_wiki()) {
        load(&text);
    }

    #[test]
    fn any_words_may_be_a_template(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..60)) {
        rendered(&words.concat());
    }

    #[test]
    fn any_text_may_be_a_manifest(text in SIGNS) {
        rendered(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{text}"));
    }

    #[test]
    fn any_path_stays_inside(path in "[a-z./\\\\\\x00~ ä-]{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut content = Content::default();
        if content.add(&path, bytes).is_ok() {
            for kept in content.texts.keys().chain(content.binaries.keys()) {
                prop_assert!(!kept.starts_with('/') && !kept.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
        prop_assert!(load_content("test", content).is_err());
    }
}

/// Nine lists of nine, nine levels deep.
fn laughs() -> String {
    let mut text = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let items = vec![format!("*l{}", level - 1); 9].join(", ");
        text += &format!("l{level}: &l{level} [{items}]\n");
    }
    text
}

#[test]
fn aliases_that_multiply_are_refused() {
    for spec in [laughs(), format!("{SMALL}{}", laughs()), "a: &a [*a]\n".to_owned()] {
        load(&spec);
    }
    let told = rendered(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{}", laughs()));
    assert!(told.contains("l9"), "the template itself is harmless");
    let files = files(&format!("{SMALL}{}", laughs()), "");
    let errors = load_files("test", files).unwrap_err();
    assert!(errors[0].message.contains("no valid YAML"), "{errors:?}");
}

#[test]
fn what_is_nested_or_repeated_a_hundred_thousand_times_ends() {
    let many = |open: &str, inside: &str, close: &str| open.repeat(100_000) + inside + &close.repeat(100_000);
    let nested: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let keys: String = (0..50_000).map(|number| format!("k{number}: 1\n")).collect();
    let long = "x".repeat(900_000);
    for spec in [
        many("[", "", "]"),
        many("{a: ", "1", "}"),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "&a ".repeat(100_000),
        "!!str ".repeat(100_000),
        nested,
        keys.clone(),
        format!("{SMALL}{keys}"),
        SMALL.replace("name: a", &format!("name: {long}")),
        SMALL.replace("{ x: z }", &format!("{{ {long}: {long} }}")),
        SMALL.replace("version: '1'", &format!("version: '{}'", "1.".repeat(200_000))),
        WIKI.replace(">=1.4,<2.0", &">=1.4,".repeat(50_000)),
        WIKI.replace("component: server", &format!("component: {long}")),
    ] {
        load(&spec);
    }
    for template in [
        format!("{{{{ {} }}}}", many("(", "1", ")")),
        format!("{{{{ {} }}}}", many("[", "", "]")),
        format!("{{{{ {}1 }}}}", "1 + ".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
        format!("{{{{ 'a'{} }}}}", "|upper".repeat(100_000)),
        format!("{{{{ a{} }}}}", ".a".repeat(100_000)),
        many("{% if 1 %}", "", "{% endif %}"),
        many("{% for a in range(9) %}", "x", "{% endfor %}"),
        "{% set a = 'x' * 1000000 %}".repeat(1_000) + "{{ a }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% for i in range(100000) %}{{ i }}{% endfor %}".repeat(20),
        "{{ [1] * 100000000000 }}".to_owned(),
        "{{ ([1] * 100000000000) ~ '' }}".to_owned(),
        "{{ (parameters.list * 100000000000) | upper }}".to_owned(),
        "{{ parameters.list * 100000000000 | upper }}".to_owned(),
        "{{ 'x' in parameters.list * 100000000000 }}".to_owned(),
        "{{ parameters['list'] * 100000000000 | string }}".to_owned(),
        "{% if [1] * 100000000000 == [1] * 100000000000 %}x{% endif %}".to_owned(),
        "{{ 'a' | replace('', 'x' * 1000) | replace('x', 'y' * 1000) | replace('y', 'z' * 1000) | length }}".to_owned(),
        "{{ range(1000000000) | list | length }}".to_owned(),
        "{{ ('x' * 50000) | indent(80) | indent(80) | length }}".to_owned(),
        "{{ ('x\n' * 50000) | indent(80) | indent(80) | indent(80) | indent(80) | length }}".to_owned(),
        "{% set ns = namespace(a=['x']) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a | length }}".to_owned(),
        "{% set ns = namespace(a=['x'], b=['x']) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}{{ ns.a }}{{ ns.a | tojson }}".to_owned(),
        "{% macro m(a, n) %}{% if n %}{{ m([a, a], n - 1) }}{% else %}{{ a == a }}{% endif %}{% endmacro %}{{ m(['x'], 50) }}".to_owned(),
        "{% set a = ['x'] %}".to_owned() + &"{% set a = [a, a] %}".repeat(60) + "{{ a }}",
        "{% for a in [['x']] %}".to_owned() + &"{% for a in [[a, a]] %}".repeat(60) + "{{ a | to_yaml }}" + &"{% endfor %}".repeat(61),
        "{% with a = ['x'] %}".to_owned() + &"{% with a = {'b': a, 'c': a} %}".repeat(60) + "{{ a | string }}" + &"{% endwith %}".repeat(61),
        "{% set a = a | default(['x']) %}{% set a = a + a %}{% include 'manifests/a.yaml.j2' %}{{ a | length }}".to_owned(),
    ] {
        rendered(&template);
    }
}

#[test]
fn a_chain_is_counted_wherever_it_hides() {
    let chain = "|upper".repeat(100_000);
    for template in [
        format!("{{{{ {{'a': {{}}}}{chain} }}}}"),
        format!("{{{{ {{'}}}}': [{{}}]}}{chain} }}}}"),
        format!("{{{{- ({{'a': {{'b': {{}}}}}}){chain} -}}}}"),
        format!("{{% set a = {{'a': {{'b': '%}}'}}}}{chain} %}}"),
        format!("{{% raw %}}{{% endraw x %}}{{# {{% endraw %}}{{{{ 'a'{chain} }}}}"),
        format!("{{%- raw -%}}{{% endraw{{# {{%+ endraw -%}}{{{{ 'a'{chain} }}}}"),
        format!("{{{{ '{{{{' }}}}{{{{ \"}}}}\"{chain} }}}}"),
    ] {
        let errors = load_files("test", files(SMALL, &template)).unwrap_err();
        let start: String = template.chars().take(40).collect();
        assert!(errors.iter().any(|error| error.message.contains("words and signs")), "{start}: {errors:?}");
    }
}

#[test]
fn a_list_parameter_is_not_multiplied_where_it_is_used() {
    for template in [
        "{{ (parameters.list * 100000000000) | upper }}",
        "{{ parameters.list * 100000000000 | upper }}",
        "{{ 'x' in parameters.list * 100000000000 }}",
    ] {
        let told = rendered(template);
        assert!(told.contains("a list cannot be multiplied"), "{template}: {told}");
    }
}

#[test]
fn a_template_reads_nothing_but_the_driver_s_own_files() {
    for path in ["/etc/passwd", "../../../../etc/passwd", "file:///etc/passwd", "https://example.org/x"] {
        let told = rendered(&format!("{{% include '{path}' %}}"));
        assert!(told.contains("not found"), "{path}: {told}");
    }
    let told = rendered("{% include 'actions.py' %}");
    assert!(told.contains("not found"), "only templates are included: {told}");
    let version = DriverVersion::default();
    assert_eq!(render_alone(&version, &context()).unwrap().objects, Vec::<Value>::new());
}

#[test]
fn what_is_wrong_two_hundred_thousand_times_is_told_in_time() {
    let names = "some-mane,".repeat(200);
    let action = |n| {
        format!(
            "  - {{name: some-name-{n}, hook: stop, after: [{names}], location: 'actions.py::migrate'}}\n"
        )
    };
    let actions: String = (0..1_000).map(action).collect();
    let spec = SMALL.replace("spec: { ", "spec:\n  ").replace(", default", "\n  default");
    let spec = spec.replace(", components", "\n  components").replace(" } } } } }", " } } } }");
    let began = Instant::now();
    let errors = load_files("test", files(&format!("{spec}  actions:\n{actions}"), "")).unwrap_err();
    assert_eq!(errors.iter().filter(|error| error.is_error()).count(), 101, "{:?}", errors.first());
    assert!(errors[0].message.contains("names 'some-mane'"), "{}", errors[0]);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn parameters_prompts_and_patterns_have_limits() {
    let list =
        |count: usize| (0..count).map(|n| format!("{{name: p{n}, kind: string}},")).collect::<String>();
    let spec = |more: &str| SMALL.replace("components:", &format!("{more}, components:"));
    let told = |more: &str| match load_files("test", files(&spec(more), "a: 1")) {
        Ok(_) => String::new(),
        Err(errors) => errors.iter().map(|error| format!("{error}\n")).collect(),
    };
    let action =
        |prompts: String| format!("actions: [{{name: a, location: 'actions.py::x', prompts: {prompts}}}]");
    let mapping = |count: usize| (0..count).map(|n| format!("p{n}: Why?,")).collect::<String>();
    let pattern =
        |length: usize| format!("parameters: [{{name: p, kind: string, pattern: {}}}]", "a".repeat(length));
    assert!(
        told(&format!("parameters: [{}]", list(201)))
            .contains("spec.parameters has 201 entries, the limit is 200")
    );
    for prompts in [format!("[{}]", list(51)), format!("{{{}}}", mapping(51))] {
        let told = told(&action(prompts));
        assert!(told.contains("spec.actions[0].prompts has 51 entries, the limit is 50"), "{told}");
    }
    assert!(told(&pattern(1_001)).contains("pattern has 1001 bytes, the limit is 1000"));
    assert_eq!(told(&format!("parameters: [{}]", list(200))), "");
    assert_eq!(told(&pattern(1_000)), "");
    for prompts in [format!("[{}]", list(50)), format!("{{{}}}", mapping(50))] {
        assert!(!told(&action(prompts)).contains("the limit"));
    }
}
