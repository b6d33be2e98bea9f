//! Custom resources: definitions, their schemas, and objects of them.

use kube::api::{ApiResource, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Discovery, Scope};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::objects::config_map;
use crate::things::{Things, condition, number, resource, text, version};

cases!(
    a_definition_is_established_and_served,
    a_definition_that_is_wrong_is_refused,
    objects_are_defaulted_and_pruned,
    objects_are_validated_by_their_schema,
    status_is_a_subresource,
    the_scale_subresource_follows_its_paths,
    updates_need_a_version,
    strategic_patches_are_refused,
    objects_can_be_applied_with_owners_of_fields,
    a_definition_takes_its_objects_along,
);

pub const GROUP: &str = "test.styrmin.io";

fn schema() -> Value {
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["mode"], "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
            "mode": {"type": "string", "enum": ["fast", "slow"]},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "tags": {"type": "array", "items": {"type": "string"}},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string"}, "port": {"type": "integer", "default": 80}}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
        "status": {"type": "object", "properties": {
            "phase": {"type": "string"}, "size": {"type": "integer"}, "selector": {"type": "string"}}}}})
}

fn definition(plural: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema()},
                "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.selector"}}}]}})
}

/// A definition of its own for this test, established, and its objects.
pub struct Custom {
    pub plural: String,
    pub kind: String,
    pub things: Things,
}

impl Custom {
    pub async fn start(ground: &Ground) -> Self {
        Self::defined(ground, definition).await
    }

