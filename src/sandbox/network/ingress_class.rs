//! Whose an Ingress is: the class that it names, and whether that is the sandbox's own. Pure.

use serde_json::Value;

use crate::sandbox::object;

/// The controller that the sandbox's proxy answers for.
pub const CONTROLLER: &str = "sandbox.styrmin.io/ingress";
/// The annotation of the IngressClass that is meant where an Ingress names none.
pub const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

/// The class that an Ingress names, by its field or by the older annotation; empty when it names none.
pub fn named(ingress: &Value) -> &str {
    match object::text(ingress, "/spec/ingressClassName") {
        "" => object::annotation(ingress, "kubernetes.io/ingress.class").unwrap_or_default(),
        named => named,
    }
}

/// Whether an Ingress's class, or the default class when it names none, is of the sandbox's controller.
pub fn is_ours<'a>(ingress: &Value, mut classes: impl Iterator<Item = &'a Value>) -> bool {
    let class = classes.find(|class| match named(ingress) {
        "" => object::annotation(class, DEFAULT_CLASS) == Some("true"),
        named => object::name(class) == named,
    });
    class.is_some_and(|class| object::text(class, "/spec/controller") == CONTROLLER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_field_counts_before_the_annotation_and_the_default_where_there_is_neither() {
        let class = |name: &str, controller: &str, default: &str| {
            json!({"metadata": {"name": name, "annotations": {DEFAULT_CLASS: default}},
                "spec": {"controller": controller}})
        };
        let classes = [class("nginx", "k8s.io/ingress-nginx", "false"), class("mine", CONTROLLER, "true")];
        let ingress = |field: Option<&str>, annotation: Option<&str>| {
            json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": annotation}},
                "spec": {"ingressClassName": field}})
        };
        for (field, annotation, ours) in [
            (None, None, true),
            (Some("mine"), Some("nginx"), true),
            (None, Some("mine"), true),
            (Some("nginx"), None, false),
            (None, Some("nginx"), false),
            (None, Some("unknown"), false),
        ] {
            assert_eq!(
                is_ours(&ingress(field, annotation), classes.iter()),
                ours,
                "{field:?} {annotation:?}"
            );
        }
        assert!(!is_ours(&ingress(None, None), classes[..1].iter()), "there is no default class");
    }
}
