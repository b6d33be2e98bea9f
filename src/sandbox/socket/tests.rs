use http_body_util::{BodyExt, Empty};
use tower::ServiceExt;

use super::*;
use crate::sandbox::SandboxOptions;

async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxOptions::in_memory(1, "/bin/false")).await.unwrap()
}

async fn version(service: &SocketService) -> io::Result<String> {
    let request = Request::get("http://sandbox/version").body(Empty::<Bytes>::new()).unwrap();
    let answer = service.clone().oneshot(request).await?;
    let body = answer.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn it_answers_its_owner_only_until_it_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sandbox.sock");
    let service = SocketService::new(&path);
    let refused = version(&service).await.unwrap_err();
    assert!(refused.to_string().contains("sandbox.sock"), "{refused}");
    let mut first = sandbox().await;
    first.listen(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(version(&service).await.unwrap().contains("gitVersion"));
    first.stop().await;
    assert_eq!(version(&service).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let mut second = sandbox().await;
    second.listen(&path).unwrap();
    assert!(version(&service).await.is_ok(), "what a stopped one left behind is replaced");
    second.stop().await;
}

#[tokio::test]
async fn a_long_way_to_the_socket_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let path = deep.join("sandbox.sock");
    let mut sandbox = sandbox().await;
    sandbox.listen(&path).unwrap();
    assert!(version(&SocketService::new(&path)).await.is_ok());
    sandbox.stop().await;
}
