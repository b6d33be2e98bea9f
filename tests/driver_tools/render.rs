//! `driver render`.

use std::fs;

use serde_json::Value;

use crate::home::Home;

fn kinds(objects: &Value) -> Vec<&str> {
    objects.as_array().unwrap().iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

#[test]
fn context_goes_in_and_objects_come_out() {
    let home = Home::with_driver();
    let objects = home.run(&["render", "wiki", "-o", "json"]).json();
    assert_eq!(kinds(&objects), ["ConfigMap", "Service", "Deployment", "Ingress"]);
    let arguments = [
        "render",
        "wiki",
        "--set",
        "replicas=3",
        "--set",
        "greeting=a=b",
        "--version",
        "1.27.1",
        "--environment",
        "stage",
        "--name",
        "docs",
        "--fqdn-suffix",
        "",
        "-o",
        "json",
    ];
    let objects = home.run(&arguments).json();
    assert_eq!(kinds(&objects), ["ConfigMap", "Service", "Deployment"], "no suffix, no route");
    let deployment = &objects[2];
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(deployment["metadata"]["namespace"], "stage");
    assert_eq!(deployment["metadata"]["name"], "docs-web");
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1.27.1");
    assert_eq!(objects[0]["data"]["index.html"], "a=b");
}

#[test]
fn yaml_is_a_stream_of_documents_and_the_same_every_time() {
    let home = Home::with_driver();
    let first = home.run(&["render", "wiki"]).good();
    assert_eq!(first.matches("---\n").count(), 4);
    assert!(first.starts_with("---\napiVersion: v1\n") && first.ends_with('\n'));
    assert_eq!(home.run(&["render", "wiki"]).good(), first);
    let only =
        home.run(&["render", "wiki", "--show-only", "service", "--show-only", "Deployment/wiki-web"]).good();
    assert_eq!(only.matches("---\n").count(), 2, "{only}");
    assert!(only.contains("kind: Service\n") && only.contains("kind: Deployment\n"));
    let (code, text, told) = home.run(&["render", "wiki", "--show-only", "Job"]).parts();
    assert_eq!((code, text.as_str(), told.as_str()), (0, "", "nothing of that kind and name is rendered\n"));
}

#[test]
fn a_context_that_was_printed_is_taken_again() {
    let home = Home::with_driver();
    let context = home.run(&["render", "wiki", "--set", "greeting=hello", "--show-context"]).good();
    assert!(context.contains("greeting: hello"), "{context}");
    fs::write(home.path("context.yaml"), &context).unwrap();
    let again = home.run(&["render", "wiki", "--context", "context.yaml"]).good();
    assert_eq!(again, home.run(&["render", "wiki", "--set", "greeting=hello"]).good());
    fs::write(home.path("context.yaml"), "- 1\n").unwrap();
    home.run(&["render", "wiki", "--context", "context.yaml"]).refused(&["context.yaml", "no mapping"]);
    home.run(&["render", "wiki", "--context", "missing"]).refused(&["missing"]);
}

#[test]
fn wrong_input_is_refused_with_what_there_is() {
    let home = Home::with_driver();
    home.run(&["render", "wiki", "--set", "replica=1"]).refused(&["replica", "did you mean 'replicas'?"]);
    home.run(&["render", "wiki", "--set", "replicas=many"]).refused(&["whole number", "many"]);
    home.run(&["render", "wiki", "--version", "3.0"]).refused(&["3.0", ">=1.26,<2.0"]);
    assert_eq!(home.run(&["render", "wiki", "--set", "replicas"]).parts().0, 2, "no value at all");
    home.run(&["render", "missing"]).refused(&["missing", "cannot be read"]);
}

#[test]
fn two_versions_are_compared() {
    let home = Home::with_driver();
    home.run(&["load", "wiki"]).good();
    let same = home.run(&["render", "wiki", "--diff", "wiki@0.1.0"]).parts();
    assert_eq!((same.0, same.1.as_str(), same.2.as_str()), (0, "", "they render the same\n"));

    home.edit("driver.styrmin.yml", "version: \"0.1.0\"", "version: \"0.2.0\"");
    home.edit("driver.styrmin.yml", "name: greeting", "name: welcome");
    home.edit("manifests/web.yaml.j2", "parameters.greeting", "parameters.welcome");
    home.edit("manifests/web.yaml.j2", "memory: 32Mi", "memory: 64Mi");
    let arguments = ["render", "wiki", "--set", "welcome=hi", "--diff", "wiki"];
    // a name that is a directory is that directory: the version says that it is not meant
    assert_eq!(home.run(&arguments).good(), "");
    let (code, text, told) =
        home.run(&["render", "wiki", "--set", "welcome=hi", "--diff", "wiki@0.1.0"]).parts();
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("wiki 0.1.0 has no welcome: left out there"), "{told}");
    for line in [
        "=== Deployment/wiki-web",
        "-            memory: 32Mi",
        "+            memory: 64Mi",
        "+  index.html: hi",
    ] {
        assert!(text.lines().any(|found| found == line), "'{line}' is not in:\n{text}");
    }
    let json = home
        .run(&["render", "wiki", "--diff", "wiki@0.1.0", "--show-only", "Deployment", "-o", "json"])
        .json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["object"]["name"], "wiki-web");
    home.run(&["render", "wiki", "--diff", "wiki@9"]).refused(&["wiki@9", "wiki@0.1.0", "notes@1.1.0"]);
}
