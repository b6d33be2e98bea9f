//! Who may come in.

use serde_json::{Value, json};

use crate::rig::{HOME, INGRESSES, Rig};
use crate::{client, wire};

const ALLOW_LIST: &str = "sandbox.styrmin.io/allow-list";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_outside_the_list_are_refused() {
    let rig = Rig::start(&["demo"]).await;
    rig.deploy("demo", "web");
    rig.deploy("demo", "open");
    let annotate = |annotations: Value| {
        rig.change(INGRESSES, ("demo", "web"), |ingress| ingress["metadata"]["annotations"] = annotations);
    };
    let host = "web-demo.localhost";
    rig.until(host, 200, "name=web").await;
    annotate(json!({ALLOW_LIST: "127.0.0.8/31, 10.0.0.0/8"}));
    let page = rig.until(host, 403, "The Ingress demo/web does not let you in.").await;
    page.is(403, "Your address 127.0.0.1 is not in its list: 127.0.0.8/31, 10.0.0.0/8.");
    rig.get_tls(host).await.is(403, "does not let you in");
    for (source, status) in [([127, 0, 0, 8], 200), ([127, 0, 0, 9], 200), ([127, 0, 0, 10], 403)] {
        let answer = rig.get_from(source, host).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    // the client's own address counts, not what it says
    let stream = client::connect_from(HOME, rig.sandbox.ingress_address()).await;
    let liar = wire::request("GET", host, "/", "X-Forwarded-For: 127.0.0.8\r\n", "");
    client::ask(stream, liar.as_bytes()).await.is(403, "127.0.0.1");
    rig.until("open-demo.localhost", 200, "name=open").await;

    annotate(json!({ALLOW_LIST: "127.0.0.1, 10.0.0.0/99"}));
    rig.until(host, 403, "is no block of addresses").await;
    rig.until_event("web", "AllowListMalformed", "10.0.0.0/99").await;
    annotate(json!({}));
    rig.until(host, 200, "name=web").await;
    rig.sandbox.stop().await;
}
