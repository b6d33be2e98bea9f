//! What a change of an environment, or of the cluster, does to one application.

use serde_json::Value;

use crate::domain::diff::ObjectDiff;
use crate::domain::plan::Verb;
use crate::domain::{Deployment, OperationKind, Problem, Step};
use crate::reconcile::collisions::{self, Answers};
use crate::reconcile::draw::Order;
use crate::reconcile::engine::Engine;
use crate::reconcile::observe::{Observed, Setting};
use crate::reconcile::queue::Name;
use crate::reconcile::wish::Wish;

/// What changes for one application.
pub(super) struct Effect {
    /// The application.
    pub name: String,
    /// What is known of its step; none: it does not follow, and the warnings say why.
    pub step: Option<Step>,
    /// Its objects.
    pub diffs: Vec<ObjectDiff>,
    /// Worth knowing before.
    pub warnings: Vec<String>,
    /// What it answers to afterwards.
    pub answers: Answers,
}

impl Effect {
    fn left_out(record: &Deployment, why: &str) -> Self {
        let name = record.draft.name.clone();
        let warnings = vec![format!("{name} does not follow now: {why}")];
        Self { name, step: None, diffs: Vec::new(), warnings, answers: Answers::default() }
    }
}

impl Engine {
    /// What changes for an application in this setting; none when nothing does.
    ///
    /// # Errors
    /// It cannot be what it would have to be.
    pub(super) async fn effect(
        &self,
        setting: &Setting,
        record: &Deployment,
    ) -> Result<Option<Effect>, Problem> {
        let draft = &record.draft;
        let name = Name { namespace: setting.environment.namespace.clone(), name: draft.name.clone() };
        let observed = self.observe_as(&name, Some(setting.clone()), Some(record.clone())).await?;
        let Some(newest) = &observed.situation.newest else { return Ok(None) };
        match &observed.situation.wanted {
            None => return Ok(None),
            Some(Ok(wanted)) if wanted.digest == newest.digest => return Ok(None),
            Some(Ok(_)) => {}
            Some(Err(problem)) => return self.cannot_follow(&name, record, problem).await.map(Some),
        }
        if is_suspended(&observed) {
            return Ok(Some(Effect::left_out(record, "it is suspended")));
        }
        let wish = Wish {
            order: Order::of(OperationKind::Update, record.clone()),
            setting: setting.clone(),
            environment_known: true,
            based_on: None,
            vault: None,
            said: Vec::new(),
        };
        let proposed = self.propose_unchecked(&wish).await?;
        let Some(instance) = &proposed.drawn.instance else { return Ok(None) };
        let (old, new) = (&newest.context, &instance.context);
        let plan = &proposed.preview.plan;
        let mut warnings: Vec<String> = leaving(&draft.name, old, new).into_iter().collect();
        warnings.extend(plan.warnings.iter().map(|warning| format!("{}: {warning}", draft.name)));
        let step = Step {
            class: plan.class(),
            digest: instance.digest.clone(),
            note: note(old, new),
            ..Step::named(Verb::Run, String::new())
        };
        Ok(Some(Effect {
            name: draft.name.clone(),
            step: Some(step),
            diffs: proposed.preview.diffs.clone(),
            warnings,
            answers: Answers::of(draft, Some(old), new, &proposed.drawn.parts.objects),
        }))
    }

    /// An application that could not be resolved before is no reason to keep everything else from being said.
    async fn cannot_follow(
        &self,
        name: &Name,
        record: &Deployment,
        problem: &Problem,
    ) -> Result<Effect, Problem> {
        let now = self.observe(name).await?;
        match &now.situation.wanted {
            Some(Err(known)) => Ok(Effect::left_out(record, &known.what)),
            _ => Err(problem.clone()),
        }
    }
}

fn is_suspended(observed: &Observed) -> bool {
    observed.situation.resource.as_ref().is_some_and(|resource| resource.spec.suspend)
}

/// What becomes of the host that people know.
fn note(old: &Value, new: &Value) -> String {
    let (before, after) = (collisions::hosts(old), collisions::hosts(new));
    match (before.first(), after.first()) {
        _ if before == after => String::new(),
        (Some(before), Some(after)) if before == after => format!("{after} and others"),
        (Some(before), Some(after)) => format!("{before} becomes {after}"),
        (None, Some(after)) => after.clone(),
        (Some(before), None) => format!("{before} goes away"),
        (None, None) => String::new(),
    }
}

/// That hosts go away.
fn leaving(name: &str, old: &Value, new: &Value) -> Option<String> {
    let after = collisions::hosts(new);
    let mut gone = collisions::hosts(old);
    gone.retain(|host| !after.contains(host));
    if gone.is_empty() {
        return None;
    }
    Some(format!(
        "{name} does not answer to {} any more{}",
        gone.join(", "),
        match after.first() {
            Some(host) => format!(", but to {host}"),
            None => ": it has no host name then".to_owned(),
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(readable: &str, primary: &str) -> Value {
        json!({"services": {"web": {"scope": "external", "path": "/",
            "human_readable_fqdn": readable, "primary_fqdn": primary}}})
    }

    #[test]
    fn hosts_that_go_away_are_told() {
        let (old, new) = (context("web-demo.a.org", "web-1.a.org"), context("web-demo.b.org", "web-1.b.org"));
        assert_eq!(note(&old, &new), "web-demo.a.org becomes web-demo.b.org");
        assert_eq!(
            leaving("web", &old, &new).unwrap(),
            "web does not answer to web-demo.a.org, web-1.a.org any more, but to web-demo.b.org"
        );
        let none = context("", "");
        assert_eq!(note(&old, &none), "web-demo.a.org goes away");
        assert!(leaving("web", &old, &none).unwrap().ends_with("no host name then"));
        assert_eq!((note(&old, &old), leaving("web", &old, &old)), (String::new(), None));
        assert_eq!((note(&none, &new), leaving("web", &none, &new)), ("web-demo.b.org".to_owned(), None));
    }
}
