//! A body that is there as a whole.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a request or an answer. `on_end` is dropped when hyper has taken all of it.
pub struct Payload<T = ()> {
    data: Option<Bytes>,
    _on_end: T,
}

impl<T> Payload<T> {
    /// A body; an empty one is none.
    pub fn new(data: Bytes, on_end: T) -> Self {
        Self { data: Some(data).filter(|data| !data.is_empty()), _on_end: on_end }
    }
}

impl<T: Unpin> Body for Payload<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
