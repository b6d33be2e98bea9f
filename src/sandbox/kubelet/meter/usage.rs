//! What the metrics API is told.

use std::time::Duration;

use tokio::time::Instant;

use super::{Meter, Reading, Sample, WINDOW, lock, proc};
use crate::sandbox::runtime::{ContainerUsage, Usage};

impl Meter {
    /// The usage of every measured container, and of the whole node.
    pub(in crate::sandbox::kubelet) fn usage(&self) -> (Usage, Vec<ContainerUsage>) {
        let readings = self.read();
        let now = Instant::now();
        let mut containers = Vec::new();
        for (group, measured) in lock(&self.groups).iter_mut() {
            let Some(reading) = readings.get(group) else { continue };
            let usage = average(&mut measured.base, &mut measured.next, *reading, now);
            if let Some(usage) = usage {
                let (pod, container) = (measured.pod.clone(), measured.container.clone());
                containers.push(ContainerUsage { pod, container, usage });
            }
        }
        let machine = proc::machine();
        let mut node = lock(&self.node);
        let [base, next] = &mut *node;
        let usage = average(base, next, machine, now).unwrap_or(Usage {
            processor_nanos: 0,
            memory: machine.memory,
            window: Duration::ZERO,
        });
        (usage, containers)
    }
}

/// Averages since `base`, and moves it on so that the window is between one and two [`WINDOW`]s long when somebody asks often, and
/// never shorter. `None` when no time has passed.
fn average(base: &mut Sample, next: &mut Sample, reading: Reading, now: Instant) -> Option<Usage> {
    if now.duration_since(next.at) >= WINDOW {
        *base = *next;
        *next = Sample { at: now, processor: reading.processor };
    }
    let window = now.duration_since(base.at);
    let used = reading.processor.saturating_sub(base.processor);
    let nanos = used.as_nanos().checked_mul(1_000_000_000)?.checked_div(window.as_nanos())?;
    let processor_nanos = u64::try_from(nanos).ok()?;
    Some(Usage { processor_nanos, memory: reading.memory, window })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_averaged_over_a_window() {
        let start = Instant::now();
        let begin = Sample { at: start, processor: Duration::ZERO };
        let (mut base, mut next) = (begin, begin);
        let mut at = |seconds: u64, used: u64| {
            let reading = Reading { processor: Duration::from_secs(used), memory: 7 };
            average(&mut base, &mut next, reading, start + Duration::from_secs(seconds))
        };
        assert_eq!(at(0, 0), None);
        let usage = |processor_nanos, seconds| {
            Some(Usage { processor_nanos, memory: 7, window: Duration::from_secs(seconds) })
        };
        assert_eq!(at(4, 1), usage(250_000_000, 4));
        assert_eq!(at(20, 10), usage(500_000_000, 20));
        assert_eq!(at(25, 15), usage(600_000_000, 25));
        assert_eq!(at(40, 30), usage(1_000_000_000, 20));
    }
}
