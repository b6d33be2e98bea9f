//! What a driver file says, and what is said about a bad one.

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::driver::{Hook, Mode, OnFailure, ParameterKind, RestoreInto, ServiceScope, TlsSpec};
use crate::domain::plan::Policy;
use crate::domain::route::Peer;
use crate::driver::{Content, Diagnostic, Loaded, load_content, load_files};

const HEAD: &str = "apiVersion: styrmin.io/v1\nkind: ApplicationDriver\nmetadata:\n  name: wiki\n";

/// A driver as the described system has it: a chart, actions in Python, the shape of every table.
const FULL: &str = r#"
spec:
  version: "2.1.0"
  supported_versions: ">=1.0,<2.0"
  default_version: "1.6.0"
  info:
    description: A wiki.
    authors: [A, B]
    license: MIT
    links: [{ link: Home, url: "https://example.org" }]
  helm:
    main: { location: "oci://example.org/charts/wiki", version: "4.2" }
  components:
    server:
      identifier: { label: { app: wiki, tier: "1" } }
      backup: { kind: disk, volume: data }
      defaults: { replicas: 2 }
    db:
      identifier: { label: { app: wiki-db } }
      backup: { kind: postgres }
  services:
    - { name: wiki, kind: http, scope: external, port: 8080, component: server }
    - { name: wiki-db, kind: tcp, port: 5432, component: db }
  parameters:
    - { name: title, label: Title, kind: string }
    - { name: workers, label: Workers, kind: integer, default: 2 }
    - { name: debug, label: Debug, kind: boolean, default: false }
    - { name: size, label: Size, kind: enum, values: [small, large], default: small }
  env_vars:
    - { name: WIKI_URL, description: Its URL, level: deployment, components: [server] }
  container_overrides:
    - { component: server, container: wiki, command: true, args: true, description: For debugging }
  actions:
    - { name: migrate, hook: upgrade, mode: post, location: "actions.py::migrate", description: Migrates }
"#;

/// Loads it, or tells its errors.
fn load(spec: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load_files(
        "test",
        BTreeMap::from([
            ("driver.styrmin.yml".to_owned(), HEAD.to_owned() + spec),
            ("actions.py".to_owned(), "def migrate(ctx):\n    pass\n".to_owned()),
        ]),
    )
    .map_err(|found| found.into_iter().filter(Diagnostic::is_error).collect())
}

