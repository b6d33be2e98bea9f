//! Routes as they are shown: what carries them, what a request finds, which certificate there is, and what does not fit. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::probes::Results;
use super::super::route_facts::{self, Fact, Facts, Want};
use crate::domain::route::{Certificate, Endpoints, Probe, ProbeOutcome, RouteKind, RouteView};
use crate::domain::{ClusterRecord, DesiredPhase, Instance, InstanceState, ObjectSummary};
use crate::ingress;
use crate::reconcile::{self, Carried, RouteSources};

/// What the routes of an application are made from.
pub struct Around<'a> {
    /// The instance that is looked at.
    pub instance: &'a Instance,
    /// What is desired of the deployment.
    pub phase: DesiredPhase,
    /// Its namespace.
    pub namespace: &'a str,
    /// Whether the environment's routes are left alone by the probes.
    pub unprobed: bool,
    /// The cluster.
    pub cluster: Option<&'a ClusterRecord>,
    /// Whether everything there was listed: before that, nothing is said to be missing.
    pub complete: bool,
    /// Everything that belongs to the deployment.
    pub objects: &'a [ObjectSummary],
    /// Kinds of routes, and Services, where they are not seen in its namespace.
    pub unseen: &'a BTreeSet<String>,
    /// Certificates and Gateways that were read.
    pub facts: &'a Facts,
    /// The last probe per URL.
    pub probes: &'a Results,
    /// The present moment.
    pub now: Timestamp,
}

/// The routes of an application; see [`reconcile::routes`] for their order.
pub fn routes(around: &Around<'_>) -> Vec<RouteView> {
    let gateways = route_facts::gateways(around.facts);
    let sources = RouteSources {
        context: &around.instance.context,
        cluster: around.cluster,
        objects: around.objects,
        gateways: &gateways,
        unprobed: around.unprobed,
    };
    reconcile::routes(&sources).into_iter().map(|carried| complete(around, carried)).collect()
}

/// Adds what was read and asked, and what does not fit.
fn complete(around: &Around<'_>, mut carried: Carried) -> RouteView {
    let view = &mut carried.view;
    if !view.unprobed {
        let watched = around.probes.get(&view.url).map(Arc::as_ref);
        view.probe = watched.and_then(|watched| watched.probe.clone());
        view.history = watched.map(|watched| Arc::clone(&watched.history)).unwrap_or_default();
    }
    let mut secret = None;
    if let Some(certificate) = &mut view.certificate {
        let (namespace, name) = route_facts::secret(around.namespace, &certificate.secret);
        secret = around.facts.get(&Want::Certificate(namespace.to_owned(), name.to_owned()));
        if let Some(Fact::Certificate(held)) = secret {
            certificate.held = Some(Certificate::clone(held));
        }
    }
    let trouble = Trouble { around, carried: &carried, secret }.all();
    RouteView { trouble, ..carried.view }
}

/// What does not fit, of one route.
struct Trouble<'a> {
    around: &'a Around<'a>,
    carried: &'a Carried,
    /// What was read of the Secret with its certificate; none: not read yet.
    secret: Option<&'a Fact>,
}

