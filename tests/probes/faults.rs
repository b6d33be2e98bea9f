//! Certificates that do not hold: each fault in words, and the facts all the same.

use styrmin::domain::route::{Phase, Probe};
use styrmin::ingress::certificate::from_chain;
use styrmin::ingress::probe::Roots;

use super::authority::{Authority, GOOD, Own};
use super::ground::{Server, answer, ask_example, failure, reached};

/// Asks a server that shows `own` for `a.example.org`.
async fn shown(own: &Own, roots: &Roots) -> Probe {
    let server = Server::encrypted(own.config(), |_| answer(200)).await;
    let found = ask_example(&format!("https://a.example.org:{}/", server.port()), roots).await;
    assert!(server.asked().is_empty(), "nothing is asked of whom nobody vouches for");
    found
}

/// The fault of such a server; the certificate is there all the same.
async fn fault(own: &Own, roots: &Roots) -> String {
    let found = shown(own, roots).await;
    let (phase, message) = failure(&found);
    assert_eq!(phase, Phase::Tls);
    assert_eq!(reached(&found), ["dns", "connect", "tls"]);
    assert_eq!(found.certificate, Some(from_chain(&own.chain).unwrap()));
    assert_eq!(found.reach().reason, "TlsFailed");
    message.to_owned()
}

#[tokio::test]
async fn dates_are_those_of_the_moment_handed_in() {
    let root = Authority::root("Test Root");
    let expired = root.own(&["a.example.org"], (2026, 2031));
    assert_eq!(fault(&expired, &root.roots()).await, "the certificate expired on 2031-01-01 00:00 UTC");
    let early = root.own(&["a.example.org"], (2032, 2033));
    assert_eq!(
        fault(&early, &root.roots()).await,
        "the certificate holds only from 2032-01-01 00:00 UTC on (if that is past, this machine's clock is wrong)"
    );
}

#[tokio::test]
async fn an_expired_one_in_the_chain_is_named() {
    let root = Authority::root("Test Root");
    let middle = root.below("Test Middle", (2026, 2031));
    let own = middle.own(&["a.example.org"], GOOD).with(&middle);
    assert_eq!(
        fault(&own, &root.roots()).await,
        "the certificate of Test Middle in its chain expired on 2031-01-01 00:00 UTC"
    );
}

#[tokio::test]
async fn another_hosts_certificate_names_its_hosts() {
    let root = Authority::root("Test Root");
    let other = root.own(&["b.example.org", "*.a.example.org"], GOOD);
    assert_eq!(
        fault(&other, &root.roots()).await,
        "the certificate is for b.example.org, *.a.example.org, and not for a.example.org"
    );
    let many = root.own(&["1.org", "2.org", "3.org", "4.org", "5.org", "6.org"], GOOD);
    assert_eq!(
        fault(&many, &root.roots()).await,
        "the certificate is for 1.org, 2.org, 3.org, 4.org and 2 more, and not for a.example.org"
    );
    let nobody = root.own(&[], GOOD);
    assert_eq!(
        fault(&nobody, &root.roots()).await,
        "the certificate is for no host at all, and not for a.example.org"
    );
}

#[tokio::test]
async fn a_self_signed_one_is_told_unless_it_is_trusted() {
    let root = Authority::root("Test Root");
    let own = Own::self_signed(&["a.example.org"], false);
    let wanted = "the certificate is self-signed: nobody whom this machine trusts vouches for it";
    assert_eq!(fault(&own, &root.roots()).await, wanted);

    let server = Server::encrypted(own.config(), |_| answer(200)).await;
    let found =
        ask_example(&format!("https://a.example.org:{}/", server.port()), &Roots::of(own.chain.clone()))
            .await;
    assert!(found.works(), "{found:?}");

    let authority = Own::self_signed(&["a.example.org"], true);
    assert_eq!(
        fault(&authority, &Roots::of(authority.chain.clone())).await,
        "the certificate is that of an authority, which cannot serve a host"
    );
}

#[tokio::test]
async fn an_incomplete_chain_names_who_is_missing() {
    let root = Authority::root("Test Root");
    let middle = root.below("Test Middle", GOOD);
    let wanted = "the chain is incomplete: the server does not send the certificate of Test Middle, who signed its own, and this \
                  machine does not know it";
    let alone = middle.own(&["a.example.org"], GOOD);
    assert_eq!(fault(&alone, &root.roots()).await, wanted);
    let with_root = middle.own(&["a.example.org"], GOOD).with(&root);
    assert_eq!(fault(&with_root, &root.roots()).await, wanted, "the root instead of what is between");
    let whole = middle.own(&["a.example.org"], GOOD).with(&middle);
    let server = Server::encrypted(whole.config(), |_| answer(200)).await;
    assert!(ask_example(&format!("https://a.example.org:{}/", server.port()), &root.roots()).await.works());
}

#[tokio::test]
async fn an_unknown_authority_is_named() {
    let (root, stranger) = (Authority::root("Test Root"), Authority::root("Stranger"));
    let own = stranger.own(&["a.example.org"], GOOD).with(&stranger);
    let wanted = "it is signed by Stranger, whom this machine does not trust";
    assert_eq!(fault(&own, &root.roots()).await, wanted);
    let middle = stranger.below("Middle", GOOD);
    let own = middle.own(&["a.example.org"], GOOD).with(&middle);
    assert_eq!(fault(&own, &root.roots()).await, wanted, "the last one that was shown says who");
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_another_one() {
    let (root, renewed) = (Authority::root("Test Root"), Authority::root("Test Root"));
    let own = renewed.own(&["a.example.org"], GOOD);
    assert_eq!(
        fault(&own, &root.roots()).await,
        "it is signed with another key than that of the Test Root whom this machine trusts (an older one?)"
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_told() {
    let (root, stranger) = (Authority::root("Test Root"), Authority::root("Stranger"));
    let own = stranger.own(&["b.example.org"], (2026, 2031)).with(&stranger);
    assert_eq!(
        fault(&own, &root.roots()).await,
        "the certificate expired on 2031-01-01 00:00 UTC; the certificate is for b.example.org, and not for a.example.org; it is \
         signed by Stranger, whom this machine does not trust"
    );
}
