//! CPython's own test suite, inside the sandbox.
//!
//! `cpython/modules.txt` names the test modules. `cpython/known.txt` lists each test that does not pass, and each that is
//! skipped in a module of which less than 90 % is executed, with the reason. A test that fails without being listed fails
//! this; so does a listed test that passes, because the list is what we claim.

use crate::support::{pyexec, repository};
use pyexec::{Job, Limits, Project};
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
    let job = Job::project(project.clone()).args([module]).limits(limits).env("PYTHONHASHSEED", "0");
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
    let results = std::sync::Mutex::new((Vec::<String>::new(), 0usize, 0usize));
    let queue = std::sync::Mutex::new(modules.iter().filter(|module| module.contains(&wanted)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(module) = queue.lock().expect("not poisoned").pop() else { break };
                    let ran = sandbox(&project, module);
                    let mut results = results.lock().expect("not poisoned");
                    match ran {
                        Err(failure) => results.0.push(failure),
                        Ok(ends) => {
                            let executed = ends.iter().filter(|end| end.end != "skipped").count();
                            let skips_are_listed = executed * 10 < ends.len() * 9;
                            results.1 += ends.len();
                            results.2 += executed;
                            if ends.is_empty() {
                                results.0.push(format!("{module}: no tests"));
                            }
                            for end in ends {
                                let listed = known.contains_key(&end.test);
                                match (end.end.as_str(), listed) {
                                    ("ok", true) => results.0.push(format!("{}: passes, but is listed", end.test)),
                                    ("skipped", false) if skips_are_listed => {
                                        results.0.push(format!("{}: skipped: {}", end.test, end.reason));
                                    }
                                    ("failed", false) => results.0.push(format!("{}: {}", end.test, end.reason)),
                                    _ => {}
                                }
                            }
                        }
                    }
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
