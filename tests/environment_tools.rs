//! Environments and clusters from the command line: the real binary, on a sandbox and records in a temporary directory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

#[allow(dead_code, reason = "it is shared with the tests of backups, which use more of it")]
#[path = "backup_tools/home.rs"]
mod home;

use home::Home;
use serde_json::Value;

#[tokio::test]
async fn an_environment_is_made_set_shown_and_removed() {
    let home = Home::new().await;
    let plan = home.run(&["environment", "create", "shop", "--label", "team=blue", "--dry-run"]).good();
    assert!(
        plan.contains("record the environment shop") && plan.contains("routes: Ingress of class sandbox"),
        "{plan}"
    );
    assert!(!home.run(&["environment", "list"]).good().contains("shop"), "--dry-run does nothing");
    home.run(&["environment", "create", "shop", "--yes"]).good();
    let words = ["environment", "create", "shop", "--yes"];
    home.run(&words).bad(2, &["There is an environment shop already", "styrmin environment set shop"]);

    let shown = home.run(&["environment", "show", "shop", "--json"]).json();
    assert_eq!(shown["routing"]["isolation"], "Inbound");
    assert_eq!(shown["routing"]["via"]["class"], "sandbox");
    assert_eq!(shown["suffix"], Value::Null, "neither it nor the cluster has one");

    let set = [
        "environment",
        "set",
        "shop",
        "--suffix",
        "shop.localhost",
        "--allow",
        "127.0.0.0/8",
        "--probes",
        "off",
        "--yes",
    ];
    home.run(&set).good();
    let shown = home.run(&["environment", "show", "shop", "-o", "json"]).json();
    assert_eq!(
        (&shown["suffix"], &shown["ip_whitelist"][0]),
        (&"shop.localhost".into(), &"127.0.0.0/8".into())
    );
    assert_eq!(shown["routing"]["via"]["class"], "sandbox", "who answers stays");
    let text = home.run(&["environment", "show", "shop"]).good();
    assert!(text.contains("Ingress of class sandbox (sandbox.styrmin.io/ingress)"), "{text}");
    let again = home.run(&set);
    assert_eq!(again.code, 0, "{}", again.error);
    assert!(again.error.contains("there is nothing to do"), "{}", again.error);
    assert!(again.good().contains("nothing changes: all of it is so already"));

    home.run(&["environment", "remove", "shop", "--yes"]).good();
    home.run(&["environment", "show", "shop"]).bad(2, &["There is no environment shop"]);
}

#[tokio::test]
async fn what_is_said_of_the_cluster_stays() {
    let home = Home::new().await;
    home.run(&["cluster", "set", "--suffix", "apps.localhost", "--yes"]).good();
    let shown = home.run(&["cluster", "show", "sandbox", "--json"]).json();
    assert_eq!(shown[0]["fqdn_suffix"], "apps.localhost");
    // another start of the sandbox
    let listed = home.run(&["environment", "create", "x", "--dry-run"]).good();
    assert!(listed.contains("record the environment x"), "{listed}");
    let shown = home.run(&["cluster", "show", "--json"]).json();
    assert_eq!(shown[0]["fqdn_suffix"], "apps.localhost");
    home.run(&["cluster", "set", "--http-port", "81", "--yes"]).bad(1, &["ports that it listens on"]);
    home.run(&["cluster", "show", "sandbux"]).bad(2, &["There is no cluster sandbux", "sandbox"]);
}

#[tokio::test]
async fn bad_words_name_the_option() {
    let home = Home::new().await;
    for (words, parts) in [
        (vec!["--gateway", "public"], ["--gateway", "NAMESPACE/NAME"]),
        (vec!["--tls", "secret"], ["--tls", "cluster-issuer:NAME"]),
        (vec!["--isolation", "on"], ["--isolation", "inbound"]),
        (vec!["--allow-from", "everybody"], ["--allow-from", "cidr:BLOCK"]),
        (vec!["--suffix", "a.org", "--no-suffix"], ["--suffix", "--no-suffix"]),
        (vec!["--label", "team"], ["--label", "KEY=VALUE"]),
    ] {
        let all: Vec<&str> = ["environment", "set", "demo", "--yes"].into_iter().chain(words).collect();
        home.run(&all).bad(2, &parts);
    }
    home.run(&["environment", "set", "demo", "--suffix", "x.org"])
        .bad(2, &["Nobody can confirm the plan", "--yes"]);
    home.run(&["environment", "set", "nothere", "--yes"]).bad(2, &["There is no environment nothere"]);
    home.run(&["environment", "set", "demo", "--allow", "10.0.0.1/99", "--yes"]).bad(1, &["10.0.0.1/99"]);
    home.run(&["environment", "set", "demo", "--ingress-class", "nothere", "--yes"])
        .bad(1, &["no ingress class 'nothere'", "--ingress-class"]);
}