/// Loads the full driver with one thing changed, and gives back the errors.
fn errors(from: &str, to: &str) -> Vec<String> {
    assert!(FULL.contains(from), "{from}");
    match load(&FULL.replacen(from, to, 1)) {
        Ok(loaded) => panic!("it loaded: {:?}", loaded.warnings),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The only error.
fn error(from: &str, to: &str) -> String {
    let mut all = errors(from, to);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn a_driver_of_the_described_system_loads_whole() {
    let loaded = load(FULL).unwrap();
    let spec = &loaded.version.spec;
    assert_eq!(loaded.version.reference.to_string(), "wiki 2.1.0");
    assert_eq!(spec.helm.as_ref().unwrap().values, "values.j2.yml");
    assert_eq!(spec.info.links, [("Home".to_owned(), "https://example.org".to_owned())]);
    let server = &spec.components["server"];
    assert_eq!((server.backup.as_deref(), &server.volumes[..]), (Some("disk"), &["data".to_owned()][..]));
    assert_eq!(server.defaults["replicas"], 2);
    assert_eq!(
        (spec.services[0].scope, spec.services[1].scope),
        (ServiceScope::External, ServiceScope::Internal)
    );
    assert_eq!((spec.services[0].path.as_str(), spec.services[0].target_port), ("/", None));
    assert_eq!(spec.parameters[0].default, None);
    assert_eq!(spec.parameters[3].kind, ParameterKind::Enum(vec!["small".to_owned(), "large".to_owned()]));
    assert_eq!(spec.parameters[3].default, Some(json!("small")));
    assert_eq!(spec.actions[0].location, "actions.py::migrate");
    assert!(spec.container_overrides[0].command);
    let warnings: Vec<_> = loaded.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("Python needs python3"), "{warnings:?}");
}

#[test]
fn the_same_files_have_the_same_digest() {
    let first = load(FULL).unwrap().version.digest;
    assert_eq!(first, load(FULL).unwrap().version.digest);
    assert_ne!(first, load(&format!("{FULL}# more\n")).unwrap().version.digest);
}

#[test]
fn errors_point_at_their_place_and_suggest() {
    assert_eq!(
        error("mode: post", "mode: psot"),
        "driver.styrmin.yml:38:45: spec.actions[0].mode is 'psot', expected one of pre, core, post, failed, finally (did you mean 'post'?)"
    );
    assert!(
        error("component: db }", "component: bd }")
            .contains("names the component 'bd', which does not exist")
    );
    assert!(error("kind: integer", "kind: integre").contains("did you mean 'integer'?"));
    assert!(
        error("::migrate", "::migrat")
            .contains("actions.py has no function 'migrat' (did you mean 'migrate'?)")
    );
    assert!(
        error("actions.py::", "action.py::").contains("no file 'action.py' (did you mean 'actions.py'?)")
    );
    assert!(error("actions.py::migrate", "migrate").contains("expected file::function"));
    assert!(error("port: 5432", "port: 99999").contains("is 99999, expected a port from 1 to 65535"));
    assert!(error("port: 5432", "port: db").contains("is the text 'db', expected a port"));
    assert!(error("port: 5432, ", "").contains("spec.services[1] has no port (it is required)"));
    assert!(error("kind: postgres", "kind: postgers").contains("did you mean 'postgres'?"));
    assert!(error(", volume: data", "").contains("the strategy disk needs at least one"));
    assert!(error("name: wiki, kind", "name: Wiki_1, kind").contains("cannot name the service"));
    assert!(error("scope: external", "scope: extern").contains("expected one of internal, external"));
}

#[test]
fn values_are_checked_against_each_other() {
    assert!(error("1.6.0", "2.6.0").contains("'2.6.0' is not in supported_versions '>=1.0,<2.0'"));
    assert!(error(">=1.0,<2.0", "1.0 - 2.0").contains("spec.supported_versions"));
    assert!(
        error("default: small", "default: medium").contains("expected one of small, large, found 'medium'")
    );
    assert!(error("default: 2 ", "default: two ").contains("expected a whole number, found 'two'"));
    assert!(error("default: 2 ", "default: 2, min: 3 ").contains("expected at least 3, found 2"));
    assert!(error("default: 2 ", "default: 2, min: 3, max: 1 ").contains("more than max 1"));
    assert!(
        error("label: Title, kind: string", "kind: string, pattern: '(a'").contains("no regular expression")
    );
    assert!(
        error("label: Title, kind: string", "kind: secret, default: x")
            .contains("the same secret everywhere")
    );
    assert!(error("name: debug", "name: title").contains("the parameter 'title' is declared twice"));
    assert!(
        error("kind: tcp, port", "kind: tcp, scope: external, port")
            .contains("only http services can be external")
    );
    assert!(error("name: title", "name: the-title").contains("which templates cannot name"));
    assert!(error("wiki\", version: \"4.2\"", "wiki\"").contains("pin the chart's version"));
    assert!(error("kind: string }", "kind: string, min: 1.5 }").contains("counts characters or items"));
    assert!(error("values: [small, large]", "values: [small, small]").contains("declared twice"));
}

/// The reference for people.
const REFERENCE: &str = include_str!("../../../docs/driver-format.md");

#[test]
fn every_field_is_in_the_reference() {
    let fields = [
        &super::SPEC_FIELDS[..],
        &super::actions::FIELDS[..],
        &super::chart::FIELDS[..],
        &super::parameters::FIELDS[..],
        &super::parameters::KINDS[..],
        &super::services::FIELDS[..],
        &super::components::FIELDS[..],
        &super::backup::STRATEGIES[..],
        Hook::WORDS,
        Mode::WORDS,
        OnFailure::WORDS,
    ];
    for field in fields.into_iter().flatten().filter(|field| **field != "target_port") {
        let named =
            [format!("`{field}`"), format!("`{field}[]`"), format!("`main.{field}`"), format!("`{field}.")];
        assert!(named.iter().any(|named| REFERENCE.contains(named)), "{field} is not described");
    }
}

#[test]
fn the_example_of_the_reference_loads_and_renders_without_a_warning() {
    let block = |language: &str| {
        let (_, rest) = REFERENCE.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), block("yaml")),
        ("manifests/server.yaml.j2".to_owned(), block("jinja")),
    ]);
    let loaded = load_files("test", files).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(loaded.warnings, []);
    let context = json!({
        "app": { "version": "1.6.0" },
        "deployment": { "name": "wiki" },
        "environment": { "name": "demo" },
        "instance": { "namespace": "demo" },
        "components": { "server": { "replicas": 2, "env": [{ "name": "WIKI_CACHE", "value": "on" }] } },
        "parameters": { "password": { "secret": "wiki-parameters", "key": "password.ab", "digest": "ab" } },
        "services": {},
    });
    let objects =
        crate::driver::render_alone(&loaded.version, &context).unwrap_or_else(|problem| panic!("{problem}"));
    let pod = &objects.objects[0]["spec"]["template"];
    assert_eq!(pod["metadata"]["annotations"]["example.org/password"], "ab");
    let variables = pod["spec"]["containers"][0]["env"].as_array().unwrap();
    assert_eq!(variables[0]["valueFrom"]["secretKeyRef"]["key"], "password.ab");
    assert_eq!(variables[1]["name"], "WIKI_CACHE");
}

