use super::*;
use crate::domain::{OperationState, StepState};
use crate::ui::sample;
use crate::ui::screen::Step;

struct Fixture {
    page: OperationPage,
    world: World,
    requests: u64,
}

impl Fixture {
    fn new(view: OperationView) -> Self {
        let mut world = sample::world();
        let page = OperationPage::new(view.operation.id);
        world.operations = vec![Arc::new(view)];
        Self { page, world, requests: 0 }
    }

    fn with(&mut self, work: impl FnOnce(&mut OperationPage, &mut Context<'_>)) -> (Vec<Effect>, Vec<Step>) {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.page, &mut context);
        (context.effects, context.steps)
    }

    fn refresh(&mut self) -> Vec<Effect> {
        self.with(|page, context| page.refresh(context)).0
    }

    fn run(&mut self, command: Command) -> Vec<Step> {
        self.with(|page, context| {
            page.command(command, context);
        })
        .1
    }

    fn reply(&mut self, id: u64, events: Vec<OperationEvent>) -> (bool, Vec<Effect>) {
        let mut taken = false;
        let (effects, _) = self.with(|page, context| {
            taken = page.reply(RequestId(id), Reply::OperationEvents(Ok(events)), context).is_none();
        });
        (taken, effects)
    }

    /// The operation moves on.
    fn move_on(&mut self, change: impl FnOnce(&mut OperationView)) -> Vec<Effect> {
        let mut view = OperationView::clone(&self.world.operations[0]);
        change(&mut view);
        self.world.operations[0] = Arc::new(view);
        self.refresh()
    }

    fn screen(&self) -> String {
        let theme = crate::ui::theme::Theme::plain();
        let keymap = crate::ui::keymap::Keymap::default();
        let look = Look { theme: &theme, now: Some(sample::now()), keymap: &keymap, still: true };
        let area = Rect::new(0, 0, 120, 40);
        let mut buffer = Buffer::empty(area);
        self.page.draw(&self.world, &look, area, &mut buffer);
        let rows = buffer.content.chunks(usize::from(area.width));
        let row = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect::<String>();
        rows.map(row).collect::<Vec<_>>().join("\n")
    }
}

fn read(id: u64) -> Effect {
    Effect::ReadOperation(RequestId(id), OperationId(12))
}

#[test]
fn the_journal_is_read_when_the_operation_moves_and_only_then() {
    let mut fixture = Fixture::new(sample::running_operation());
    assert_eq!(fixture.refresh(), [read(1)]);
    assert_eq!(fixture.refresh(), [], "it is being read");
    let advance = |view: &mut OperationView| view.steps[6].state = StepState::Succeeded;
    assert_eq!(fixture.move_on(advance), [], "never twice at once");
    assert_eq!(fixture.reply(1, Vec::new()), (true, vec![read(2)]), "it moved while it was being read");
    assert_eq!(fixture.reply(1, Vec::new()), (false, vec![]), "an older answer is not taken");
    assert_eq!(fixture.reply(2, sample::operation_events()), (true, vec![]));
    assert_eq!(fixture.refresh(), [], "nothing moved");
    assert_eq!(fixture.move_on(|view| view.operation.state = OperationState::Succeeded), [read(3)]);
}

#[test]
fn what_newer_ones_have_taken_the_place_of_stays_readable() {
    let mut fixture = Fixture::new(sample::failed_operation());
    fixture.refresh();
    fixture.world.operations.clear();
    fixture.refresh();
    fixture.reply(1, sample::operation_events());
    let screen = fixture.screen();
    assert!(
        screen.contains("cannot open /data/shop.db") && screen.contains("begun by the engine"),
        "{screen}"
    );
    let mut unknown = Fixture::new(sample::failed_operation());
    unknown.world.operations.clear();
    assert_eq!(unknown.refresh(), []);
    assert!(unknown.screen().contains("Operation 11 is not among those that are shown"));
}

#[test]
fn leaving_ends_the_reading() {
    let mut fixture = Fixture::new(sample::running_operation());
    fixture.refresh();
    assert_eq!(fixture.with(|page, context| page.leave(context)).0, [Effect::Cancel(RequestId(1))]);
}

#[test]
fn enter_offers_the_answers_of_a_step_that_asks() {
    let mut fixture = Fixture::new(sample::asking_operation());
    fixture.refresh();
    assert!(matches!(&fixture.run(Command::Open)[..], [Step::Ask(_)]));
    let mut fixture = Fixture::new(sample::failed_operation());
    fixture.refresh();
    assert!(matches!(&fixture.run(Command::Open)[..], [Step::Say(_)]));
}

#[test]
fn every_state_of_a_step_says_what_it_waits_for_or_why_it_stands() {
    let shown = |change: &dyn Fn(&mut OperationView)| {
        let mut view = sample::running_operation();
        change(&mut view);
        let mut fixture = Fixture::new(view);
        fixture.refresh();
        fixture.screen()
    };
    let problem = || Some(Problem::new("the server is busy", "429", "wait"));
    let retried = shown(&|view| {
        let step = &mut view.steps[6];
        (step.state, step.attempt, step.problem) = (StepState::Retrying, 4, problem());
        step.next_try = Some(sample::before(-90));
    });
    assert!(
        retried.contains("4 tries, the next in 1m 30s") && retried.contains("WHAT HOLDS IT UP"),
        "{retried}"
    );
    let second = shown(&|view| {
        view.steps[3].state = StepState::Failed;
        view.steps[3].problem = problem();
        view.steps[6].state = StepState::Failed;
        view.steps[6].problem = Some(Problem::new("it takes too long", "", ""));
    });
    assert!(second.contains("it takes too long"), "what failed second is told with its step: {second}");
    let unknown = shown(&|view| view.steps[6].state = StepState::Unknown);
    assert!(unknown.contains("a crash left open whether it was done"), "{unknown}");
    let waits = shown(&|view| view.operation.plan.steps[7].after = vec![4, 5, 6, 3]);
    assert!(waits.contains("after wait Deployment/team-handb"), "{waits}");
    let two = shown(&|view| {
        view.operation.plan.steps[7].after = vec![5, 6];
        view.operation.plan.steps[5].name = "update A".into();
        view.steps[5].state = StepState::Started;
    });
    assert!(two.contains("after update A and 1 other"), "{two}");
    let cancelled = shown(&|view| view.operation.orders.cancelled_by = Some("ben@jump-1".into()));
    assert!(cancelled.contains("ben@jump-1 cancelled it") && cancelled.contains("Cancelling"), "{cancelled}");
}

mod actions {
    use super::*;
    use crate::domain::call::StepId;
    use crate::ui::action_samples as samples;

