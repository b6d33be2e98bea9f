//! What the table keeps of a picture, so that a keystroke needs no second look at it.

use crate::domain::{OperationId, OperationView, World};
use crate::ui::format;
use crate::ui::listing::Listed;
use crate::ui::query::Haystack;
use crate::ui::views::progress::Standing;

/// One row's fixed parts.
#[derive(Debug)]
struct Row {
    id: OperationId,
    /// Somebody should look at it.
    fault: bool,
    haystack: Haystack,
}

/// The rows of a picture, those that have not ended on top, and how wide their contents are.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    widths: Widths,
}

/// The widest content per column.
#[derive(Debug, Default, Clone, Copy)]
pub struct Widths {
    /// Of the applications' names.
    pub name: u16,
    /// Of the environments.
    pub environment: u16,
    /// Of the titles.
    pub title: u16,
    /// Of who wants them.
    pub actor: u16,
}

impl Rows {
    /// Takes over a picture.
    pub fn take(&mut self, world: &World) {
        let mut widths = Widths::default();
        let width = |text: &str| u16::try_from(format::width(text)).unwrap_or(u16::MAX);
        for view in &world.operations {
            let operation = &view.operation;
            widths.name = widths.name.max(width(&operation.subject.name));
            widths.environment = widths.environment.max(width(&operation.subject.environment));
            widths.title = widths.title.max(width(&operation.plan.title));
            widths.actor = widths.actor.max(width(&operation.origin.actor));
        }
        let (ended, open): (Vec<_>, Vec<_>) =
            world.operations.iter().partition(|view| view.operation.state.is_final());
        self.rows = open.into_iter().chain(ended).map(|view| Row::new(view)).collect();
        self.widths = widths;
    }

    /// The widest contents.
    pub fn widths(&self) -> Widths {
        self.widths
    }
}

impl Listed for Rows {
    type Key = OperationId;
    type Sort = ();

    fn haystacks(&self) -> impl ExactSizeIterator<Item = &Haystack> {
        self.rows.iter().map(|row| &row.haystack)
    }

    fn key(&self, index: usize) -> Option<&OperationId> {
        self.rows.get(index).map(|row| &row.id)
    }

    fn is_fault(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.fault)
    }
}

impl Row {
    fn new(view: &OperationView) -> Self {
        let operation = &view.operation;
        let standing = Standing::of(view);
        let cause = view.first_problem().map_or("", |(_, problem)| problem.what.as_str());
        let columns = [
            ("name", operation.subject.name.as_str()),
            ("application", operation.subject.name.as_str()),
            ("environment", operation.subject.environment.as_str()),
            ("state", standing.word()),
            ("kind", operation.kind.as_str()),
            ("what", operation.plan.title.as_str()),
            ("by", operation.origin.actor.as_str()),
            ("cause", cause),
        ];
        let haystack = Haystack::new(&operation.subject.name, &columns);
        Self { id: operation.id, fault: standing.is_fault(), haystack }
    }
}