#[test]
fn charts_are_found_where_they_are_said_to_be() {
    let local = |location: &str, files: &[(&str, &[u8])]| {
        let mut content = Content::default();
        let spec =
            FULL.replace("\"oci://example.org/charts/wiki\", version: \"4.2\"", &format!("'{location}'"));
        content.add("driver.styrmin.yml", (HEAD.to_owned() + &spec).into_bytes()).unwrap();
        content.add("actions.py", b"def migrate(ctx): 0".to_vec()).unwrap();
        files.iter().for_each(|(path, bytes)| content.add(path, bytes.to_vec()).unwrap());
        let told = |errors: Vec<Diagnostic>| errors.iter().map(ToString::to_string).collect::<String>();
        load_content("test", content).map_err(told)
    };
    let chart = local("./chart/", &[("chart/Chart.yaml", b"")]).unwrap().version.spec.helm.unwrap();
    assert_eq!((chart.local_path(), chart.values.as_str()), (Some("chart"), "values.j2.yml"));
    let foreign: [(&str, &[u8]); 3] =
        [("chart/Chart.yaml", b""), ("chart/files/a.j2", b"{{ broken"), ("chart2/b.yml", b"")];
    assert!(local("./chart/", &foreign).is_ok(), "what is in the chart's directory is Helm's");
    let own = [foreign[0], ("chart2/a.j2", b"{{ broken")];
    assert!(local("chart", &own).unwrap_err().contains("chart2/a.j2:1"), "its neighbour's is not");
    let archive = local("charts/wiki.tgz", &[("charts/wiki.tgz", &[0x1F, 0x8B, 0x08])]).unwrap().version;
    assert_eq!(archive.binaries.len(), 1);
    assert!(local("cahrt", &[("chart/Chart.yaml", b"")]).unwrap_err().contains("did you mean 'chart'?"));
    assert!(local("chart.tgz", &[("chart.tgz", b"text")]).unwrap_err().contains("has no chart.tgz"));
    for outside in ["../chart", "/chart", "chart/../../x", "file:///chart"] {
        assert!(local(outside, &[]).unwrap_err().contains("outside of the driver"), "{outside}");
    }
    for own in [".", "./", "././"] {
        let told = local(own, &[("Chart.yaml", b"")]).unwrap_err();
        assert!(told.contains("the driver's own directory") && told.contains("./chart"), "{own}: {told}");
    }
    assert!(local("https://me:secret@x.org/c.tgz", &[]).unwrap_err().contains("credentials"));
    assert!(local("oci://", &[]).unwrap_err().contains("names no host"));
    assert!(local("https://x.org/c-1.tgz", &[]).is_ok(), "an archive's address says its version");
    assert!(
        error("version: \"4.2\" }", "version: \"4.2\" }\n    renderer: flux").contains("not supported yet")
    );
    assert!(error("version: \"4.2\" }", "version: \"4.2\" }\n    renderer: fulx").contains("'flux'?"));
    assert!(error("version: \"4.2\"", "version: \"4.2\", values: a.yml").contains("no file 'a.yml'"));
}

/// The full driver with its action replaced.
fn with_actions(actions: &str) -> String {
    let (head, _) = FULL.split_once("  actions:").unwrap();
    format!("{head}  actions:\n{actions}")
}

