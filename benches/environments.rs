//! Packages: their first use, and what they cost a job before and after they are baked.

use crate::{Bench, HELLO, docker, percentile, timed};
use pyexec::{BakeOrder, Baking, Event, Job, Pyexec, Requirements, environment::EnvironmentOptions};
use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::Instant,
};

/// What a first use is measured with.
const PACKAGES: &str =
    "sympy\nnetworkx\nbeautifulsoup4\npython-dateutil\ntabulate\nattrs\njinja2\npyyaml\nrich\nmore-itertools\n";

const SOLVE: &str =
    "from sympy import *\nx = symbols('x')\nprint(solve(x**2 - 5*x + 6, x), diff(sin(x) * exp(x), x))\n";

pub(crate) fn environments(bench: &Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let packages = |name: &str| {
        let mut options = EnvironmentOptions::default();
        options.folder = Some(folder.path().join(name));
        options
    };
    let images = folder.path().join("images");
    let pyexec = |store: &str| {
        Pyexec::builder()
            .cache_folder(&images)
            .environments(packages(store))
            .baking(Baking::OnOrder)
            .without_docker("this measures WebAssembly")
            .on_progress(|line| eprintln!("{line}"))
            .build()
            .expect("the interpreter")
    };
    println!("| what | aim | measured |\n|---|---|---|");
    first_use(bench, &pyexec("first"));
    baked(bench, &pyexec("baked"));
    docker::routing(bench);
}

/// When each phase began.
type Phases = Arc<Mutex<Vec<(String, Instant)>>>;

fn first_use(bench: &Bench, pyexec: &Pyexec) {
    let phases = Phases::default();
    let told = Arc::clone(&phases);
    let job = Job::code("print('used')").requirements(Requirements::parse(PACKAGES).expect("requirements"));
    let observer = move |event: Event<'_>| {
        if let Event::Progress(phase) = event {
            told.lock().expect("no panic").push((phase.to_owned(), Instant::now()));
        }
    };
    let began = Instant::now();
    let outcome = bench.runtime.block_on(pyexec.run_observed(job, observer)).expect("an outcome");
    let all = began.elapsed();
    assert!(outcome.success(), "{outcome:#?}");
    let phases = phases.lock().expect("no panic");
    let at = |what: &str| phases.iter().find(|(phase, _)| phase.starts_with(what)).map(|(_, at)| *at - began);
    let installed = at("trying").or_else(|| at("compiling")).expect("a phase after installing");
    println!(
        "| first use of {} packages: resolve and install, nothing there | ≤ 2 s | {:.2} s (until the job ran, with bytecode: {:.1} s) |",
        PACKAGES.lines().count(),
        installed.as_secs_f64(),
        all.as_secs_f64()
    );
}

fn baked(bench: &Bench, pyexec: &Pyexec) {
    let requirements = Requirements::parse("sympy").expect("requirements");
    let with_sympy = |code: &str| Job::code(code.to_owned()).requirements(requirements.clone());
    let sandbox = |job: Job| {
        let began = Instant::now();
        let outcome = bench.runtime.block_on(pyexec.run(job)).expect("an outcome");
        let took = began.elapsed();
        assert!(outcome.success(), "{outcome:#?}");
        (took, outcome.stdout.text)
    };
    let p50 = |job: &dyn Fn() -> Job, times: usize| {
        let mut times: Vec<_> = (0..times).map(|_| sandbox(job()).0).collect();
        percentile(&mut times, 50)
    };

    let began = Instant::now();
    sandbox(with_sympy("print('used')"));
    let first = began.elapsed();
    let unbaked = p50(&|| with_sympy(SOLVE), 3);
    let began = Instant::now();
    let order = BakeOrder::new(requirements.clone(), Vec::new());
    let unfit = bench.runtime.block_on(pyexec.bake(&order, &pyexec::Progress::silent())).expect("baked");
    println!("| baking sympy | ≤ 15 s | {:.1} s ({} modules unfit) |", began.elapsed().as_secs_f64(), unfit.len());

    // In turn, so that a change of the machine's speed meets both.
    let (mut bare, mut with) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        bare.extend((0..50).map(|_| sandbox(Job::code(HELLO)).0));
        with.extend((0..50).map(|_| sandbox(with_sympy(HELLO)).0));
    }
    let (bare_p50, with_p50) = (percentile(&mut bare, 50), percentile(&mut with, 50));
    println!(
        "| hello in a baked environment with sympy, p50, against hello without packages | ≤ 1.5 × | {:.2} × ({with_p50:.3} ms, {bare_p50:.3} ms; p99 {:.3} and {:.3} ms) |",
        with_p50 / bare_p50,
        percentile(&mut with, 99),
        percentile(&mut bare, 99),
    );

    let site = bench.folder.path().join("site");
    install_natively(bench, &site);
    let script = bench.script("solve.py", SOLVE);
    let native = || timed(Command::new(&bench.native).arg(&script).env("PYTHONPATH", &site));
    // Writes the bytecode.
    let (_, expected) = native();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        theirs.push(native().0);
        for _ in 0..5 {
            let (took, printed) = sandbox(with_sympy(SOLVE));
            assert_eq!(printed, expected);
            ours.push(took);
        }
    }
    let (ours, theirs) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    println!(
        "| `from sympy import *` and a small solve, baked, p50, against native CPython with warm .pyc | ≤ 1/10 | 1/{:.1} ({ours:.1} ms, {theirs:.0} ms; before it is baked {unbaked:.0} ms) |",
        theirs / ours
    );
    println!("| first job with sympy, nothing there, until its result | – | {:.1} s |", first.as_secs_f64());
}

/// Sympy for the native interpreter, by the same tool.
fn install_natively(bench: &Bench, into: &std::path::Path) {
    let status = Command::new("uv")
        .args(["pip", "install", "--quiet", "--python"])
        .arg(&bench.native)
        .arg("--target")
        .arg(into)
        .arg("sympy")
        .status()
        .expect("uv starts");
    assert!(status.success());
}
