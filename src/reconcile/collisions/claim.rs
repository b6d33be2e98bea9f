//! Hosts with paths, who answers to them, and whether two of them are one too many. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::route;
use crate::domain::{DeploymentDraft, Problem, labels};
use crate::ingress;

/// A host with a path, and who answers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reconcile) struct Claim {
    /// The host name; it may begin with `*.`.
    pub host: String,
    /// The path prefix, without a slash at its end: empty for all of it.
    pub path: String,
    /// Who: `notes in demo`, `Ingress/shop in namespace old`.
    pub holder: String,
    /// What of it: the driver's service, or the object.
    pub part: String,
    /// Whether it is a readable host of an environment of before, in which applications of one driver share it: each of them has
    /// another host for itself.
    pub shared: bool,
}

impl Claim {
    /// Whether it is the same host and path of the same one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.holder, &self.host, &self.path) == (&other.holder, &other.host, &other.path)
    }

    /// A further claim of one of whom `known` is known: a host that is shared is shared with all of its paths.
    pub(super) fn beside(mut self, known: &[Self]) -> Self {
        let shares = |it: &Self| it.shared && (&it.holder, &it.host) == (&self.holder, &self.host);
        self.shared = known.iter().any(shares);
        self
    }
}

/// Who an application is among those that answer.
pub(super) fn holder(draft: &DeploymentDraft) -> String {
    format!("{} in {}", draft.name, draft.environment)
}

/// What an instance answers to, from its frozen context.
pub(in crate::reconcile) fn claims(context: &Value, draft: &DeploymentDraft) -> Vec<Claim> {
    let holder = holder(draft);
    let is_of_before = context["instance"]["config"]["routing"].is_null();
    let services = context["services"].as_object().into_iter().flatten();
    services
        .flat_map(|(name, service)| {
            let found = ingress::hosts_of(service);
            let path = tidy(service["path"].as_str().unwrap_or_default());
            let claim = |host: &str| Claim {
                shared: is_of_before && found.readable.is_some_and(|it| it.eq_ignore_ascii_case(host)),
                host: host.to_lowercase(),
                path: path.clone(),
                holder: holder.clone(),
                part: name.clone(),
            };
            found.readable_first().map(claim).collect::<Vec<_>>()
        })
        .collect()
}

/// The hosts that an instance answers to, readable ones first.
pub(in crate::reconcile) fn hosts(context: &Value) -> Vec<String> {
    let services = context["services"].as_object().into_iter().flatten();
    let of = |service| ingress::hosts_of(service).readable_first().map(str::to_lowercase).collect::<Vec<_>>();
    services.flat_map(|(_, service)| of(service)).collect()
}

/// The environment and the application that an object belongs to, by its labels.
pub(super) fn owner(object: &Value) -> Option<(&str, &str)> {
    let all = &object["metadata"]["labels"];
    (all[labels::MANAGED_BY] == labels::MANAGER).then_some(())?;
    Some((all[labels::ENVIRONMENT].as_str()?, all[labels::DEPLOYMENT].as_str()?))
}

/// What an object of the cluster answers to.
pub(super) fn live(object: &Value) -> Vec<Claim> {
    let (kind, metadata) = (object["kind"].as_str().unwrap_or_default(), &object["metadata"]);
    let name = metadata["name"].as_str().unwrap_or_default();
    let namespace = metadata["namespace"].as_str().unwrap_or_default();
    let part = format!("{kind}/{name}");
    let holder = match owner(object) {
        Some((environment, deployment)) => format!("{deployment} in {environment}"),
        None => format!("{part} in the namespace {namespace}"),
    };
    // an empty host is everybody's, and what a pattern stands for nobody can say
    let rules = route::read(object).into_iter().filter(|it| !it.host.is_empty() && !it.host.starts_with('~'));
    let of = |host: String, path: &str| Claim {
        host: host.to_lowercase(),
        path: tidy(path),
        holder: holder.clone(),
        part: part.clone(),
        shared: false,
    };
    rules.map(|rule| of(rule.host, &rule.path)).collect()
}

