//! Where a process can die: before each write to its records, each write to the cluster and each command in a pod, and after
//! those during which others are on their way. After one that is alone there is what is there before the next one: a process
//! that dies leaves the same, and nobody can tell the two apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use styrmin::store::Gate;
use tokio::sync::Notify;
use tower::Service;

/// Counts the points at which a process can die, and dies at one of them.
#[derive(Default)]
pub struct Guillotine {
    pub passed: AtomicUsize,
    /// The point at which it falls; 0: never.
    pub at: AtomicUsize,
    fallen: AtomicBool,
    pub falls: Notify,
    /// How many have begun, and are not known to be done.
    on_their_way: AtomicUsize,
}

impl Guillotine {
    /// Passes a point, or never comes back: whoever is dead does nothing more.
    async fn pass(&self) {
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.at.load(Ordering::SeqCst) {
            self.fallen.store(true, Ordering::SeqCst);
            self.falls.notify_one();
        }
        self.live().await;
    }

    /// Goes on unless it has fallen.
    async fn live(&self) {
        if self.fallen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Something is about to be written.
    async fn before(&self) {
        self.pass().await;
        self.on_their_way.fetch_add(1, Ordering::SeqCst);
    }

    /// It was written, and who wrote it does not know.
    async fn after(&self) {
        match self.on_their_way.load(Ordering::SeqCst) {
            1 => self.live().await,
            _ => self.pass().await,
        }
    }

    /// Its writer knows, or waits no longer.
    fn done(&self) {
        self.on_their_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Stands at the doors of the records.
pub struct AtTheRecords(pub Arc<Guillotine>);

impl Gate for AtTheRecords {
    fn pass(&self, point: String) -> BoxFuture<'static, ()> {
        let guillotine = Arc::clone(&self.0);
        Box::pin(async move {
            match point.starts_with("before ") {
                true => guillotine.before().await,
                false => {
                    guillotine.after().await;
                    guillotine.done();
                }
            }
        })
    }
}

/// Stands at the door of the cluster: before a request is sent, and after it was carried out.
#[derive(Clone)]
pub struct AtTheCluster<S> {
    pub inner: S,
    pub guillotine: Arc<Guillotine>,
}

impl<S, B> Service<http::Request<B>> for AtTheCluster<S>
where
    S: Service<http::Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let mut inner = self.inner.clone();
        let guillotine = Arc::clone(&self.guillotine);
        // a command is asked for with a request that reads
        let is_write = request.method() != http::Method::GET || request.uri().path().ends_with("/exec");
        Box::pin(async move {
            if !is_write {
                return inner.call(request).await;
            }
            guillotine.before().await;
            let on_its_way = OnItsWay(guillotine);
            let answer = inner.call(request).await;
            on_its_way.0.after().await;
            answer
        })
    }
}

/// A request that was sent: it is done too when nobody waits for the answer any more.
struct OnItsWay(Arc<Guillotine>);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.done();
    }
}
