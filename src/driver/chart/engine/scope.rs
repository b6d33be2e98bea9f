//! Which templates are defined.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::tree::{Tree, is_blank};

/// The definitions of the chart, or those of a `tpl` before those of what is around it.
#[derive(Default)]
pub(super) struct Scope {
    own: RefCell<HashMap<Rc<str>, Rc<Tree>>>,
    around: Option<Rc<Self>>,
}

impl Scope {
    /// A scope whose definitions nobody outside sees.
    pub(super) fn inside(around: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { own: RefCell::default(), around: Some(Rc::clone(around)) })
    }

    /// The template of that name.
    pub(super) fn find(&self, name: &str) -> Option<Rc<Tree>> {
        let mut scope = self;
        loop {
            if let Some(tree) = scope.own.borrow().get(name) {
                return Some(Rc::clone(tree));
            }
            scope = scope.around.as_deref()?;
        }
    }

    /// Adds a template. A later one of the same name replaces it, unless the later one is blank.
    pub(super) fn define(&self, tree: &Rc<Tree>) {
        if is_blank(&tree.body) && self.find(&tree.name).is_some() {
            return;
        }
        self.own.borrow_mut().insert(Rc::clone(&tree.name), Rc::clone(tree));
    }
}
