//! Sessions of processes. A shell at a terminal puts every job into a process group of its own, so that killing its group does
//! not end them; all of them are in its session.

use rustix::process::{Pid, Signal, getpid, kill_process};

/// What the kernel says of this process.
#[cfg(target_os = "linux")]
const OWN: &str = "/proc/self/stat";

/// How often is looked for processes that were started while others were killed.
const PASSES: usize = 10;

/// Whether this process leads its session, as it does when it was started at a terminal of its own.
///
/// The kernel is not asked with `getsid`: in a container whose session began outside it answers 0, which rustix takes for
/// impossible (an assertion in debug builds, worse in others). A `/proc` of an outer namespace is consistent with itself.
#[cfg(target_os = "linux")]
pub(super) fn is_led_by_this_process() -> bool {
    let stat = std::fs::read_to_string(OWN).unwrap_or_default();
    leads(&stat)
}

/// Whether this process leads its session, as it does when it was started at a terminal of its own.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_led_by_this_process() -> bool {
    // No namespaces of processes here: every session has a number.
    rustix::process::getsid(None).is_ok_and(|session| session == getpid())
}

/// Whether the process of a `stat` leads its session.
#[cfg(target_os = "linux")]
fn leads(stat: &str) -> bool {
    let own = stat.split_once(' ').and_then(|(pid, _)| pid.parse().ok());
    own.is_some() && session(stat) == own
}

/// Kills every process of the session of `leader`, except this one. Where there is no `/proc` it does nothing: the hang-up of
/// the terminal has to do.
pub(crate) fn kill(leader: Pid) {
    for _ in 0..PASSES {
        let members = members(leader);
        if members.is_empty() {
            return;
        }
        for member in members {
            kill_process(member, Signal::KILL).ok();
        }
    }
}

fn members(leader: Pid) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    let own = getpid();
    // A /proc of another namespace would name strangers.
    let ours =
        std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == own.to_string().as_str());
    pids.filter(|_| ours)
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            *pid != own && session(&stat) == Some(leader.as_raw_nonzero().get())
        })
        .collect()
}

/// The session of a process that has not ended, from its `stat`: `pid (name) state parent group session …`.
fn session(stat: &str) -> Option<i32> {
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    let alive = !matches!(words.next()?, "Z" | "X");
    words.nth(2)?.parse().ok().filter(|_| alive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_stands_behind_a_name_that_may_hold_anything() {
        assert_eq!(session("12 (a) b) S 1 12 7 34816 12"), Some(7));
        assert_eq!(session("12 (sh) Z 1 12 7 34816 12"), None);
        assert_eq!(session(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_session_from_outside_the_container_has_the_number_0() {
        assert!(leads("12 (sh) S 1 12 12 34816 12"));
        assert!(!leads("12 (sh) S 1 12 7 34816 12"));
        assert!(!leads("1 (sh) S 0 0 0 0 -1"));
        assert!(!leads(""));
        // whatever runs the tests, this must not panic
        is_led_by_this_process();
    }
}
