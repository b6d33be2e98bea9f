//! What is told about a deployment: the status of its custom resource. Pure; the same situation gives the same status, so that
//! nothing is written twice.

use jiff::Timestamp;

use crate::cluster::{DeploymentResource, DeploymentStatus, InventoryStatus, StatusCondition};
use crate::domain::{DesiredPhase, DriftMode, Health, InstanceState};

use super::decide::{Move, On, sentence};
use super::situation::{Need, Situation};

/// The status that follows from a situation and what is about to be done.
pub fn status(situation: &Situation, resource: &DeploymentResource, next: &Move) -> DeploymentStatus {
    let before = &resource.status;
    let told = tell(situation, next);
    let condition = |kind: &str, (status, reason, message): (&str, &str, String)| {
        let known = before.conditions.iter().find(|condition| condition.kind == kind);
        let unchanged = known.filter(|known| known.status == status);
        StatusCondition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message,
            observed_generation: Some(resource.generation),
            last_transition_time: unchanged
                .and_then(|known| known.last_transition_time.clone())
                .or_else(|| Some(seconds(situation.now))),
        }
    };
    let backed_up = situation.work.backups.newest.as_ref().map(|(good, said)| {
        let told = match good {
            true => ("True", "Completed", said.clone()),
            false => ("False", "LastFailed", said.clone()),
        };
        condition("BackedUp", told)
    });
    let conditions = [
        condition("Ready", told.ready),
        condition("Reconciling", told.reconciling),
        condition("Stalled", told.stalled),
        condition("Drifted", drifted(situation)),
    ];
    let routes = reach::routes(&situation.routes, &before.routes);
    let reachable = reach::reachable(&routes);
    let reachable = reachable.map(|(status, reason, said)| condition("Reachable", (status, &reason, said)));
    DeploymentStatus {
        observed_generation: Some(resource.generation),
        instance: situation.newest.as_ref().map(|instance| instance.number).or(before.instance),
        phase: Some(told.phase.to_owned()),
        conditions: conditions.into_iter().chain(reachable).chain(backed_up).collect(),
        components: situation.components.clone(),
        urls: situation.urls.clone(),
        routes,
        inventory: inventory(situation, next).or_else(|| before.inventory.clone()),
        last_backup: situation.work.backups.last.map(seconds).or_else(|| before.last_backup.clone()),
        last_operation: last_operation(situation).or_else(|| before.last_operation.clone()),
    }
}

mod reach;

pub(super) use reach::turns;

/// Status, reason, message.
type Said = (&'static str, &'static str, String);

struct Told {
    phase: &'static str,
    ready: Said,
    reconciling: Said,
    stalled: Said,
}

fn tell(situation: &Situation, next: &Move) -> Told {
    let no = |reason| ("False", reason, String::new());
    let phase = phase(situation, next);
    let healthy = situation.verdict().is_some_and(|verdict| verdict.health == Health::Healthy);
    let headline = situation.headline().unwrap_or_default();
    let active = situation.newest.as_ref().is_some_and(|instance| instance.state == InstanceState::Active);
    let (reconciling, stalled) = match next {
        Move::Stall(problem) => (no("Stalled"), ("True", "NeedsAttention", sentence(problem))),
        Move::Wait(waiting) => match waiting.on {
            On::Change => (no("Settled"), no("Settled")),
            On::Suspension => (no("Suspended"), no("Suspended")),
            On::Health if phase == "Failed" => (
                no("NotHealthy"),
                ("True", "NotHealthy", failure(situation).unwrap_or_else(|| headline.clone())),
            ),
            On::Health if active => (no("Settled"), no("Settled")),
            On::Health => (("True", "WaitingForHealth", headline.clone()), no("Progressing")),
            On::Gone => {
                (("True", "Deleting", "waiting until its objects are gone".to_owned()), no("Progressing"))
            }
            On::Turn => {
                (("True", "Waiting", "its environment is being configured".to_owned()), no("Progressing"))
            }
            On::Retry => (no("Waiting"), ("True", "Failed", last_problem(situation))),
            On::Lists => (("Unknown", "Connecting", String::new()), no("Progressing")),
        },
        Move::Fail { message } => (no("NotHealthy"), ("True", "NotHealthy", message.clone())),
        Move::Plan(kind) => (("True", kind.as_str(), String::new()), no("Progressing")),
        Move::Carry(_) => {
            let open = situation.work.open();
            let reason = open.map_or("Applying", |operation| operation.kind.as_str());
            (("True", reason, headline.clone()), no("Progressing"))
        }
        _ => (("True", "Applying", String::new()), no("Progressing")),
    };
    let ready = match phase {
        "Running" if healthy => ("True", "Healthy", String::new()),
        "Stopped" => ("False", "Stopped", "it is stopped on purpose".to_owned()),
        _ if matches!(next, Move::Stall(_)) => ("False", "NeedsAttention", headline),
        _ if active && !healthy => ("False", "Unhealthy", headline),
        "Failed" => ("False", "Failed", failure(situation).unwrap_or(headline)),
        _ => ("False", "Progressing", headline),
    };
    Told { phase, ready, reconciling, stalled }
}

