//! How a route is, in one word, and why: what the table sorts by and its page begins with.

use jiff::Timestamp;
use ratatui::text::Span;

use crate::domain::DesiredPhase;
use crate::domain::route::{Certificate, ProbeOutcome, RouteView};
use crate::domain::world::Application;
use crate::ui::look::Look;
use crate::ui::theme::Role;

/// Days before its end from which a certificate is worth a look.
const SOON: i64 = 21;
/// Days before its end from which it is urgent.
const URGENT: i64 = 7;

/// How a route is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The last probe failed.
    Fails,
    /// It works, or nobody probes it, and something does not fit.
    Warns,
    /// It was not probed yet.
    Waits,
    /// It works.
    Works,
    /// Probes leave it alone.
    Unprobed,
    /// Its application is stopped on purpose.
    Stopped,
}

impl Standing {
    /// How a route of an application is at this time.
    pub fn of(application: &Application, route: &RouteView, now: Option<Timestamp>) -> Self {
        let runs_out = runs_out(route, now).is_some();
        let probe = route.probe.as_ref().filter(|_| !route.unprobed);
        match probe {
            _ if application.deployment.phase == DesiredPhase::Stopped => Self::Stopped,
            Some(probe) if !probe.works() => Self::Fails,
            _ if !route.trouble.is_empty() || runs_out => Self::Warns,
            _ if route.unprobed => Self::Unprobed,
            Some(_) => Self::Works,
            None => Self::Waits,
        }
    }

    /// Whether somebody should look at it.
    pub fn is_fault(self) -> bool {
        self <= Self::Warns
    }