fn tidy(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

/// Whether somebody has one of these hosts already; gives where a wildcard overlaps, of which the controller decides.
///
/// # Errors
/// The same host with the same path, and who has it.
pub(in crate::reconcile) fn judge(wanted: &[Claim], taken: &[Claim]) -> Result<Vec<String>, Problem> {
    let mut said = BTreeSet::new();
    for (position, claim) in wanted.iter().enumerate() {
        let beside = wanted[..position].iter().filter(|other| other.part != claim.part);
        for other in taken.iter().chain(beside).filter(|other| other.path == claim.path) {
            if other.host == claim.host && claim.shared && other.shared && claim.holder != other.holder {
                said.insert(format!(
                    "{} and {} both answer to {}: the controller decides; each has a name of its own once the environment's routes are set: styrmin environment set NAME --route-kind detect",
                    other.holder, claim.holder, claim.host
                ));
            } else if other.host == claim.host {
                return Err(collision(claim, other));
            }
            if covers(&other.host, &claim.host) || covers(&claim.host, &other.host) {
                said.insert(format!(
                    "{} of {} overlaps {} of {}: the controller decides who answers, mostly the longer name",
                    claim.host, claim.holder, other.host, other.holder
                ));
            }
        }
    }
    Ok(said.into_iter().collect())
}

/// Whether `pattern` is a wildcard that has `host` in it.
fn covers(pattern: &str, host: &str) -> bool {
    pattern.starts_with("*.") && route::covers(pattern, host)
}

fn collision(claim: &Claim, other: &Claim) -> Problem {
    let path = if claim.path.is_empty() { "/" } else { &claim.path };
    let who = match claim.holder == other.holder {
        true => format!("two services of it would answer to it: {} and {}", other.part, claim.part),
        false => format!("{} answers to it", other.holder),
    };
    Problem::new(
        format!("{} cannot have the host {}", claim.holder, claim.host),
        format!("{who} (path {path})"),
        "give the environment another suffix, drop the extra host, or name the application otherwise",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim(host: &str, path: &str, holder: &str) -> Claim {
        Claim {
            host: host.into(),
            path: tidy(path),
            holder: holder.into(),
            part: "web".into(),
            shared: false,
        }
    }

    #[test]
    fn the_same_host_and_path_collide_and_say_who_has_it() {
        let wanted = [claim("a.example.org", "/", "notes in demo")];
        let told = judge(&wanted, &[claim("a.example.org", "", "Ingress/old in the namespace shop")]);
        let told = told.unwrap_err().to_string();
        assert!(told.contains("notes in demo cannot have the host a.example.org"), "{told}");
        assert!(told.contains("Ingress/old in the namespace shop answers to it"), "{told}");
        for other in [claim("a.example.org", "/api", "x"), claim("b.example.org", "/", "x")] {
            assert_eq!(judge(&wanted, &[other]).unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn wildcards_that_overlap_are_told() {
        let wanted = [claim("a.example.org", "/", "notes in demo")];
        let said = judge(&wanted, &[claim("*.example.org", "/", "shop in live")]).unwrap();
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("*.example.org of shop in live"), "{said:?}");
        for apart in ["*.a.example.org", "*.other.org", "example.org", "*example.org"] {
            assert_eq!(judge(&wanted, &[claim(apart, "/", "x")]).unwrap(), Vec::<String>::new(), "{apart}");
        }
    }

    #[test]
    fn applications_of_one_driver_share_a_host_in_environments_of_before() {
        let of = |name: &str, routing: Value| {
            let context = json!({"instance": {"config": {"routing": routing}}, "services": {"web": {
                "scope": "external", "human_readable_fqdn": "web-demo.x.org", "primary_fqdn": ""}}});
            let draft = DeploymentDraft {
                name: name.into(),
                environment: "demo".into(),
                ..DeploymentDraft::default()
            };
            claims(&context, &draft)
        };
        let said = judge(&of("two", Value::Null), &of("one", Value::Null)).unwrap();
        assert!(said[0].contains("one in demo and two in demo both answer to web-demo.x.org"), "{said:?}");
        assert!(judge(&of("two", json!({})), &of("one", Value::Null)).is_err());
        assert!(judge(&of("two", Value::Null), &of("one", json!({}))).is_err());
    }

    #[test]
    fn two_services_of_one_application_collide_too() {
        let other = Claim { part: "admin".into(), ..claim("a.example.org", "/", "notes in demo") };
        let wanted = [claim("a.example.org", "/", "notes in demo"), other];
        let told = judge(&wanted, &[]).unwrap_err().to_string();
        assert!(told.contains("two services of it would answer to it: web and admin"), "{told}");
        // one that has a host twice has it once
        let twice = [claim("a.example.org", "/", "x"), claim("a.example.org", "/", "x")];
        assert!(judge(&twice, &[]).is_ok());
    }

    #[test]
    fn objects_of_others_tell_theirs() {
        let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "old", "namespace": "shop"},
            "spec": {"rules": [
                {"host": "A.example.org", "http": {"paths": [{"path": "/api/", "backend": {}}]}},
                {"http": {"paths": [{"path": "/", "backend": {}}]}}]}});
        let found = live(&object);
        assert_eq!(found.len(), 1, "what has no host is nobody's: {found:?}");
        assert_eq!((found[0].host.as_str(), found[0].path.as_str()), ("a.example.org", "/api"));
        assert_eq!(found[0].holder, "Ingress/old in the namespace shop");
        let mut ours = object;
        ours["metadata"]["labels"] = json!({labels::MANAGED_BY: "styrmin", labels::ENVIRONMENT: "demo",
            labels::DEPLOYMENT: "notes"});
        assert_eq!(
            (owner(&ours), live(&ours)[0].holder.as_str()),
            (Some(("demo", "notes")), "notes in demo")
        );
    }

    #[test]
    fn a_frozen_context_tells_its_hosts() {
        let context = json!({"services": {
            "web": {"scope": "external", "path": "/app/", "human_readable_fqdn": "Web-demo.x.org",
                "primary_fqdn": "web-1.x.org", "hosts": ["shop.org"]},
            "db": {"scope": "internal", "primary_fqdn": "", "human_readable_fqdn": "never"},
            "bare": {"scope": "external", "primary_fqdn": "", "human_readable_fqdn": ""},
        }});
        let draft =
            DeploymentDraft { name: "shop".into(), environment: "demo".into(), ..DeploymentDraft::default() };
        let found = claims(&context, &draft);
        assert_eq!(
            found.iter().map(|it| it.host.as_str()).collect::<Vec<_>>(),
            ["web-demo.x.org", "shop.org", "web-1.x.org"]
        );
        assert!(found.iter().all(|it| it.path == "/app" && it.holder == "shop in demo" && it.part == "web"));
        assert_eq!(hosts(&context).len(), 3);
    }
}
