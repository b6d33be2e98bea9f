//! Routes that the manifests, or the chart, of a driver bring themselves.

use serde_json::Value;

use crate::domain::Problem;
use crate::domain::route::{Via, read};
use crate::driver::render::manifests::{kind, name};
use crate::ingress::{self, RouteSet};

/// Whether one of the objects routes to the Kubernetes Service, or has one of the host names: then none of ours is needed.
pub(super) fn carry(rendered: &[(String, Value)], service: &str, hosts: &[String]) -> bool {
    let mut rules = rendered.iter().flat_map(|(_, object)| read(object));
    rules.any(|rule| rule.service == service || hosts.contains(&rule.host))
}

/// Puts on the routes that a driver brings what its environment says of all routes: its class where they name none, and the
/// allow-list, whatever they say of it themselves. Gives the objects that the list needs beside them.
///
/// # Errors
/// The kind of route has no way to express the allow-list, or one of them would be outside of it.
pub(super) fn adapt(
    rendered: &mut [(String, Value)],
    set: &RouteSet,
    namespace: &str,
) -> Result<Vec<Value>, Problem> {
    let mut needed = Vec::new();
    let Some(via) = &set.via else { return Ok(needed) };
    for (_, object) in rendered.iter_mut().filter(|(_, object)| !read(object).is_empty()) {
        ingress::name_class(object, set);
        let Some(adapter) = set.adapter()? else { continue };
        let made = ingress::allow_on(object, set, &adapter, namespace).ok_or_else(|| outside(object, via))?;
        for made in made {
            // two routes of one name and of two kinds have one between them
            if !needed.contains(&made) {
                needed.push(made);
            }
        }
    }
    Ok(needed)
}

fn outside(object: &Value, via: &Via) -> Problem {
    Problem::new(
        format!("The allow-list of the environment cannot be put on {}/{}", kind(object), name(object)),
        format!(
            "the driver brings this route itself, and it is none of the environment's own, which are {via}"
        ),
        "leave it out of the chart's values, or of the manifests, so that Styrmin makes the route; give it the environment's class or Gateway; or take the list away (--allow-all)",
    )
}
