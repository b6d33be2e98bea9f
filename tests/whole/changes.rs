//! A journey through everything that can be done to an application, from the keys to the cluster and back to the screen.

use crossterm::event::KeyCode;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use styrmin::domain::DriftMode;

use crate::journeys::Journey;

impl Journey {
    /// Waits for the plan of this title and confirms it as its class asks for.
    async fn confirm(&mut self, title: &str) {
        self.until(title, |screen| screen.contains(title) && screen.contains("(y")).await;
        let twice = self.screen().contains("(y y)");
        self.press(KeyCode::Char('y'));
        if twice {
            self.sees("y again, or enter").await;
            self.press(KeyCode::Char('y'));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_changed_stopped_started_scaled_and_deleted() {
    let mut journey = Journey::start(120, 40).await;
    journey.deploy("1.0.0", "notes").await;
    journey.sees("200 in").await;

    journey.press(KeyCode::Char('U'));
    journey.sees("Change notes in demo").await;
    journey.press(KeyCode::Down);
    journey.press(KeyCode::Down);
    journey.write(" of ours");
    for _ in 0..4 {
        journey.press(KeyCode::BackTab);
    }
    journey.press(KeyCode::Enter);
    journey.confirm("Change notes in demo").await;
    journey.sees("instance 2").await;
    journey.sees("✓ Healthy").await;
    let (_, page) = journey.visit("notes-demo.localhost", "/").await;
    assert!(page.contains(" of ours"), "{page}");

    journey.write("ab");
    journey.confirm("Roll notes in demo back to 1.0.0").await;
    journey.sees("instance 3").await;
    journey.sees("✓ Healthy").await;

    journey.write("ax");
    journey.confirm("Stop notes in demo").await;
    journey.sees("■ Stopped").await;

    journey.write("as");
    journey.confirm("Start notes in demo").await;
    journey.sees("✓ Healthy").await;

    journey.write("an");
    journey.sees("Scale which part of notes in demo").await;
    journey.write("web");
    journey.press(KeyCode::Enter);
    journey.sees("as many as its driver says").await;
    journey.write("2");
    journey.press(KeyCode::Enter);
    journey.confirm("Scale notes in demo").await;
    journey.sees(TWO).await;

    journey.write("aD");
    journey.sees("Delete the application and its volumes").await;
    journey.press(KeyCode::Down);
    journey.press(KeyCode::Enter);
    journey.sees("To go on, press y, then type notes").await;
    journey.write("ynotes");
    journey.press(KeyCode::Enter);
    journey.sees("notes in demo is not there").await;
    journey.press(KeyCode::Esc);
    journey.sees("No applications yet").await;
    journey.end().await;
}

/// One web server, and all of it ready.
const ONE: &str = "1/1   styrmin/notes-web";
/// Two of them.
const TWO: &str = "2/2   styrmin/notes-web";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_somebody_else_took_are_settled() {
    let mut journey = Journey::start(120, 40).await;
    journey.deploy("1.0.0", "notes").await;
    journey.sees("200 in").await;
    let store = &journey.session.store;
    let cluster = journey.session.cluster.name().to_owned();
    let mut demo = store.environment(&cluster, "demo").await.unwrap().unwrap();
    demo.drift = DriftMode::Warn;
    store.upsert_environment(&demo).await.unwrap();
    // a look that began before still corrects
    journey.session.engine.idle().wait_for(|idle| *idle).await.unwrap();
    let deployments: kube::Api<Deployment> = kube::Api::namespaced(journey.client(), "demo");
    let anna = PatchParams { field_manager: Some("anna".into()), ..PatchParams::default() };
    let scaled = serde_json::json!({"spec": {"replicas": 2}});
    deployments.patch("notes-web", &anna, &Patch::Merge(&scaled)).await.unwrap();
    journey.sees("Drift 1").await;
    journey.sees(TWO).await;

    journey.write("ac");
    journey.confirm("Set notes in demo right").await;
    journey.until("the drift is gone", |screen| screen.contains(ONE) && !screen.contains("Drift 1")).await;

    deployments.patch("notes-web", &anna, &Patch::Merge(&scaled)).await.unwrap();
    journey.sees(TWO).await;
    journey.write("U");
    journey.sees("Change notes in demo").await;
    journey.press(KeyCode::Down);
    journey.press(KeyCode::Down);
    journey.write(" of ours");
    for _ in 0..4 {
        journey.press(KeyCode::BackTab);
    }
    journey.press(KeyCode::Enter);
    journey.sees("Say who has the fields").await;
    journey.sees("(anna)").await;
    journey.press(KeyCode::Right);
    journey.press(KeyCode::Enter);
    journey.sees("Who is to have the fields of Deployment/notes-web").await;
    journey.press(KeyCode::Down);
    journey.press(KeyCode::Enter);
    journey.confirm("Settle who has the fields").await;
    journey
        .until("one web server again", |screen| {
            screen.contains("Deployment/notes-web: take") && screen.contains(ONE)
        })
        .await;
    journey.end().await;
}
