//! The functions of sprig and of Helm, by name.
//!
//! Each file has one family. Functions that need the engine itself (`include`, `tpl`, `lookup`, Go's own) live with it.

use std::cell::RefCell;

use jiff::Timestamp;

use super::random::Draw;
use super::value::Value;

/// What a function may use beside its arguments.
pub struct Surroundings {
    /// What `now` answers: the moment that the instance was made, so that rendering it again gives the same.
    pub now: Timestamp,
    /// Where random values come from: the deployment's seed, the moment that the seed was made (certificates begin then), and
    /// the place of the call.
    pub draw: RefCell<Draw>,
}

/// A function of templates. An error is its text, as Go's template engine would put it after `error calling NAME: `.
pub type Function = fn(&Surroundings, &[Value]) -> Result<Value, String>;

/// The function of that name; none is written yet.
pub fn find(_name: &str) -> Option<Function> {
    None
}
