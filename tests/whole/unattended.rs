//! An engine without a screen knows as well whether its routes answer.

use std::path::PathBuf;
use std::sync::Arc;

use styrmin::app::paths::Paths;
use styrmin::app::probes::sentence;
use styrmin::app::{self, Options, Target, session};
use styrmin::domain::{Clock, DeploymentDraft, DriverRef, Intent, SystemClock};
use styrmin::store::Store;
use tokio_util::sync::CancellationToken;

use crate::pty::PATIENCE;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_without_a_screen_probes_what_it_deployed() {
    let home = tempfile::tempdir().unwrap();
    let options = Options {
        target: Target::Sandbox,
        executable: Some(PathBuf::from(env!("CARGO_BIN_EXE_styrmin"))),
        ..Options::default()
    };
    let paths = Paths { state: home.path().join("state"), config: home.path().join("config") };
    paths.make_state().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&paths.state, Arc::clone(&clock)).unwrap();
    let opened = session::open(&options, &paths, store, clock).await.unwrap();
    let (session, stop) = (opened.session, CancellationToken::new());
    app::attend(&session, &stop);
    let leading = tokio::spawn(opened.leader.run(stop.clone()));
    let intent = Intent::Deploy(DeploymentDraft {
        name: "notes".to_owned(),
        environment: "demo".to_owned(),
        driver: DriverRef { name: "notes".to_owned(), version: "1.1.0".to_owned() },
        application_version: "1.0.0".to_owned(),
        ..DeploymentDraft::default()
    });
    let preview = session.engine.preview(&intent).await.unwrap();
    session.engine.confirm(&intent, &preview.plan.hash(), "anna@here").await.unwrap();

    let mut reach = session.probes.reach();
    let works = reach.wait_for(|reach| reach.len() >= 2 && reach.values().all(|found| found.works));
    let works = tokio::time::timeout(PATIENCE, works).await.map(|found| found.unwrap().clone());
    let works = works.unwrap_or_else(|_| panic!("{:#?}", session.probes.reach().borrow()));
    for url in works.keys() {
        let found = session.probes.ask_now(url).await.unwrap();
        assert!(sentence(url, &found).unwrap().starts_with(&format!("{url} answers 200")), "{found:?}");
    }
    stop.cancel();
    leading.await.unwrap();
    let (url, _) = works.first_key_value().unwrap();
    assert!(session.probes.ask_now(url).await.is_err(), "the probes have ended with the rest");
}