#[test]
fn actions_have_an_order_a_policy_and_typed_prompts() {
    let loaded = load(&with_actions(
        r#"
    - { name: first, hook: setup, location: "actions.py::migrate", timeout: 5m, retries: 2, on_failure: warn, policy: once }
    - name: second
      hook: setup
      mode: core
      after: first
      timeout: 90
      policy: probe
      location: "actions.py::migrate"
      prompts:
        - { name: mail, pattern: '.+@.+' }
        - { name: count, kind: integer, min: 1, default: 3 }
    - { name: by-hand, location: "actions.py::migrate", prompts: { reason: Why?, deep: { kind: boolean } } }
"#,
    ));
    let loaded = loaded.unwrap_or_else(|errors| panic!("{errors:#?}"));
    let (actions, warnings) = (loaded.version.spec.actions, loaded.warnings);
    assert_eq!((actions[0].timeout, actions[0].retries), (Some(300), 2));
    assert_eq!((actions[0].on_failure, actions[0].policy), (OnFailure::Warn, Some(Policy::Once)));
    assert_eq!((actions[1].timeout, actions[1].on_failure), (Some(90), OnFailure::Stop));
    assert_eq!(actions[1].after, ["first"]);
    assert_eq!(actions[1].policy, Some(Policy::Idempotent), "there is nothing to be looked for");
    let warned: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(warned.iter().any(|warning| warning.contains("is probe, taken as idempotent")), "{warned:?}");
    assert_eq!(actions[1].prompts[0].kind, ParameterKind::String);
    assert_eq!(actions[1].prompts[1].default, Some(json!(3)));
    assert_eq!((actions[2].hook, actions[2].prompts.len()), (None, 2));
    let reason = actions[2].prompts.iter().find(|prompt| prompt.name == "reason").unwrap();
    assert_eq!(reason.label, "Why?");

    let wrong = |actions: &str| {
        let errors = load(&with_actions(actions)).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let one =
        |fields: &str| wrong(&format!("    - {{ name: a, location: 'actions.py::migrate', {fields} }}\n"));
    assert!(one("hook: setup, after: [b]").contains("names 'b', which does not exist"));
    assert!(one("hook: setup, after: [a]").contains("would have to run after itself"));
    assert!(one("after: [a]").contains("has after and no hook"));
    assert!(one("timeout: soon").contains("expected a length of time"));
    assert!(one("timeout: 0").contains("expected a length of time"));
    assert!(one("timeout: 25h").contains("expected a length of time"));
    assert!(one("retries: 99").contains("is 99, expected a whole number from 0 to 10"));
    assert!(one("policy: twice").contains("expected one of idempotent, probe, once"));
    assert!(one("on_failure: wran").contains("did you mean 'warn'?"));
    assert!(
        one("prompts: [{ name: p, kind: secret, default: x }]").contains("the same secret everywhere"),
        "a secret can be asked for, and has no default"
    );
    assert!(one("prompts: [{ name: p }, { name: p }]").contains("the prompt 'p' is declared twice"));
    assert!(one("prompts: nope").contains("expected a list"));
    let elsewhere = "    - { name: a, hook: setup, location: 'actions.py::migrate' }\n    - { name: b, hook: stop, after: a, location: 'actions.py::migrate' }\n";
    assert!(wrong(elsewhere).contains("runs at another hook"));
    let circle = "    - { name: a, hook: stop, after: b, location: 'actions.py::migrate' }\n    - { name: b, hook: stop, after: a, location: 'actions.py::migrate' }\n";
    assert!(wrong(circle).contains("after itself"));
    let action = |name: &str, after: &str| {
        format!("    - {{ name: {name}, hook: stop, after: {after}, location: 'actions.py::migrate' }}\n")
    };
    let before = [action("a", "[d, b]"), action("b", "c"), action("c", "b"), action("d", "[]")].concat();
    let told = wrong(&before);
    assert!(told.contains("the action 'b' would have to run after itself"), "{told}");
    assert!(!told.contains("'a'") && told.contains("driver.styrmin.yml:39:37"), "{told}");
}

#[test]
fn what_will_not_work_as_it_is_written_is_told() {
    let told = |action: &str| {
        let loaded = load(&with_actions(&format!("    - {{ name: a, {action} }}\n"))).unwrap();
        loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let warnings = told("hook: setup, location: 'actions.py::migrate', prompts: [{ name: p, kind: secret }]");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[1].contains("has prompts, and at the hook setup nobody is asked"), "{warnings:?}");
    assert_eq!(told("location: 'actions.py::migrate', prompts: [{ name: p, kind: secret }]").len(), 1);
    let elsewhere = with_actions("    - { name: a, location: 'driver.styrmin.yml::x' }\n");
    let errors = load(&elsewhere).unwrap_err();
    assert!(errors[0].message.contains("is neither Starlark nor Python"), "{errors:?}");
}

#[test]
fn upgrades_come_from_ranges() {
    let from = |text: &str| {
        let spec = FULL.replace("  info:\n", &format!("  upgrades_from: {text}\n  info:\n"));
        load(&spec).map(|loaded| loaded.version.spec.upgrades_from)
    };
    assert_eq!(from("'>=1.0,<1.6'").unwrap().application, [">=1.0,<1.6"]);
    assert_eq!(from("['~1.4', '~1.5']").unwrap().application, ["~1.4", "~1.5"]);
    let both = from("{ application: ^1.2, driver: ['^1', '^2'] }").unwrap();
    assert_eq!((both.application.len(), both.driver.len()), (1, 2));
    let errors = from("{ application: [^1, nope], drivre: x }").unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.starts_with("spec.upgrades_from.application: 'nope' is no version range"));
}

