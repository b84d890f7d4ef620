use super::*;
use crate::{
    Job, Outcome, Project,
    executor::{
        run_in_wasm,
        wasm::{WasmExecutor, WasmOptions},
    },
    pack::{Pack, Packed, SITE_PACKAGES},
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns packages without bytecode.
fn packages(files: &[(&str, &str)], modules: &[&str]) -> Packages {
    let file = |(path, content): &(&str, &str)| Packed {
        path: format!("{SITE_PACKAGES}{path}"),
        content: content.as_bytes().to_vec(),
        code: Vec::new(),
    };
    let bytes = Pack::build(files.iter().map(file).collect()).unwrap();
    let id = hex(&Sha256::digest(&bytes));
    Packages::new(&id, Pack::open(bytes.into()).unwrap(), modules.iter().map(|&name| name.to_owned()).collect())
}

/// With a cache of its own for what is baked, but for the interpreter, which is copied from the usual one.
struct Kitchen {
    executor: WasmExecutor,
    folder: tempfile::TempDir,
}

impl Kitchen {
    fn new() -> Kitchen {
        drop(WasmExecutor::new(&WasmOptions::default(), &|_| ()).unwrap());
        let usual = crate::cache::usual_folder("images").unwrap();
        let folder = tempfile::tempdir().unwrap();
        crate::cache::private_folder(&folder.path().join("cache")).unwrap();
        for entry in std::fs::read_dir(usual).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("python-") {
                std::fs::copy(entry.path(), folder.path().join("cache").join(entry.file_name())).unwrap();
            }
        }
        let options = WasmOptions { cache_folder: Some(folder.path().join("cache")), ..WasmOptions::default() };
        Kitchen { executor: WasmExecutor::new(&options, &|_| ()).unwrap(), folder }
    }

    async fn bake(&self, packages: &Packages) -> Arc<Baked> {
        self.executor.bakery.bake(packages, |_| ()).await.unwrap()
    }

    async fn run(&self, job: Job, packages: &Packages) -> Outcome {
        run_in_wasm(&self.executor, job, Some(packages)).await
    }

    async fn printed(&self, job: Job, packages: &Packages) -> String {
        let outcome = self.run(job, packages).await;
        assert_eq!(outcome.stderr.text, "");
        outcome.stdout.text
    }

    fn cache(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    fn files(&self, suffix: &str) -> usize {
        let entries = std::fs::read_dir(self.cache()).unwrap().flatten();
        entries.filter(|entry| is_baked(&entry.file_name().to_string_lossy(), suffix)).count()
    }
}

fn is_baked(name: &str, suffix: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(suffix)
}

const LOADED: &str = "import sys\nprint('tool' in sys.modules)\n";

#[tokio::test]
async fn jobs_start_with_modules_imported_and_apart_from_each_other() {
    let kitchen = Kitchen::new();
    let files = [
        (
            "tool/__init__.py",
            "import atexit\nfrom . import part\nseen = []\natexit.register(lambda: print('bye', seen))\n",
        ),
        ("tool/part.py", "import random\nfixed, free = random.Random(7), random.Random()\n"),
        ("tool/data.txt", "data"),
        ("tool-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.2\n"),
        ("space/inner.py", "x = 3\n"),
    ];
    let packages = packages(&files, &["tool", "space.inner"]);
    let code = "import importlib.metadata, importlib.resources, random\nimport tool, space.inner\ntool.seen.append(1)\n\
                print(tool.part.fixed.random() == random.Random(7).random(), tool.part.free.random())\n\
                print(importlib.resources.files('tool').joinpath('data.txt').read_text(), space.inner.x)\n\
                print(importlib.metadata.version('tool'), tool.__file__)\n";
    let rest = "data 3\n1.2 /usr/lib/python3.14/site-packages/tool/__init__.py\nbye [1]\n";
    assert_eq!(kitchen.printed(Job::code(LOADED), &packages).await, "False\n");
    let first = kitchen.printed(Job::code(code), &packages).await;
    let (drawn, others) = first.split_once('\n').unwrap();
    assert!(drawn.starts_with("True ") && others == rest, "{first}");

    let baked = kitchen.bake(&packages).await;
    assert_eq!((&*baked.record.modules, &*baked.record.unfit), (&["tool".into(), "space.inner".into()][..], &[][..]));
    assert_eq!(kitchen.printed(Job::code(LOADED), &packages).await, "True\nbye []\n");
    let [second, third] = [0, 1].map(|_| kitchen.printed(Job::code(code), &packages));
    let (second, third) = (second.await, third.await);
    assert!(second.starts_with("True ") && second.ends_with(rest), "{second}");
    assert!(third.starts_with("True ") && third.ends_with(rest), "{third}");
    // A generator that nobody has seeded is seeded in each job.
    assert_ne!(second, third);
    // Without the packages nothing of them is there.
    let outcome = run_in_wasm(&kitchen.executor, Job::code("import tool"), None).await;
    assert_eq!(outcome.exception.unwrap().kind, "ModuleNotFoundError");
}

#[tokio::test]
async fn what_a_copy_could_not_repeat_is_left_to_jobs() {
    let kitchen = Kitchen::new();
    let files = [
        ("loud.py", "print('hello')\n"),
        ("lucky.py", "import random\nnumber = random.random()\n"),
        ("timed.py", "import time\nstarted = time.time()\n"),
        ("opened.py", "file = open('/usr/lib/python3.14/this.py')\n"),
        ("nosy.py", "import os\nfiles = os.listdir('.')\n"),
        ("broken.py", "import no_such_module\n"),
        ("quits.py", "raise SystemExit('no')\n"),
        ("user.py", "try:\n    import timed\nexcept Exception:\n    timed = None\n"),
        ("tool.py", "x = 1\n"),
    ];
    let names = ["loud", "lucky", "tool", "timed", "opened", "nosy", "broken", "quits", "user"];
    let packages = packages(&files, &names);
    let baked = kitchen.bake(&packages).await;
    assert_eq!(baked.record.modules, ["tool"]);
    let unfit: Vec<_> = baked.record.unfit.iter().map(|(module, why)| format!("{module}: {why}")).collect();
    assert_eq!(
        unfit,
        [
            "loud: loud prints when it is imported",
            "lucky: lucky draws random numbers when it is imported",
            "timed: timed reads the clock when it is imported",
            "opened: opened leaves a file open when it is imported",
            "nosy: nosy uses the folder of the project or /tmp when it is imported",
            "broken: ModuleNotFoundError: No module named 'no_such_module'",
            "quits: SystemExit: no",
            "user: timed reads the clock when it is imported",
        ]
    );
    let code = "import sys\nprint('tool' in sys.modules, 'timed' in sys.modules)\nimport user, loud, lucky\n";
    assert_eq!(kitchen.printed(Job::code(code), &packages).await, "True False\nhello\n");
}

#[tokio::test]
async fn with_nothing_that_is_fit_there_is_no_image() {
    let kitchen = Kitchen::new();
    let packages = packages(&[("loud.py", "print('hello')\n")], &["loud"]);
    assert_eq!(kitchen.bake(&packages).await.record.modules, [""; 0]);
    assert_eq!((kitchen.files(".cwasm"), kitchen.files(".json")), (0, 1));
    assert!(kitchen.executor.is_baked(&packages).await);
    assert_eq!(kitchen.printed(Job::code("import loud"), &packages).await, "hello\n");
}

#[tokio::test]
async fn a_job_that_would_see_something_else_starts_without() {
    let kitchen = Kitchen::new();
    let files = [("tool.py", "import os\nlevel = os.environ.get('TOOL_LEVEL', 'none')\n"), ("other.py", "x = 1\n")];
    let packages = packages(&files, &["tool", "other"]);
    kitchen.bake(&packages).await;
    let level = || Job::code("import sys\nprint('tool' in sys.modules)\nimport tool\nprint(tool.level)\n");
    assert_eq!(kitchen.printed(level(), &packages).await, "True\nnone\n");
    assert_eq!(kitchen.printed(level().env("LEVEL", "high"), &packages).await, "True\nnone\n");
    assert_eq!(kitchen.printed(level().env("TOOL_LEVEL", "high"), &packages).await, "False\nhigh\n");
    let own = Project::files([
        ("main.py", "import other, sys\nprint('tool' in sys.modules, other.x)\n"),
        ("other/__init__.py", "x = 'own'\n"),
    ]);
    assert_eq!(kitchen.printed(Job::project(own.unwrap()), &packages).await, "False own\n");
}

#[tokio::test]
async fn what_came_with_the_service_is_found_and_what_is_made_goes_elsewhere() {
    let mut kitchen = Kitchen::new();
    let [came, made] = ["came", "made"].map(|name| packages(&[(&format!("{name}.py"), "x = 1\n")], &[name]));
    kitchen.bake(&came).await;
    let baked_folder = kitchen.folder.path().join("baked");
    let options = WasmOptions {
        cache_folder: Some(kitchen.cache()),
        baked_folder: Some(baked_folder.clone()),
        ..WasmOptions::default()
    };
    kitchen.executor = WasmExecutor::new(&options, &|_| ()).unwrap();
    assert!(kitchen.executor.is_baked(&came).await && !kitchen.executor.is_baked(&made).await);
    kitchen.bake(&made).await;
    assert!(kitchen.executor.is_baked(&made).await);
    assert_eq!(kitchen.files(".cwasm"), 1);
    let there = std::fs::read_dir(baked_folder).unwrap().flatten();
    assert_eq!(there.filter(|entry| is_baked(&entry.file_name().to_string_lossy(), ".cwasm")).count(), 1);
    let code = "import sys\nprint('came' in sys.modules)\n";
    assert_eq!(kitchen.printed(Job::code(code), &came).await, "True\n");
}

#[tokio::test]
async fn missing_native_parts_are_what_only_a_container_has() {
    let kitchen = Kitchen::new();
    let quick = "try:\n    from . import _quick\nexcept ImportError:\n    pass\n";
    let files = [("quick/__init__.py", quick), (".native-parts", "quick._quick\n"), ("other.py", "")];
    let packages = packages(&files, &["quick"]);
    for (code, native) in [
        ("from quick import Fast", true),
        ("import quick\nquick.Fast", true),
        ("import quick._quick", true),
        ("import quick\nlen(quick).Fast", false),
        ("from other import Fast", false),
        ("import other\nother.Fast", false),
    ] {
        let outcome = kitchen.run(Job::code(code), &packages).await;
        assert_eq!(outcome.ended_in_miss, native, "{code}");
        let misses: Vec<_> = outcome.capability_misses.iter().map(|miss| miss.detail.as_str()).collect();
        assert_eq!(misses.contains(&"quick._quick"), native, "{code}: {misses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_want_the_same_image_get_one() {
    let kitchen = Kitchen::new();
    let packages = packages(&[("tool.py", "x = 1\n")], &["tool"]);
    let compiled = Arc::new(AtomicUsize::new(0));
    let bakers = (0..10).map(|_| {
        let (bakery, packages) = (Arc::clone(&kitchen.executor.bakery), packages.clone());
        let compiled = Arc::clone(&compiled);
        tokio::spawn(async move {
            let count = move |phase: &str| {
                compiled.fetch_add(usize::from(phase.starts_with("compiling")), Ordering::Relaxed);
            };
            bakery.bake(&packages, count).await.unwrap().record.modules.clone()
        })
    });
    for baker in bakers.collect::<Vec<_>>() {
        assert_eq!(baker.await.unwrap(), ["tool"]);
    }
    assert_eq!((compiled.load(Ordering::Relaxed), kitchen.files(".cwasm")), (1, 1));
}

#[tokio::test]
async fn images_that_were_not_used_for_longest_make_room() {
    let mut kitchen = Kitchen::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let (file, module) = (format!("{name}.py"), name);
        packages(&[(file.as_str(), "x = 1\n")], &[module])
    });
    kitchen.bake(&a).await;
    let image_bytes: u64 = std::fs::read_dir(kitchen.cache())
        .unwrap()
        .flatten()
        .filter(|entry| is_baked(&entry.file_name().to_string_lossy(), ".cwasm"))
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    let options = WasmOptions {
        cache_folder: Some(kitchen.cache()),
        baked_bytes_max: image_bytes * 5 / 2,
        ..WasmOptions::default()
    };
    kitchen.executor = WasmExecutor::new(&options, &|_| ()).unwrap();
    kitchen.bake(&b).await;
    assert_eq!(kitchen.files(".cwasm"), 2);
    // Finding it is a use.
    assert!(kitchen.executor.is_baked(&a).await);
    kitchen.bake(&c).await;
    kitchen.executor = WasmExecutor::new(&options, &|_| ()).unwrap();
    assert!(kitchen.executor.is_baked(&a).await && kitchen.executor.is_baked(&c).await);
    assert!(!kitchen.executor.is_baked(&b).await);
    kitchen.executor.forget(&a);
    assert!(!kitchen.executor.is_baked(&a).await && kitchen.executor.is_baked(&c).await);
    assert_eq!(kitchen.files(".cwasm"), 1);
}
