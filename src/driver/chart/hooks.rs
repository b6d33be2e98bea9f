//! Hooks: objects that are applied at certain moments of a release, and waited for.

use std::collections::BTreeMap;

use super::manifests::Document;

/// The annotation that makes an object a hook.
pub(super) const EVENTS: &str = "helm.sh/hook";
const WEIGHT: &str = "helm.sh/hook-weight";
const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// A moment of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookEvent {
    /// Before anything is applied for the first time.
    PreInstall,
    /// After everything was applied for the first time.
    PostInstall,
    /// Before anything is deleted.
    PreDelete,
    /// After everything was deleted.
    PostDelete,
    /// Before a change is applied.
    PreUpgrade,
    /// After a change was applied.
    PostUpgrade,
    /// Before an earlier state is applied again.
    PreRollback,
    /// After an earlier state was applied again.
    PostRollback,
    /// When somebody asks for a test.
    Test,
}

impl HookEvent {
    const ALL: [(&'static str, Self); 10] = [
        ("pre-install", Self::PreInstall),
        ("post-install", Self::PostInstall),
        ("pre-delete", Self::PreDelete),
        ("post-delete", Self::PostDelete),
        ("pre-upgrade", Self::PreUpgrade),
        ("post-upgrade", Self::PostUpgrade),
        ("pre-rollback", Self::PreRollback),
        ("post-rollback", Self::PostRollback),
        ("test", Self::Test),
        // Helm 2's name of it
        ("test-success", Self::Test),
    ];

    /// The name in the annotation.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, event)| *event == self).map_or("", |(name, _)| name)
    }

    fn read(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, event)| *event)
    }
}

/// When a hook's object is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletePolicy {
    /// Before the same hook is applied again.
    BeforeHookCreation,
    /// When all hooks of the moment have succeeded.
    Succeeded,
    /// When it has failed.
    Failed,
}

impl DeletePolicy {
    fn read(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "before-hook-creation" => Some(Self::BeforeHookCreation),
            "hook-succeeded" => Some(Self::Succeeded),
            "hook-failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// What an object's annotations say of it as a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    events: Vec<HookEvent>,
    weight: i64,
    delete_policies: Vec<DeletePolicy>,
}

impl Hook {
    /// None when an event is unknown.
    pub(super) fn read(events: &str, annotations: &BTreeMap<String, String>) -> Option<Self> {
        let events = events.split(',').map(HookEvent::read).collect::<Option<_>>()?;
        let weight = annotations.get(WEIGHT).and_then(|text| text.parse().ok()).unwrap_or(0);
        let delete_policies = match annotations.get(DELETE_POLICY) {
            // What is not known does nothing, but is not nothing.
            Some(names) => names.split(',').filter_map(DeletePolicy::read).collect(),
            None => vec![DeletePolicy::BeforeHookCreation],
        };
        Some(Self { events, weight, delete_policies })
    }
}

/// A hook of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartHook {
    /// The object's name.
    pub name: String,
    /// The moments in which it is applied.
    pub events: Vec<HookEvent>,
    /// Lower ones come first.
    pub weight: i64,
    /// When it is deleted; by default before it is created again. A definition of custom resources is never deleted.
    pub delete_policies: Vec<DeletePolicy>,
    /// The object itself.
    pub document: Document,
}

impl ChartHook {
    pub(super) fn new(name: String, hook: Hook, document: Document) -> Self {
        let Hook { events, weight, delete_policies } = hook;
        Self { name, events, weight, delete_policies, document }
    }
}

/// Whether an object stays when its release is deleted, or when the chart does not render it any more.
pub fn is_kept(object: &serde_json::Value) -> bool {
    let policy = object
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations")?.get(RESOURCE_POLICY)?.as_str());
    policy.is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(annotations: &[(&str, &str)]) -> Option<Hook> {
        let annotations: BTreeMap<String, String> =
            annotations.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Hook::read(&annotations[EVENTS], &annotations)
    }

    #[test]
    fn annotations_are_read_as_helm_reads_them() {
        let read = hook(&[(EVENTS, "Pre-Install, test-success"), (WEIGHT, "-5")]).unwrap();
        assert_eq!(read.events, [HookEvent::PreInstall, HookEvent::Test]);
        assert_eq!((read.weight, read.delete_policies), (-5, vec![DeletePolicy::BeforeHookCreation]));
        let read = hook(&[
            (EVENTS, "post-delete"),
            (WEIGHT, "1.5"),
            (DELETE_POLICY, "hook-succeeded,HOOK-FAILED,x"),
        ])
        .unwrap();
        assert_eq!(
            (read.weight, read.delete_policies),
            (0, vec![DeletePolicy::Succeeded, DeletePolicy::Failed])
        );
        assert_eq!(hook(&[(EVENTS, "pre-install,crd-install")]), None);
        assert_eq!(hook(&[(EVENTS, "")]), None);
    }

    #[test]
    fn what_is_to_be_kept_is_kept() {
        let with = |policy: &str| serde_json::json!({"metadata": {"annotations": {RESOURCE_POLICY: policy}}});
        assert!(is_kept(&with("keep")) && is_kept(&with(" Keep ")));
        assert!(!is_kept(&with("delete")) && !is_kept(&serde_json::json!({})));
    }
}
