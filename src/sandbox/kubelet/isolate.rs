//! A task that panics is begun anew, and nothing else ends with it.

use std::time::Duration;

use tokio::task::JoinSet;

/// Runs the task until it ends by itself. After a panic, `panicked` is told what was said, and after a rest the task begins
/// anew. Dropping this ends the task.
pub(super) async fn isolate<F>(task: impl Fn() -> F, panicked: impl Fn(&str), rest: Duration)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut running = JoinSet::new();
        running.spawn(task());
        let panic = match running.join_next().await {
            Some(Err(error)) => error.try_into_panic().ok(),
            _ => None,
        };
        let Some(panic) = panic else { return };
        let said = panic.downcast_ref::<String>().map(String::as_str);
        panicked(said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic"));
        tokio::time::sleep(rest).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_task_begins_anew() {
        let runs = Arc::new(AtomicU32::new(0));
        let told = Mutex::new(Vec::new());
        let task = || {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run > 1, "run {run}") }
        };
        isolate(task, |said| told.lock().unwrap().push(said.to_owned()), Duration::ZERO).await;
        assert_eq!(*told.lock().unwrap(), ["run 0", "run 1"]);
    }
}
