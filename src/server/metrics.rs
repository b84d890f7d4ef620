//! Numbers for Prometheus.

mod labels;
mod process;

pub(crate) use self::labels::RejectReason;
use self::{
    labels::{
        ExecutionLabels, HttpLabels, LimitLabels, PackageLabels, PoolLabels, PoolState, RanOn, RejectLabels, Route,
        RouteLabels, Taken, TakenLabels, TierLabels,
    },
    process::Process,
};
use super::executions::End;
use crate::{executor::docker::PoolStats, outcome::Tier, scheduler::Load};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::text,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use std::{
    iter,
    sync::Arc,
    time::{Duration, Instant},
};

/// Of what [`Metrics::encode`] gives.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is counted and measured. Share it in an [`Arc`].
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    executions: Family<ExecutionLabels, Counter>,
    execution_durations: Family<TierLabels, Histogram>,
    queue_waits: Histogram,
    http_requests: Family<HttpLabels, Counter>,
    http_durations: Family<RouteLabels, Histogram>,
    limits_hit: Family<LimitLabels, Counter>,
    rejected: Family<RejectLabels, Counter>,
    slots: Family<TierLabels, Gauge>,
    slots_busy: Family<TierLabels, Gauge>,
    queue_length: Family<TierLabels, Gauge>,
    replays: Counter,
    pool_containers: Family<PoolLabels, Gauge>,
    pool_taken: Family<TakenLabels, Counter>,
    packages: Family<PackageLabels, Counter>,
    results_kept: Gauge,
    results_bytes: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::default(),
            executions: Family::default(),
            execution_durations: Family::new_with_constructor(durations),
            queue_waits: durations(),
            http_requests: Family::default(),
            http_durations: Family::new_with_constructor(durations),
            limits_hit: Family::default(),
            rejected: Family::default(),
            slots: Family::default(),
            slots_busy: Family::default(),
            queue_length: Family::default(),
            replays: Counter::default(),
            pool_containers: Family::default(),
            pool_taken: Family::default(),
            packages: Family::default(),
            results_kept: Gauge::default(),
            results_bytes: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    /// Registers all; names get their endings (`_total`, `_seconds`, `_info`) from type and unit.
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("python", crate::PYTHON_VERSION)]);
        registry.register("pyexec_build", "Version of the server and of Python in its wasm tier", build);
        registry.register("pyexec_executions", "Executions that ended", self.executions.clone());
        registry.register_with_unit(
            "pyexec_execution_duration",
            "From an execution's start to its end, without the queue",
            Unit::Seconds,
            self.execution_durations.clone(),
        );
        registry.register_with_unit(
            "pyexec_queue_wait",
            "From an execution's arrival to its start",
            Unit::Seconds,
            self.queue_waits.clone(),
        );
        registry.register("pyexec_http_requests", "Requests that were answered", self.http_requests.clone());
        registry.register_with_unit(
            "pyexec_http_request_duration",
            "From a request's headers to its answer's headers",
            Unit::Seconds,
            self.http_durations.clone(),
        );
        registry.register("pyexec_slots", "Executions that can run at the same time", self.slots.clone());
        registry.register("pyexec_slots_busy", "Executions that run", self.slots_busy.clone());
        registry.register("pyexec_queue_length", "Executions that wait for a slot", self.queue_length.clone());
        registry.register(
            "pyexec_replays",
            "Executions run again, in a container or with more packages",
            self.replays.clone(),
        );
        let ready = self.pool_containers.clone();
        registry.register("pyexec_pool_containers", "Containers kept for the next jobs", ready);
        let taken = self.pool_taken.clone();
        registry.register(
            "pyexec_pool_starts",
            "Containers that jobs got, by where from, and those thrown away",
            taken,
        );
        registry.register(
            "pyexec_environments",
            "Environments that were asked for and not in use before: ready, or why not",
            self.packages.clone(),
        );
        registry.register("pyexec_limits_hit", "Limits that executions ran into", self.limits_hit.clone());
        registry.register("pyexec_rejected", "Requests that were turned away", self.rejected.clone());
        registry.register("pyexec_results_kept", "Executions kept in memory", self.results_kept.clone());
        registry.register_with_unit(
            "pyexec_results",
            "Memory of the executions that are kept",
            Unit::Bytes,
            self.results_bytes.clone(),
        );
        registry.register_collector(Box::new(Process));
    }

    /// Renders all metrics as OpenMetrics text of type [`CONTENT_TYPE`].
    pub(crate) fn encode(&self) -> String {
        let mut encoded = String::new();
        if let Err(error) = text::encode(&mut encoded, &self.registry) {
            // Writing to a string does not fail, and none of the metrics does.
            tracing::error!(%error, "cannot encode metrics");
        }
        encoded
    }

    /// Counts an execution that ended, having run on a tier or not.
    pub(crate) fn execution_ended(&self, end: &End) {
        let tier = end.tier.map_or(RanOn::Nothing, RanOn::from);
        let labels = ExecutionLabels { tier, status: end.status, error_kind: end.error_kind.into() };
        self.executions.get_or_create(&labels).inc();
        if tier != RanOn::Nothing {
            let seconds = Duration::from_micros(end.usage.wall_us).as_secs_f64();
            self.execution_durations.get_or_create(&TierLabels { tier }).observe(seconds);
        }
        for &limit in &end.limits_hit {
            self.limits_hit.get_or_create(&LimitLabels { limit: limit.into() }).inc();
        }
    }

    /// Counts an execution that left the queue for a slot.
    pub(crate) fn queue_left(&self, waited: Duration) {
        self.queue_waits.observe(waited.as_secs_f64());
    }

    /// Counts a request that was turned away. Those with a [`RejectReason`] in their answer's extensions are counted by
    /// [`count_requests`].
    pub(crate) fn rejected(&self, reason: RejectReason) {
        self.rejected.get_or_create(&RejectLabels { reason }).inc();
    }

    /// Counts an execution that is run again on another tier.
    pub(crate) fn replayed(&self) {
        self.replays.inc();
    }

    /// Sets how busy a tier is.
    pub(crate) fn set_load(&self, tier: Tier, load: Load) {
        let labels = TierLabels { tier: tier.into() };
        self.slots.get_or_create(&labels).set(count(load.slots));
        self.slots_busy.get_or_create(&labels).set(count(load.busy));
        self.queue_length.get_or_create(&labels).set(count(load.queued));
    }

    /// Sets how many containers are kept ready.
    pub(crate) fn set_pool(&self, stats: &PoolStats) {
        for (state, containers) in [(PoolState::Ready, stats.idle), (PoolState::Warming, stats.warming)] {
            self.pool_containers.get_or_create(&PoolLabels { state }).set(containers.into());
        }
        let taken = [(Taken::Pool, stats.hits), (Taken::Cold, stats.misses), (Taken::Discarded, stats.discarded)];
        for (from, total) in taken {
            let counter = self.pool_taken.get_or_create(&TakenLabels { from });
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }

    /// Sets what came of making packages ready, as the service has counted it.
    pub(crate) fn set_packages(&self, counts: &[(Tier, &'static str, u64)]) {
        for &(tier, result, total) in counts {
            let counter = self.packages.get_or_create(&PackageLabels { tier: tier.into(), result });
            counter.inc_by(total.saturating_sub(counter.get()));
        }
    }

    /// Sets what the store keeps: executions, and the bytes that they take.
    pub(crate) fn set_results(&self, kept: usize, bytes: usize) {
        self.results_kept.set(count(kept));
        self.results_bytes.set(count(bytes));
    }
}

/// Middleware: counts and times requests by the route that they matched. Belongs on the router that has the routes
/// ([`axum::Router::layer`]), outside of what refuses requests.
pub(crate) async fn count_requests(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = Route::from(request.extensions().get::<MatchedPath>());
    let method = request.method().into();
    let response = next.run(request).await;
    let seconds = start.elapsed().as_secs_f64();
    metrics.http_durations.get_or_create(&RouteLabels { route: route.clone() }).observe(seconds);
    metrics.http_requests.get_or_create(&HttpLabels { route, method, code: response.status().into() }).inc();
    if let Some(&reason) = response.extensions().get::<RejectReason>() {
        metrics.rejected(reason);
    }
    response
}

/// Makes a histogram from 0.1 ms to 300 s.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 22).chain(iter::once(300.0)))
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::{LimitHit, Tier, Usage},
        server::{
            api::{ErrorKind, Status},
            executions::samples::end,
        },
    };
    use axum::{
        Router, body::Body, http::Method, middleware::from_fn_with_state, response::IntoResponse, routing::get,
    };
    use tower::ServiceExt;

    #[test]
    fn executions_are_counted_and_timed_by_tier() {
        let metrics = Metrics::new();
        metrics.execution_ended(&end("x"));
        metrics.execution_ended(&End {
            status: Status::Failed,
            error_kind: Some(ErrorKind::TimeLimit),
            limits_hit: vec![LimitHit::WallClock],
            usage: Usage { wall_us: 1_000_000_000, ..Usage::default() },
            ..end("x")
        });
        metrics.execution_ended(&End {
            tier: None,
            status: Status::Killed,
            error_kind: Some(ErrorKind::Killed),
            ..end("x")
        });
        has(&metrics, "pyexec_executions_total{tier=\"wasm\",status=\"completed\",error_kind=\"none\"} 1");
        has(&metrics, "pyexec_executions_total{tier=\"wasm\",status=\"failed\",error_kind=\"time_limit\"} 1");
        has(&metrics, "pyexec_executions_total{tier=\"none\",status=\"killed\",error_kind=\"killed\"} 1");
        has(&metrics, "pyexec_limits_hit_total{limit=\"wall_clock\"} 1");
        has(&metrics, "pyexec_execution_duration_seconds_bucket{le=\"0.0001\",tier=\"wasm\"} 0");
        has(&metrics, "pyexec_execution_duration_seconds_bucket{le=\"0.0002\",tier=\"wasm\"} 1");
        has(&metrics, "pyexec_execution_duration_seconds_bucket{le=\"300.0\",tier=\"wasm\"} 1");
        has(&metrics, "pyexec_execution_duration_seconds_bucket{le=\"+Inf\",tier=\"wasm\"} 2");
        assert!(!metrics.encode().contains("pyexec_execution_duration_seconds_count{tier=\"none\"}"));
    }

    #[test]
    fn gauges_and_counters_have_their_names() {
        let metrics = Metrics::new();
        metrics.set_load(Tier::Wasm, Load { slots: 2, busy: 2, queued: 1 });
        metrics.replayed();
        metrics.set_pool(&PoolStats { idle: 2, warming: 1, hits: 7, misses: 3, discarded: 0 });
        metrics.set_pool(&PoolStats { idle: 1, warming: 1, hits: 9, misses: 3, discarded: 0 });
        metrics.set_packages(&[(Tier::Wasm, "ready", 2), (Tier::Wasm, "no_wheel", 1)]);
        metrics.set_packages(&[(Tier::Wasm, "ready", 5)]);
        metrics.set_results(7, 9000);
        metrics.rejected(RejectReason::QueueFull);
        metrics.queue_left(Duration::from_millis(3));
        for line in [
            "pyexec_slots{tier=\"wasm\"} 2",
            "pyexec_slots_busy{tier=\"wasm\"} 2",
            "pyexec_queue_length{tier=\"wasm\"} 1",
            "pyexec_replays_total 1",
            "pyexec_pool_containers{state=\"ready\"} 1",
            "pyexec_pool_starts_total{from=\"pool\"} 9",
            "pyexec_pool_starts_total{from=\"cold\"} 3",
            "pyexec_environments_total{tier=\"wasm\",result=\"ready\"} 5",
            "pyexec_environments_total{tier=\"wasm\",result=\"no_wheel\"} 1",
            "pyexec_results_kept 7",
            "pyexec_results_bytes 9000",
            "pyexec_rejected_total{reason=\"queue_full\"} 1",
            "pyexec_queue_wait_seconds_count 1",
        ] {
            has(&metrics, line);
        }
        let build = format!(
            "pyexec_build_info{{version=\"{}\",python=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION"),
            crate::PYTHON_VERSION
        );
        has(&metrics, &build);
    }

    #[test]
    fn the_text_ends_as_open_metrics_has_to() {
        assert!(Metrics::new().encode().ends_with("# EOF\n"));
    }

    #[test]
    fn the_process_is_looked_at_when_asked() {
        let metrics = Metrics::new();
        assert!(value(&metrics, "process_resident_memory_bytes ") > 1e6);
        let files: Vec<_> = (0..200).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        assert!(value(&metrics, "process_open_fds ") >= 200.0);
        drop(files);
    }

    #[tokio::test]
    async fn requests_are_counted_by_route_and_never_by_path() {
        let metrics = Arc::new(Metrics::new());
        for (method, path) in [("GET", "/things/1"), ("GET", "/things/2"), ("GET", "/nothing/3"), ("BREW", "/things/4")]
        {
            call(&metrics, method, path).await;
        }
        has(&metrics, "pyexec_http_requests_total{route=\"/things/{id}\",method=\"GET\",code=\"200\"} 2");
        has(&metrics, "pyexec_http_requests_total{route=\"/things/{id}\",method=\"other\",code=\"405\"} 1");
        has(&metrics, "pyexec_http_requests_total{route=\"unmatched\",method=\"GET\",code=\"404\"} 1");
        has(&metrics, "pyexec_http_request_duration_seconds_count{route=\"/things/{id}\"} 3");
        assert!(!metrics.encode().contains("nothing"));
    }

    #[tokio::test]
    async fn a_reason_in_an_answer_is_counted() {
        let metrics = Arc::new(Metrics::new());
        call(&metrics, "GET", "/full").await;
        has(&metrics, "pyexec_rejected_total{reason=\"queue_full\"} 1");
    }

    async fn call(metrics: &Arc<Metrics>, method: &str, path: &str) {
        async fn full() -> Response {
            let mut response = ().into_response();
            response.extensions_mut().insert(RejectReason::QueueFull);
            response
        }
        let router = Router::new()
            .route("/things/{id}", get(|| async {}))
            .route("/full", get(full))
            .layer(from_fn_with_state(Arc::clone(metrics), count_requests));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        router.oneshot(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await.unwrap();
    }

    fn has(metrics: &Metrics, line: &str) {
        let encoded = metrics.encode();
        assert!(encoded.lines().any(|l| l == line), "no line `{line}` in:\n{encoded}");
    }

    fn value(metrics: &Metrics, name: &str) -> f64 {
        let encoded = metrics.encode();
        encoded.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    }
}
