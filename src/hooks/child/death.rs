//! Why a child ended without saying so.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::Said;
use crate::domain::{Problem, text};
use crate::hooks::end::Failure;
use crate::hooks::limits::Limits;

/// What the standard library and the allocators write before they give up.
const OUT_OF_MEMORY: &[&str] = &[
    "memory allocation of",
    "out of memory",
    "capacity overflow",
    "AlignedSize must not exceed",
    "MemoryError",
];

/// Explains an end by the status and the last words on standard error.
pub fn explain(status: Option<ExitStatus>, last: &str, limits: Limits) -> Said {
    let signal = status.and_then(|status| status.signal());
    let is = |wanted: Signal| signal == Some(wanted.as_raw());
    if is(Signal::XCPU) {
        return Said::Broken(Failure::new(limits.processor_used(), ""));
    }
    if last.contains("has overflowed its stack") {
        let why = "functions that call each other without an end, or a text that is nested too deeply";
        return Said::Broken(Failure::new("it ran out of stack", why));
    }
    if OUT_OF_MEMORY.iter().any(|words| last.contains(words)) {
        return Said::Broken(Failure::new(limits.memory_used(), ""));
    }
    if [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP].into_iter().any(is) {
        let why = format!(
            "signal {}: by somebody on this machine, or by the kernel when memory was short",
            signal.unwrap_or_default()
        );
        return Said::Ended(Problem::new(
            "The action's process was ended from outside",
            why,
            "It is run again",
        ));
    }
    let how = match (signal, status.and_then(|status| status.code())) {
        (Some(signal), _) => format!("signal {signal}"),
        (_, Some(code)) => format!("exit code {code}"),
        _ => "nobody knows how".to_owned(),
    };
    let shown: Vec<String> = last.lines().map(text::plain).collect();
    Said::Broken(Failure::new(format!("the action's process ended without a word: {how}"), shown.join("\n")))
}
