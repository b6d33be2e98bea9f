//! A bucket in memory, over HTTP or HTTPS on loopback, that misbehaves on demand. It lists a few objects per page.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// How many objects a page has.
const PAGE: usize = 3;

/// What becomes of a request instead of what was asked for.
#[derive(Debug, Clone)]
pub enum Whim {
    /// It is answered as it should be.
    Serve,
    /// It is refused: the status and S3's code.
    Refuse(u16, &'static str),
    /// The connection ends without an answer.
    Cut,
}

type Mood = Arc<Mutex<Box<dyn FnMut(&Seen) -> Whim + Send>>>;

/// A request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    /// The object's key; empty for a list.
    pub key: String,
}

/// The bucket `bucket`, empty in the beginning.
#[derive(Clone)]
pub struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    mood: Mood,
    pub endpoint: String,
}

impl Bucket {
    pub async fn start() -> Self {
        Self::with(None).await
    }

    /// With a certificate of an authority of its own, whose PEM file is made in `directory`.
    pub async fn encrypted(directory: &std::path::Path) -> (Self, PathBuf) {
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let signed = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key)
            .unwrap();
        let path = directory.join("ca.pem");
        std::fs::write(&path, signed.pem()).unwrap();
        (Self::with(Some(TlsAcceptor::from(Arc::new(config)))).await, path)
    }

    async fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = match tls {
            None => format!("http://127.0.0.1:{port}"),
            Some(_) => format!("https://localhost:{port}"),
        };
        let bucket =
            Self { objects: Arc::default(), mood: Arc::new(Mutex::new(Box::new(|_| Whim::Serve))), endpoint };
        let served = bucket.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (bucket, tls) = (served.clone(), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| bucket.clone().answer(request));
                    // a client that goes away is none of our business
                    match tls {
                        None => {
                            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
                        }
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                });
            }
        });
        bucket
    }

    /// What it does from now on.
    pub fn mood(&self, mood: impl FnMut(&Seen) -> Whim + Send + 'static) {
        *self.mood.lock().unwrap() = Box::new(mood);
    }

    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or("").to_owned();
        let path = head.uri.path().trim_start_matches('/').to_owned();
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let seen = Seen { method: head.method.clone(), key: key.to_owned() };
        let whim = (self.mood.lock().unwrap())(&seen);
        if matches!(whim, Whim::Cut) {
            // hyper ends the connection of a handler that never answers when its task does
            panic!("the connection is cut");
        }
        // only when all of the body was there it is kept
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return Ok(refusal(400, "IncompleteBody"));
        };
        if let Whim::Refuse(status, code) = whim {
            return Ok(refusal(status, code));
        }
        if bucket != "bucket" {
            return Ok(refusal(404, "NoSuchBucket"));
        }
        if !query.contains("X-Amz-Signature=")
            || !query.contains(&format!("X-Amz-Credential={}", super::ground::ACCESS))
        {
            return Ok(refusal(403, "AccessDenied"));
        }
        let range = head.headers.get("range").and_then(|range| range.to_str().ok()).map(str::to_owned);
        let new = head.headers.contains_key("if-none-match");
        let mut objects = self.objects.lock().unwrap();
        Ok(match head.method {
            Method::GET if key.is_empty() => list(&objects, &query),
            Method::GET => match objects.get(key) {
                None => refusal(404, "NoSuchKey"),
                Some(object) => part(object, range.as_deref()),
            },
            Method::PUT if new && objects.contains_key(key) => refusal(412, "PreconditionFailed"),
            Method::PUT => {
                objects.insert(key.to_owned(), body);
                Response::new(Full::default())
            }
            Method::DELETE => {
                objects.remove(key);
                status(204)
            }
            _ => refusal(405, "MethodNotAllowed"),
        })
    }
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

fn refusal(code: u16, name: &str) -> Response<Full<Bytes>> {
    let mut response = status(code);
    *response.body_mut() =
        Full::from(format!("<Error><Code>{name}</Code><Message>as the test wants it</Message></Error>"));
    response
}

fn part(object: &Bytes, range: Option<&str>) -> Response<Full<Bytes>> {
    let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return Response::new(Full::from(object.clone()));
    };
    let from: usize = from.parse().unwrap();
    let to = to.parse::<usize>().unwrap().saturating_add(1).min(object.len());
    if from >= object.len() {
        return refusal(416, "InvalidRange");
    }
    let mut response = status(206);
    *response.body_mut() = Full::from(object.slice(from..to));
    response
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.replace("%2F", "/"))
}

fn list(objects: &BTreeMap<String, Bytes>, query: &str) -> Response<Full<Bytes>> {
    let prefix = parameter(query, "prefix").unwrap_or_default();
    let after = parameter(query, "continuation-token").unwrap_or_default();
    let mut found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let mut text = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    let more = found.next().is_some();
    text += &format!("<IsTruncated>{more}</IsTruncated>");
    if let (true, Some((last, _))) = (more, page.last()) {
        text += &format!("<NextContinuationToken>{last}</NextContinuationToken>");
    }
    for (key, object) in page {
        text += &format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", object.len());
    }
    Response::new(Full::from(text + "</ListBucketResult>"))
}
