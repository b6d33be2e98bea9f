//! What evaluation may cost: a rule that costs too much fails the write, it never hangs.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::functions::patterns::Pattern;
use super::value::Fault;

/// What one evaluation of a rule may cost (a real server's limit per call).
pub const CALL: u64 = 1_000_000;
/// What all rules may cost together for one object (a real server's budget).
pub const OBJECT: u64 = 10_000_000;

/// Counts costs, and keeps the patterns that were compiled for this object.
#[derive(Debug)]
pub struct Meter {
    call: Cell<u64>,
    object: Cell<u64>,
    /// Compiled patterns; `None` for what is none.
    pub patterns: RefCell<HashMap<String, Option<Pattern>>>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { call: Cell::new(CALL), object: Cell::new(OBJECT), patterns: RefCell::default() }
    }
}

impl Meter {
    /// Starts an evaluation; false when the budget of the object is used up.
    pub fn start(&self) -> bool {
        self.call.set(CALL);
        self.object.get() > 0
    }

    /// Ends an evaluation; false when it took more than the budget of the object had.
    pub fn stop(&self) -> bool {
        let used = CALL - self.call.get();
        let left = self.object.get().checked_sub(used);
        self.object.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Charges steps.
    ///
    /// # Errors
    /// When there is not so much left.
    pub fn charge(&self, steps: usize) -> Result<(), Fault> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        match self.call.get().checked_sub(steps) {
            Some(left) => {
                self.call.set(left);
                Ok(())
            }
            None => {
                self.call.set(0);
                Err(Fault::Exhausted)
            }
        }
    }

    /// Charges for going through a text: a step for ten bytes.
    ///
    /// # Errors
    /// When there is not so much left.
    pub fn charge_text(&self, bytes: usize) -> Result<(), Fault> {
        self.charge(bytes.div_ceil(10))
    }
}