    /// Of a definition that is made of a plural name and a kind.
    pub async fn defined(ground: &Ground, definition: impl Fn(&str, &str) -> Value) -> Self {
        let letters: String = ground.unique("n").chars().filter(char::is_ascii_alphanumeric).collect();
        let (plural, kind) = (format!("widgets{letters}"), format!("Widget{letters}"));
        let definitions = ground.things("customresourcedefinitions");
        definitions.create(definition(&plural, &kind)).await;
        let name = format!("{plural}.{GROUP}");
        definitions
            .until_is(&name, "it is established", |crd| condition(crd, "Established").0 == "True")
            .await;
        let things = Things::of(ground, &Self::resource(&plural, &kind), Some(&ground.namespace));
        // a real server serves the resource a moment later than it says
        let served = async {
            while things.api.list(&Default::default()).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        ground.within("the resource is served", served).await;
        Self { plural, kind, things }
    }

    pub fn resource(plural: &str, kind: &str) -> ApiResource {
        resource(&format!("{GROUP}/v1"), kind, plural)
    }

    pub fn object(&self, name: &str, spec: Value) -> Value {
        json!({"apiVersion": format!("{GROUP}/v1"), "kind": self.kind, "metadata": {"name": name}, "spec": spec})
    }

    pub async fn end(self, ground: &Ground) {
        ground.things("customresourcedefinitions").delete(&format!("{}.{GROUP}", self.plural)).await;
    }
}

async fn a_definition_is_established_and_served(ground: &Ground) {
    let custom = Custom::start(ground).await;
    let crd = ground.things("customresourcedefinitions").get(&format!("{}.{GROUP}", custom.plural)).await;
    assert_eq!(condition(&crd, "NamesAccepted"), ("True", "NoConflicts"));
    assert_eq!(condition(&crd, "Established").1, "InitialNamesAccepted");
    assert_eq!(text(&crd, "/status/acceptedNames/plural"), custom.plural);
    assert_eq!(text(&crd, "/spec/names/listKind"), format!("{}List", custom.kind), "defaulted");
    assert_eq!(crd["status"]["storedVersions"], json!(["v1"]));
    // a real server's discovery follows a moment later
    let mut found = None;
    let discovered = async {
        while found.is_none() {
            let discovery =
                Discovery::new(ground.client.clone()).filter(&[GROUP]).run().await.expect("discovery");
            found = discovery.resolve_gvk(&GroupVersionKind::gvk(GROUP, "v1", &custom.kind));
        }
    };
    ground.within("it is discovered", discovered).await;
    let (resource, capabilities) = found.expect("found");
    assert_eq!((resource.plural.as_str(), capabilities.scope), (custom.plural.as_str(), Scope::Namespaced));
    custom.end(ground).await;
}

async fn a_definition_that_is_wrong_is_refused(ground: &Ground) {
    let definitions = ground.things("customresourcedefinitions");
    let good = || definition("gadgets", "Gadget");
    let mut misnamed = good();
    misnamed["metadata"]["name"] = json!("gadgets.elsewhere.io");
    let mut shapeless = good();
    shapeless["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"] =
        json!({"minimum": 1});
    let mut homeless = good();
    homeless["spec"]["versions"][0]["storage"] = json!(false);
    let mut bare = good();
    bare["spec"]["versions"][0].as_object_mut().expect("a version").remove("schema");
    for (wrong, field) in [
        (misnamed, "metadata.name"),
        (shapeless, "spec.validation.openAPIV3Schema.properties[spec].properties[size].type"),
        (homeless, "spec.versions"),
        (bare, "spec.versions[0].schema.openAPIV3Schema"),
    ] {
        let status = definitions.try_create(wrong).await.expect_err(field);
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{field}");
        let fields: Vec<String> =
            status.details.expect("details").causes.into_iter().map(|cause| cause.field).collect();
        let tail = field.rsplit("openAPIV3Schema").next().unwrap_or(field);
        assert!(fields.iter().any(|found| found == field || found.ends_with(tail)), "{field} in {fields:?}");
    }
}

async fn objects_are_defaulted_and_pruned(ground: &Ground) {
    let custom = Custom::start(ground).await;
    let spec = json!({"mode": "fast", "unknown": 1, "free": {"anything": [1, {"goes": true}]},
        "ports": [{"name": "a", "extra": 1}]});
    let mut object = custom.object("one", spec);
    object["extra"] = json!("gone");
    let made = custom.things.create(object).await;
    assert_eq!(
        made["spec"],
        json!({"mode": "fast", "size": 3, "free": {"anything": [1, {"goes": true}]}, "ports": [{"name": "a", "port": 80}]})
    );
    assert_eq!(made.get("extra"), None);
    assert_eq!(number(&made, "/metadata/generation"), 1);
    custom.end(ground).await;
}

async fn objects_are_validated_by_their_schema(ground: &Ground) {
    let custom = Custom::start(ground).await;
    for (spec, field) in [
        (json!({"mode": "fast", "size": 11}), "spec.size"),
        (json!({"mode": "fast", "size": "3"}), "spec.size"),
        (json!({"mode": "warp"}), "spec.mode"),
        (json!({}), "spec.mode"),
        (json!({"mode": "fast", "name": "Upper"}), "spec.name"),
        (json!({"mode": "fast", "tags": ["a", 1]}), "spec.tags"),
        (json!({"mode": "fast", "ports": [{"port": 1}]}), "spec.ports"),
        (json!({"mode": "fast", "ports": [{"name": "a"}, {"name": "a"}]}), "spec.ports[1]"),
    ] {
        let status = custom.things.try_create(custom.object("one", spec.clone())).await;
        let status = status.expect_err(&format!("{spec} is refused"));
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{spec}");
        let fields: Vec<String> =
            status.details.expect("details").causes.into_iter().map(|cause| cause.field).collect();
        assert!(fields.iter().any(|found| found.starts_with(field)), "{spec}: {field} in {fields:?}");
    }
    let lost = json!({"apiVersion": format!("{GROUP}/v1"), "kind": custom.kind, "metadata": {"name": "one"}});
    assert_eq!(custom.things.try_create(lost).await.expect_err("a refusal").code, 422);
    custom.things.create(custom.object("one", json!({"mode": "slow", "size": 10, "name": "abc"}))).await;
    custom.end(ground).await;
}

async fn status_is_a_subresource(ground: &Ground) {
    let custom = Custom::start(ground).await;
    let mut object = custom.object("one", json!({"mode": "fast"}));
    object["status"] = json!({"phase": "sent with the object"});
    let made = custom.things.create(object).await;
    assert_eq!(made.get("status"), None);
    let main = custom.things.merge("one", json!({"status": {"phase": "no"}})).await;
    assert_eq!((main.get("status"), version(&main)), (None, version(&made)), "nothing was written");
    let status =
        custom.things.merge_status("one", json!({"status": {"phase": "yes"}, "spec": {"size": 9}})).await;
    assert_eq!((text(&status, "/status/phase"), number(&status, "/spec/size")), ("yes", 3));
    assert_eq!(number(&status, "/metadata/generation"), 1);
    let grown = custom.things.merge("one", json!({"spec": {"size": 4}})).await;
    assert_eq!(number(&grown, "/metadata/generation"), 2);
    custom.end(ground).await;
}

async fn the_scale_subresource_follows_its_paths(ground: &Ground) {
    let custom = Custom::start(ground).await;
    custom.things.create(custom.object("one", json!({"mode": "fast", "size": 2}))).await;
    custom.things.merge_status("one", json!({"status": {"size": 1, "selector": "app=one"}})).await;
    let scale = custom.things.api.get_scale("one").await.expect("a scale");
    assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(2));
    let status = scale.status.expect("a status");
    assert_eq!((status.replicas, status.selector.as_deref()), (1, Some("app=one")));
    let patch = Patch::Merge(json!({"spec": {"replicas": 5}}));
    custom.things.api.patch_scale("one", &PatchParams::default(), &patch).await.expect("scaled");
    assert_eq!(number(&custom.things.get("one").await, "/spec/size"), 5);
    custom.end(ground).await;
}

