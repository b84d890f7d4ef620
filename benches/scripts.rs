//! Programs of the kind that models write, in a service that has run thousands of others before.

use super::{Bench, SCRIPTS, compare_hello, geometric_mean, percentile, runtime, timed};
use pyexec::{Job, Pyexec};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Jobs of all kinds that the service runs before anything is measured.
const JOBS_BEFORE: usize = 5000;

/// Native runs of each program.
const ROUNDS: usize = 9;

/// Runs in the sandbox for each native one.
const RUNS_PER_ROUND: usize = 20;

/// Steps through the programs, each without a factor in common with their number, so that a job follows another one
/// each time.
const STRIDES: [usize; 16] = [1, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 49, 53, 59];

struct Program {
    name: String,
    path: PathBuf,
    source: String,
    stdout: String,
    native: Vec<Duration>,
    sandbox: Vec<Duration>,
}

pub(crate) fn scripts(bench: &Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let native = |path: &Path| timed(Command::new(&bench.native).arg(path).current_dir(folder.path()));
    let mut programs = programs();
    assert_eq!(programs.len(), 60, "a stride reaches every program");
    // What the modules compile to is kept by this run, as on any machine where Python has been used.
    for program in &mut programs {
        program.stdout = native(&program.path).1;
    }
    let pyexec = Pyexec::builder().build().expect("the interpreter");
    let runtime = runtime();
    let run = |source: &str| {
        let job = Job::code(source.to_owned());
        let began = Instant::now();
        let outcome = runtime.block_on(pyexec.run(job)).expect("an outcome");
        (began.elapsed(), outcome)
    };
    let sources: Vec<_> =
        programs.iter().map(|program| program.source.as_str()).chain(SCRIPTS.map(|(_, code)| code)).collect();
    for i in 0..JOBS_BEFORE {
        run(sources[(i * 5 + i / sources.len()) % sources.len()]);
    }
    let empty = bench.script("empty.py", "");
    let mut starts = Vec::new();
    // In turns, so that a change of the machine's speed meets both; a native process empties the caches, so that one
    // before every job would show in all percentiles.
    for round in 0..ROUNDS {
        starts.push(native(&empty).0);
        for program in &mut programs {
            let (took, stdout) = native(&program.path);
            assert_eq!(stdout, program.stdout, "{} prints the same each time", program.name);
            program.native.push(took);
        }
        for pass in 0..RUNS_PER_ROUND {
            let stride = STRIDES[(round * RUNS_PER_ROUND + pass) % STRIDES.len()];
            for i in 0..programs.len() {
                let at = i * stride % programs.len();
                let (took, outcome) = run(&programs[at].source);
                assert!(outcome.success(), "{}: {outcome:#?}", programs[at].name);
                assert_eq!(
                    outcome.stdout.text, programs[at].stdout,
                    "{} prints what it prints natively",
                    programs[at].name
                );
                programs[at].sandbox.push(took);
            }
        }
    }
    table(&mut programs);
    println!("native start with an empty program, p50: {:.1} ms", percentile(&mut starts, 50));
    compare_hello(bench, &pyexec, JOBS_BEFORE + programs.len() * ROUNDS * RUNS_PER_ROUND);
}

fn programs() -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scripts");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("programs").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    let program = |path: PathBuf| Program {
        name: path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned(),
        source: fs::read_to_string(&path).expect("readable"),
        path,
        stdout: String::new(),
        native: Vec::new(),
        sandbox: Vec::new(),
    };
    paths.into_iter().map(program).collect()
}

fn table(programs: &mut [Program]) {
    println!(
        "| program | sandbox p50 | p90 | p99 | p99/p50 | native process p50 | ratio |\n|---|---|---|---|---|---|---|"
    );
    let mut ratios = Vec::new();
    let mut unsteady = Vec::new();
    for Program { name, native, sandbox, .. } in programs.iter_mut() {
        let (p50, p90, p99) = (percentile(sandbox, 50), percentile(sandbox, 90), percentile(sandbox, 99));
        let native = percentile(native, 50);
        println!(
            "| {name} | {p50:.3} ms | {p90:.3} ms | {p99:.3} ms | {:.1} | {native:.1} ms | 1/{:.1} |",
            p99 / p50,
            native / p50
        );
        ratios.push((p50 / native, name.as_str()));
        if p99 / p50 > 2.0 {
            unsteady.push((p99 / p50, name.as_str()));
        }
    }
    ratios.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    unsteady.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mean = geometric_mean(&ratios.iter().map(|(ratio, _)| *ratio).collect::<Vec<_>>()).recip();
    let above = ratios.iter().filter(|(ratio, _)| *ratio > 1.0 / 8.0).count();
    let worst: Vec<_> = ratios.iter().take(5).map(|(ratio, name)| format!("1/{:.1} {name}", ratio.recip())).collect();
    let widest: Vec<_> = unsteady.iter().take(5).map(|(spread, name)| format!("{spread:.1} {name}")).collect();
    println!("\ngeometric mean of the ratios: 1/{mean:.1} (aim: ≤ 1/40)");
    println!("worst (aim: ≤ 1/8): {}; {above} above the aim", worst.join(", "));
    println!("programs with p99/p50 > 2 (aim: none): {}; widest: {}", unsteady.len(), widest.join(", "));
}
