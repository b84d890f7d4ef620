//! CPython's own test suite, inside the sandbox.
//!
//! `cpython/modules.txt` names the test modules. `cpython/known.txt` lists each test that does not pass, and each that is
//! skipped in a module of which less than 90 % is executed, with the reason. A test that fails without being listed fails
//! this, unless it passes when its module is run again: some depend on time.

use crate::support::{pyexec, repository};
use pyexec::{Job, Limits, Project, TierChoice};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Runs a test module and prints each test's end as a line of JSON.
const RUNNER: &str = include_str!("cpython/runner.py");

#[derive(Deserialize)]
struct TestEnd {
    test: String,
    /// `ok`, `skipped` or `failed`.
    end: String,
    #[serde(default)]
    reason: String,
}

fn lines(path: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(path)).expect(path);
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// The files of `Lib/test` that a module needs: everything but other modules' tests and large data.
fn project(modules: &[String]) -> Project {
    let python = PathBuf::from(wasm_python::native_interpreter().expect("native CPython"));
    let library = python.parent().and_then(Path::parent).expect("a layout").join("lib/python3.14");
    let mut files = vec![("main.py".to_owned(), RUNNER.as_bytes().to_vec())];
    let mut pending = vec![library.join("test")];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("readable").flatten() {
            let path = entry.path();
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                let unused = ["__pycache__", "test_tkinter", "test_ttk", "test_idle", "libregrtest", "test_tools"];
                let part = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let other = part.starts_with("test_") && !modules.iter().any(|module| module == part);
                if !unused.contains(&part) && (!other || folder.ends_with("test_asyncio")) {
                    pending.push(path);
                }
            } else if kind.is_file() && entry.metadata().expect("metadata").len() < 2 << 20 {
                let relative = path.strip_prefix(&library).expect("inside").to_str().expect("UTF-8").to_owned();
                files.push((relative, fs::read(&path).expect("readable")));
            }
        }
    }
    Project::files(files).expect("a project")
}

fn sandbox(project: &Project, module: &str) -> Result<Vec<TestEnd>, String> {
    let limits = Limits {
        wall_clock_ms: 600_000,
        output_bytes: 10_000_000,
        memory_bytes: 3 << 30,
        disk_bytes: 16 << 30,
        ..Limits::default()
    };
    let job =
        Job::project(project.clone()).tier(TierChoice::Wasm).args([module]).limits(limits).env("PYTHONHASHSEED", "0");
    let outcome = pyexec().run_blocking(job).map_err(|e| e.to_string())?;
    let ends = parse(&outcome.stdout.text);
    if !outcome.success() {
        let tail: String = outcome.stderr.text.chars().rev().take(1500).collect::<Vec<_>>().into_iter().rev().collect();
        return Err(format!("{module}: {:?} after {} tests\n{tail}", outcome.ending, ends.len()));
    }
    Ok(ends)
}

fn parse(stdout: &str) -> Vec<TestEnd> {
    stdout.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("##")?).ok()).collect()
}

#[derive(Default)]
struct Judged {
    tests: usize,
    executed: usize,
    problems: Vec<String>,
}

fn judge(ran: Result<Vec<TestEnd>, String>, module: &str, known: &BTreeMap<String, String>) -> Judged {
    let ends = match ran {
        Ok(ends) if ends.is_empty() => {
            return Judged { problems: vec![format!("{module}: no tests")], ..Judged::default() };
        }
        Ok(ends) => ends,
        Err(failure) => return Judged { problems: vec![failure], ..Judged::default() },
    };
    let executed = ends.iter().filter(|end| end.end != "skipped").count();
    let skips_are_listed = executed * 10 < ends.len() * 9;
    let unlisted = |end: &&TestEnd| {
        !known.contains_key(&end.test) && (end.end == "failed" || end.end == "skipped" && skips_are_listed)
    };
    let problems =
        ends.iter().filter(unlisted).map(|end| format!("{}: {}: {}", end.test, end.end, end.reason)).collect();
    Judged { tests: ends.len(), executed, problems }
}

#[test]
fn cpythons_own_tests_pass() {
    let wanted = std::env::var("CPYTHON_TEST").unwrap_or_default();
    let modules = lines("tests/cpython/modules.txt");
    assert!(modules.len() >= 100);
    let known: BTreeMap<String, String> = lines("tests/cpython/known.txt")
        .into_iter()
        .map(|line| {
            line.split_once(": ").map(|(test, reason)| (test.to_owned(), reason.to_owned())).expect("TEST: REASON")
        })
        .collect();
    let project = project(&modules);
    let reporting = std::env::var_os("CPYTHON_REPORT").is_some();
    let results = std::sync::Mutex::new((Vec::<String>::new(), 0usize, 0usize));
    let queue = std::sync::Mutex::new(modules.iter().filter(|module| module.contains(&wanted)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(module) = queue.lock().expect("not poisoned").pop() else { break };
                    let mut ran = judge(sandbox(&project, module), module, &known);
                    if !ran.problems.is_empty() && !reporting {
                        ran = judge(sandbox(&project, module), module, &known);
                    }
                    let mut results = results.lock().expect("not poisoned");
                    results.0.extend(ran.problems);
                    results.1 += ran.tests;
                    results.2 += ran.executed;
                }
            });
        }
    });
    let (mut all, total, executed) = results.into_inner().expect("not poisoned");
    println!("{executed} of {total} tests executed in {} modules", modules.len());
    all.sort();
    if let Some(path) = std::env::var_os("CPYTHON_REPORT") {
        fs::write(path, all.join("\n")).expect("written");
    }
    assert!(all.is_empty(), "{} problems:\n{}", all.len(), all.join("\n"));
}
