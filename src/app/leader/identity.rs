//! The names of engines: `<host>_<process>_<random>`, so that no two ever have the same and people see whose it is.

use std::hash::{BuildHasher, RandomState};

use crate::store::Holder;

/// A new name for an engine of this process.
pub fn fresh() -> Holder {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let pid = std::process::id();
    let random = RandomState::new().hash_one(pid) >> 32;
    Holder { identity: format!("{host}_{pid}_{random:08x}"), host, pid: Some(pid) }
}

/// What a name says. One of another form names no process.
pub fn holder(identity: &str) -> Holder {
    let mut parts = identity.rsplitn(3, '_');
    let (random, pid, host) = (parts.next(), parts.next(), parts.next());
    let pid = random.and(pid).and_then(|pid| pid.parse().ok());
    match (host, pid) {
        (Some(host), Some(pid)) => {
            Holder { identity: identity.to_owned(), host: host.to_owned(), pid: Some(pid) }
        }
        _ => Holder { identity: identity.to_owned(), host: identity.to_owned(), pid: None },
    }
}

/// "pid 123 on jump", for people.
pub fn describe(holder: &Holder) -> String {
    match holder.pid {
        Some(pid) => format!("pid {pid} on {}", holder.host),
        None => holder.host.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_it_is() {
        let me = fresh();
        assert_eq!(holder(&me.identity), me);
        assert_ne!(fresh().identity, me.identity);
        assert_eq!(describe(&holder("jump_host_7_0000abcd")), "pid 7 on jump_host");
        assert_eq!(describe(&holder("somebody else")), "somebody else");
        assert_eq!(describe(&holder("host_pod_x")), "host_pod_x");
    }
}