async fn updates_need_a_version(ground: &Ground) {
    let custom = Custom::start(ground).await;
    custom.things.create(custom.object("one", json!({"mode": "fast"}))).await;
    let status = custom
        .things
        .try_replace(custom.object("one", json!({"mode": "slow"})))
        .await
        .expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert!(status.message.contains("metadata.resourceVersion: Invalid value"), "{}", status.message);
    let mut present = custom.things.get("one").await;
    present["spec"]["mode"] = json!("slow");
    assert_eq!(custom.things.replace(present).await["spec"]["mode"], "slow");
    custom.end(ground).await;
}

async fn strategic_patches_are_refused(ground: &Ground) {
    let custom = Custom::start(ground).await;
    custom.things.create(custom.object("one", json!({"mode": "fast"}))).await;
    let patch = Patch::Strategic(json!({"spec": {"mode": "slow"}}));
    let status = custom.things.try_patch("one", &PatchParams::default(), patch).await.expect_err("a refusal");
    assert_eq!((status.code, status.reason.as_str()), (415, "UnsupportedMediaType"));
    let merged = custom.things.merge("one", json!({"spec": {"mode": "slow"}})).await;
    assert_eq!(merged["spec"]["mode"], "slow");
    custom.end(ground).await;
}

async fn objects_can_be_applied_with_owners_of_fields(ground: &Ground) {
    let custom = Custom::start(ground).await;
    let port = |name: &str, port: i64| json!({"mode": "fast", "ports": [{"name": name, "port": port}]});
    custom.things.apply("alice", custom.object("one", port("a", 1))).await;
    let mut bobs = custom.object("one", port("b", 2));
    bobs["spec"].as_object_mut().expect("a spec").remove("mode");
    let both = custom.things.apply("bob", bobs).await;
    assert_eq!(
        both["spec"]["ports"],
        json!([{"name": "a", "port": 1}, {"name": "b", "port": 2}]),
        "a keyed list"
    );
    let status = custom
        .things
        .try_apply("bob", false, custom.object("one", port("a", 9)))
        .await
        .expect_err("a conflict");
    let fields: Vec<String> =
        status.details.expect("details").causes.into_iter().map(|cause| cause.field).collect();
    assert_eq!(fields, [".spec.ports[name=\"a\"].port"]);
    let again = custom.things.apply("alice", custom.object("one", port("a", 1))).await;
    assert_eq!(version(&again), version(&both), "nothing was written");
    custom.end(ground).await;
}

async fn a_definition_takes_its_objects_along(ground: &Ground) {
    let custom = Custom::start(ground).await;
    ground.things("configmaps").create(config_map("bystander", "a")).await;
    let mut object = custom.object("one", json!({"mode": "fast"}));
    object["metadata"]["finalizers"] = json!(["test.styrmin.io/hold"]);
    custom.things.create(object).await;
    let definitions = ground.things("customresourcedefinitions");
    let name = format!("{}.{GROUP}", custom.plural);
    definitions.delete(&name).await;
    definitions.until_is(&name, "it terminates", |crd| condition(crd, "Terminating").0 == "True").await;
    custom.things.merge("one", json!({"metadata": {"finalizers": null}})).await;
    definitions.until_gone(&name).await;
    assert!(ground.things("configmaps").find("bystander").await.is_some());
}
