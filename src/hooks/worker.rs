//! The child side: reads what is to be run, runs it, and asks for everything that it does. One process per run; its standard
//! streams are its only connection with the world.

use std::process::ExitCode;

use super::end::Failure;
use super::protocol::{FromChild, Order};

mod bounds;
mod channel;
mod evaluate;
mod explain;
mod globals;
mod load;
mod look;
mod secret;
mod values;

use channel::Channel;

/// The stack on which a function runs: what its calls and a deeply nested file take.
const STACK: usize = 64 << 20;

/// Runs what the first line of standard input says.
pub fn main() -> ExitCode {
    if bounds::end_with_parent().is_err() {
        return ExitCode::FAILURE;
    }
    let channel = Channel;
    let Some(line) = channel.read() else { return ExitCode::SUCCESS };
    let order: Order = match serde_json::from_str(&line) {
        Ok(order) => order,
        Err(error) => return told(&channel, failed(format!("the first line cannot be read: {error}"))),
    };
    if let Err(error) = bounds::set(order.limits, STACK as u64) {
        return told(&channel, failed(format!("the limits cannot be set: {error}")));
    }
    let work = move || {
        let channel = Channel;
        let last = match order.function.as_deref() {
            Some(function) => match evaluate::run(&order, function) {
                Ok(value) => FromChild::Returned(value),
                Err(failure) => FromChild::Failed(failure),
            },
            None => FromChild::Checked(look::findings(&order)),
        };
        told(&channel, last)
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A panic has been written to standard error, and the parent reads it there.
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => told(&channel, failed(format!("its thread cannot be started: {error}"))),
    }
}

fn failed(what: String) -> FromChild {
    FromChild::Failed(Failure::new(what, ""))
}

fn told(channel: &Channel, last: FromChild) -> ExitCode {
    let fits = channel.say(&last);
    if !fits {
        channel.say(&failed(super::child::too_long("what the function returned")));
    }
    ExitCode::SUCCESS
}
