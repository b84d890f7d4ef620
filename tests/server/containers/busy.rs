//! Slots, the pool, and the numbers that an operator sees.

use super::{SLEEP, Site};
use crate::server::support::until;
use serde_json::json;
use std::{
    thread,
    time::{Duration, Instant},
};

#[test]
fn containers_have_slots_of_their_own() {
    let settings = [("PYEXEC_DOCKER_SLOTS", "1"), ("PYEXEC_SLOTS", "2"), ("PYEXEC_QUEUE", "1")];
    let Some(site) = Site::start(&settings) else { return };
    let running = site.sleeper();
    let waiting = site.submit_with("print('waited')", &json!({"executor": "docker"}));
    until("it waits", || (site.metric("pyexec_queue_length{tier=\"docker\"}") == Some(1.0)).then_some(()));
    let refused = site.post_json("/api/v1/eval", &json!({"code": "1", "executor": "docker"}));
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")), "{}", refused.text());
    assert_eq!(refused.error(), "all 1 slots are busy and 1 executions wait: try again later");
    assert_eq!(site.metric("pyexec_rejected_total{reason=\"queue_full\"}"), Some(1.0));
    // Short jobs do not notice.
    let mut times: Vec<_> = (0..50)
        .map(|_| {
            let began = Instant::now();
            let result = site.eval(&json!({"code": "print(1)"}));
            assert_eq!((&result["executor"], &result["stdout"]), (&json!("wasm"), &json!("1\n")), "{result}");
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[25] < Duration::from_millis(100), "{times:?}");
    // One that has to change its tier is not turned away any more: it waits for its turn, as long as it has time.
    let hidden = "import threading\ngetattr(threading, 'Thr' + 'ead')(target=print).start()";
    let result = site.eval(&json!({"code": hidden, "config": {"timeout_seconds": 1}}));
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("queue_timeout")), "{result}");

    assert_eq!(site.get(&format!("/api/v1/executions/{waiting}")).json()["status"], "pending");
    assert_eq!(site.delete(&format!("/api/v1/executions/{running}")).json()["status"], "killed");
    let result = site.result_of(&waiting);
    assert_eq!((&result["status"], &result["stdout"]), (&json!("completed"), &json!("waited\n")), "{result}");
}

#[test]
fn the_time_in_the_queue_counts_for_who_waits() {
    let Some(site) = Site::start(&[("PYEXEC_DOCKER_SLOTS", "1")]) else { return };
    let running = site.sleeper();
    let began = Instant::now();
    let request = json!({"code": "1", "executor": "docker", "config": {"timeout_seconds": 1}});
    let result = site.eval(&request);
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("queue_timeout")), "{result}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    site.delete(&format!("/api/v1/executions/{running}"));
}

#[test]
fn health_and_metrics_know_both_tiers() {
    let Some(site) = Site::start(&[("PYEXEC_POOL", "1"), ("PYEXEC_SLOTS", "3"), ("PYEXEC_DOCKER_SLOTS", "2")]) else {
        return;
    };
    let idle = |count: f64| {
        until("the pool is full", || {
            let ready = site.metric("pyexec_pool_containers{state=\"ready\"}");
            (ready == Some(count) && site.metric("pyexec_pool_containers{state=\"warming\"}") == Some(0.0))
                .then_some(())
        });
    };
    idle(1.0);
    let health = site.get("/health").json();
    let of = |field: &str| health[field].clone();
    assert_eq!((of("status"), of("executors"), of("docker")), (json!("ok"), json!(["wasm", "docker"]), json!("ready")));
    assert_eq!((of("slots"), of("busy"), of("queued")), (json!(5), json!(0), json!(0)), "{health}");

    let began = Instant::now();
    site.in_docker(json!({"code": "print(1)"}));
    let warm = began.elapsed();
    idle(1.0);
    // Other limits than those of the pool.
    site.in_docker(json!({"code": "print(1)", "config": {"memory_mb": 100}}));
    site.eval(&json!({"code": "print(1)"}));
    for (name, value) in [
        ("pyexec_slots{tier=\"wasm\"}", 3.0),
        ("pyexec_slots{tier=\"docker\"}", 2.0),
        ("pyexec_slots_busy{tier=\"docker\"}", 0.0),
        ("pyexec_queue_length{tier=\"docker\"}", 0.0),
        ("pyexec_pool_starts_total{from=\"pool\"}", 1.0),
        ("pyexec_pool_starts_total{from=\"cold\"}", 1.0),
        ("pyexec_executions_total{tier=\"docker\",status=\"completed\",error_kind=\"none\"}", 2.0),
        ("pyexec_executions_total{tier=\"wasm\",status=\"completed\",error_kind=\"none\"}", 1.0),
        ("pyexec_execution_duration_seconds_count{tier=\"docker\"}", 2.0),
        ("pyexec_replays_total", 0.0),
    ] {
        assert_eq!(site.metric(name), Some(value), "{name}");
    }
    // A tenth of what a container takes to start, and much on a machine that is busy.
    assert!(warm < Duration::from_millis(300), "{warm:?}");

    let sleeping = site.submit_with(&SLEEP.replace("SECONDS", "600"), &json!({"executor": "docker"}));
    site.has_printed(&sleeping);
    assert_eq!(site.get("/health").json()["busy"], 1);
    assert_eq!(site.metric("pyexec_slots_busy{tier=\"docker\"}"), Some(1.0));
    site.delete(&format!("/api/v1/executions/{sleeping}"));
}

#[test]
fn many_at_once_share_the_slots_and_all_end() {
    let Some(site) = Site::start(&[("PYEXEC_POOL", "1"), ("PYEXEC_DOCKER_SLOTS", "2")]) else { return };
    thread::scope(|scope| {
        for n in 0..8 {
            let site = &site;
            scope.spawn(move || {
                let result = site.in_docker(json!({"code": format!("print({n})")}));
                assert_eq!(result["stdout"], format!("{n}\n"), "{result}");
            });
        }
    });
}
