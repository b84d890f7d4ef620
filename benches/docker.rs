//! The Docker tier, side by side with `docker run` of the same image.

use super::{Bench, Runtime, percentile, timed};
use pyexec::{
    Event, Job,
    executor::{
        self, Provisioned, Run,
        docker::{DockerExecutor, DockerOptions, Placement},
    },
};
use std::{
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

const IMAGE: &str = "python:3.13-slim";
const NUMPY: &str = "pyexec-bench-numpy:1";
const HELLO: &str = "print(1)\n";
const ROUNDS: usize = 25;

pub(crate) fn docker(bench: &Bench) {
    let runtime = &bench.runtime;
    let warm = Executor::start(2, IMAGE);
    let cold = Executor::start(0, IMAGE);
    let (mut plain, mut fresh, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    plain_run();
    cold.run(runtime, HELLO);
    // In turn, so that a change of the machine's speed meets all.
    for _ in 0..ROUNDS {
        plain.push(plain_run());
        fresh.push(cold.run(runtime, HELLO));
        warm.full();
        waiting.push(warm.run(runtime, HELLO));
    }
    let plain = percentile(&mut plain, 50);
    let (fresh_50, fresh_99) = (percentile(&mut fresh, 50), percentile(&mut fresh, 99));
    let (waiting_50, waiting_99) = (percentile(&mut waiting, 50), percentile(&mut waiting, 99));
    println!("| what | aim | measured |\n|---|---|---|");
    println!("| `docker run --rm {IMAGE} python3 -c 'print(1)'`, p50 | – | {plain:.0} ms |");
    println!("| hello in a waiting container, p50 | ≤ 6 ms | {waiting_50:.1} ms (p99 {waiting_99:.1} ms) |");
    println!("| the same against `docker run` | ≥ 60 × faster | {:.0} × |", plain / waiting_50);
    println!(
        "| cold start, no pool, against `docker run`, p50 | ≤ 1.2 × | {:.2} × ({fresh_50:.0} ms) |",
        fresh_50 / plain
    );

    let mut burst = Vec::new();
    for _ in 0..10 {
        warm.full();
        burst.extend(warm.burst(runtime, 3));
    }
    let burst_99 = percentile(&mut burst, 99);
    println!(
        "| burst of pool + 1 jobs, p99, against a cold start's | ≤ 1.3 × | {:.2} × ({burst_99:.0} ms) |",
        burst_99 / fresh_99
    );
    for rate in [3, 4] {
        let (mut times, took) = warm.sustained(runtime, rate, Duration::from_secs(15));
        println!(
            "| sustained, pool refilling, {rate} jobs/s asked | ≥ 3 jobs/s, no errors | {:.1} jobs/s, 0 errors; p50 {:.0} ms, p99 {:.0} ms |",
            times.len() as f64 / took.as_secs_f64(),
            percentile(&mut times, 50),
            percentile(&mut times, 99)
        );
    }
    drop((warm, cold));
    numpy(runtime);
    routing(bench);
}

/// From a job to its plan: parsing, needs, route.
pub(crate) fn routing(bench: &Bench) {
    let script = [
        include_str!("../tests/programs/algo_calculator_tokenizer.py"),
        include_str!("../tests/programs/algo_recursive_classics.py"),
    ]
    .concat();
    let lines = script.lines().count();
    let mut times: Vec<_> = (0..1000)
        .map(|_| {
            let job = Job::code(script.clone());
            let began = Instant::now();
            bench.runtime.block_on(bench.pyexec.plan(job)).expect("a plan");
            began.elapsed()
        })
        .collect();
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!("| routing decision for a script of {lines} lines, p50 | ≤ 0.2 ms | {p50:.3} ms (p99 {p99:.3} ms) |");
}

fn numpy(runtime: &Runtime) {
    make_image();
    let preloaded = Executor::start(1, NUMPY);
    let warm = Executor::new(|options| {
        (options.pool, options.default_image, options.preload) = (1, NUMPY.to_owned(), Vec::new());
    });
    let code = "import numpy\n";
    for (executor, what, aim) in
        [(&warm, "waiting container", 150), (&preloaded, "waiting container that has imported it", 15)]
    {
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|_| {
                executor.full();
                executor.run(runtime, code)
            })
            .collect();
        let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
        println!("| `import numpy` in a {what}, p50 | ≤ {aim} ms | {p50:.1} ms (p99 {p99:.1} ms) |");
    }
    preloaded.full();
    let hello = preloaded.run(runtime, HELLO).as_secs_f64() * 1000.0;
    println!("| hello in the latter | – | {hello:.1} ms |");
}

fn plain_run() -> Duration {
    timed(Command::new("docker").args(["run", "--rm", IMAGE, "python3", "-c", "print(1)"])).0
}

/// Kept for the next run: `docker rmi` removes it.
fn make_image() {
    let docker = |args: &[&str]| timed(Command::new("docker").args(args)).1.trim().to_owned();
    if docker(&["images", "--quiet", NUMPY]).is_empty() {
        let install = "pip install --quiet --no-cache-dir --target /environment numpy";
        let id = docker(&["create", "--label", "pyexec-bench=numpy", IMAGE, "sh", "-c", install]);
        docker(&["start", "--attach", &id]);
        docker(&["commit", &id, NUMPY]);
        docker(&["rm", &id]);
    }
}

struct Executor {
    executor: DockerExecutor,
    pool: u32,
}

impl Executor {
    fn start(pool: u32, image: &str) -> Executor {
        Executor::new(|options| (options.pool, options.default_image) = (pool, image.to_owned()))
    }

    fn new(change: impl FnOnce(&mut DockerOptions)) -> Executor {
        let mut options = DockerOptions::default();
        change(&mut options);
        let pool = options.pool;
        Executor { executor: DockerExecutor::connect(options).expect("Docker"), pool }
    }

    async fn timed(&self, code: &str) -> Duration {
        let began = Instant::now();
        let job = Job::code(code.to_owned()).resolve().expect("a job");
        let prepared = self.executor.prepare(&Placement::default(), Arc::new(|_| ())).await.expect("prepared");
        let nobody = Box::new(|_: Event<'_>| ());
        let ran = executor::run(&self.executor, Provisioned::docker(prepared), job, None, nobody).await;
        let outcome = ran.and_then(Run::outcome).expect("an outcome");
        let took = began.elapsed();
        assert!(outcome.success(), "{outcome:#?}");
        took
    }

    fn run(&self, runtime: &Runtime, code: &str) -> Duration {
        runtime.block_on(self.timed(code))
    }

    /// Waits until the pool is full, and what was used is gone.
    fn full(&self) {
        while self.executor.pool_stats().idle < self.pool {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
    }

    fn burst(&self, runtime: &Runtime, jobs: usize) -> Vec<Duration> {
        runtime.block_on(futures_util::future::join_all((0..jobs).map(|_| self.timed(HELLO))))
    }

    /// So many jobs each second, whether or not earlier ones have ended.
    fn sustained(&self, runtime: &Runtime, rate: u32, span: Duration) -> (Vec<Duration>, Duration) {
        self.full();
        let began = Instant::now();
        let jobs = (0..rate * span.as_secs() as u32).map(|n| async move {
            tokio::time::sleep(Duration::from_secs(n.into()) / rate).await;
            self.timed(HELLO).await
        });
        let times = runtime.block_on(futures_util::future::join_all(jobs));
        (times, began.elapsed())
    }
}
