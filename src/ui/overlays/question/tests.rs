use std::sync::Arc;

use super::*;
use crate::domain::OperationState;
use crate::ui::sample;

struct Fixture {
    question: Question,
    world: World,
    requests: u64,
}

impl Fixture {
    fn new(question: Question) -> Self {
        Self { question, world: sample::world(), requests: 0 }
    }

    fn with(&mut self, work: impl FnOnce(&mut Question, &mut Context<'_>)) -> (Vec<Effect>, Vec<Step>) {
        let mut context =
            Context::new(&self.world, Some(sample::now()), Size::new(80, 22), &mut self.requests);
        work(&mut self.question, &mut context);
        (context.effects, context.steps)
    }

    fn run(&mut self, command: Command) -> (Vec<Effect>, Vec<Step>) {
        self.with(|question, context| {
            question.command(command, context);
        })
    }
}

#[test]
fn an_impatient_enter_changes_nothing() {
    let view = sample::running_operation();
    let mut fixture = Fixture::new(Question::cancel(&view));
    assert_eq!(fixture.run(Command::Accept), (vec![], vec![Step::Close]));
}

#[test]
fn what_cannot_be_read_cannot_be_answered() {
    let mut question = Question::cancel(&sample::running_operation());
    let (world, mut requests) = (sample::world(), 0);
    for (size, read) in [((20, 3), false), ((80, 5), false), ((57, 22), false), ((58, 6), true)] {
        let size = Size::new(size.0, size.1);
        let mut context = Context::new(&world, Some(sample::now()), size, &mut requests);
        question.command(Command::Bottom, &mut context);
        question.command(Command::Accept, &mut context);
        assert_eq!(!context.effects.is_empty(), read, "{size:?}");
    }
}

#[test]
fn ending_an_operation_takes_the_second_choice_and_is_said_once() {
    let view = sample::running_operation();
    let mut fixture = Fixture::new(Question::cancel(&view));
    fixture.run(Command::Down);
    let sent = Effect::CancelOperation(RequestId(1), OperationId(12));
    assert_eq!(fixture.run(Command::Accept).0, [sent]);
    assert_eq!(fixture.run(Command::Accept), (vec![], vec![]), "it is on its way");
    let (_, steps) = fixture.with(|question, context| {
        assert!(question.reply(RequestId(1), Reply::Done(Ok("It ends".into())), context).is_none());
    });
    assert!(matches!(&steps[..], [Step::Say(_), Step::Close]));
}

#[test]
fn what_could_not_be_recorded_is_told_and_can_be_tried_again() {
    let view = sample::asking_operation();
    let mut fixture = Fixture::new(Question::answer(&view, 0).unwrap());
    fixture.run(Command::Bottom);
    assert_eq!(
        fixture.run(Command::Accept).0,
        [Effect::AnswerStep(RequestId(1), OperationId(9), 0, StepAnswer::Fail)]
    );
    let refused = Problem::new("It cannot be recorded", "the disk is full", "make room");
    fixture.with(|question, context| {
        question.reply(RequestId(1), Reply::Done(Err(refused.clone())), context);
    });
    assert_eq!(fixture.question.failed, Some(refused));
    assert_eq!(
        fixture.run(Command::Accept).0,
        [Effect::AnswerStep(RequestId(2), OperationId(9), 0, StepAnswer::Fail)]
    );
}

#[test]
fn a_question_that_has_answered_itself_goes_away() {
    let view = sample::running_operation();
    let mut fixture = Fixture::new(Question::cancel(&view));
    assert_eq!(fixture.with(|question, context| question.refresh(context)).1, []);
    let mut ended = view;
    ended.operation.state = OperationState::Succeeded;
    fixture.world.operations[0] = Arc::new(ended);
    let (_, steps) = fixture.with(|question, context| question.refresh(context));
    assert!(matches!(&steps[..], [Step::Say(_), Step::Close]));
}

#[test]
fn only_a_step_that_asks_can_be_answered() {
    assert_eq!(Question::answer(&sample::running_operation(), 6), None);
    assert_eq!(Question::answer(&sample::asking_operation(), 99), None);
}