    /// The word that is shown, and that filters look for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Warns => "warns",
            Self::Waits => "waits",
            Self::Works => "works",
            Self::Unprobed => "unprobed",
            Self::Stopped => "stopped",
        }
    }

    fn mark(self) -> (Role, &'static str) {
        match self {
            Self::Fails => (Role::Fail, "✗"),
            Self::Warns => (Role::Warn, "▲"),
            Self::Waits => (Role::Muted, "○"),
            Self::Works => (Role::Ok, "✓"),
            Self::Unprobed => (Role::Idle, "‖"),
            Self::Stopped => (Role::Idle, "■"),
        }
    }

    /// Its glyph and its word.
    pub fn span(self, look: &Look<'_>) -> Span<'static> {
        let (role, glyph) = self.mark();
        look.span(role, format!("{glyph} {}", self.as_str()))
    }

    /// Its glyph alone, where the word stands beside it in another form.
    pub fn glyph(self, look: &Look<'_>) -> Span<'static> {
        let (role, glyph) = self.mark();
        look.span(role, glyph)
    }
}

/// The certificate that is shown to people who open it: the served one, else the one that is to be served.
pub fn certificate(route: &RouteView) -> Option<&Certificate> {
    let served = route.probe.as_ref().and_then(|probe| probe.certificate.as_ref());
    served.or_else(|| route.certificate.as_ref()?.held.as_ref())
}

/// Days until the first certificate of its chain ends to hold; negative ones since.
pub fn days(route: &RouteView, now: Option<Timestamp>) -> Option<i64> {
    Some(certificate(route)?.days_left(now?))
}

/// The same where that is soon, and nobody makes a new one in time: a short-lived one that cert-manager renews is no news.
fn runs_out(route: &RouteView, now: Option<Timestamp>) -> Option<i64> {
    let manager = route.certificate.as_ref().and_then(|known| known.manager.as_ref());
    let renewed =
        manager.and_then(|manager| manager.renewal).is_some_and(|at| now.is_some_and(|now| now < at));
    days(route, now).filter(|days| *days < 0 || (*days <= SOON && !renewed))
}

/// Days as the table has them, told apart by their mark as well as by their colour.
pub fn days_span(look: &Look<'_>, days: i64, calm: Role) -> Span<'static> {
    match days {
        ..0 => look.span(Role::Fail, "✗ over"),
        0..=URGENT => look.span(Role::Fail, format!("▲ {days}d")),
        _ if days <= SOON => look.span(Role::Warn, format!("▲ {days}d")),
        _ => look.span(calm, format!("{days}d")),
    }
}

/// Why a route is not as it should be, most pressing first: what was found out about it, and what the probe says where that does not.
pub fn reasons(route: &RouteView, now: Option<Timestamp>) -> Vec<String> {
    let mut reasons = route.trouble.clone();
    let said = |reasons: &[String], text: &str| reasons.iter().any(|reason| reason.contains(text));
    if let Some(probe) = route.probe.as_ref().filter(|probe| !probe.works() && !route.unprobed) {
        match &probe.outcome {
            ProbeOutcome::Failed { phase, message } if !said(&reasons, message) => {
                let first = format!("{} failed: {message}", phase.as_str());
                // what is known of the phase is said better here
                let short = format!("{} failed", phase.as_str());
                reasons.retain(|reason| *reason != short);
                reasons.insert(0, first);
            }
            ProbeOutcome::Answered(code) if !said(&reasons, &code.to_string()) => {
                reasons.insert(0, format!("it answers {code}{}", meaning(*code)));
            }
            _ => {}
        }
        if let Some(endpoints) = route.endpoints.filter(|it| it.ready == 0)
            && !said(&reasons, "endpoint")
        {
            reasons.push(format!("{} of {} endpoints are ready", endpoints.ready, endpoints.total));
        }
    }
    if let Some(days) = runs_out(route, now)
        && !said(&reasons, "expire")
    {
        reasons.push(match days {
            ..0 => "its certificate has expired".to_owned(),
            0 => "its certificate expires today".to_owned(),
            1 => "its certificate expires in 1 day".to_owned(),
            days => format!("its certificate expires in {days} days"),
        });
    }
    reasons
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
mod tests {
    use super::*;
    use crate::domain::route::{CertificateView, Endpoints, ManagerReport, Phase};
    use crate::ui::sample;

    fn with(change: impl FnOnce(&mut RouteView)) -> RouteView {
        let mut route = sample::route("notes", "demo");
        change(&mut route);
        route
    }

    fn standing(route: &RouteView) -> Standing {
        Standing::of(&sample::healthy("notes", "demo", 1), route, Some(sample::now()))
    }

    #[test]
    fn a_route_stands_as_its_worst_fact_says() {
        let refused = || "the Gateway does not take it".to_owned();
        assert_eq!(standing(&with(|_| {})), Standing::Works);
        assert_eq!(standing(&with(|it| it.probe = Some(sample::probe(404, 2)))), Standing::Fails);
        assert_eq!(standing(&with(|it| it.trouble.push(refused()))), Standing::Warns);
        assert_eq!(standing(&with(|it| it.probe = None)), Standing::Waits);
        let unprobed = |it: &mut RouteView| (it.unprobed, it.probe) = (true, Some(sample::probe(503, 2)));
        assert_eq!(standing(&with(unprobed)), Standing::Unprobed, "what an old probe found is of no matter");
        let mut stopped = sample::healthy("notes", "demo", 1);
        stopped.deployment.phase = DesiredPhase::Stopped;
        let failing = with(|it| it.probe = Some(sample::probe(503, 2)));
        assert_eq!(Standing::of(&stopped, &failing, None), Standing::Stopped);
        assert!(Standing::Fails.is_fault() && Standing::Warns.is_fault() && !Standing::Stopped.is_fault());
    }

    #[test]
    fn certificates_that_end_soon_are_worth_a_look() {
        for (days, wanted, shown) in
            [(22, Standing::Works, "22d"), (21, Standing::Warns, "▲ 21d"), (-1, Standing::Warns, "✗ over")]
        {
            let route = with(|it| {
                let certificate = sample::certificate("notes-demo.example.org", days);
                it.probe.as_mut().unwrap().certificate = Some(certificate);
            });
            assert_eq!(standing(&route), wanted, "{days}");
            let span = crate::ui::widgets::page::plain(|look| days_span(look, days, Role::Text));
            assert_eq!(span.content, shown);
        }
    }

    #[test]
    fn short_lived_ones_that_are_renewed_in_time_are_no_news() {
        let ends = |days: i64, renewal: i64| {
            with(|it| {
                let certificate = sample::certificate("notes-demo.example.org", days);
                it.probe.as_mut().unwrap().certificate = Some(certificate);
                let renewal = sample::now() + jiff::SignedDuration::from_hours(renewal);
                let manager = ManagerReport {
                    name: "notes-tls".into(),
                    ready: Some(true),
                    issuing: false,
                    reason: String::new(),
                    message: String::new(),
                    renewal: Some(renewal),
                };
                let secret = "notes-tls".into();
                it.certificate = Some(CertificateView { secret, held: None, manager: Some(manager) });
            })
        };
        let now = Some(sample::now());
        let on_time = ends(6, 24);
        assert_eq!((standing(&on_time), reasons(&on_time, now)), (Standing::Works, Vec::new()));
        let late = ends(6, -1);
        assert_eq!(standing(&late), Standing::Warns);
        assert_eq!(reasons(&late, now), ["its certificate expires in 6 days"]);
        assert_eq!(standing(&ends(-1, 24)), Standing::Warns, "what is served is over, whatever is planned");
    }

    #[test]
    fn reasons_say_each_thing_once() {
        let now = Some(sample::now());
        let refused = ProbeOutcome::Failed { phase: Phase::Connect, message: "connection refused".into() };
        let route = with(|it| {
            it.probe.as_mut().unwrap().outcome = refused.clone();
            it.endpoints = Some(Endpoints { ready: 0, total: 2 });
        });
        assert_eq!(
            reasons(&route, now),
            ["connect failed: connection refused", "0 of 2 endpoints are ready"]
        );
        let told = with(|it| {
            it.probe.as_mut().unwrap().outcome = refused;
            it.trouble = vec!["connect failed: connection refused; 0 of 2 endpoints are ready".into()];
            it.endpoints = Some(Endpoints { ready: 0, total: 2 });
        });
        assert_eq!(reasons(&told, now), told.trouble);
        let code = with(|it| it.probe = Some(sample::probe(503, 4)));
        assert_eq!(reasons(&code, now), ["it answers 503: the ingress has no backend to ask"]);
        assert_eq!(reasons(&with(|_| {}), now), [] as [&str; 0]);
    }
}
