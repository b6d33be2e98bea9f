//! Reading `/proc`. What cannot be read is a process that has just ended, and counts nothing.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use super::Reading;

/// Process groups by their number.
pub(super) type Groups = HashMap<i32, Reading>;

/// The unit of times in `/proc`: `USER_HZ`, a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);
const KIB: u64 = 1024;

/// Sums up the processes of the wanted groups.
pub(super) fn groups(wanted: &[i32]) -> Groups {
    let mut groups: Groups = wanted.iter().map(|group| (*group, Reading::default())).collect();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
            continue;
        }
        let Some((group, processor)) =
            fs::read_to_string(entry.path().join("stat")).ok().and_then(|text| stat(&text))
        else {
            continue;
        };
        if let Some(reading) = groups.get_mut(&group) {
            reading.processor += processor;
            reading.memory += fs::read_to_string(entry.path().join("status")).map_or(0, |text| memory(&text));
        }
    }
    groups
}

/// The group and the processor time of a line of `/proc/<pid>/stat`: its own, and that of children it has waited for.
fn stat(text: &str) -> Option<(i32, Duration)> {
    // The name before may hold spaces and brackets.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let group = fields.get(2)?.parse().ok()?;
    let ticks: u32 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u32>().ok()).sum();
    Some((group, TICK * ticks))
}

/// Anonymous and shared memory in `/proc/<pid>/status`, in bytes.
fn memory(text: &str) -> u64 {
    ["RssAnon:", "RssShmem:"].iter().filter_map(|name| kib(text, name)).sum::<u64>() * KIB
}

fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The whole machine: processor time that was not idle, and memory that is not available.
pub(super) fn machine() -> Reading {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    Reading { processor: busy(&read("/proc/stat")), memory: in_use(&read("/proc/meminfo")) }
}

/// The busy time in `/proc/stat`: user, nice, system, irq, softirq, steal.
fn busy(text: &str) -> Duration {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    let ticks: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| fields.get(*index)).sum();
    Duration::from_millis(ticks * 10)
}

fn in_use(text: &str) -> u64 {
    let [total, available] = ["MemTotal:", "MemAvailable:"].map(|name| kib(text, name).unwrap_or(0));
    total.saturating_sub(available) * KIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_read() {
        let line = "7 (a ) (b) S 1 42 42 0 -1 4 0 0 0 0 10 5 3 2 20 0 1 0 100 1 1";
        assert_eq!(stat(line), Some((42, Duration::from_millis(200))));
        assert_eq!(stat("7 (x"), None);
        assert_eq!(
            memory("VmRSS:\t 90 kB\nRssAnon:\t 60 kB\nRssFile:\t 26 kB\nRssShmem:\t 4 kB\n"),
            64 * KIB
        );
        assert_eq!(busy("cpu  100 1 50 900 7 2 3 4 0 0\ncpu0 1 1 1 1\n"), Duration::from_millis(1600));
        assert_eq!(in_use("MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: 40 kB\n"), 60 * KIB);
    }

    #[test]
    fn this_process_uses_something() {
        let (group, _) = stat(&fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        assert!(groups(&[group])[&group].memory > 0);
        assert!(machine().memory > 0 && machine().processor > Duration::ZERO);
    }
}
