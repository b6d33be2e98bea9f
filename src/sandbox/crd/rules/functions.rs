//! The functions and operators that expressions can call.

use super::meter::Meter;
use super::value::{Cel, Fault};

mod arithmetic;
mod convert;
pub mod declarations;
mod format;
mod lists;
mod net;
mod optionals;
pub mod patterns;
mod quantities;
mod strings;
pub mod time;
pub mod url;

/// What a family of functions answers: `None` when it has no such function for such arguments.
type Answer = Result<Option<Cel>, Fault>;

type Family = fn(&str, &[Cel], &Meter) -> Answer;

const FAMILIES: [Family; 11] = [
    arithmetic::call,
    strings::call,
    patterns::call,
    lists::call,
    optionals::call,
    convert::call,
    time::call,
    quantities::call,
    url::call,
    net::call,
    format::call,
];

/// Calls a function; the receiver of a method is the first argument.
///
/// # Errors
/// When it went wrong, was too expensive, or there is no such function for such arguments.
pub fn call(name: &str, arguments: &[Cel], meter: &Meter) -> Result<Cel, Fault> {
    for family in FAMILIES {
        if let Some(found) = family(name, arguments, meter)? {
            return Ok(found);
        }
    }
    Err(Fault::error("no such overload"))
}
