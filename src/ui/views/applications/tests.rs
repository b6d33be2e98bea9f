use std::sync::Arc;

use super::*;
use crate::domain::route::{Phase, ProbeOutcome};
use crate::ui::event::Effect;
use crate::ui::listing::Listed;
use crate::ui::sample;

/// A view that works on a picture of its own.
struct Table {
    view: ApplicationsView,
    world: World,
    requests: u64,
}

impl Table {
    fn new(world: World) -> Self {
        let mut table = Self { view: ApplicationsView::default(), world, requests: 0 };
        table.with(|view, context| view.refresh(context));
        table
    }

    fn with(
        &mut self,
        work: impl FnOnce(&mut ApplicationsView, &mut Context<'_>),
    ) -> (Vec<Effect>, Vec<Step>) {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.view, &mut context);
        (context.effects, context.steps)
    }

    fn run(&mut self, command: Command) -> (Vec<Effect>, Vec<Step>) {
        self.with(|view, context| {
            view.command(command, context);
        })
    }

    fn filter(&mut self, text: &str) {
        self.run(Command::Filter);
        self.with(|view, context| view.paste(text, context));
        self.run(Command::Accept);
    }

    fn names(&self) -> Vec<&str> {
        let key = |index: &usize| self.view.list.rows().key(*index).map(|key| key.name.as_str());
        self.view.list.shown().iter().filter_map(key).collect()
    }
}

#[test]
fn filters_take_words_and_columns() {
    let mut table = Table::new(sample::world());
    for (filter, names) in [
        ("env:demo", &["notes", "shop"][..]),
        ("health:degraded", &["shop"]),
        ("crashloop", &["shop"]),
        ("tmhb", &["team-handbook"]),
        ("!notes env:demo", &[]),
    ] {
        table.filter(filter);
        assert_eq!(table.names(), names, "{filter}");
        table.run(Command::Back);
        assert_eq!(table.names().len(), 4);
    }
}

#[test]
fn what_is_stopped_on_purpose_is_no_fault_and_a_dead_url_is_one() {
    let mut world = sample::world();
    let mut notes = (*world.applications[0]).clone();
    notes.routes[0].probe.as_mut().unwrap().outcome =
        ProbeOutcome::Failed { phase: Phase::Connect, message: "refused".into() };
    world.applications[0] = Arc::new(notes);
    let mut table = Table::new(world);
    table.world.operations.clear();
    table.with(|view, context| view.refresh(context));
    table.run(Command::FaultsOnly);
    assert_eq!(table.names(), ["notes", "shop", "team-handbook"]);
}

#[test]
fn a_route_counts_as_its_standing_says() {
    use crate::domain::DesiredPhase;
    use crate::domain::world::Application;
    let failed = |it: &mut Application| {
        it.routes[0].probe.as_mut().unwrap().outcome = ProbeOutcome::Answered(503);
    };
    let is_fault = |change: &dyn Fn(&mut Application)| {
        let mut world = sample::world();
        let mut notes = (*world.applications[0]).clone();
        change(&mut notes);
        world.applications[0] = Arc::new(notes);
        let mut table = Table::new(world);
        table.run(Command::FaultsOnly);
        table.names().contains(&"notes")
    };
    assert!(!is_fault(&|_| {}));
    assert!(is_fault(&failed));
    assert!(is_fault(&|it| it.routes[0].trouble.push("the Gateway does not take it".into())));
    let unprobed = |it: &mut Application| {
        failed(it);
        it.routes[0].unprobed = true;
    };
    assert!(!is_fault(&unprobed), "what an old probe found is of no matter");
    let stopped = |it: &mut Application| {
        failed(it);
        it.deployment.phase = DesiredPhase::Stopped;
    };
    assert!(!is_fault(&stopped));
}

#[test]
fn what_is_done_to_an_application_is_found_and_what_is_held_up_is_a_fault() {
    let mut table = Table::new(sample::world());
    table.run(Command::FaultsOnly);
    assert_eq!(
        table.names(),
        ["shop", "team-handbook", "wiki"],
        "the change of wiki is tried again and again"
    );
    table.run(Command::Back);
    for (filter, name) in [("operation:update", "wiki"), ("drift:drifted", "team-handbook")] {
        table.filter(filter);
        assert_eq!(table.names(), [name], "{filter}");
        table.run(Command::Back);
    }
    assert_eq!(table.view.list.rows().doing(2), ("Upgrade 6/8", false));
    assert_eq!(table.view.list.rows().doing(3), ("Update 1/3 ↻", true));
}

#[test]
fn sorting_goes_round() {
    let mut table = Table::new(sample::world());
    table.run(Command::Sort);
    assert_eq!(table.names(), ["shop", "team-handbook", "wiki", "notes"]);
    table.run(Command::Sort);
    assert_eq!(table.names()[0], "team-handbook", "the youngest first");
    table.run(Command::Sort);
    assert_eq!(table.names()[0], "notes");
}

#[test]
fn the_cursor_stays_on_its_application() {
    let mut table = Table::new(sample::world());
    table.run(Command::Down);
    assert_eq!(table.view.selected_in(&table.world).unwrap().deployment.draft.name, "shop");
    table.world.applications.insert(0, Arc::new(sample::healthy("a-new-one", "demo", 9)));
    table.with(|view, context| view.refresh(context));
    assert_eq!(table.view.selected_in(&table.world).unwrap().deployment.draft.name, "shop");
    table.world.applications.clear();
    table.with(|view, context| view.refresh(context));
    assert!(table.view.selected_in(&table.world).is_none());
}

#[test]
fn urls_and_names_are_copied() {
    let mut table = Table::new(sample::world());
    assert_eq!(table.run(Command::CopyUrl).0, [Effect::Copy("http://notes-demo.localhost:8480/".into())]);
    assert_eq!(table.run(Command::CopyName).0, [Effect::Copy("notes".into())]);
    table.run(Command::Bottom);
    let (effects, steps) = table.run(Command::CopyUrl);
    assert!(effects.is_empty() && steps == [Step::Say(Toast::hint("It has no URL"))]);
}

#[test]
fn opening_names_the_application_and_the_tab() {
    let mut table = Table::new(sample::world());
    let key = ApplicationKey { environment: "demo".into(), name: "notes".into() };
    assert_eq!(table.run(Command::Open).1, [Step::ShowApplication(key.clone(), Tab::Overview)]);
    assert_eq!(table.run(Command::ShowLogs).1, [Step::ShowApplication(key, Tab::Logs)]);
}

#[test]
fn ten_thousand_rows_are_filtered_in_one_pass_over_what_was_kept() {
    let mut table = Table::new(sample::large_world(10_000));
    table.filter("app 09 env:env-1");
    assert!(table.names().len() > 100 && table.names().iter().all(|name| name.contains('9')));
}
