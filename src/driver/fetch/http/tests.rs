use super::super::tests::{
    Seen, Server, client, dripping, endless, redirect, reply, short, stalled, with_header,
};
use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn plain() -> Client {
    client(RootCertStore::empty())
}

fn impatient() -> Client {
    Client::new(RootCertStore::empty(), Proxies::default(), short()).unwrap()
}

async fn get(client: &Client, text: &str) -> Result<Answer, HttpError> {
    client.send(Call::get(url(text), 1 << 20)).await
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_status_and_headers() {
    let server = Server::start(|seen| with_header(reply(404, seen.target.clone()), "etag", "\"1\"")).await;
    let answer = get(&plain(), &server.url("/a?b=c")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (404, b"/a?b=c".as_slice()));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert!(answer.success().unwrap_err().is_not_found());
    let seen = &server.seen()[0];
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert!(seen.header("user-agent").unwrap().starts_with("styrmin/"));
}

#[tokio::test]
async fn too_much_is_refused_before_and_while_it_comes() {
    let server = Server::start(|seen| match seen.path() {
        "/endless" => endless(),
        _ => reply(200, vec![b'x'; 2000]),
    })
    .await;
    for path in ["/announced", "/endless"] {
        let call = Call::get(url(&server.url(path)), 1000);
        let refusal = plain().send(call).await.unwrap_err();
        assert!(matches!(refusal, HttpError::TooLarge { limit: 1000, .. }), "{refusal}");
    }
    let call = Call::get(url(&server.url("/announced")), 2000);
    assert_eq!(plain().send(call).await.unwrap().body.len(), 2000);
}

#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    let server = Server::start(|_| stalled()).await;
    let times = Times { idle: Duration::from_secs(2), ..short() };
    let client = Client::new(RootCertStore::empty(), Proxies::default(), times).unwrap();
    let stopped = get(&client, &server.url("/")).await.unwrap_err();
    assert!(stopped.to_string().ends_with("sent nothing more within 2 s"), "{stopped}");
    assert!(stopped.is_absence());

    // accepts and says nothing
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap();
    let silent = get(&impatient(), &format!("http://{address}/")).await.unwrap_err();
    assert!(silent.to_string().contains("did not begin to answer"), "{silent}");
    // has the port, so that nobody else does, and does not listen
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = deaf.local_addr().unwrap();
    let nobody = get(&plain(), &format!("http://{address}/")).await.unwrap_err();
    assert!(matches!(nobody, HttpError::Unreachable { .. }), "{nobody}");
}

