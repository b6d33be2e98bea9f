//! What the fields say, checked: an environment as it is to be.

use std::collections::BTreeMap;

use super::super::asking::Asking;
use super::fields::{
    CLUSTER_ISSUER, CONTROLLER, DETECT, ISOLATION, ISSUER, NOT_SENT_ON, OWN, SECRET, SENT_ON,
};
use crate::domain::names::{check_label, check_subdomain};
use crate::domain::route::{
    Block, GatewayRef, Isolation, IssuerRef, Peer, RouteKind, Routing, TlsSource, Via, check_host,
};
use crate::domain::{DedicatedIngress, Environment};

type Wrong = (&'static str, String);

/// The environment that the fields make, on the cluster of that name; what they do not ask for stays as it was before.
///
/// # Errors
/// The field that is wrong, and what is wrong with it.
pub fn environment(
    before: Option<&Environment>,
    asking: &Asking,
    cluster: &str,
) -> Result<Environment, Wrong> {
    let mut wanted = match before {
        Some(before) => before.clone(),
        None => {
            let name = asking.text("name");
            check_label("environment", &name).map_err(|problem| ("name", problem.why))?;
            Environment::new(&name, cluster, &name)
        }
    };
    for (name, error) in judge(asking) {
        if let Some(error) = error {
            return Err((name, error));
        }
    }
    wanted.fqdn_suffix = optional(asking.text("suffix"));
    wanted.ip_whitelist = asking.lines("allow");
    wanted.production = asking.is_on("production");
    let own = asking.text("ingress") == OWN;
    let annotations = pairs(&asking.lines("balancer")).map_err(|error| ("balancer", error))?;
    wanted.dedicated_ingress = own.then_some(DedicatedIngress { service_annotations: annotations });
    let kind = RouteKind::parse(&asking.text("kind"));
    if !own && kind != Some(RouteKind::HttpRoute) {
        wanted.ingress_class = optional(asking.text("class"));
    }
    wanted.routing = routing(&wanted.routing, kind, asking)?;
    Ok(wanted)
}

fn routing(before: &Routing, kind: Option<RouteKind>, asking: &Asking) -> Result<Routing, Wrong> {
    let peers = asking.lines("allow-from");
    let peers: Result<Vec<Peer>, String> = peers.iter().map(|line| line.parse()).collect();
    let isolation = ISOLATION.into_iter().find(|(name, _)| *name == asking.text("isolation"));
    let isolation = isolation.map(|(_, isolation)| isolation);
    // what was never said is not said now, as long as it means the same
    let isolation = isolation.filter(|it| *it != Isolation::Off || before.isolation.is_some());
    let gateway = gateway(&asking.text("gateway")).map_err(|error| ("gateway", error))?;
    let known = before.via.as_ref().and_then(|via| via.gateway.as_ref());
    let via = match gateway {
        Some(gateway) if !known.is_some_and(|known| known.is_same(&gateway)) => {
            Some(Via::of_gateway(gateway))
        }
        // a Gateway that is named no more is found out
        None if kind == Some(RouteKind::HttpRoute) && known.is_some() => None,
        // whoever changed something else about the ingress: the plan finds out anew who answers
        _ => before.via.clone(),
    };
    Ok(Routing {
        kind,
        via,
        tls: tls(asking)?,
        redirect: redirect(before, asking),
        listeners: before.listeners.clone(),
        isolation,
        allow_from: peers.map_err(|error| ("allow-from", error))?,
        annotations: pairs(&asking.lines("annotations")).map_err(|error| ("annotations", error))?,
        unprobed: !asking.is_on("probes"),
    })
}

/// Whether http is sent on; none: nobody says it. Where it is not asked, it stays as it was.
fn redirect(before: &Routing, asking: &Asking) -> Option<bool> {
    match asking.text("redirect").as_str() {
        "" => before.redirect,
        SENT_ON => Some(true),
        NOT_SENT_ON => Some(false),
        _ => None,
    }
}

fn optional(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn tls(asking: &Asking) -> Result<TlsSource, Wrong> {
    let name = asking.text("certificate");
    let named = || match name.is_empty() {
        true => Err(("certificate", "a name is needed".to_owned())),
        false => Ok(name.clone()),
    };
    Ok(match asking.text("tls").as_str() {
        SECRET => TlsSource::Secret(named()?),
        ISSUER => TlsSource::Issuer(IssuerRef { name: named()?, cluster_wide: false }),
        CLUSTER_ISSUER => TlsSource::Issuer(IssuerRef { name: named()?, cluster_wide: true }),
        CONTROLLER => TlsSource::Controller,
        _ => TlsSource::Off,
    })
}

/// What is wrong with each field that can be judged by itself, however much of it was typed.
pub fn judge(asking: &Asking) -> [(&'static str, Option<String>); 7] {
    let suffix = asking.text("suffix");
    let first = |name: &str, check: fn(&str) -> Result<(), String>| {
        let lines = asking.lines(name);
        lines.iter().find_map(|line| check(line).err().map(|why| format!("'{line}': {why}")))
    };
    let certificate = asking.text("certificate");
    [
        ("suffix", check_host(&suffix).err().filter(|_| !suffix.is_empty())),
        ("gateway", gateway(&asking.text("gateway")).err()),
        ("balancer", pairs(&asking.lines("balancer")).err()),
        ("annotations", pairs(&asking.lines("annotations")).err()),
        ("certificate", check_subdomain(&certificate).err().filter(|_| !certificate.is_empty())),
        ("allow", first("allow", |line| Block::read(line).map(drop))),
        ("allow-from", first("allow-from", |line| line.parse::<Peer>().map(drop))),
    ]
}

/// The Gateway that is named; none: nothing is said.
fn gateway(text: &str) -> Result<Option<GatewayRef>, String> {
    if text.is_empty() || text == DETECT {
        return Ok(None);
    }
    text.parse().map(Some)
}

/// `KEY: VALUE` a line.
fn pairs(lines: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut pairs = BTreeMap::new();
    for line in lines {
        let pair = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")));
        let Some((key, value)) = pair.filter(|(key, _)| !key.trim().is_empty()) else {
            return Err(format!("'{line}' is no KEY: VALUE"));
        };
        let key = key.trim();
        if key.contains(char::is_whitespace) {
            return Err(format!("'{key}' has a space: no annotation has such a key"));
        }
        if pairs.insert(key.to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("'{key}' stands there twice"));
        }
    }
    Ok(pairs)
}
