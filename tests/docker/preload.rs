//! Modules that are imported before the job comes.

use super::{
    block_on,
    pool::{idle, pooled, usual},
};
use crate::support::docker::{Containers, image_with_packages};
use pyexec::{Job, Outcome, Project, outcome::LimitHit};

/// Whether there are modules that the job could have at once.
const PRELOADED: &str = "import sys\nprint(any(map(bool, getattr(sys.meta_path[0], 'hidden', []))))\n";

async fn with_packages() -> Option<Containers> {
    // Before the image is made, which needs Docker.
    drop(Containers::new(|_| ())?);
    pooled(1, |options| options.default_image = image_with_packages().to_owned()).await
}

/// On a waiting container.
async fn run(containers: &Containers, job: Job) -> Outcome {
    let before = idle(containers, 1).await.hits;
    let outcome = containers.run(job).await;
    assert_eq!(containers.executor().pool_stats().hits, before + 1);
    outcome
}

async fn stdout(containers: &Containers, job: Job) -> String {
    let outcome = run(containers, job).await;
    assert!(outcome.success(), "{outcome:#?}");
    outcome.stdout.text
}

#[test]
fn preloaded_modules_are_out_of_sight_until_they_are_imported() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        let code = "import sys\nprint([name for name in sys.modules if name.partition('.')[0] in ('numpy', 'pandas', 'dateutil')])\n\
            import time; began = time.perf_counter()\n\
            import numpy\ntook = time.perf_counter() - began\n\
            import importlib.util\n\
            print(took < 0.015, numpy.__spec__.name, type(numpy.__loader__).__name__, sys.modules['numpy.linalg'] is numpy.linalg, 'pandas' in sys.modules)\n\
            import pandas as pd\n\
            print(pd.DataFrame({'a': [1, 2, 3]}).a.sum(), type(pd.Series([1]).values) is numpy.ndarray, importlib.util.find_spec('pandas.io').name)\n\
            import dateutil.parser\nprint(dateutil.parser.parse('2020-01-02').day)";
        let seen = stdout(&containers, usual(&format!("{PRELOADED}{code}"))).await;
        assert_eq!(seen, "True\n[]\nTrue numpy SourceFileLoader True False\n6 True pandas.io\n2\n");
        // The other way in.
        let code = "import pandas, sys\nprint('numpy' in sys.modules, pandas.Timestamp('2020-01-02').day)";
        assert_eq!(stdout(&containers, usual(code)).await, "True 2\n");
        let code = "from numpy.linalg import norm\nprint(norm([3, 4]))";
        assert_eq!(stdout(&containers, usual(code)).await, "5.0\n");
    });
}

#[test]
fn a_variable_that_modules_read_at_import_has_its_effect() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        let code = format!("{PRELOADED}import numpy, os\nprint(len(os.listdir('/proc/self/task')))");
        let job = || usual(&code);
        assert_eq!(stdout(&containers, job().env("OPENBLAS_NUM_THREADS", "1")).await, "False\n1\n");
        assert_eq!(stdout(&containers, job().env("OPENBLAS_NUM_THREADS", "2")).await, "False\n2\n");
        for name in ["PYTHONHASHSEED", "LC_ALL", "TZ", "MPLBACKEND", "PANDAS_COPY_ON_WRITE"] {
            assert!(stdout(&containers, job().env(name, "1")).await.starts_with("False\n"), "{name}");
        }
        assert!(stdout(&containers, job().env("API_KEY", "1")).await.starts_with("True\n"));
    });
}

#[test]
fn own_modules_win_over_preloaded_ones() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        for own in ["numpy.py", "numpy/__init__.py", "decimal.py", "lib/numbers.py"] {
            let module = own.split('/').find(|part| *part != "lib").expect("a name").trim_end_matches(".py");
            let code = format!("{PRELOADED}sys.path.insert(0, 'lib')\nimport {module}\nprint({module}.OWN)");
            let project = Project::files([("main.py", code), (own, "OWN = 1".to_owned())]).expect("a project");
            assert_eq!(stdout(&containers, Job::project(project)).await, "False\n1\n", "{own}");
        }
        // Not a module, but read at import.
        let code = format!("{PRELOADED}import matplotlib\nprint(matplotlib.rcParams['lines.linewidth'])");
        let files = [("main.py", code), ("matplotlibrc", "lines.linewidth: 7\n".to_owned())];
        let project = Project::files(files).expect("a project");
        assert_eq!(stdout(&containers, Job::project(project)).await, "False\n7.0\n");
    });
}

#[test]
fn jobs_with_preloaded_modules_do_not_draw_the_same_random_numbers() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        let code = "import numpy, os, random\nprint(random.random(), numpy.random.rand(), numpy.random.default_rng().random())";
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..3 {
            let text = stdout(&containers, usual(code)).await;
            seen.extend(text.split_whitespace().map(str::to_owned));
        }
        assert_eq!(seen.len(), 9, "{seen:?}");
    });
}

#[test]
fn preloaded_modules_compute_in_threads_and_in_forks() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        let code = "import multiprocessing, numpy, os\n\
            def product(n):\n\
            \x20   a = numpy.arange(n * n, dtype=float).reshape(n, n) % 7\n\
            \x20   return int((a @ a).sum()) == int((a.sum(axis=0) * a.sum(axis=1)).sum())\n\
            print(product(600))\n\
            with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map(product, [300, 400]))\n\
            print(len(os.listdir('/proc/self/task')) - 3 <= len(os.sched_getaffinity(0)))";
        assert_eq!(stdout(&containers, usual(code)).await, "True\n[True, True]\nTrue\n");
    });
}

#[test]
fn memory_is_limited_with_preloaded_modules_and_none_of_it_is_theirs() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        // The limit is 1 GiB.
        let code = |mib: u32| usual(&format!("{PRELOADED}x = bytearray({mib} << 20)\nprint(len(x) >> 20)"));
        assert_eq!(stdout(&containers, code(980)).await, "True\n980\n");
        let outcome = run(&containers, code(1030)).await;
        assert_eq!(outcome.exception.map(|exception| exception.kind).as_deref(), Some("MemoryError"));
        assert_eq!(outcome.limits_hit, [LimitHit::Memory]);
        let outcome = run(&containers, usual("import numpy\nnumpy.ones(2 << 27)")).await;
        assert_eq!(outcome.limits_hit, [LimitHit::Memory], "{outcome:#?}");
    });
}

#[test]
fn a_module_that_cannot_be_preloaded_is_no_trouble() {
    block_on(async {
        for bad in [vec!["no_such_module"], vec!["numpy.no_such"], vec!["antigravity_", "numpy"], vec!["this"]] {
            let preload: Vec<_> = bad.iter().map(|name| (*name).to_owned()).collect();
            let Some(containers) = pooled(1, |options| options.preload = preload).await else { return };
            assert_eq!(stdout(&containers, usual("print('hello')")).await, "hello\n", "{bad:?}");
        }
    });
}

#[test]
fn time_spent_on_preloading_is_not_the_jobs() {
    block_on(async {
        let Some(containers) = with_packages().await else { return };
        let outcome = run(&containers, usual("import pandas")).await;
        assert!(outcome.usage.cpu_us < 100_000, "{:?}", outcome.usage);
    });
}