#[test]
fn a_bare_version_as_a_range_is_told_how_it_is_read() {
    let loaded = load(&FULL.replace("\">=1.0,<2.0\"", "\"1.2\"")).unwrap();
    let warning = loaded.warnings.iter().find(|warning| warning.message.contains("is read as")).unwrap();
    assert!(warning.to_string().contains("'1.2' is read as '^1.2'"), "{warning}");
    assert!(error("default_version: \"1.6.0\"", "default_version: latest").contains("cannot be compared"));
}

#[test]
fn components_say_what_is_backed_up_and_by_what() {
    let components =
        load(&FULL.replace(
            "backup: { kind: postgres }",
            "backup: { kind: postgres, database: wiki, container: pg }",
        ));
    let target = components.unwrap().version.spec.components["db"].backup_target.clone();
    assert_eq!((target.database.as_deref(), target.container.as_deref()), (Some("wiki"), Some("pg")));
    assert!(error("{ kind: postgres }", "disk").contains("names no volumes"));
    assert!(error("{ kind: postgres }", "{ kind: action, action: migrat }").contains("'migrate'?"));
    let loaded = load(&FULL.replace("{ kind: postgres }", "action")).unwrap();
    assert!(loaded.warnings.iter().any(|warning| warning.message.contains("no action runs at the hook")));
    assert!(error("app: wiki-db", "'app/x/y': wiki-db").contains("which is no label"));
    assert!(error("app: wiki-db", "app: '-bad'").contains("which no label can be"));
    assert!(error("{ replicas: 2 }", "{ replicas: -1 }").contains("is -1, expected a whole number"));
    assert!(error("{ replicas: 2 }", "{ env: 3 }").contains("expected a mapping, or a list"));
}

#[test]
fn backups_say_how_they_hold_still_and_how_they_come_back() {
    let with = |backup: &str| FULL.replace("backup: { kind: postgres }", &format!("backup: {{ {backup} }}"));
    let target = |backup: &str| {
        let loaded = load(&with(backup)).unwrap();
        (loaded.version.spec.components["db"].backup_target.clone(), loaded.warnings)
    };
    let (full, warnings) = target(
        "kind: postgres, database: $POSTGRES_DB, quiesce: [sh, -c, hold], resume: [go], limit: 90s, idle: 5m, parallel: true, \
         restore: { into: same }",
    );
    assert!(warnings.iter().all(|warning| !warning.message.contains("backup")), "{warnings:?}");
    let quiesce = full.quiesce.unwrap();
    assert_eq!((quiesce.command.len(), quiesce.resume, quiesce.limit), (3, vec!["go".to_owned()], 90));
    assert_eq!((full.idle, full.parallel, full.restore.into), (Some(300), true, RestoreInto::Same));
    let (kept, _) = target("kind: action, command: [save], restore: { command: [load], stop: true }");
    assert_eq!((kept.command.len(), kept.restore.stop), (1, Some(true)));
    let (disk, _) = target("kind: disk, volume: data, quiesce: [a], resume: [b]");
    assert_eq!((disk.quiesce.unwrap().limit, disk.restore.into), (300, RestoreInto::Newer));
    let refused = |backup: &str| load(&with(backup)).unwrap_err()[0].to_string();
    assert!(refused("kind: postgres, quiesce: [a]").contains("stands without resume"));
    assert!(refused("kind: postgres, resume: [a]").contains("stands without quiesce"));
    assert!(refused("kind: postgres, limit: 5m").contains("limits nothing"));
    assert!(
        refused("kind: postgres, quiesce: hold, resume: [go]")
            .contains("a list: the program and its arguments")
    );
    assert!(refused("kind: action, files: [state]").contains("expected an absolute path"));
    assert!(refused("kind: action, files: [/a/../b]").contains("expected an absolute path"));
    assert!(refused("kind: action, files: [/a], command: [b]").contains("keep one"));
    assert!(refused("kind: postgres, restore: { into: newest }").contains("'newer'?"));
    assert!(refused("kind: postgres, restore: { stop: true }").contains("has to run while it is restored"));
    assert!(refused("kind: neo4j, restore: { stop: false }").contains("must not run"));
    assert!(refused("kind: postgres, idle: never").contains("a length of time"));
    let warned = |backup: &str, words: &str| {
        let (_, warnings) = target(backup);
        assert!(warnings.iter().any(|warning| warning.message.contains(words)), "{backup}: {warnings:?}");
    };
    warned("kind: action, command: [save]", "has no way back");
    warned("kind: postgres, changing: true", "means nothing to the strategy postgres");
    warned("kind: action, restore: { command: [load] }", "restores what no command keeps");
}

