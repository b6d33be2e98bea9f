//! Bodies with an end: of requests, by time; of responses, by what is given back when they are over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

use crate::sandbox::body::{Body, TooSlow};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body that fails with [`TooSlow`] when it is not complete in time.
pub struct Patient<B> {
    body: B,
    end: Pin<Box<Sleep>>,
}

impl<B> Patient<B> {
    /// Gives a body that much time from now on.
    pub fn new(body: B, time: Duration) -> Self {
        Self { body, end: Box::pin(tokio::time::sleep(time)) }
    }
}

impl<B> HttpBody for Patient<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body that holds a place until it is sent or dropped.
pub struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl Placed {
    /// The body, with the place.
    pub fn new(body: Body, place: OwnedSemaphorePermit) -> Self {
        Self { body, _place: place }
    }
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_body_that_is_too_slow_fails() {
        let silent = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let error = Patient::new(silent, Duration::from_millis(5)).collect().await.unwrap_err();
        assert!(error.is::<TooSlow>(), "{error}");
        let whole = Patient::new(Full::new(Bytes::from("x")), Duration::ZERO);
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "x");
    }
}
