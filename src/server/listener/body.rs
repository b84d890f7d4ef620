//! Bodies that tell their connection how they go.

use super::{
    exchange::{Busy, Exchange},
    patience::Patience,
};
use axum::{BoxError, body::Body};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

/// The client sent nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the request's body stopped for {} s, or kept coming far too slowly", .0.as_secs_f64())]
pub(crate) struct BodyTimeout(pub(super) Duration);

/// A request's body that fails with [`BodyTimeout`] when it is waited for and does not come.
pub(super) struct RequestBody {
    body: Incoming,
    exchange: Arc<Exchange>,
    timeout: Duration,
    patience: Patience,
    ended: bool,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, exchange: Arc<Exchange>, timeout: Duration) -> RequestBody {
        let ended = body.is_end_stream();
        RequestBody { body, exchange, timeout, patience: Patience::new(timeout), ended }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let length = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len));
            self.patience.moved(length.unwrap_or_default());
            self.ended = frame.is_none() || self.body.is_end_stream();
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        ready!(self.patience.poll_end(cx));
        self.exchange.note_body_timeout();
        Poll::Ready(Some(Err(Box::new(BodyTimeout(self.timeout)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended {
            self.exchange.note_unread_body();
        }
    }
}

/// An answer's body, whose end gives the turn back to the client.
pub(super) struct ResponseBody {
    body: Body,
    _busy: Busy,
}

impl ResponseBody {
    pub(super) fn new(body: Body, busy: Busy) -> ResponseBody {
        ResponseBody { body, _busy: busy }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
