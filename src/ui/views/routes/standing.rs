//! How a route is, in one word, and why: what the table sorts by and its page begins with.

use jiff::Timestamp;
use ratatui::text::Span;

use crate::domain::DesiredPhase;
use crate::domain::route::{Certificate, RouteView};
use crate::domain::world::Application;
use crate::ui::look::Look;
use crate::ui::theme::Role;

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
    /// How a route of an application is.
    pub fn of(application: &Application, route: &RouteView) -> Self {
        let probe = route.probe.as_ref().filter(|_| !route.unprobed);
        match probe {
            _ if application.deployment.phase == DesiredPhase::Stopped => Self::Stopped,
            Some(probe) if !probe.works() => Self::Fails,
            _ if !route.trouble.is_empty() => Self::Warns,
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

/// The days of one of its certificates as the table has them, told apart by their mark as well as by their colour.
pub fn days_span(
    look: &Look<'_>,
    route: &RouteView,
    shown: &Certificate,
    calm: Role,
) -> Option<Span<'static>> {
    let now = look.now?;
    let days = shown.days_left(now);
    let manager = route.certificate.as_ref().and_then(|known| known.manager.as_ref());
    let is_renewed = manager.is_some_and(|manager| manager.renews(now));
    Some(match days {
        ..0 => look.span(Role::Fail, "✗ over"),
        _ if is_renewed => look.span(calm, format!("{days}d")),
        0..=URGENT => look.span(Role::Fail, format!("▲ {days}d")),
        _ if days <= Certificate::SOON => look.span(Role::Warn, format!("▲ {days}d")),
        _ => look.span(calm, format!("{days}d")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::{CertificateView, ManagerReport};
    use crate::ui::sample;

    fn with(change: impl FnOnce(&mut RouteView)) -> RouteView {
        let mut route = sample::route("notes", "demo");
        change(&mut route);
        route
    }

    fn standing(route: &RouteView) -> Standing {
        Standing::of(&sample::healthy("notes", "demo", 1), route)
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
        assert_eq!(Standing::of(&stopped, &failing), Standing::Stopped);
        assert!(Standing::Fails.is_fault() && Standing::Warns.is_fault() && !Standing::Stopped.is_fault());
    }

    #[test]
    fn certificates_that_end_soon_are_marked_unless_they_are_renewed() {
        let shown = |days: i64, renewal: Option<i64>, ready: bool| {
            let certificate = sample::certificate("notes-demo.example.org", days);
            let renewal = renewal.map(|hours| sample::now() + jiff::SignedDuration::from_hours(hours));
            let manager = ManagerReport {
                name: "notes-tls".into(),
                ready: Some(ready),
                issuing: false,
                reason: String::new(),
                message: String::new(),
                renewal,
            };
            let route = with(|it| {
                let secret = "notes-tls".into();
                it.certificate = Some(CertificateView { secret, held: None, manager: Some(manager) });
            });
            crate::ui::widgets::page::plain(|look| {
                let look = Look { now: Some(sample::now()), ..*look };
                days_span(&look, &route, &certificate, Role::Text).unwrap().content.into_owned()
            })
        };
        for (days, wanted) in [(22, "22d"), (21, "▲ 21d"), (7, "▲ 7d"), (-1, "✗ over")] {
            assert_eq!(shown(days, None, true), wanted);
        }
        assert_eq!(shown(6, Some(24), true), "6d", "a short-lived one that is renewed in time is no news");
        assert_eq!(shown(6, Some(-1), true), "▲ 6d", "late");
        assert_eq!(shown(6, Some(24), false), "▲ 6d", "what cannot be made is not renewed");
        assert_eq!(shown(-1, Some(24), true), "✗ over", "what is served is over, whatever is planned");
    }
}
