//! Containers that wait for their jobs.

use super::{block_on, job};
use crate::support::{
    docker::{Containers, docker},
    proxy::{Mode, Proxy},
};
use pyexec::{
    Job, Limits, Outcome, Project,
    executor::docker::{DockerOptions, Placement, PoolStats},
    outcome::Usage,
};
use std::time::{Duration, Instant};

/// An executor with a pool of the usual limits, once that is full; `None` without Docker.
pub(super) async fn pooled(size: u32, change: impl FnOnce(&mut DockerOptions)) -> Option<Containers> {
    let containers = Containers::new(|options| {
        options.pool = size;
        change(options);
    })?;
    idle(&containers, size).await;
    Some(containers)
}

/// Waits until as many containers wait, and no more are made.
pub(super) async fn idle(containers: &Containers, count: u32) -> PoolStats {
    let began = Instant::now();
    loop {
        let stats = containers.executor().pool_stats();
        if (stats.idle, stats.warming) == (count, 0) {
            return stats;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{stats:?} instead of {count} idle");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn usual(code: &str) -> Job {
    Job::code(code.to_owned()).limits(Limits { wall_clock_ms: 60_000, ..Limits::default() })
}

fn python(version: &str) -> Placement {
    let mut placement = Placement::default();
    placement.python = Some(version.to_owned());
    placement
}

/// For each process `p` that would become the job.
const FIND_FORK: &str = "import os\nfor p in filter(str.isdigit, os.listdir('/proc')):\n  \
    if open(f'/proc/{p}/oom_score_adj').read().strip() == '1000':\n";

/// Names of the containers that run.
fn names(containers: &Containers) -> Vec<String> {
    let label = format!("label=pyexec.instance={}", containers.instance);
    docker(&["ps", "--filter", &label, "--format", "{{.Names}}"]).lines().map(str::to_owned).collect()
}

#[test]
fn a_waiting_container_gives_the_outcome_of_a_fresh_one() {
    block_on(async {
        let Some(warm) = pooled(1, |_| ()).await else { return };
        let Some(cold) = Containers::new(|_| ()) else { return };
        let jobs: [fn() -> Job; 4] = [
            || {
                let code = "import os, sys\nprint(sys.argv, sys.orig_argv, sys.path, sys.flags, os.getcwd(), sorted(os.environ.items()))\n\
                    print(input(), sorted(sys.modules), [type(f).__name__ for f in sys.meta_path], file=sys.stderr)\n\
                    print(os.listdir('/proc/self/fd'), __name__, __file__, sorted(globals()))\nopen('made', 'w').write('x')\n6 * 7";
                usual(code)
                    .args(["a", "b"])
                    .env("SET", "é")
                    .stdin("typed\n")
                    .collect_files(true)
                    .want(pyexec::Want::LastExpression)
            },
            || usual("def f():\n    raise ValueError('no')\nf()\n"),
            || usual("import sys; sys.exit(3)"),
            || {
                usual(
                    "import os, resource; print(resource.getrlimit(resource.RLIMIT_DATA), os.getpid() > 1, os.getpgid(0) == os.getpid())",
                )
            },
        ];
        for (count, make) in jobs.into_iter().enumerate() {
            let stats = idle(&warm, 1).await;
            assert_eq!(stats.hits, count as u64);
            let strip = |mut outcome: Outcome| {
                outcome.usage = Usage::default();
                format!("{outcome:#?}")
            };
            let (warm, cold) = (warm.run(make()).await, cold.run(make()).await);
            assert_eq!(strip(warm), strip(cold));
        }
        assert_eq!((warm.executor().pool_stats().hits, warm.executor().pool_stats().misses), (4, 0));
        assert_eq!((cold.executor().pool_stats().hits, cold.executor().pool_stats().misses), (0, 4));
    });
}

#[test]
fn a_waiting_container_is_used_once() {
    block_on(async {
        let Some(containers) = pooled(1, |_| ()).await else { return };
        let leave = "import builtins, os, subprocess, sys, tempfile\n\
            builtins.poison = sys.modules['poison'] = 1\nos.environ['POISON'] = '1'\n\
            for folder in ('/tmp', '/work', '/dev/shm'): open(folder + '/poison', 'w').close()\n\
            subprocess.Popen(['sleep', '60'], start_new_session=True)";
        let look = "import builtins, glob, os, sys\n\
            print([f for d in ('/tmp', '/work', '/dev/shm') for f in os.listdir(d)], hasattr(builtins, 'poison'), 'poison' in sys.modules, 'POISON' in os.environ)\n\
            print([open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/cmdline') if b'sleep' in open(p, 'rb').read()])";
        for count in 1..4 {
            assert!(containers.run(usual(leave)).await.success());
            idle(&containers, 1).await;
            assert_eq!(containers.run(usual(look)).await.stdout.text, "['main.py'] False False False\n[]\n");
            assert_eq!(idle(&containers, 1).await.hits, 2 * count);
        }
    });
}

#[test]
fn a_burst_empties_the_pool_and_it_fills_again() {
    block_on(async {
        let Some(containers) = pooled(2, |_| ()).await else { return };
        let jobs = (0..4).map(|n| containers.run(usual(&format!("print({n})"))));
        for (n, outcome) in futures_util::future::join_all(jobs).await.into_iter().enumerate() {
            assert_eq!(outcome.stdout.text, format!("{n}\n"));
        }
        let stats = idle(&containers, 2).await;
        assert_eq!((stats.hits, stats.misses, stats.discarded), (2, 2, 0));
    });
}

#[test]
fn other_limits_and_other_places_start_cold() {
    block_on(async {
        let Some(containers) = pooled(1, |_| ()).await else { return };
        let outcome = containers.run(job("print(open('/proc/self/limits').read())")).await;
        assert!(outcome.success());
        let mut placement = Placement::default();
        placement.cpu_shares = Some(512);
        assert!(containers.placed(usual(""), placement).await.expect("an outcome").success());
        let stats = idle(&containers, 1).await;
        assert_eq!((stats.hits, stats.misses), (0, 2), "and there is no class for them");
        // What the daemon does not hold does not matter.
        let limits = Limits { wall_clock_ms: 1234, output_bytes: 10, ..Limits::default() };
        containers.run(Job::code("").limits(limits)).await;
        assert_eq!(containers.executor().pool_stats().hits, 1);
    });
}

#[test]
fn an_image_gets_a_class_after_its_first_use_for_a_while() {
    block_on(async {
        let idle_for = Duration::from_secs(4);
        let Some(containers) = pooled(1, |options| (options.pool_max, options.pool_idle) = (2, idle_for)).await else {
            return;
        };
        let version = || usual("import sys; print(sys.version_info[:2])");
        for (hits, misses) in [(0, 1), (1, 1)] {
            let outcome = containers.placed(version(), python("3.11")).await.expect("an outcome");
            assert_eq!(outcome.stdout.text, "(3, 11)\n");
            let stats = idle(&containers, 2).await;
            assert_eq!((stats.hits, stats.misses), (hits, misses));
        }
        // The one used last has the room. Another name of the same image would be the same class.
        let alias = format!("pyexec-test-alias:{}", containers.instance);
        let id = docker(&["create", "python:3.13-slim"]);
        docker(&["commit", "--change", "LABEL pyexec-test=alias", &id, &alias]);
        docker(&["rm", &id]);
        let mut placement = Placement::default();
        placement.image = Some(alias.clone());
        for hits in [1, 2] {
            assert!(containers.placed(version(), placement.clone()).await.expect("an outcome").success());
            assert_eq!(idle(&containers, 2).await.hits, hits);
        }
        // The default image's stays.
        let stats = idle(&containers, 1).await;
        assert_eq!((stats.hits, stats.misses, stats.discarded), (2, 2, 2), "{stats:?}");
        assert!(containers.placed(version(), python("3.13")).await.expect("an outcome").success());
        assert_eq!(containers.executor().pool_stats().hits, 3);
        drop(containers);
        docker(&["rmi", &alias]);
    });
}

#[test]
fn memory_bounds_the_pool() {
    block_on(async {
        let Some(containers) = Containers::new(|options| (options.pool, options.pool_memory_bytes) = (3, 100 << 20))
        else {
            return;
        };
        tokio::time::sleep(Duration::from_secs(3)).await;
        let stats = containers.executor().pool_stats();
        assert!(stats.warming == 0 && (1..3).contains(&stats.idle), "{stats:?}");
    });
}

#[test]
fn a_container_that_ended_while_it_waited_is_replaced() {
    block_on(async {
        let Some(containers) = pooled(1, |_| ()).await else { return };
        let kill = |containers: &Containers| docker(&["kill", names(containers).first().expect("one")]);
        // Found when a job comes, or before.
        kill(&containers);
        assert_eq!(containers.run(usual("print(1)")).await.stdout.text, "1\n");
        assert_eq!(idle(&containers, 1).await.discarded, 1);
        // Found although no job comes.
        kill(&containers);
        let began = Instant::now();
        while containers.executor().pool_stats().discarded < 2 {
            assert!(began.elapsed() < Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        idle(&containers, 1).await;
        // The process that would become the job, alone.
        let name = names(&containers).remove(0);
        docker(&[
            "exec",
            "--user",
            &user(&name),
            &name,
            "python3",
            "-c",
            // A process that is killed lives on until it is scheduled once more.
            &format!(
                "{FIND_FORK}    os.kill(int(p), 9)\n    while open(f'/proc/{{p}}/stat').read().split()[2] != 'Z': pass"
            ),
        ]);
        let hits = containers.executor().pool_stats().hits;
        assert_eq!(containers.run(usual("print(2)")).await.stdout.text, "2\n");
        assert_eq!(containers.executor().pool_stats().hits, hits + 1);
    });
}

#[test]
fn a_container_that_ends_before_it_starts_its_job_is_replaced_by_a_fresh_one() {
    block_on(async {
        let Some(containers) = pooled(1, |_| ()).await else { return };
        let name = names(&containers).remove(0);
        docker(&["pause", &name]);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            docker(&["unpause", &name]);
        };
        let outcome = tokio::join!(containers.run(usual("print(input())").stdin("typed")), killing).0;
        assert_eq!(outcome.stdout.text, "typed\n", "it was only slow");
        idle(&containers, 1).await;

        let name = names(&containers).remove(0);
        // It takes the job, and cannot start it.
        let stop_runner = format!("{FIND_FORK}    os.kill(int(open(f'/proc/{{p}}/stat').read().split()[3]), 19)");
        docker(&["exec", "--user", &user(&name), &name, "python3", "-c", &stop_runner]);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            docker(&["kill", &name]);
        };
        let job = Job::project(
            Project::files([("main.py", "print(input(), open('f').read())"), ("f", "x")]).expect("a project"),
        );
        let outcome = tokio::join!(containers.run(job.stdin("typed")), killing).0;
        assert_eq!(outcome.stdout.text, "typed x\n", "{outcome:#?}");
        let stats = idle(&containers, 1).await;
        assert_eq!((stats.hits, stats.misses), (2, 1));
    });
}

#[test]
fn a_daemon_with_faults_is_asked_less_and_less_and_the_pool_recovers() {
    let proxy = Proxy::start();
    block_on(async {
        let socket = proxy.socket().to_str().expect("a path").to_owned();
        let Some(containers) = pooled(2, |options| options.socket = socket).await else { return };
        for mode in [Mode::Fail, Mode::Drop, Mode::Cut] {
            let before = proxy.connections();
            proxy.set(mode);
            // One is there to be used, unless its connection was cut.
            let _ = containers.placed(usual("print(1)"), Placement::default()).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            let asked = proxy.connections() - before;
            assert!((1..60).contains(&asked), "{mode:?}: {asked} connections");
            proxy.set(Mode::PassOn);
            idle(&containers, 2).await;
            assert_eq!(containers.run(usual("print('well again')")).await.stdout.text, "well again\n");
            idle(&containers, 2).await;
        }
        containers.executor().shutdown().await.expect("shut down");
    });
}

#[test]
fn nothing_waits_after_the_end_whenever_that_comes() {
    // `Containers` checks it when it is dropped.
    for after_ms in [0, 30, 100, 200, 300, 500] {
        let Some(containers) = Containers::new(|options| options.pool = 3) else { return };
        std::thread::sleep(Duration::from_millis(after_ms));
        drop(containers);
    }
    block_on(async {
        let Some(containers) = pooled(2, |_| ()).await else { return };
        assert_eq!(containers.executor().sweep().await.expect("swept"), 0, "they are no leftovers");
        assert_eq!(containers.executor().pool_stats().idle, 2);
        // With one in use and its successor on its way.
        let running = containers.placed(usual("import time; time.sleep(60)"), Placement::default());
        let ending = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            containers.executor().shutdown().await
        };
        let (ran, ended) = tokio::join!(running, ending);
        ended.expect("shut down");
        assert!(ran.is_err() && containers.left().is_empty());
        assert_eq!(containers.executor().pool_stats().idle, 0);
    });
}

#[test]
fn jobs_dropped_at_any_moment_leave_the_pool_whole() {
    block_on(async {
        let Some(containers) = pooled(2, |options| options.slots = 4).await else { return };
        for wait in [0, 1, 3, 10, 40, 100, 300] {
            let jobs =
                futures_util::future::join_all((0..3).map(|_| containers.run(usual("import time; time.sleep(9)"))));
            let _ = tokio::time::timeout(Duration::from_millis(wait), jobs).await;
        }
        idle(&containers, 2).await;
        let began = Instant::now();
        while containers.left().len() > 2 {
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", containers.left());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(containers.run(usual("print(1)")).await.stdout.text, "1\n");
    });
}

/// Whom the container's processes belong to.
fn user(container: &str) -> String {
    docker(&["inspect", "--format", "{{.Config.User}}", container])
}
