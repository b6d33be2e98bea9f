use super::*;
use crate::domain::object::Detail;
use crate::domain::{Instance, InstanceState, Problem};
use crate::ui::event::Effect;
use crate::ui::sample;

struct Page {
    view: ApplicationView,
    world: World,
    requests: u64,
}

type Outcome = (Vec<Effect>, Vec<Step>);

impl Page {
    fn new(name: &str, tab: Tab) -> (Self, Outcome) {
        let key = ApplicationKey { environment: "demo".into(), name: name.into() };
        let mut page = Self { view: ApplicationView::new(key, tab), world: sample::world(), requests: 0 };
        let outcome = page.with(|view, context| view.refresh(context));
        (page, outcome)
    }

    fn with(&mut self, work: impl FnOnce(&mut ApplicationView, &mut Context<'_>)) -> Outcome {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.view, &mut context);
        (context.effects, context.steps)
    }

    fn run(&mut self, command: Command) -> Outcome {
        self.with(|view, context| {
            view.command(command, context);
        })
    }

    fn reply(&mut self, id: u64, reply: Reply) -> Option<Reply> {
        let mut left = None;
        self.with(|view, context| left = view.reply(RequestId(id), reply, context));
        left
    }
}

fn target(pod: &str, container: &str) -> LogTarget {
    LogTarget { namespace: "demo".into(), pod: pod.into(), container: container.into() }
}

const WEB: &str = "shop-web-7c9d8b5f4-lq2zt";

#[test]
fn the_log_of_the_container_that_is_not_well_comes_first() {
    let (_, (effects, _)) = Page::new("shop", Tab::Logs);
    assert_eq!(effects, [Effect::FollowLogs(RequestId(1), target(WEB, "web"))]);
}

#[test]
fn where_all_is_well_the_log_of_what_answers_comes_first() {
    let front = Effect::FollowLogs(RequestId(1), target("notes-web-6d4f9c7b8-x2x4l", "web"));
    let (_, (effects, _)) = Page::new("notes", Tab::Logs);
    assert_eq!(effects, std::slice::from_ref(&front));
    let (mut page, _) = Page::new("notes", Tab::Overview);
    assert_eq!(page.run(Command::ShowLogs).0, [front], "the cursor was not moved");
}

#[test]
fn the_container_under_the_cursor_is_followed() {
    let (mut page, _) = Page::new("notes", Tab::Overview);
    page.run(Command::Bottom);
    page.run(Command::Top);
    for _ in 0..3 {
        page.run(Command::Down);
    }
    let (effects, _) = page.run(Command::Open);
    assert_eq!(effects, [Effect::FollowLogs(RequestId(1), target("notes-web-6d4f9c7b8-x2x4l", "web"))]);
}

#[test]
fn leaving_the_tab_or_the_view_ends_the_stream() {
    let (mut page, _) = Page::new("shop", Tab::Logs);
    assert_eq!(page.run(Command::ShowEvents).0, [Effect::Cancel(RequestId(1))]);
    page.run(Command::ShowLogs);
    assert_eq!(page.with(|view, context| view.leave(context)).0, [Effect::Cancel(RequestId(2))]);
}

#[test]
fn lines_of_an_older_stream_are_not_taken() {
    let (mut page, _) = Page::new("shop", Tab::Logs);
    let (effects, _) = page.with(|view, context| view.follow(target("shop-db-0", "db"), context));
    assert_eq!(effects[0], Effect::Cancel(RequestId(1)));
    assert!(page.reply(1, Reply::LogLines(vec!["old".into()])).is_some());
    assert!(page.reply(2, Reply::LogLines(vec!["new".into()])).is_none());
}

#[test]
fn a_restarted_container_is_followed_again() {
    let (mut page, _) = Page::new("shop", Tab::Logs);
    page.reply(1, Reply::LogEnded(None));
    assert_eq!(page.with(|view, context| view.refresh(context)).0, [], "it waits in its back-off");
    let mut shop = (*page.world.applications[1]).clone();
    if let Detail::Pod(detail) = &mut shop.components[1].pods[0].detail {
        detail.containers[0].state = "Running".into();
        detail.containers[0].restarts += 1;
    }
    page.world.applications[1] = std::sync::Arc::new(shop);
    let (effects, _) = page.with(|view, context| view.refresh(context));
    assert_eq!(effects, [Effect::FollowLogs(RequestId(2), target(WEB, "web"))]);
}

#[test]
fn a_log_that_broke_off_is_not_followed_in_a_loop() {
    let (mut page, _) = Page::new("notes", Tab::Logs);
    page.reply(1, Reply::LogEnded(Some(Problem::new("It cannot be read", "", ""))));
    assert_eq!(page.with(|view, context| view.refresh(context)).0, []);
}

#[test]
fn tabs_go_round_and_containers_are_offered() {
    let (mut page, _) = Page::new("shop", Tab::Backups);
    page.run(Command::Next);
    assert_eq!(page.view.tab, Tab::Overview);
    page.run(Command::Previous);
    assert_eq!(page.view.tab, Tab::Backups);
    page.run(Command::ShowLogs);
    let offered = page.run(Command::LogContainer).1;
    assert!(matches!(&offered[..], [Step::PickContainer(targets)] if targets.len() == 3));
}

#[test]
fn an_application_that_is_gone_takes_commands_calmly() {
    let (mut page, _) = Page::new("nobody", Tab::Overview);
    for command in Command::ALL {
        page.run(*command);
    }
}

fn flags(page: &Page) -> Flags {
    let mut flags = Flags::default();
    page.view.flags(&page.world, Size::new(80, 22), &mut flags);
    flags
}

fn compared(page: &mut Page) -> Option<(u32, u32)> {
    match &page.run(Command::Open).1[..] {
        [Step::Compare(_, old, new)] => Some((*old, *new)),
        _ => None,
    }
}

#[test]
fn the_selected_instance_is_compared_with_the_active_one_or_the_one_before() {
    let (mut page, _) = Page::new("shop", Tab::History);
    assert_eq!(compared(&mut page), Some((3, 4)), "the failed one with the active one");
    page.run(Command::Down);
    assert_eq!(compared(&mut page), Some((2, 3)), "the active one with the one before");
    page.run(Command::Bottom);
    assert_eq!(compared(&mut page), Some((1, 3)));
}

#[test]
fn two_marked_instances_are_compared_wherever_the_cursor_is() {
    let (mut page, _) = Page::new("shop", Tab::History);
    page.run(Command::Mark);
    page.run(Command::Bottom);
    assert_eq!(compared(&mut page), Some((1, 4)), "the marked one with the selected one");
    page.run(Command::Mark);
    page.run(Command::Up);
    assert_eq!(compared(&mut page), Some((1, 4)));
    page.run(Command::Mark);
    assert_eq!(compared(&mut page), Some((1, 2)), "the third mark takes the place of the first");
    page.run(Command::Mark);
    page.run(Command::Top);
    assert_eq!(compared(&mut page), Some((1, 4)), "the mark was taken away");
}

#[test]
fn an_only_instance_has_nothing_to_be_compared_with() {
    let (mut page, _) = Page::new("notes", Tab::History);
    let mut notes = (*page.world.applications[0]).clone();
    notes.history.truncate(1);
    page.world.applications[0] = std::sync::Arc::new(notes);
    assert!(!flags(&page).has(Flag::Row));
    assert!(matches!(&page.run(Command::Open).1[..], [Step::Say(_)]));
    assert!(matches!(&page.run(Command::RollBack).1[..], [Step::Say(_)]));
}

#[test]
fn in_the_history_a_rollback_goes_to_the_instance_under_the_cursor() {
    let (mut page, _) = Page::new("shop", Tab::History);
    assert!(matches!(&page.run(Command::RollBack).1[..], [Step::Say(_)]), "the newest one is wanted already");
    page.run(Command::Bottom);
    let wanted = Step::Plan(Box::new(Intent::Rollback(crate::domain::DeploymentId(2), 1)));
    assert_eq!(page.run(Command::RollBack).1, [wanted]);
    page.run(Command::ShowOverview);
    assert_eq!(page.run(Command::RollBack).1, [], "elsewhere it is for the actions of applications");
}

#[test]
fn without_a_name_a_rollback_goes_to_what_worked_last() {
    let earlier_of = |index: usize, change: fn(&mut Application)| {
        let mut application = (*sample::world().applications[index]).clone();
        change(&mut application);
        earlier(&application)
    };
    assert_eq!(earlier_of(1, |_| {}), Some(3), "the active one, because the newest one failed");
    assert_eq!(earlier_of(0, |_| {}), Some(2), "the one before");
    let failed = |notes: &mut Application| {
        let failed = Instance { state: InstanceState::Failed, ..(*notes.history[1]).clone() };
        notes.history[1] = std::sync::Arc::new(failed);
    };
    assert_eq!(earlier_of(0, failed), Some(1), "what failed is no place to go back to");
    assert_eq!(earlier_of(0, |notes| notes.history.truncate(1)), None);
}

#[test]
fn an_operation_that_does_not_get_through_is_the_first_thing_on_the_page() {
    let (mut page, _) = Page::new("shop", Tab::Overview);
    assert_eq!(page.run(Command::Open).1, [Step::ShowOperation(crate::domain::OperationId(11))]);
    let (mut page, _) = Page::new("notes", Tab::Overview);
    page.run(Command::Bottom);
    assert_eq!(
        page.run(Command::Open).1,
        [Step::ShowOperation(crate::domain::OperationId(8))],
        "it went well"
    );
}

/// The actions of `notes`, in a picture.
fn actions(world: World) -> Page {
    let mut page = Page::new("notes", Tab::Actions).0;
    page.world = world;
    page.with(|view, context| view.refresh(context));
    page
}

fn run_of(page: &mut Page, command: Command) -> (String, Option<crate::domain::ActionRequest>) {
    match &page.run(command).1[..] {
        [Step::RunAction(key, name, request)] if key.name == "notes" => {
            (name.clone(), request.as_deref().cloned())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_action_is_run_or_run_again_with_its_answers() {
    let mut page = actions(crate::ui::action_samples::world());
    assert_eq!(run_of(&mut page, Command::Open), ("vacuum".to_owned(), None));
    page.run(Command::Down);
    assert_eq!(run_of(&mut page, Command::Open), ("reindex".to_owned(), None));
    assert!(flags(&page).has(Flag::Ran) && flags(&page).has(Flag::Row));
    let (name, request) = run_of(&mut page, Command::RunAgain);
    assert_eq!((name.as_str(), &request.unwrap().answers["workers"]), ("reindex", &serde_json::json!(4)));
    page.run(Command::Down);
    assert!(!flags(&page).has(Flag::Ran), "rotate-keys was not run yet");
    assert!(matches!(&page.run(Command::RunAgain).1[..], [Step::Say(_)]));
    page.run(Command::Down);
    assert_eq!(run_of(&mut page, Command::Open).0, "rotate-keys", "what runs at hooks is not started");
}

#[test]
fn an_action_that_runs_is_shown_instead_of_run_twice() {
    let mut page = actions(crate::ui::action_samples::running_world());
    page.run(Command::Down);
    for command in [Command::Open, Command::RunAgain] {
        assert_eq!(page.run(command).1, [Step::ShowOperation(crate::domain::OperationId(23))]);
    }
}

#[test]
fn a_driver_without_actions_or_that_is_gone_offers_none() {
    let mut page = actions(sample::world());
    assert_eq!(page.run(Command::Open).1, []);
    let mut world = crate::ui::action_samples::world();
    world.drivers.clear();
    let mut page = actions(world);
    assert_eq!(page.run(Command::Open).1, []);
    assert!(!flags(&page).has(Flag::Row));
}
