//! What is said of an environment, in short: how its routes come about, and who may use them.

use ratatui::text::Span;

use crate::domain::route::{Isolation, TlsSource};
use crate::domain::{ClusterRecord, Environment, World};
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// The label of who may reach it.
pub const OPEN_TO: &str = "open to";

/// What is said of one subject: its label, and what is said in which role.
pub type Fact = (&'static str, Role, String);

/// What is said of an environment, what decides over its host names first.
pub fn facts(environment: &Environment, cluster: Option<&ClusterRecord>) -> Vec<Fact> {
    let routing = &environment.routing;
    let mut facts = vec![suffix(environment, cluster), ("routes", Role::Text, routes(environment))];
    facts.push(match &routing.tls {
        TlsSource::Off => ("TLS", Role::Muted, "off".to_owned()),
        TlsSource::Secret(name) => ("TLS", Role::Text, format!("Secret {name}")),
        TlsSource::Issuer(issuer) => {
            let kind = if issuer.cluster_wide { "cluster issuer" } else { "issuer" };
            ("TLS", Role::Text, format!("{kind} {}", issuer.name))
        }
        TlsSource::Controller => ("TLS", Role::Text, "the controller's own".to_owned()),
    });
    facts.push(match environment.ip_whitelist.as_slice() {
        [] => (OPEN_TO, Role::Muted, "everybody".to_owned()),
        [only] => (OPEN_TO, Role::Text, only.clone()),
        [first, others @ ..] => (OPEN_TO, Role::Text, format!("{first} +{}", others.len())),
    });
    facts.push(match Isolation::in_force(routing.isolation) {
        None => ("isolation", Role::Muted, "off".to_owned()),
        Some(Isolation::Both) => ("isolation", Role::Text, "both ways".to_owned()),
        Some(other) => ("isolation", Role::Text, other.as_str().to_owned()),
    });
    if routing.unprobed {
        facts.push(("probes", Role::Warn, "off".to_owned()));
    }
    facts
}

fn suffix(environment: &Environment, cluster: Option<&ClusterRecord>) -> Fact {
    match environment.suffix(cluster) {
        Some(suffix) => ("hosts", Role::Text, format!("*.{suffix}")),
        None => ("hosts", Role::Warn, "none: there is no suffix".to_owned()),
    }
}

/// Who answers for its routes.
fn routes(environment: &Environment) -> String {
    if environment.dedicated_ingress.is_some() {
        return "its own ingress".to_owned();
    }
    let Some(via) = &environment.routing.via else {
        let class = environment.ingress_class.as_deref();
        return class.map_or_else(|| "Ingress".to_owned(), |class| format!("{class} · Ingress"));
    };
    let by = match (&via.gateway, &via.class) {
        (Some(gateway), _) => gateway.whole(),
        (None, Some(class)) => class.clone(),
        (None, None) => return via.kind.as_str().to_owned(),
    };
    format!("{by} · {}", via.kind.as_str())
}

/// It in one line; where there is no room for all of it, what nobody said is left out.
pub fn line(
    environment: &Environment,
    world: &World,
    (look, room): (&Look<'_>, usize),
) -> Vec<Span<'static>> {
    let facts = facts(environment, world.cluster.record.as_ref());
    let told = |facts: &[Fact]| {
        let mut spans = vec![look.span(Role::Title, environment.name.clone())];
        if environment.production {
            spans.push(look.span(Role::Warn, " production"));
        }
        for (label, role, said) in facts {
            spans.push(look.span(Role::Muted, format!("  {label} ")));
            spans.push(look.span(*role, said.clone()));
        }
        spans
    };
    let all = told(&facts);
    if all.iter().map(Span::width).sum::<usize>() <= room {
        return all;
    }
    let said: Vec<Fact> = facts.into_iter().filter(|(_, role, _)| *role != Role::Muted).collect();
    told(&said)
}
