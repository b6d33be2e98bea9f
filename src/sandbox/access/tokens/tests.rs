use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::sandbox::access::Tokens;
use crate::sandbox::access::key::SigningKey;
use crate::sandbox::api::DeleteOptions;
use crate::sandbox::clock::ManualClock;

fn cluster() -> (Api, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let api = Api::new(clock.clone(), 1);
    api.credentials().sign_with(SigningKey::random().unwrap());
    account(&api, "robot");
    (api, clock)
}

fn account(api: &Api, name: &str) {
    let account = json!({"metadata": {"name": name, "namespace": "default"}});
    api.create("serviceaccounts", account, "t").unwrap();
}

fn pod(api: &Api, account: &str) -> Value {
    let pod = json!({"metadata": {"name": "p", "namespace": "default"},
        "spec": {"serviceAccountName": account, "containers": [{"name": "a", "image": "a"}]}});
    (*api.create("pods", pod, "t").unwrap()).clone()
}

fn for_pod(api: &Api, pod: &Value) -> Result<Issued, Status> {
    issue(api, "default", "robot", &[], Some(900), Some(pod))
}

fn holder(api: &Api, token: &str) -> Result<Identity, String> {
    identify(api, token, &[AUDIENCE]).map(|known| known.identity)
}

#[test]
fn a_token_tells_its_account_and_its_pod() {
    let (api, _) = cluster();
    let pod = pod(&api, "robot");
    let issued = for_pod(&api, &pod).unwrap();
    assert_eq!(issued.expires.to_string(), "2026-03-01T12:15:00Z");
    let known = Tokens::new("secret".into()).with_accounts(api.clone());
    let robot = known.identify(&issued.token).unwrap();
    assert_eq!(robot.name, "system:serviceaccount:default:robot");
    assert!(robot.is_in("system:serviceaccounts:default") && robot.is_in(AUTHENTICATED));
    assert_eq!(robot.extra["authentication.kubernetes.io/pod-name"], ["p"]);
    assert_eq!(known.identify("secret"), Some(Identity::admin()));
    assert_eq!(known.identify("other"), None);
    assert!(api.credentials().is_admin("secret"));
}

#[test]
fn a_token_ends_by_the_sandbox_s_clock() {
    let (api, clock) = cluster();
    let issued = issue(&api, "default", "robot", &[], None, None).unwrap();
    clock.advance(SignedDuration::from_secs(DEFAULT_SECONDS - 1));
    assert!(holder(&api, &issued.token).is_ok());
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(holder(&api, &issued.token).unwrap_err(), "service account token has expired");
}

#[test]
fn a_token_ends_with_its_pod_and_its_account() {
    let (api, clock) = cluster();
    let first = pod(&api, "robot");
    let (bound, free) =
        (for_pod(&api, &first).unwrap(), issue(&api, "default", "robot", &[], None, None).unwrap());
    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    api.delete("pods", "default", "p", &now).unwrap();
    assert!(holder(&api, &bound.token).unwrap_err().contains("pods \"p\" is gone"));
    // A pod of the same name is another pod.
    pod(&api, "robot");
    assert!(holder(&api, &bound.token).is_err());
    assert_eq!(for_pod(&api, &first).err().map(|status| status.code), Some(409));
    assert!(holder(&api, &free.token).is_ok());
    let hold = |account: &mut Value| object::set_finalizers(account, vec!["a.example/b".into()]);
    api.mutate("serviceaccounts", "default", "robot", "t", hold).unwrap();
    api.delete("serviceaccounts", "default", "robot", &DeleteOptions::default()).unwrap();
    clock.advance(SignedDuration::from_secs(GRACE_SECONDS));
    assert!(holder(&api, &free.token).is_ok());
    clock.advance(SignedDuration::from_secs(1));
    assert!(holder(&api, &free.token).is_err());
}

#[test]
fn a_pod_gets_tokens_of_its_own_account_alone() {
    let (api, _) = cluster();
    account(&api, "other");
    let pod = pod(&api, "other");
    assert_eq!(for_pod(&api, &pod).err().map(|status| status.code), Some(400));
    let missing = issue(&api, "default", "nobody", &[], None, None);
    assert_eq!(missing.err().map(|status| status.code), Some(404));
}

#[test]
fn another_sandbox_s_token_is_nobody_s() {
    let ((api, _), (other, _)) = (cluster(), cluster());
    let issued = issue(&other, "default", "robot", &[], None, None).unwrap();
    assert_eq!(holder(&api, &issued.token).unwrap_err(), INVALID);
}

#[test]
fn names_of_accounts_are_read() {
    assert_eq!(account_of("system:serviceaccount:a:b"), Some(("a", "b")));
    for wrong in ["system:serviceaccount:a", "system:serviceaccount::b", "system:serviceaccount:a:b:c", "a:b"]
    {
        assert_eq!(account_of(wrong), None);
    }
}
