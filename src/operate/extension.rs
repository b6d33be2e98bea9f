//! Steps whose content another room knows than the one that plans and carries out the rest of an operation.

use futures::future::BoxFuture;

use super::{Done, Probed, StepError, StepRun};

/// Who does such steps: given to the engine by whoever composes the program. What a step needs to know stands in the plan, in the
/// operation's request, and in the records.
pub trait Extension: Send + Sync {
    /// As [`Executor::execute`](super::Executor::execute).
    fn execute<'a>(&'a self, run: StepRun<'a>) -> BoxFuture<'a, Result<Done, StepError>>;

    /// Makes a backup in the midst of a step, and gives its name. `mark` tells apart what the operation makes: asked again with
    /// the same one it goes on with the same backup.
    fn back_up<'a>(&'a self, run: StepRun<'a>, mark: &'a str) -> BoxFuture<'a, Result<String, StepError>>;

    /// As [`Executor::probe`](super::Executor::probe).
    fn probe<'a>(&'a self, run: StepRun<'a>) -> BoxFuture<'a, Result<Probed, StepError>>;
}