#[test]
fn services_may_ask_for_a_certificate() {
    let with = |tls: &str| FULL.replace("port: 8080,", &format!("port: 8080, tls: {tls},"));
    let tls = |text: &str| load(&with(text)).unwrap().version.spec.services[0].tls.clone();
    assert_eq!(tls("true"), Some(TlsSpec::default()));
    assert_eq!(tls("false"), None);
    assert_eq!(tls("{ issuer: letsencrypt }").unwrap().issuer.as_deref(), Some("letsencrypt"));
    let both = load(&with("{ issuer: a, secret: b }")).unwrap_err();
    assert!(both[0].message.contains("keep one") || both[0].hint.contains("keep one"), "{both:?}");
    assert!(load(&with("maybe")).unwrap_err()[0].message.contains("expected true, or a mapping"));
    let cluster_wide = tls("{ cluster_issuer: letsencrypt }").unwrap();
    assert!(cluster_wide.cluster_wide && cluster_wide.issuer.as_deref() == Some("letsencrypt"));
    let named = load(&with("{ secret: No Name }")).unwrap_err();
    assert!(named[0].message.contains("names no object"), "{named:?}");
    assert!(load(&with("true")).unwrap().warnings.iter().all(|warning| !warning.message.contains("tls")));
}

#[test]
fn services_say_who_may_reach_them() {
    let with = |from: &str| FULL.replace("port: 8080,", &format!("port: 8080, allow_from: {from},"));
    let from = |text: &str| load(&with(text)).unwrap().version.spec.services[0].allow_from.clone();
    let namespace = |name: &str, pods: &[(&str, &str)]| Peer::Namespace {
        name: name.to_owned(),
        pods: pods.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    };
    assert_eq!(
        from("[monitoring, '*', 10.0.0.0/8, { namespace: ops, pods: { app: x } }, { cidr: 'fd00::/8' }]"),
        [
            namespace("monitoring", &[]),
            namespace("*", &[]),
            Peer::Cidr("10.0.0.0/8".to_owned()),
            namespace("ops", &[("app", "x")]),
            Peer::Cidr("fd00::/8".to_owned()),
        ]
    );
    assert_eq!(from("monitoring"), [namespace("monitoring", &[])]);
    assert_eq!(from("{ namespace: '*', pods: { app: x } }"), [namespace("*", &[("app", "x")])]);
    for (text, why) in [
        ("[10.0.0.0/33]", "allow_from[0] is '10.0.0.0/33'"),
        ("[Monitoring]", "allow_from[0] is 'Monitoring', which names no namespace"),
        ("[{ namespace: a, cidr: 10.0.0.0/8 }]", "has a namespace and a cidr"),
        ("[{ cidr: 10.0.0.0/8, pods: { a: b } }]", "has pods beside a cidr"),
        ("[{ pods: { a: b } }]", "has no namespace and no cidr"),
        ("[[a]]", "expected a namespace, a block of addresses"),
    ] {
        let errors = load(&with(text)).unwrap_err();
        assert!(errors.len() == 1 && errors[0].message.contains(why), "{text}: {errors:?}");
    }
    let unknown = load(&with("[{ namespace: a, pod: { a: b } }]")).unwrap().warnings;
    assert!(unknown.iter().any(|warning| warning.hint.contains("did you mean 'pods'?")), "{unknown:?}");
}

