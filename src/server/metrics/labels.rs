//! Labels of the metrics. Each has a small, fixed set of values, so that no client can make the server count without bounds.

use crate::{
    outcome::{LimitHit, Tier},
    server::api::{ErrorKind, Status},
};
use axum::{
    extract::MatchedPath,
    http::{Method, StatusCode},
};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use std::fmt::{self, Write};

/// Defines an enum with the text of each of its values.
macro_rules! label {
    ($(#[$about:meta])* $name:ident { $($value:ident => $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($value,)+ }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
                encoder.write_str(match self { $($name::$value => $text,)+ })
            }
        }
    };
}

label! {
    /// The tier of an execution.
    RanOn {
        Nothing => "none",
        Wasm => "wasm",
        Docker => "docker",
    }
}

label! {
    /// Of a container in the pool.
    PoolState {
        Ready => "ready",
        Warming => "warming",
    }
}

label! {
    /// Where a job's container came from; or that it was thrown away.
    Taken {
        Pool => "pool",
        Cold => "cold",
        Discarded => "discarded",
    }
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        encoder.write_str(match self {
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Killed => "killed",
        })
    }
}

impl EncodeLabelValue for ErrorKind {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        encoder.write_str(match self {
            ErrorKind::TimeLimit => "time_limit",
            ErrorKind::CpuLimit => "cpu_limit",
            ErrorKind::MemoryLimit => "memory_limit",
            ErrorKind::StackOverflow => "stack_overflow",
            ErrorKind::Crashed => "crashed",
            ErrorKind::QueueTimeout => "queue_timeout",
            ErrorKind::Killed => "killed",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Invalid => "invalid",
        })
    }
}

label! {
    /// Why a request was turned away. As an extension of an answer it is counted by
    /// [`count_requests`](super::count_requests).
    RejectReason {
        Unauthorized => "unauthorized",
        RateLimited => "rate_limited",
        QueueFull => "queue_full",
        ShuttingDown => "shutting_down",
    }
}

label! {
    /// As [`LimitHit`].
    LimitLabel {
        WallClock => "wall_clock",
        Cpu => "cpu",
        Memory => "memory",
        DiskBytes => "disk_bytes",
        DiskFiles => "disk_files",
        Output => "output",
        Stack => "stack",
        Processes => "processes",
    }
}

label! {
    MethodLabel {
        Get => "GET",
        Post => "POST",
        Delete => "DELETE",
        Head => "HEAD",
        Options => "OPTIONS",
        Other => "other",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ExecutionLabels {
    pub(super) tier: RanOn,
    pub(super) status: Status,
    pub(super) error_kind: ErrorKindLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TierLabels {
    pub(super) tier: RanOn,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PoolLabels {
    pub(super) state: PoolState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TakenLabels {
    pub(super) from: Taken,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PackageLabels {
    pub(super) tier: RanOn,
    /// One of a few words of the service's own.
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct HttpLabels {
    pub(super) route: Route,
    pub(super) method: MethodLabel,
    pub(super) code: Code,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RouteLabels {
    pub(super) route: Route,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LimitLabels {
    pub(super) limit: LimitLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RejectLabels {
    pub(super) reason: RejectReason,
}

/// A route as the router has it, never a path as a client wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ErrorKindLabel(Option<ErrorKind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Code(StatusCode);

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        self.0.encode(encoder)
    }
}

impl EncodeLabelValue for ErrorKindLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        match self.0 {
            Some(kind) => kind.encode(encoder),
            None => encoder.write_str("none"),
        }
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        encoder.write_str(self.0.as_str())
    }
}

impl From<Option<&MatchedPath>> for Route {
    fn from(path: Option<&MatchedPath>) -> Route {
        Route(path.map_or("unmatched", MatchedPath::as_str).to_owned())
    }
}

impl From<Option<ErrorKind>> for ErrorKindLabel {
    fn from(kind: Option<ErrorKind>) -> ErrorKindLabel {
        ErrorKindLabel(kind)
    }
}

impl From<StatusCode> for Code {
    fn from(code: StatusCode) -> Code {
        Code(code)
    }
}

impl From<Tier> for RanOn {
    fn from(tier: Tier) -> RanOn {
        match tier {
            Tier::Wasm => RanOn::Wasm,
            Tier::Docker => RanOn::Docker,
        }
    }
}

impl From<&Method> for MethodLabel {
    fn from(method: &Method) -> MethodLabel {
        match *method {
            Method::GET => MethodLabel::Get,
            Method::POST => MethodLabel::Post,
            Method::DELETE => MethodLabel::Delete,
            Method::HEAD => MethodLabel::Head,
            Method::OPTIONS => MethodLabel::Options,
            _ => MethodLabel::Other,
        }
    }
}

impl From<LimitHit> for LimitLabel {
    fn from(limit: LimitHit) -> LimitLabel {
        match limit {
            LimitHit::WallClock => LimitLabel::WallClock,
            LimitHit::Cpu => LimitLabel::Cpu,
            LimitHit::Memory => LimitLabel::Memory,
            LimitHit::DiskBytes => LimitLabel::DiskBytes,
            LimitHit::DiskFiles => LimitLabel::DiskFiles,
            LimitHit::Output => LimitLabel::Output,
            LimitHit::Stack => LimitLabel::Stack,
            LimitHit::Processes => LimitLabel::Processes,
        }
    }
}
