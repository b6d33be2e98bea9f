//! Where a process can die: before and after each write to its records and each write to the cluster.

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
}

impl Guillotine {
    /// Passes a point, or never comes back: whoever is dead does nothing more.
    async fn pass(&self) {
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.at.load(Ordering::SeqCst) {
            self.fallen.store(true, Ordering::SeqCst);
            self.falls.notify_one();
        }
        if self.fallen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

/// Stands at the doors of the records.
pub struct AtTheRecords(pub Arc<Guillotine>);

impl Gate for AtTheRecords {
    fn pass(&self, _point: String) -> BoxFuture<'static, ()> {
        let guillotine = Arc::clone(&self.0);
        Box::pin(async move { guillotine.pass().await })
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
        let is_write = request.method() != http::Method::GET;
        Box::pin(async move {
            if is_write {
                guillotine.pass().await;
            }
            let answer = inner.call(request).await;
            if is_write {
                guillotine.pass().await;
            }
            answer
        })
    }
}