#[test]
fn what_is_wrong_in_large_numbers_is_told_within_bounds() {
    let unknown: String = (0..300).map(|n| format!("  nope{n}: 1\n")).collect();
    let loaded = load(&FULL.replace("  info:\n", &format!("{unknown}  info:\n"))).unwrap();
    assert_eq!(loaded.warnings.len(), 101);
    assert!(loaded.warnings[100].message.contains("there is more"));
    let many: String = (0..2_000).map(|n| format!("  nope{n}: 1\n")).collect();
    let errors = load(&FULL.replace("  info:\n", &format!("{many}  info:\n"))).unwrap_err();
    assert!(errors.iter().any(|error| error.message.contains("the limit is 1000")), "{errors:?}");
    let long = load(&FULL.replace("component: db }", &format!("component: '{}' }}", "x".repeat(100_000))));
    assert!(long.unwrap_err()[0].to_string().len() < 1_000);
}

#[test]
fn every_error_is_reported_at_once_in_the_order_of_the_file() {
    let broken =
        FULL.replace("mode: post", "mode: nope").replace("port: 8080", "port: 0").replace("2.1.0", "x");
    let found: Vec<_> = load(&broken).unwrap_err().into_iter().map(|error| error.line).collect();
    assert_eq!(found.len(), 3);
    assert!(found.is_sorted(), "{found:?}");
}

#[test]
fn unknown_fields_warn_with_the_nearest() {
    let loaded = load(&FULL.replace("  info:\n", "  inof: 1\n  info:\n")).unwrap();
    let warning = loaded.warnings.iter().find(|warning| warning.message.contains("inof")).unwrap();
    assert_eq!(
        warning.to_string(),
        "driver.styrmin.yml:10:3: spec has no field 'inof', it is ignored (did you mean 'info'?)"
    );
}

#[test]
fn a_number_that_should_be_a_text_is_taken_as_it_is_written() {
    let loaded = load(&FULL.replace("default_version: \"1.6.0\"", "default_version: 1.10")).unwrap();
    assert_eq!(loaded.version.spec.default_version, "1.10");
    assert!(loaded.warnings.iter().any(|warning| warning.message.contains("taken as the text \"1.10\"")));
}

#[test]
fn the_frame_of_the_document_is_checked() {
    assert!(errors("spec:", "spac:")[0].contains("has no spec"));
    let text = HEAD.replace("styrmin.io/v1", "v1").replace("  name: wiki\n", "  nmae: wiki\n");
    let files = BTreeMap::from([
        ("driver.styrmin.yml".to_owned(), text + FULL),
        ("actions.py".to_owned(), "def migrate(x): 0".to_owned()),
    ]);
    let found = load_files("test", files).unwrap_err();
    assert_eq!(found.iter().filter(|finding| finding.is_error()).count(), 2, "{found:#?}");
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found[2].contains("metadata has no field 'nmae'"), "warnings come behind: {found:#?}");
    assert!(found[0].contains("apiVersion is 'v1', expected 'styrmin.io/v1'"), "{found:#?}");
    assert!(found[1].contains("metadata has no name"), "{found:#?}");

    let missing =
        load_files("test", BTreeMap::from([("driver.styrmin.yaml".to_owned(), String::new())])).unwrap_err();
    assert!(missing[0].hint.contains("driver.styrmin.yaml"), "{missing:?}");
    for text in ["", "- a\n", "a: [", "just text", "a: &a [*a]\n"] {
        let files = BTreeMap::from([("driver.styrmin.yml".to_owned(), text.to_owned())]);
        assert!(load_files("test", files).is_err(), "{text}");
    }
}

#[test]
fn something_must_be_deployed() {
    let bare = "spec: { version: '1', default_version: '1', components: { a: { identifier: { label: { x: y } } } } }\n";
    let found = load(bare).unwrap_err();
    assert!(found[0].message.contains("neither spec.helm nor manifests"), "{found:?}");
    let twice = load(&FULL.replace("  info:\n", "  version: '3'\n  info:\n")).unwrap_err();
    assert!(
        twice[0].to_string().contains("'version' stands twice in spec (the first is in line 7)"),
        "{twice:?}"
    );
}
