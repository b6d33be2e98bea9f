use std::sync::Arc;

use super::*;
use crate::domain::OperationId;
use crate::domain::operation::StepAnswer;
use crate::domain::{OperationState, StepState};
use crate::ui::event::Effect;
use crate::ui::sample;

/// A view that works on a picture of its own.
struct Table {
    view: OperationsView,
    world: World,
    requests: u64,
}

impl Table {
    fn new() -> Self {
        let mut table = Self { view: OperationsView::default(), world: sample::world(), requests: 0 };
        table.refresh();
        table
    }

    fn with(&mut self, work: impl FnOnce(&mut OperationsView, &mut Context<'_>)) -> (Vec<Effect>, Vec<Step>) {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.view, &mut context);
        (context.effects, context.steps)
    }

    fn refresh(&mut self) {
        self.with(|view, context| view.refresh(context));
    }

    fn run(&mut self, command: Command) -> Vec<Step> {
        let (effects, steps) = self.with(|view, context| {
            view.command(command, context);
        });
        assert_eq!(effects, [], "the table itself asks for nothing to be done");
        steps
    }

    fn filter(&mut self, text: &str) -> Vec<i64> {
        self.run(Command::Filter);
        self.run(Command::Cancel);
        self.run(Command::Filter);
        self.with(|view, context| view.paste(text, context));
        self.run(Command::Accept);
        self.ids()
    }

    fn ids(&self) -> Vec<i64> {
        let list = &self.view.list;
        list.shown().iter().filter_map(|index| list.rows().key(*index)).map(|id| id.0).collect()
    }

    fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        self.view.flags(&self.world, Size::new(80, 22), &mut flags);
        flags
    }
}

#[test]
fn what_has_not_ended_stands_on_top_and_the_rest_is_newest_first() {
    assert_eq!(Table::new().ids(), [12, 10, 9, 11, 8, 7, 6, 5]);
}

#[test]
fn filters_take_words_and_columns() {
    let mut table = Table::new();
    assert_eq!(table.filter("state:retrying"), [10]);
    assert_eq!(table.filter("by:ben"), [10]);
    assert_eq!(table.filter("kind:upgrade !state:superseded"), [12, 11]);
    assert_eq!(table.filter("healthy"), [11], "what went wrong is looked through too");
    assert_eq!(table.filter("env:staging"), [12, 10, 9]);
    table.run(Command::Back);
    table.run(Command::FaultsOnly);
    assert_eq!(table.ids(), [10, 9, 11]);
}

#[test]
fn the_cursor_stays_on_its_operation_and_on_the_newest_one_until_it_is_moved() {
    let mut table = Table::new();
    let newer = |id| {
        let mut view = sample::running_operation();
        view.operation.id = OperationId(id);
        Arc::new(view)
    };
    table.world.operations.insert(0, newer(13));
    table.refresh();
    assert_eq!(table.run(Command::Open), [Step::ShowOperation(OperationId(13))]);
    table.run(Command::Down);
    table.world.operations.insert(0, newer(14));
    table.refresh();
    assert_eq!(table.run(Command::Open), [Step::ShowOperation(OperationId(12))]);
}

#[test]
fn what_has_ended_is_not_cancelled_and_what_is_cancelled_not_again() {
    let mut table = Table::new();
    assert!(table.flags().has(Flag::Busy));
    assert!(matches!(&table.run(Command::CancelOperation)[..], [Step::Ask(_)]));
    let mut cancelled = sample::running_operation();
    cancelled.operation.orders.cancelled_by = Some("ben@jump-1".into());
    table.world.operations[0] = Arc::new(cancelled);
    table.refresh();
    assert!(matches!(&table.run(Command::CancelOperation)[..], [Step::Say(_)]));
    table.filter("state:failed");
    assert!(!table.flags().has(Flag::Busy));
    assert!(matches!(&table.run(Command::CancelOperation)[..], [Step::Say(_)]));
}

#[test]
fn only_a_step_that_asks_is_answered() {
    let mut table = Table::new();
    assert!(matches!(&table.run(Command::AnswerStep)[..], [Step::Say(_)]));
    table.filter("state:asking");
    assert!(table.flags().has(Flag::Asking));
    let [Step::Ask(question)] = &table.run(Command::AnswerStep)[..] else { panic!("no question") };
    let mut question = question.clone();
    let mut context = Context::new(&table.world, Some(sample::now()), Size::new(80, 22), &mut table.requests);
    question.command(Command::Down, &mut context);
    question.command(Command::Accept, &mut context);
    let [Effect::AnswerStep(_, id, position, answer)] = context.effects[..] else { panic!("no answer") };
    assert_eq!((id, position, answer), (OperationId(9), 0, StepAnswer::Done));
}

#[test]
fn the_application_of_an_operation_is_shown_while_it_is_there() {
    let mut table = Table::new();
    let key = ApplicationKey { environment: "staging".into(), name: "team-handbook".into() };
    assert_eq!(table.run(Command::ShowOverview), [Step::ShowApplication(key, Tab::Overview)]);
    table.filter("ledger");
    assert!(matches!(&table.run(Command::ShowOverview)[..], [Step::Say(_)]));
}

#[test]
fn every_state_has_a_word_and_a_sign_of_its_own() {
    let keymap = crate::ui::keymap::Keymap::empty();
    let theme = crate::ui::theme::Theme::plain();
    let look = Look { theme: &theme, now: None, keymap: &keymap, still: true };
    let mut words: Vec<String> = OperationState::ALL
        .iter()
        .map(|state| progress::Standing::Plain(*state).span(&look).content.into_owned())
        .collect();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), OperationState::ALL.len());
    let marks: Vec<_> = [StepState::Succeeded, StepState::Failed, StepState::Skipped, StepState::Retrying]
        .map(|state| progress::step_mark(state, &look).0)
        .to_vec();
    assert_eq!(marks, ["✓", "✗", "–", "↻"]);
}