    const STEP: StepId = StepId { operation: OperationId(23), position: 0 };

    fn hear(fixture: &mut Fixture, id: u64) -> bool {
        let mut taken = false;
        fixture.with(|page, context| {
            taken = page.reply(RequestId(id), Reply::Output(Ok(samples::output())), context).is_none();
        });
        taken
    }

    #[test]
    fn the_end_of_what_an_action_prints_is_shown_and_enter_shows_all() {
        let mut fixture = Fixture::new(samples::running());
        let effects = fixture.refresh();
        assert_eq!(effects[0], Effect::FollowOutput(RequestId(1), STEP));
        assert!(matches!(effects[1..], [Effect::ReadOperation(..)]), "{effects:?}");
        assert!(!fixture.screen().contains("OUTPUT"), "there is none yet");
        assert!(hear(&mut fixture, 1));
        let screen = fixture.screen();
        assert!(screen.contains("▸ sleep(seconds=30)") && screen.contains("✗ refused"), "{screen}");
        assert!(!screen.contains("reindexing notes"), "only the end: {screen}");
        assert_eq!(fixture.run(Command::Open), [Step::ShowOutput(STEP)]);
        let left = fixture.with(|page, context| page.leave(context)).0;
        assert!(left.contains(&Effect::Cancel(RequestId(1))), "{left:?}");
    }

    #[test]
    fn a_failure_that_does_not_count_is_told_with_its_sign() {
        let mut fixture = Fixture::new(samples::warned());
        fixture.refresh();
        let screen = fixture.screen();
        assert!(screen.contains("▲ run reindex") && screen.contains("▲ 1 warning"), "{screen}");
        assert!(
            screen.contains("locked by another session") && screen.contains("it does not count"),
            "{screen}"
        );
        assert!(screen.contains("✓ Succeeded"), "{screen}");
    }

    #[test]
    fn operations_without_actions_follow_nothing() {
        let mut fixture = Fixture::new(sample::running_operation());
        assert_eq!(fixture.refresh(), [read(1)]);
    }
}
