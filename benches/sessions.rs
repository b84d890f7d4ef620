//! Sessions: calls, freezing, thawing, forks, tools, and many of them idle.

use super::Bench;
use pyexec::{
    Event, Job, Limits, Project,
    executor::{
        Call, Executor, Frozen, Provisioned, Session, SessionSpec, Tool, ToolResult, tools, wasm::WasmExecutor,
    },
    sessions::{Cell, Sessions, SessionsOptions},
};
use std::{
    fs,
    time::{Duration, Instant},
};

const ROUNDS: usize = 500;
const IDLE: usize = 10_000;
/// About a megabyte of variables.
const VARIABLES: &str = "big = [str(n) * 3 for n in range(12_000)]\nx = 0";

pub fn sessions(bench: &Bench) {
    bench.runtime.block_on(async {
        single(bench).await;
        idle(bench).await;
    });
}

async fn single(bench: &Bench) {
    let executor = WasmExecutor::new(&Default::default(), &|line| eprintln!("{line}")).expect("the interpreter");
    let folder = tempfile::tempdir().expect("a folder");
    let spec = || SessionSpec::new(Project::empty(), Vec::new(), Limits::default()).home(folder.path().join("home"));
    let open = async || executor.open(Provisioned::wasm(), spec()).await.expect("a session");
    let mut session = open().await;
    call(&mut *session, VARIABLES).await;
    let (mut calls, mut freezes, mut thaws, mut news, mut hellos) = (vec![], vec![], vec![], vec![], vec![]);
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        calls.push(timed(call(&mut *session, "x += 1")).await.0);
        let (time, frozen) = timed(session.freeze()).await;
        let frozen: Frozen = frozen.expect("frozen");
        freezes.push(time);
        bytes = frozen.bytes().len();
        let (time, thawed) = timed(executor.thaw(&frozen, Provisioned::wasm(), spec())).await;
        drop(thawed.expect("thawed"));
        thaws.push(time);
        news.push(
            timed(async {
                let mut new = open().await;
                call(&mut *new, "print('hello')").await;
            })
            .await
            .0,
        );
        hellos.push(timed(bench.pyexec.run(Job::code("print('hello')"))).await.0);
    }
    println!("| what | p50 | p99 |");
    println!("|---|---|---|");
    for (what, times) in [
        ("hello as a plain job", hellos),
        ("`x += 1` in a live session", calls),
        ("new session and first call", news),
        ("freeze, about 1 MB of variables", freezes),
        ("thaw", thaws),
        ("one call of a tool, with its call", tool(&mut *session, "ask(1)", 200).await),
        ("100 awaited calls of tools at once", tool(&mut *session, GATHER, 50).await),
    ] {
        let (p50, p99) = percentiles(times);
        println!("| {what} | {:.3} ms | {:.3} ms |", ms(p50), ms(p99));
    }
    println!("\nfrozen size: {} KiB", bytes >> 10);
}

const GATHER: &str = "import asyncio\nlen(await asyncio.gather(*(ask(n) for n in range(100))))";

/// Measures calls that use a tool, whose answer is immediate.
async fn tool(session: &mut dyn Session, code: &str, rounds: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let (port, mut desk) = tools(vec![Tool::new("ask").awaited(code == GATHER)]).expect("tools");
        let cell = Call::cell(1, code.to_owned(), Limits::default()).tools(port);
        let answering = async {
            while let Some(calls) = desk.calls.recv().await {
                for call in calls {
                    let _ = desk.results.send(ToolResult::new(call.id, Ok(call.args)));
                }
            }
        };
        let began = Instant::now();
        let (run, ()) = tokio::join!(session.call(cell, Box::new(|_: Event<'_>| ())), answering);
        times.push(began.elapsed());
        assert!(run.expect("a call").outcome().expect("an outcome").success());
    }
    times
}

/// Measures what many idle sessions cost, and the next call of any of them.
async fn idle(bench: &Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = SessionsOptions::default();
    options.folder = Some(folder.path().to_owned());
    options.owner_max = IDLE;
    let sessions = Sessions::open(bench.pyexec.clone(), options).expect("sessions");
    let before = resident_bytes();
    let mut ids = Vec::new();
    for n in 0..IDLE {
        let id = sessions.create("bench", Job::session()).await.expect("a session").id;
        sessions.call("bench", &id, Cell::new(format!("x = {n}"))).await.expect("a call");
        ids.push(id);
    }
    sessions.freeze_all().await;
    let after = resident_bytes();
    let mut times = Vec::new();
    for n in 0..500 {
        let id = &ids[n * 7919 % IDLE];
        let (time, end) = timed(sessions.call("bench", id, Cell::new("x"))).await;
        assert!(end.expect("a call").outcome.success());
        times.push(time);
    }
    let mut forks = Vec::new();
    for id in ids.iter().take(100) {
        forks.push(timed(sessions.fork("bench", id)).await.0);
    }
    let (p50, p99) = percentiles(times);
    println!("{IDLE} sessions, idle: {} MiB more in memory", after.saturating_sub(before) >> 20);
    println!("next call of any of them: p50 {:.2} ms, p99 {:.2} ms", ms(p50), ms(p99));
    println!("fork: p50 {:.2} ms", ms(percentiles(forks).0));
}

async fn call(session: &mut dyn Session, code: &str) {
    let cell = Call::cell(1, code.to_owned(), Limits::default());
    let run = session.call(cell, Box::new(|_: Event<'_>| ())).await.expect("a call");
    assert!(run.outcome().expect("an outcome").success());
}

async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let began = Instant::now();
    let done = work.await;
    (began.elapsed(), done)
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
