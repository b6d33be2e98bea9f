//! Whether a deployment's routes answer: in its status, in its condition `Reachable`, and as Events when that changes.

use crate::cluster::RouteStatus;
use crate::domain::route::{Endpoints, Reach};

use super::super::situation::Answer;

/// Nobody has asked a route yet, or nobody is to.
const NOT_PROBED: &str = "NotProbed";

/// The routes as they stand in the status. What was found before an engine began stays until a request finds something.
pub(super) fn routes(answers: &[Answer], before: &[RouteStatus]) -> Vec<RouteStatus> {
    let status = |answer: &Answer| {
        let known = before.iter().find(|known| known.url == answer.url && known.reason != NOT_PROBED);
        match (&answer.reach, known) {
            _ if answer.unprobed => unknown(answer),
            (Some(reach), _) => told(answer, reach),
            (None, Some(known)) => RouteStatus { service: answer.service.clone(), ..known.clone() },
            (None, None) => unknown(answer),
        }
    };
    answers.iter().map(status).collect()
}

fn unknown(answer: &Answer) -> RouteStatus {
    RouteStatus {
        service: answer.service.clone(),
        url: answer.url.clone(),
        reachable: "Unknown".to_owned(),
        reason: NOT_PROBED.to_owned(),
        ..RouteStatus::default()
    }
}

fn told(answer: &Answer, reach: &Reach) -> RouteStatus {
    let behind = answer.endpoints.filter(|_| !reach.works).map(behind);
    let message = match behind {
        Some(behind) => format!("{}; {behind}", reach.message),
        None => reach.message.clone(),
    };
    RouteStatus {
        service: answer.service.clone(),
        url: answer.url.clone(),
        reachable: if reach.works { "True" } else { "False" }.to_owned(),
        reason: reach.reason.clone(),
        message,
        certificate_ends: reach.certificate_ends.map(super::seconds),
    }
}

/// The endpoints behind a route in words.
fn behind(endpoints: Endpoints) -> String {
    let Endpoints { ready, total } = endpoints;
    format!("{ready} of {total} endpoints are ready")
}

/// The condition `Reachable`; none where there are no routes.
pub(super) fn reachable(routes: &[RouteStatus]) -> Option<(&'static str, String, String)> {
    let fails = |route: &&RouteStatus| route.reachable == "False";
    if let Some(failing) = routes.iter().find(fails) {
        let message = format!("{}: {}", failing.url, failing.message);
        return Some(("False", failing.reason.clone(), message));
    }
    let asked = routes.iter().filter(|route| route.reachable == "True").count();
    match (routes.len(), asked) {
        (0, _) => None,
        (all, asked) if all == asked => Some(("True", "AllAnswer".to_owned(), String::new())),
        _ => Some(("Unknown", NOT_PROBED.to_owned(), String::new())),
    }
}

/// What turned between two statuses: whether it is bad news, the reason of its Event, and what it says.
pub(in super::super) fn turns(
    before: &[RouteStatus],
    now: &[RouteStatus],
) -> Vec<(bool, &'static str, String)> {
    let turn = |route: &RouteStatus| {
        let known = before.iter().find(|known| known.url == route.url);
        let was = known.map_or("Unknown", |known| known.reachable.as_str());
        match (was, route.reachable.as_str()) {
            ("False" | "Unknown", "True") => Some((false, "Reachable", format!("{} answers", route.url))),
            ("True", "False") => Some((
                true,
                "Unreachable",
                format!("{} does not answer any more: {}", route.url, route.message),
            )),
            _ => None,
        }
    };
    now.iter().filter_map(turn).collect()
}

#[cfg(test)]
mod tests;