fn phase(situation: &Situation, next: &Move) -> &'static str {
    if situation.phase() == DesiredPhase::Deleting {
        return "Deleting";
    }
    if matches!(next, Move::Fail { .. }) {
        return "Failed";
    }
    let Some(newest) = &situation.newest else { return "Pending" };
    let health = situation.verdict().map(|verdict| verdict.health);
    match newest.state {
        InstanceState::Failed => "Failed",
        InstanceState::Active | InstanceState::Superseded => match (situation.phase(), health) {
            (DesiredPhase::Stopped, Some(Health::Healthy | Health::Stopped) | None) => "Stopped",
            (_, Some(Health::Healthy) | None) => "Running",
            (_, Some(Health::Progressing)) => "Progressing",
            _ => "Degraded",
        },
        InstanceState::Planned | InstanceState::Applying => "Applying",
    }
}

fn failure(situation: &Situation) -> Option<String> {
    situation.newest.as_ref()?.message.clone()
}

/// Known only when everything is written and nothing drifted; before that the previous one stands, so that a restart in
/// between applies all again, and takes nobody else's writes for ours.
fn inventory(situation: &Situation, next: &Move) -> Option<InventoryStatus> {
    let written = matches!(next, Move::Wait(waiting) if matches!(waiting.on, On::Change | On::Health))
        && situation.rendered_objects().iter().all(|object| situation.need(object).is_none());
    let Some(Ok(rendered)) = situation.rendered.as_ref().filter(|_| written) else { return None };
    Some(InventoryStatus {
        count: u32::try_from(rendered.objects.len()).unwrap_or(u32::MAX),
        rendered: rendered.digest.clone(),
        applied: situation.applied_digest(),
    })
}

/// Whether somebody else changed what was written.
fn drifted(situation: &Situation) -> Said {
    if situation.work.drift == DriftMode::Ignore {
        return ("Unknown", "Ignored", String::new());
    }
    let objects: Vec<String> = (situation.rendered_objects().iter())
        .filter(|object| matches!(situation.need(object), Some(Need::Drift | Need::Fight)))
        .map(|object| object.key.to_string())
        .collect();
    match (objects.is_empty(), situation.work.drift) {
        (true, _) => ("False", "AsWritten", String::new()),
        (false, DriftMode::Correct) => ("True", "Correcting", objects.join(", ")),
        (false, _) => ("True", "Tolerated", objects.join(", ")),
    }
}

fn last_operation(situation: &Situation) -> Option<String> {
    let latest = situation.work.latest.as_ref()?;
    Some(format!("{} ({})", latest.plan.title, latest.state.as_str()))
}

fn last_problem(situation: &Situation) -> String {
    let latest = situation.work.latest.as_ref();
    latest.and_then(|operation| operation.problem.as_ref()).map(sentence).unwrap_or_default()
}

fn seconds(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests;
