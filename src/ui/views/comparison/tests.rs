use serde_json::json;

use super::*;
use crate::domain::{DeploymentId, ObjectKey};
use crate::ui::sample;

struct Fixture {
    view: ComparisonView,
    world: World,
    requests: u64,
}

impl Fixture {
    fn new() -> Self {
        let key = ApplicationKey { environment: "demo".into(), name: "shop".into() };
        Self { view: ComparisonView::new(key, 3, 4), world: sample::world(), requests: 0 }
    }

    fn with(&mut self, work: impl FnOnce(&mut ComparisonView, &mut Context<'_>)) -> (Vec<Effect>, Vec<Step>) {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 12), &mut self.requests);
        work(&mut self.view, &mut context);
        (context.effects, context.steps)
    }

    fn run(&mut self, command: Command) -> usize {
        self.with(|view, context| {
            view.command(command, context);
        });
        self.view.offset
    }
}

fn diff(name: &str, lines: usize) -> ObjectDiff {
    let object = |word: &str| json!({"data": (0..lines).map(|n| format!("{word} {n}")).collect::<Vec<_>>()});
    let key = ObjectKey {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: "demo".into(),
        name: name.into(),
    };
    ObjectDiff::between(key, Some(&object("old")), Some(&object("new")))
}

#[test]
fn it_is_asked_once_and_ended_when_nobody_waits() {
    let mut fixture = Fixture::new();
    let asked = Effect::CompareInstances(RequestId(1), DeploymentId(2), 3, 4);
    assert_eq!(fixture.with(|view, context| view.refresh(context)).0, [asked]);
    assert_eq!(fixture.with(|view, context| view.refresh(context)).0, []);
    assert_eq!(fixture.with(|view, context| view.leave(context)).0, [Effect::Cancel(RequestId(1))]);
}

#[test]
fn what_does_not_differ_is_left_out_and_the_objects_are_jumped_to() {
    let mut fixture = Fixture::new();
    fixture.with(|view, context| {
        view.refresh(context);
        let diffs = vec![diff("a", 10), diff("same", 0), diff("b", 10)];
        assert!(view.reply(RequestId(9), Reply::Diffs(Ok(Vec::new())), context).is_some(), "not its own");
        assert!(view.reply(RequestId(1), Reply::Diffs(Ok(diffs)), context).is_none());
    });
    assert_eq!(fixture.view.found().len(), 2);
    // A heading, `data:` and ten lines of each side, then a gap.
    assert_eq!(fixture.run(Command::Next), 23);
    assert_eq!(fixture.run(Command::Previous), 0);
    let last = fixture.run(Command::Bottom);
    assert_eq!(fixture.run(Command::Down), last);
    assert_eq!(fixture.run(Command::Top), 0);
}