#[tokio::test]
async fn drops_of_a_body_do_not_hold_forever() {
    let server = Server::start(|_| dripping()).await;
    let times = Times { idle: short().total, total: Duration::from_millis(300), ..short() };
    let client = Client::new(RootCertStore::empty(), Proxies::default(), times).unwrap();
    let refusal = get(&client, &server.url("/")).await.unwrap_err();
    assert!(refusal.to_string().contains("did not send everything"), "{refusal}");
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_farther() {
    let server = Server::start(|seen| match seen.path() {
        "/once" => redirect(302, "/deep/../there"),
        "/there" => reply(200, "here"),
        "/away" => redirect(301, "ftp://elsewhere/"),
        _ => redirect(307, "/loop"),
    })
    .await;
    let answer = get(&plain(), &server.url("/once")).await.unwrap();
    assert_eq!((answer.url.path.as_str(), answer.body.as_slice()), ("/there", b"here".as_slice()));
    let refusal = get(&plain(), &server.url("/loop")).await.unwrap_err();
    assert!(matches!(refusal, HttpError::Redirects { .. }), "{refusal}");
    assert_eq!(server.take_targets().len(), 2 + REDIRECTS + 1);
    let refusal = get(&plain(), &server.url("/away")).await.unwrap_err();
    assert!(matches!(refusal, HttpError::Address { .. }), "{refusal}");
}

#[tokio::test]
async fn a_login_stays_with_its_host() {
    let other = Server::start(|_| reply(200, "")).await;
    let target = other.url("/blob");
    let server = Server::start(move |seen: &Seen| match seen.path() {
        "/away" => redirect(307, &target),
        "/near" => redirect(307, "/there"),
        _ => reply(200, ""),
    })
    .await;
    for path in ["/near", "/away"] {
        let mut call = Call::get(url(&server.url(path)), 1000);
        call.authorization = Some("Bearer secret".to_owned());
        plain().send(call).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer secret")));
    assert_eq!(other.seen()[0].header("authorization"), None);

    let with_login = server.url("/x").replace("http://", "http://anna:pw@");
    get(&plain(), &with_login).await.unwrap();
    assert_eq!(server.seen().last().unwrap().header("authorization"), Some("Basic YW5uYTpwdw=="));
}

#[tokio::test]
async fn tls_is_checked_and_never_given_up() {
    let (server, roots) = Server::with_tls(|seen| match seen.path() {
        "/down" => redirect(302, "http://localhost:1/"),
        _ => reply(200, "safe"),
    })
    .await;
    let address = format!("https://localhost:{}", server.address.port());
    assert_eq!(get(&client(roots.clone()), &address).await.unwrap().body, b"safe");
    let refusal = get(&client(roots.clone()), &format!("{address}/down")).await.unwrap_err();
    assert!(matches!(refusal, HttpError::Downgrade { .. }), "{refusal}");
    let stranger = get(&plain(), &address).await.unwrap_err();
    assert!(stranger.to_string().contains("UnknownIssuer"), "{stranger}");
    assert!(!stranger.is_absence(), "the cache must not hide it");

    let without = Server::start(|_| reply(200, "")).await;
    let refusal = get(&client(roots), &without.url("/").replace("http:", "https:")).await.unwrap_err();
    assert!(matches!(refusal, HttpError::Tls { .. }), "{refusal}");
}

#[tokio::test]
async fn a_form_is_posted_and_not_sent_on() {
    let server = Server::start(|seen| match seen.path() {
        "/token" => reply(200, seen.body.clone()),
        _ => redirect(307, "/token"),
    })
    .await;
    let form = |path: &str| Call { form: Some("a=1".to_owned()), ..Call::get(url(&server.url(path)), 100) };
    let answer = plain().send(form("/token")).await.unwrap();
    assert_eq!(answer.body, b"a=1");
    assert_eq!(server.seen()[0].method, Method::POST);
    assert_eq!(plain().send(form("/elsewhere")).await.unwrap().status.as_u16(), 307);
}

/// A client whose requests go through this proxy; `h` stands for a host that no resolver knows.
fn through(proxy: &str, roots: RootCertStore) -> Client {
    let proxy = proxy.to_owned();
    let proxies = Proxies::from_environment(move |name| (name == "ALL_PROXY").then(|| proxy.clone()));
    Client::new(roots, proxies, Times::default()).unwrap()
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_is_not_encrypted() {
    let proxy = Server::start(|seen| reply(200, seen.target.clone())).await;
    let client = through(&format!("http://anna:pw@{}", proxy.address), RootCertStore::empty());
    let answer = get(&client, "http://charts.invalid/index.yaml").await.unwrap();
    assert_eq!(answer.body, b"http://charts.invalid/index.yaml");
    assert_eq!(proxy.seen()[0].header("proxy-authorization"), Some("Basic YW5uYTpwdw=="));
    assert_eq!(proxy.seen()[0].header("host"), Some("charts.invalid"));
}

#[tokio::test]
async fn a_proxy_that_refuses_the_tunnel_is_told() {
    let proxy = Server::start(|_| reply(407, "")).await;
    let client = through(&proxy.address.to_string(), RootCertStore::empty());
    let refusal = get(&client, "https://charts.invalid/").await.unwrap_err();
    let told = refusal.to_string();
    assert!(told.contains(&proxy.address.to_string()) && told.contains("407"), "{told}");
    assert_eq!(proxy.seen()[0].target, "charts.invalid:443");
}

#[tokio::test]
async fn a_tunnel_carries_tls_to_the_end() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
    let (server, roots) = Server::with_tls(|_| reply(200, "through")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let target = server.address;
    let tunnels = tokio::spawn(async move {
        let mut asked = Vec::new();
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                stream.read_line(&mut request).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let mut there = tokio::net::TcpStream::connect(target).await.unwrap();
            // the client closes as soon as it has what it wants
            let _ = copy_bidirectional(&mut stream, &mut there).await;
            asked.push(request);
        }
        asked
    });
    let client = through(&proxy, roots);
    assert_eq!(get(&client, "https://charts.invalid/").await.unwrap().body, b"through");
    // the other end of the tunnel is judged by its name
    let refusal = get(&client, "https://other.invalid/").await.unwrap_err();
    assert!(matches!(refusal, HttpError::Tls { .. }), "{refusal}");
    assert!(tunnels.await.unwrap()[0].starts_with("CONNECT charts.invalid:443 HTTP/1.1\r\n"));
}
