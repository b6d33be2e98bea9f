//! Components that hold still while they are read.

use super::*;

fn steps() -> Vec<Step> {
    let after = |step: Step, after: usize| Step { after: vec![after], timeout: 600, ..step };
    let ending = |name: &str| Step { finally: true, timeout: 600, ..Step::named(Verb::Run, name) };
    vec![
        Step { timeout: 600, ..Step::named(Verb::Run, "quiesce db") },
        after(Step::named(Verb::Read, "back up db"), 0),
        Step { behind: vec![1], timeout: 600, ..Step::named(Verb::Read, "back up files/a") },
        ending("resume db"),
        Step { after: vec![3], ..ending("seal backup") },
    ]
}

async fn back_up(scene: &Scene) -> Backup {
    let request = Request::Backup(BackupRequest::default());
    let operation = scene.begin(OperationKind::Backup, steps(), request, "").await;
    scene.run(&operation).await;
    scene.hands.backup(&BackupId::of(&operation, "")).await.unwrap()
}

/// What an action gets that asks for a backup, and what the catalogue has then.
async fn within(scene: &Scene) -> (Result<String, StepError>, Backup) {
    let request = Request::Backup(BackupRequest::default());
    let step = vec![Step::named(Verb::Run, "run x")];
    let operation = scene.begin(OperationKind::Action, step, request, "").await;
    let run = StepRun { operation: &operation, position: 0, step: &operation.plan.steps[0], attempt: 1 };
    let got = scene.hands.back_up(run, "0.1.4").await;
    (got, scene.hands.backup(&BackupId::of(&operation, "0.1.4")).await.unwrap())
}

#[tokio::test]
async fn a_part_whose_component_went_on_meanwhile_has_failed() {
    let scene = Scene::new().await;
    assert_eq!(back_up(&scene).await.state, BackupState::Completed);
    scene.played.state().let_go.insert("db".to_owned());
    let backup = back_up(&scene).await;
    assert_eq!(backup.state, BackupState::PartiallyFailed);
    assert_eq!((backup.parts[0].state, backup.parts[1].state), (PartState::Failed, PartState::Completed));
    assert_eq!(backup.problem.as_ref().unwrap().what, "db is not of one moment");
    assert_eq!(scene.tagged(&backup), 2, "what was read of it is swept away");
}

#[tokio::test]
async fn within_an_action_it_has_failed_as_well() {
    let scene = Scene::new().await;
    scene.played.state().let_go.insert("db".to_owned());
    let (got, backup) = within(&scene).await;
    assert_eq!(got.unwrap_err().problem.what, "db is not of one moment");
    assert_eq!(backup.state, BackupState::PartiallyFailed);
}

#[tokio::test]
async fn within_an_action_everything_goes_on_whatever_fails() {
    let scene = Scene::new().await;
    scene.played.state().lasting.insert("quiesce db".to_owned());
    let (got, backup) = within(&scene).await;
    assert_eq!(got.unwrap_err().problem.what, "it does not hold still");
    assert_eq!((backup.parts[0].state, backup.parts[1].state), (PartState::Failed, PartState::Completed));
    assert_eq!(scene.played.state().done, ["quiesce db", "resume db"]);

    let scene = Scene::new().await;
    scene.played.state().broken.insert("db".to_owned(), 1);
    let (got, _) = within(&scene).await;
    assert_ne!(got.unwrap_err().kind, StepErrorKind::Lasting);
    assert_eq!(scene.played.state().done, ["quiesce db", "resume db"]);
}
