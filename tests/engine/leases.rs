//! The Lease: on the sandbox with everything that can go wrong, and on a real API server when there is one.

use std::sync::Arc;
use std::time::Duration;

use styrmin::cluster::{Candidate, Cluster, Connection, Ended, LeaseTimes, Standing};
use styrmin::domain::SystemClock;
use styrmin::domain::world::Link;
use styrmin::sandbox::faults::Scenario;
use styrmin::sandbox::{Sandbox, SandboxOptions};

use crate::support::{LIMIT, real_cluster, until};

/// A tenth of client-go's numbers, where a second is the least that a Lease can say. On the sandbox time passes when nobody has
/// anything to do: a machine that is busy ends no term.
const QUICK: LeaseTimes = LeaseTimes {
    duration: Duration::from_millis(1500),
    renew_deadline: Duration::from_millis(1000),
    retry: Duration::from_millis(200),
};

async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxOptions::in_memory(3, env!("CARGO_BIN_EXE_styrmin"))).await.unwrap()
}

fn client_of(sandbox: &Sandbox) -> Cluster {
    Cluster::new(Connection::from_service(sandbox.service(), "sandbox"), Arc::new(SystemClock))
}

async fn install(cluster: &Cluster) {
    let plan = cluster.installation().await.unwrap();
    cluster.install(&plan.hash()).await.unwrap();
}

fn candidate(cluster: &Cluster, name: &str) -> Candidate {
    Candidate::new(cluster.clone(), &format!("{name}_{}", std::process::id()), QUICK)
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

async fn wins(candidate: &mut Candidate) -> u64 {
    loop {
        match soon("a term", candidate.stand()).await.unwrap() {
            Standing::Won(epoch) => return epoch,
            Standing::Held(_) => {}
            Standing::Nothing => panic!("there is a Lease to hold"),
        }
    }
}

async fn sees(candidate: &mut Candidate, name: &str) -> u64 {
    match soon("the holder", candidate.stand()).await.unwrap() {
        Standing::Held(lease) if lease.holder.starts_with(name) => lease.transitions,
        other => panic!("{name} has it, not {other:?}"),
    }
}

/// Two hosts: one holds it, the other asks, gets it, and dies.
async fn goes_round(cluster: &Cluster) {
    let (mut first, mut second) = (candidate(cluster, "first"), candidate(cluster, "second"));
    let one = wins(&mut first).await;
    let keeping = tokio::spawn(async move {
        let ended = first.keep().await;
        first.release().await;
        (first, ended)
    });
    assert_eq!(sees(&mut second, "first").await, one);
    second.ask().await.unwrap();
    let two = wins(&mut second).await;
    assert_eq!(two, one + 1);
    let (mut first, ended) = soon("the first one gives way", keeping).await.unwrap();
    assert!(matches!(ended, Ended::Asked(by) if by.starts_with("second")));
    assert_eq!(sees(&mut first, "second").await, two);
    drop(second);
    let three = wins(&mut first).await;
    assert_eq!(three, two + 1, "the dead one's lapses");
    first.release().await;
    let mut third = candidate(cluster, "third");
    third.know(None, three + 5);
    assert_eq!(wins(&mut third).await, three + 6, "above what its records know");
    let mut fourth = candidate(cluster, "fourth");
    fourth.know(Some(format!("third_{}", std::process::id())), 0);
    assert_eq!(wins(&mut fourth).await, three + 7, "that one is known to be gone: nobody waits for it");
    fourth.release().await;
}

#[tokio::test(start_paused = true)]
async fn it_goes_round_on_the_sandbox() {
    let sandbox = sandbox().await;
    let cluster = client_of(&sandbox);
    let mut early = candidate(&cluster, "early");
    let nothing = soon("the answer", early.stand()).await.unwrap();
    assert_eq!(nothing, Standing::Nothing, "nothing is written to a cluster without Styrmin");
    let appears = tokio::spawn({
        let cluster = cluster.clone();
        async move { cluster.home_appears().await }
    });
    install(&cluster).await;
    soon("the namespace appears", appears).await.unwrap();
    goes_round(&cluster).await;
    sandbox.stop().await;
}

#[tokio::test]
async fn it_goes_round_on_a_real_cluster() {
    let Some(cluster) = real_cluster(None).await else { return };
    install(&cluster).await;
    goes_round(&cluster).await;
}

fn rules(text: &str) -> Scenario {
    Scenario::parse(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_epoch_whose_answer_was_lost_is_not_used() {
    let sandbox = sandbox().await;
    let cluster = client_of(&sandbox);
    install(&cluster).await;
    sandbox.faults().play(rules(
        "rules: [{verbs: [create], resources: [leases.coordination.k8s.io], when: {first: 1}, fault: {drop: after}}]",
    ));
    let mut first = candidate(&cluster, "first");
    assert_eq!(wins(&mut first).await, 2, "it took the Lease twice, and knows of the second time");
    sandbox.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_makes_the_picture_stale_though_no_watch_fails() {
    let sandbox = sandbox().await;
    let cluster = client_of(&sandbox);
    install(&cluster).await;
    cluster.watch_namespace("default");
    let live = || matches!(cluster.link(), Link::Live).then_some(());
    until(&cluster, "the watches are live", live).await;
    sandbox.faults().play(rules("rules: [{resources: [leases.coordination.k8s.io], fault: {delay: 60s}}]"));
    let mut first = candidate(&cluster, "first");
    let standing = tokio::spawn(async move { first.stand().await });
    let stale = || matches!(cluster.link(), Link::Stale { .. }).then_some(());
    until(&cluster, "nobody answers for the Lease", stale).await;
    sandbox.faults().play(rules("rules: []"));
    until(&cluster, "it answers again", live).await;
    assert!(matches!(soon("the Lease", standing).await.unwrap(), Ok(Standing::Won(_))));
    sandbox.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_stops_in_time_and_the_other_waits_for_that() {
    let sandbox = sandbox().await;
    let (near, far) = (client_of(&sandbox), client_of(&sandbox));
    install(&near).await;
    let (mut first, mut second) = (candidate(&near, "first"), candidate(&far, "second"));
    let one = wins(&mut first).await;
    for fault in ["status: {code: 500}", "drop: before", "drop: after", "delay: 5s", "status: {code: 409}"] {
        let text = format!(
            "rules: [{{verbs: [update], resources: [leases.coordination.k8s.io], fault: {{{fault}}}}}]"
        );
        sandbox.faults().play(rules(&text));
        let ended = soon("the term ends", first.keep()).await;
        assert_eq!(ended, Ended::Lost, "{fault}");
        sandbox.faults().end();
        let again = wins(&mut first).await;
        assert!(again > one, "{fault}");
    }
    first.release().await;
    assert!(wins(&mut second).await > one);
    sandbox.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_said() {
    let sandbox = sandbox().await;
    let cluster = client_of(&sandbox);
    install(&cluster).await;
    sandbox
        .faults()
        .play(rules("rules: [{resources: [leases.coordination.k8s.io], fault: {status: {code: 403}}}]"));
    let denied = soon("the answer", candidate(&cluster, "first").stand()).await.unwrap_err();
    assert!(denied.problem().to_string().contains("styrmin-engine"), "{denied}");
    sandbox.stop().await;
}
