//! What the controllers know: the objects they watch, indexed by namespace and by controlling owner.
//!
//! The cache is fed from the API's change streams. Because those streams are filled inside every write, draining them after
//! each sync gives the controllers read-your-own-writes, and no expectations have to be kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::object::{controller_uid, name, namespace, text};
use super::placing::PodIndex;
use super::pods::PODS;

/// Namespace and name.
pub type Place = (String, String);

/// The objects of the watched resources.
#[derive(Debug, Default)]
pub struct Cache {
    objects: HashMap<&'static str, BTreeMap<Place, Arc<Value>>>,
    owned: HashMap<(&'static str, String), BTreeSet<Place>>,
    /// Where pods are, and what they take there.
    pub pods: PodIndex,
}

impl Cache {
    /// One object.
    pub fn get(&self, resource: &'static str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects.get(resource)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Every object of a resource, by namespace and name.
    pub fn all(&self, resource: &'static str) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.get(resource).into_iter().flat_map(BTreeMap::values)
    }

    /// The objects of a resource in one namespace, by name.
    pub fn in_namespace<'a>(
        &'a self,
        resource: &'static str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        let from = (namespace.to_owned(), String::new());
        self.objects
            .get(resource)
            .into_iter()
            .flat_map(move |objects| objects.range(from.clone()..))
            .take_while(move |(place, _)| place.0 == namespace)
            .map(|(_, object)| object)
    }

    /// The objects of a resource that the owner with this uid controls, by name.
    pub fn owned<'a>(
        &'a self,
        resource: &'static str,
        owner: &str,
    ) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        let objects = self.objects.get(resource);
        self.owned
            .get(&(resource, owner.to_owned()))
            .into_iter()
            .flatten()
            .filter_map(move |place| objects?.get(place))
    }

    /// The objects of a resource in one namespace that nobody controls.
    pub fn orphans<'a>(
        &'a self,
        resource: &'static str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Value>> {
        let objects = self.objects.get(resource);
        let from = (namespace.to_owned(), String::new());
        self.owned
            .get(&(resource, String::new()))
            .into_iter()
            .flat_map(move |places| places.range(from.clone()..))
            .take_while(move |place| place.0 == namespace)
            .filter_map(move |place| objects?.get(place))
    }

    /// Takes in an object, unless a newer version of it is known already.
    pub fn insert(&mut self, resource: &'static str, object: Arc<Value>) {
        let place = place(&object);
        if let Some(known) = self.objects.get(resource).and_then(|all| all.get(&place)) {
            if version(known) > version(&object) {
                return;
            }
            let (known, owner) = (known.clone(), controller_uid(known).to_owned());
            self.disown(resource, owner, &place);
            if resource == PODS {
                self.pods.remove(&known);
            }
        }
        if resource == PODS {
            self.pods.add(&object);
        }
        self.owned.entry((resource, controller_uid(&object).to_owned())).or_default().insert(place.clone());
        self.objects.entry(resource).or_default().insert(place, object);
    }

    /// Forgets an object, unless a newer one has taken its place.
    pub fn remove(&mut self, resource: &'static str, object: &Value) {
        let place = place(object);
        let Some(known) = self.objects.get(resource).and_then(|all| all.get(&place)) else { return };
        if version(known) > version(object) {
            return;
        }
        let (known, owner) = (known.clone(), controller_uid(known).to_owned());
        self.disown(resource, owner, &place);
        if resource == PODS {
            self.pods.remove(&known);
        }
        if let Some(all) = self.objects.get_mut(resource) {
            all.remove(&place);
        }
    }

    fn disown(&mut self, resource: &'static str, owner: String, place: &Place) {
        let key = (resource, owner);
        if let Some(places) = self.owned.get_mut(&key) {
            places.remove(place);
            if places.is_empty() {
                self.owned.remove(&key);
            }
        }
    }
}

fn place(object: &Value) -> Place {
    (namespace(object).to_owned(), name(object).to_owned())
}

/// The sandbox's resource versions are numbers; outsiders must not know that, the room itself may.
fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(namespace: &str, name: &str, owner: &str, version: u64) -> Arc<Value> {
        let mut pod = json!({"metadata": {
            "namespace": namespace, "name": name, "resourceVersion": version.to_string()}});
        if !owner.is_empty() {
            pod["metadata"]["ownerReferences"] = json!([{"uid": owner, "controller": true}]);
        }
        Arc::new(pod)
    }

    fn names<'a>(objects: impl Iterator<Item = &'a Arc<Value>>) -> Vec<&'a str> {
        objects.map(|object| name(object)).collect()
    }

    #[test]
    fn indexes_follow_namespace_and_owner() {
        let mut cache = Cache::default();
        cache.insert("pods", pod("a", "two", "u", 1));
        cache.insert("pods", pod("a", "one", "", 2));
        cache.insert("pods", pod("b", "three", "u", 3));
        assert_eq!(names(cache.in_namespace("pods", "a")), ["one", "two"]);
        assert_eq!(names(cache.owned("pods", "u")), ["two", "three"]);
        assert_eq!(names(cache.orphans("pods", "a")), ["one"]);
        assert_eq!(names(cache.orphans("pods", "b")), Vec::<&str>::new());
        cache.insert("pods", pod("a", "one", "u", 4));
        assert_eq!(names(cache.owned("pods", "u")), ["one", "two", "three"]);
        assert_eq!(names(cache.orphans("pods", "a")), Vec::<&str>::new());
    }

    #[test]
    fn older_news_changes_nothing() {
        let mut cache = Cache::default();
        cache.insert("pods", pod("a", "one", "new", 9));
        cache.insert("pods", pod("a", "one", "old", 3));
        cache.remove("pods", &pod("a", "one", "old", 3));
        assert_eq!(names(cache.owned("pods", "new")), ["one"]);
        cache.remove("pods", &pod("a", "one", "new", 10));
        assert!(cache.get("pods", "a", "one").is_none());
        assert_eq!(names(cache.owned("pods", "new")), Vec::<&str>::new());
    }
}