impl Trouble<'_> {
    /// All of it, most pressing first.
    fn all(&self) -> Vec<String> {
        if self.around.phase == DesiredPhase::Deleting {
            return Vec::new();
        }
        let (missing, unread) = self.gateway();
        let refused = missing.or_else(|| self.carried.refused.clone()).or(unread);
        let said = [self.absent(), refused, self.unanswered(), self.kept_away()];
        let certificate = [self.other_certificate(), self.held(), self.uncovered(), self.ends()];
        said.into_iter().chain(certificate).chain([self.elsewhere(), self.pending()]).flatten().collect()
    }

    fn view(&self) -> &RouteView {
        &self.carried.view
    }

    fn held_certificate(&self) -> Option<&Certificate> {
        self.view().certificate.as_ref()?.held.as_ref()
    }

    /// Nothing in the cluster carries it.
    fn absent(&self) -> Option<String> {
        if !self.carried.is_wanted || self.view().object.is_some() || !self.around.complete {
            return None;
        }
        let kind = self.view().kind.as_str();
        if self.around.unseen.contains(kind) {
            return Some(format!(
                "whether there is an {kind} for it is not known: the kind is not served, or may not be read"
            ));
        }
        Some(match self.around.instance.state {
            InstanceState::Planned | InstanceState::Applying => "it is not applied yet".to_owned(),
            _ => format!("no {kind} in the namespace carries it"),
        })
    }

    /// It does not answer, or nothing behind it does: in one sentence.
    fn unanswered(&self) -> Option<String> {
        let view = self.view();
        let asked = view.probe.as_ref().and_then(failure);
        let behind = self.behind();
        let starved = behind.as_ref().is_some_and(|(starved, _)| *starved);
        match (asked, behind) {
            (Some(failure), Some((_, behind))) => Some(format!("{failure}; {behind}")),
            (Some(failure), None) => Some(failure),
            (None, Some((_, behind))) if starved => Some(behind),
            (None, _) => None,
        }
    }

    /// It answers, but not to us, and its environment has a list of those that it answers to.
    fn kept_away(&self) -> Option<String> {
        let refused = |probe: &Probe| probe.outcome == ProbeOutcome::Answered(403);
        self.view().probe.as_ref().filter(|probe| refused(probe))?;
        let list = self.around.instance.context.pointer("/environment/ip_whitelist")?.as_array()?;
        let blocks: Vec<&str> = list.iter().filter_map(|block| block.as_str()).collect();
        Some(format!("it answers 403 to this machine; the environment is open to {} only", blocks.join(", ")))
    }

    /// What stands behind it, and whether that is nothing that could answer.
    fn behind(&self) -> Option<(bool, String)> {
        let view = self.view();
        if self.around.phase == DesiredPhase::Stopped {
            return Some((false, "the application is stopped on purpose".to_owned()));
        }
        let applied = !matches!(self.around.instance.state, InstanceState::Planned);
        match view.endpoints {
            Some(Endpoints { ready, total }) => {
                Some((ready == 0, format!("{ready} of {total} endpoints are ready")))
            }
            None if applied && self.lacks_service() => {
                Some((true, format!("the Service {} does not exist", view.backend)))
            }
            None => None,
        }
    }

    /// Whether the Service behind it should be there, and is not.
    fn lacks_service(&self) -> bool {
        let backend = &self.view().backend;
        let mut objects = self.around.objects.iter();
        let is_there = objects.any(|object| object.key.kind == "Service" && object.key.name == *backend);
        let is_seen = self.around.complete && !self.around.unseen.contains("Service");
        self.carried.is_wanted && !backend.is_empty() && is_seen && !is_there
    }

    /// The certificate that is shown is not the one that is to be shown.
    fn other_certificate(&self) -> Option<String> {
        let shown = self.view().probe.as_ref()?.certificate.as_ref()?;
        let held = self.held_certificate()?;
        let secret = &self.view().certificate.as_ref()?.secret;
        (shown.fingerprint != held.fingerprint).then(|| {
            format!(
                "the certificate that is shown ({}, by {}) is not the one in Secret {secret}",
                shown.subject, shown.issuer
            )
        })
    }

    /// The Secret is not there, or holds none; or who keeps it says why.
    fn held(&self) -> Option<String> {
        let certificate = self.view().certificate.as_ref()?;
        let secret = &certificate.secret;
        let manager = certificate.manager.as_ref().filter(|manager| manager.ready != Some(true));
        let manager = manager.map(|manager| {
            let said = [manager.reason.as_str(), manager.message.as_str()];
            let said = said.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join(": ");
            let doing = if manager.issuing { "cert-manager is making one" } else { "cert-manager has none" };
            if said.is_empty() { doing.to_owned() } else { format!("{doing} ({said})") }
        });
        let state = match self.secret {
            Some(Fact::Missing) => Some("does not exist".to_owned()),
            Some(Fact::Bad(why)) => Some(why.clone()),
            _ => None,
        };
        match (state, manager) {
            (Some(state), Some(manager)) => Some(format!("Secret {secret} {state}; {manager}")),
            (Some(state), None) => Some(format!("Secret {secret} {state}")),
            (None, Some(manager)) => Some(format!("Secret {secret}: {manager}")),
            (None, None) => None,
        }
    }

    fn uncovered(&self) -> Option<String> {
        let held = self.held_certificate()?;
        let host = &self.view().host;
        // a wildcard that is the host itself is covered by the same one
        let covered = ingress::certificate::covers(held, host) || held.names.contains(host);
        (!covered).then(|| format!("the certificate is not for {host}: it is for {}", held.names.join(", ")))
    }

    /// The certificate ends soon, and nobody renews it; or should have.
    fn ends(&self) -> Option<String> {
        let now = self.around.now;
        let shown = || self.view().probe.as_ref()?.certificate.as_ref();
        let certificate = shown().or_else(|| self.held_certificate())?;
        let days = certificate.days_left(now);
        let manager = self.view().certificate.as_ref().and_then(|known| known.manager.as_ref());
        let is_renewed = manager.is_some_and(|manager| manager.renews(now));
        let late = manager.and_then(|manager| manager.renewal).filter(|renewal| *renewal < now);
        let last = certificate.earliest.strftime("%Y-%m-%d");
        match (days, late) {
            (..0, _) => Some(format!("the certificate expired on {last}")),
            (_, Some(renewal)) => {
                let since = renewal.strftime("%Y-%m-%d");
                Some(format!("the certificate was to be renewed on {since}, and expires in {days} days"))
            }
            (..=Certificate::SOON, None) if !is_renewed => {
                Some(format!("the certificate expires in {days} days, on {last}"))
            }
            _ => None,
        }
    }

    /// Names lead to another address than the load balancer's. Host names are not compared: who resolves them may get another
    /// answer each time.
    fn elsewhere(&self) -> Option<String> {
        let view = self.view();
        let given = &view.probe.as_ref()?.addresses;
        let parsed: Option<Vec<std::net::IpAddr>> =
            view.addresses.iter().map(|address| address.parse().ok()).collect();
        let wanted = parsed.filter(|wanted| !wanted.is_empty())?;
        let local = view.host == "localhost" || view.host.ends_with(".localhost");
        if local || given.is_empty() || given.iter().any(|address| wanted.contains(address)) {
            return None;
        }
        let given: Vec<String> = given.iter().map(ToString::to_string).collect();
        Some(format!(
            "DNS gives {}, the load balancer is {}",
            given.join(" and "),
            view.addresses.join(" and ")
        ))
    }

    /// Where it answers is not known yet.
    fn pending(&self) -> Option<String> {
        let view = self.view();
        let tells = match view.kind {
            RouteKind::Ingress => true,
            RouteKind::HttpRoute => self.gateway_is_known(),
            RouteKind::IngressRoute => false,
        };
        let missing = tells && view.object.is_some() && view.addresses.is_empty();
        // what answers has an address, whoever forgot to say so
        let answers = view.probe.as_ref().is_some_and(Probe::works);
        (missing && !answers && self.carried.refused.is_none())
            .then(|| "it has no load balancer address yet".to_owned())
    }

    /// That the Gateway that is to take it is not there; that it may not be read.
    fn gateway(&self) -> (Option<String>, Option<String>) {
        let view = self.view();
        let want =
            view.gateway().map(|(namespace, name)| Want::Gateway(namespace.to_owned(), name.to_owned()));
        match want.and_then(|want| self.around.facts.get(&want)) {
            Some(Fact::Missing) => (Some(format!("Gateway {} does not exist", view.class)), None),
            Some(Fact::Bad(why)) => (None, Some(format!("Gateway {} {why}", view.class))),
            _ => (None, None),
        }
    }

    fn gateway_is_known(&self) -> bool {
        let Some((namespace, name)) = self.view().gateway() else { return false };
        let want = Want::Gateway(namespace.to_owned(), name.to_owned());
        let watched = self.around.objects.iter().any(|object| {
            object.key.kind == "Gateway" && object.key.namespace == namespace && object.key.name == name
        });
        watched || matches!(self.around.facts.get(&want), Some(Fact::Gateway(_)))
    }
}

/// How a probe failed, in words; none when it did not.
fn failure(probe: &Probe) -> Option<String> {
    match &probe.outcome {
        ProbeOutcome::Failed { phase, message } => Some(format!("{} failed: {message}", phase.as_str())),
        ProbeOutcome::Answered(code) if !probe.works() => {
            Some(format!("it answers {code}{}", meaning(*code)))
        }
        ProbeOutcome::Answered(_) => None,
    }
}

/// What a code says of the ingress, not of the application.
fn meaning(code: u16) -> &'static str {
    match code {
        404 => ": the ingress does not know the host, or nothing is at this path",
        502 => ": the ingress got no sound answer from the backend",
        503 => ": the ingress has no backend to ask",
        504 => ": the backend did not answer the ingress in time",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
