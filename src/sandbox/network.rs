//! The sandbox's network: a block of loopback addresses, and a user-space proxy for Services.
//!
//! On Linux all of `127.0.0.0/8` is loopback. A sandbox claims one `127.R.0.0/16`, by listening on a fixed port of
//! `127.R.0.1` for as long as it lives, so that sandboxes beside each other do not collide. Pods have `127.R.1.1` to
//! `127.R.199.254`, Services `127.R.200.1` and above. A Service is a listener on its cluster address that carries
//! connections to its ready endpoints; one without ready endpoints refuses connections. Only TCP is carried.
//!
//! There is no DNS: known images resolve names through a hosts file per namespace ([`hosts`]). Nothing separates pods from
//! each other or from the machine: a process may connect from any loopback address, so a listener of a Service cannot tell
//! which pod it hears. NetworkPolicies ([`policy`]) are therefore enforced where the source is known, at the ingress
//! ([`super::proxy`]), and nowhere else.

pub mod allow;
pub mod cidr;
mod forwarding;
pub mod hosts;
pub mod ingress_class;
pub mod policy;
pub mod services;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use hosts::HostsFiles;
use services::Services;

/// The port of `127.R.0.1` that says that block R is taken.
const CLAIM_PORT: u16 = 47_127;
/// The blocks: 127.0 is the machine's own, 127.1 is often used for tests.
const BLOCKS: std::ops::RangeInclusive<u8> = 2..=254;
/// The third octets of pods.
const POD_OCTETS: std::ops::RangeInclusive<u8> = 1..=199;

/// Why there is no network.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// Every block is taken.
    #[error("every loopback block from 127.2.0.0/16 to 127.254.0.0/16 is taken by another sandbox")]
    AllTaken,
    /// The machine has no addresses beyond 127.0.0.1 (macOS, for one).
    #[error("127.2.0.1 cannot be listened on ({0}): the sandbox needs the loopback block of Linux")]
    NoLoopbackBlock(std::io::Error),
}

/// A claimed block.
#[derive(Debug)]
pub struct Network {
    block: u8,
    pods: Mutex<PodAddresses>,
    _claim: TcpListener,
}

#[derive(Debug, Default)]
struct PodAddresses {
    taken: BTreeSet<Ipv4Addr>,
    next: u32,
}

impl Network {
    /// Claims a block: the one noted in `directory` if it is free, else the next one from a start that `seed` chooses.
    /// The choice is noted, so that addresses stay the same over restarts.
    ///
    /// # Errors
    /// No block is free, or the machine has no such addresses.
    pub fn claim(directory: &Path, seed: u64) -> Result<Self, NetworkError> {
        let note = directory.join("network-block");
        let noted = std::fs::read_to_string(&note).ok().and_then(|text| text.trim().parse().ok());
        let count = u64::from(BLOCKS.end() - BLOCKS.start()) + 1;
        let start = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let others = (0..count)
            .filter_map(|step| u8::try_from(u64::from(*BLOCKS.start()) + (start + step) % count).ok());
        for block in noted.into_iter().filter(|block| BLOCKS.contains(block)).chain(others) {
            match TcpListener::bind(SocketAddrV4::new(Ipv4Addr::new(127, block, 0, 1), CLAIM_PORT)) {
                Ok(claim) => {
                    if let Err(error) = std::fs::write(&note, block.to_string()) {
                        tracing::warn!(%error, path = %note.display(), "the network block cannot be noted");
                    }
                    return Ok(Self { block, pods: Mutex::default(), _claim: claim });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(NetworkError::NoLoopbackBlock(error)),
            }
        }
        Err(NetworkError::AllTaken)
    }

    /// R.
    pub fn block(&self) -> u8 {
        self.block
    }

    /// The node's own address.
    pub fn node_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, self.block, 0, 1)
    }

    /// An address for a pod. Addresses are not used again until all others were. `None` when all are taken.
    pub fn allocate(&self) -> Option<Ipv4Addr> {
        let mut pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u32::from(*POD_OCTETS.end()) * 254;
        for _ in 0..count {
            let index = pods.next;
            pods.next = (index + 1) % count;
            let third = u8::try_from(index / 254).ok()?.checked_add(*POD_OCTETS.start())?;
            let fourth = u8::try_from(index % 254).ok()?.checked_add(1)?;
            let address = Ipv4Addr::new(127, self.block, third, fourth);
            if pods.taken.insert(address) {
                return Some(address);
            }
        }
        None
    }

    /// Gives an address back.
    pub fn release(&self, address: Ipv4Addr) {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner).taken.remove(&address);
    }

    /// Tells the API server the block, and moves Services of an earlier block into it.
    pub fn adopt(&self, api: &Api) {
        api.set_address_block(self.block);
    }
}

/// Keeps the Services' listeners and the hosts files current until `stop`.
pub async fn run(services: Arc<Services>, hosts: Arc<HostsFiles>, stop: CancellationToken) {
    tokio::join!(
        Arc::clone(&services).follow(stop.clone()),
        hosts.run(stop.clone()),
        forwarding::run(services, stop),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_networks_get_different_blocks_and_keep_them() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // a seed that no other test has: nobody takes the block while it is free for a moment
        let one = Network::claim(first.path(), 4711).unwrap();
        let two = Network::claim(second.path(), 4711).unwrap();
        assert_ne!(one.block(), two.block());
        let block = two.block();
        drop(two);
        assert_eq!(Network::claim(second.path(), 77).unwrap().block(), block);
    }

    #[test]
    fn pod_addresses_are_unique_and_not_reused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let network = Network::claim(directory.path(), 2).unwrap();
        let first = network.allocate().unwrap();
        assert_eq!(first.octets()[2..], [1, 1]);
        network.release(first);
        let others: BTreeSet<_> = (0..600).map(|_| network.allocate().unwrap()).collect();
        assert_eq!(others.len(), 600);
        assert!(!others.contains(&first));
    }
}
