//! What sessions of cells have in a container beyond what the contract promises.

use super::{FORGE, block_on, figures, gone, limits, packages::with_package, pool, with_docker};
use crate::support::docker::{Containers, docker, image_with_packages};
use pyexec::{
    Event, Limits, Outcome, Project, Stdin,
    executor::{Call, Question, Session, Tool, ToolResult, docker::Placement, tools},
    outcome::{Display, Ending, LimitHit, StopReason},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A session, and how many calls it has had.
struct Cells {
    session: Box<dyn Session>,
    calls: u64,
    limits: Limits,
}

impl Cells {
    async fn open(containers: &Containers) -> Cells {
        Cells::placed(containers, limits(|_| ()), &Placement::default()).await
    }

    async fn placed(containers: &Containers, limits: Limits, placement: &Placement) -> Cells {
        let session = containers.cells(Project::script(""), limits, placement).await;
        Cells { session, calls: 0, limits }
    }

    fn cell(&mut self, code: &str) -> Call {
        self.calls += 1;
        Call::cell(self.calls, code.to_owned(), self.limits)
    }

    async fn attempt(&mut self, call: Call) -> pyexec::Result<Outcome> {
        self.session.call(call, Box::new(|_: Event<'_>| ())).await?.outcome()
    }

    async fn call(&mut self, code: &str) -> Outcome {
        let call = self.cell(code);
        self.attempt(call).await.expect("a call")
    }

    async fn value(&mut self, code: &str) -> String {
        let outcome = self.call(code).await;
        assert!(outcome.success(), "{code}\n{outcome:#?}");
        outcome.result.unwrap_or_default()
    }

    async fn stops_at(&mut self, wall_clock_ms: u64, code: &str) -> Outcome {
        let before = std::mem::replace(&mut self.limits.wall_clock_ms, wall_clock_ms);
        let outcome = self.call(code).await;
        self.limits.wall_clock_ms = before;
        outcome
    }

    async fn is_lost(&mut self) {
        let call = self.cell("1");
        let error = self.attempt(call).await.expect_err("lost");
        assert!(error.to_string().contains("session was lost"), "{error}");
        assert!(!self.session.is_alive());
        assert!(self.session.ask(Question::variables()).await.is_err());
    }
}

fn only_container(containers: &Containers) -> String {
    let left = containers.left();
    assert_eq!(left.len(), 1, "{left:?}");
    left.into_iter().next().unwrap_or_default()
}

#[test]
fn a_session_whose_container_is_gone_is_lost() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        cells.value("x = 1").await;
        docker(&["kill", &only_container(&containers)]);
        cells.is_lost().await;
        gone(&containers).await;
        // In a call.
        let mut cells = Cells::open(&containers).await;
        let id = only_container(&containers);
        let killing = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(500));
            docker(&["kill", &id]);
        });
        let outcome = cells.call("import time\ntime.sleep(10)").await;
        assert!(matches!(&outcome.ending, Ending::Stopped { reason: StopReason::Crashed(why) } if why.contains("137")));
        killing.await.expect("killed");
        cells.is_lost().await;
        gone(&containers).await;
    });
}

#[test]
fn an_idle_session_is_paused_until_its_next_call() {
    let Some(containers) = Containers::new(|options| options.session_idle = Duration::from_millis(200)) else { return };
    block_on(async {
        let mut cells = Cells::open(&containers).await;
        cells.value("import threading, time\nticks = []\ndef tick():\n    while True: ticks.append(1); time.sleep(0.01)\nthreading.Thread(target=tick, daemon=True).start()").await;
        let id = only_container(&containers);
        let is_paused = || docker(&["inspect", "--format", "{{.State.Paused}}", &id]).trim() == "true";
        let pausing = async |within: Duration| {
            let began = Instant::now();
            while !is_paused() {
                assert!(began.elapsed() < within, "not paused");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        pausing(Duration::from_secs(5)).await;
        assert_eq!(cells.value("len(ticks) > 0").await, "True");
        assert!(!is_paused());
        pausing(Duration::from_secs(5)).await;
        let answer: Value = cells.session.ask(Question::variables()).await.expect("an answer").parse().expect("JSON");
        assert!(answer.to_string().contains("ticks"), "{answer}");
        // It is removed as it is.
        pausing(Duration::from_secs(5)).await;
        drop(cells);
        gone(&containers).await;
    });
}

#[test]
fn a_dropped_session_and_a_dropped_call_leave_nothing() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        cells.value("import subprocess\nchild = subprocess.Popen(['sleep', '100'])").await;
        drop(cells);
        gone(&containers).await;
        let mut cells = Cells::open(&containers).await;
        let call = cells.cell("while True: pass");
        let _ = tokio::time::timeout(Duration::from_millis(300), cells.attempt(call)).await;
        gone(&containers).await;
        cells.is_lost().await;
    });
}

#[test]
fn sessions_end_with_a_shutdown_and_hold_no_slot_between_calls() {
    let Some(containers) = Containers::new(|options| options.slots = 1) else { return };
    block_on(async {
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(Cells::open(&containers).await);
        }
        for (number, cells) in sessions.iter_mut().enumerate() {
            cells.value(&format!("x = {number}")).await;
        }
        assert_eq!(sessions[0].value("x").await, "0");
        assert_eq!(containers.run(super::job("print(1)")).await.stdout.text, "1\n");
        assert_eq!(sessions[2].value("x").await, "2");
        let began = Instant::now();
        containers.executor().shutdown().await.expect("shut down");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(containers.left().is_empty());
        let call = sessions[0].cell("x");
        assert!(sessions[0].attempt(call).await.expect_err("gone").to_string().contains("shutting down"));
    });
}

#[test]
fn threads_and_programs_run_in_a_session() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        let code = "import subprocess, sys\nfrom concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(4)\n\
                    subprocess.run(['sh', '-c', 'echo from a program; echo read $(cat) 1>&2'])\n\
                    sorted(pool.map(lambda n: n * n, range(4)))";
        let call = cells.cell(code).stdin(Stdin::from("its input"));
        let outcome = cells.attempt(call).await.expect("a call");
        assert_eq!(outcome.result.as_deref(), Some("[0, 1, 4, 9]"), "{outcome:#?}");
        assert_eq!((&*outcome.stdout.text, &*outcome.stderr.text), ("from a program\n", "read its input\n"));
        assert_eq!(cells.value("pool.submit(sum, range(10)).result()").await, "45");
        // All that a call has written is there with its end, whoever wrote it.
        for n in 0..20 {
            let outcome = cells.call(&format!("import os\nos.write(1, b'a' * 100000)\nprint('b' * {n}, end='')")).await;
            assert_eq!(outcome.stdout.text.len(), 100_000 + n);
        }
        let code = "import ctypes\nctypes.CDLL(None).puts(b'of C')\nNone";
        assert_eq!(cells.call(code).await.stdout.text, "of C\n");
        // What is written between two calls comes with the next.
        cells.value("import threading, time\ndef late():\n    time.sleep(0.1); print('late')\nthreading.Thread(target=late).start()").await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(cells.call("print('next')").await.stdout.text, "late\nnext\n");
        // A fork of it is no other session.
        let code = "import os\npid = os.fork()\nif pid == 0:\n    print('child')\nelse:\n    os.waitpid(pid, 0)\n    print('parent')";
        let outcome = cells.call(code).await;
        assert_eq!(outcome.stdout.text, "child\nparent\n", "{outcome:#?}");
        assert_eq!(cells.value("import sys\n__name__, __doc__, sys.argv").await, "('__main__', None, [''])");
    });
}

#[test]
fn an_interrupt_reaches_programs_and_what_handles_it() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        cells.value("import os, signal, subprocess, time, asyncio").await;
        for code in [
            "subprocess.run(['sleep', '60'])",
            "os.system('sleep 60')",
            "await asyncio.create_subprocess_exec('sleep', '60')\nawait asyncio.sleep(60)",
            "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    time.sleep(60)",
            "import threading\nthreading.Event().wait()",
            "async def stay():\n    while True:\n        try: await asyncio.sleep(60)\n        except asyncio.CancelledError: pass\nawait stay()",
        ] {
            let outcome = cells.stops_at(300, code).await;
            assert_eq!(outcome.ending, super::stopped(StopReason::TimeLimit), "{code}: {outcome:#?}");
            assert_eq!(outcome.limits_hit, [LimitHit::WallClock], "{code}");
            assert_eq!(cells.value("'alive'").await, "'alive'", "{code}");
        }
        // A program's own handler holds from call to call, and only in calls.
        cells.value("seen = []\nbefore = signal.signal(signal.SIGINT, lambda *_: seen.append(1))").await;
        let call = cells.cell("while not seen: time.sleep(0.01)\nlen(seen)");
        let interrupt = call.interrupt();
        let interrupting = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            interrupt.ask();
        };
        let (outcome, ()) = tokio::join!(cells.attempt(call), interrupting);
        let outcome = outcome.expect("a call");
        assert_eq!(outcome.result.as_deref(), Some("1"), "{outcome:#?}");
        assert_eq!(
            cells.value("signal.signal(signal.SIGINT, before) is not None, before is signal.default_int_handler").await,
            "(True, True)"
        );
    });
}

#[test]
fn interrupts_at_any_moment_keep_the_session() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        cells.value("n = 0").await;
        for round in 0..150_u64 {
            let call = cells.cell("n += 1\nprint('x' * 3000)\nn");
            let interrupt = call.interrupt();
            let interrupting = async {
                tokio::time::sleep(Duration::from_micros(round * 40)).await;
                interrupt.ask();
            };
            let (outcome, ()) = tokio::join!(cells.attempt(call), interrupting);
            let outcome = outcome.expect("a call");
            let interrupted = outcome.exception.as_ref().is_some_and(|it| it.kind == "KeyboardInterrupt");
            assert!(outcome.success() || interrupted, "{round}: {outcome:#?}");
        }
        assert_eq!(cells.value("n > 0").await, "True");
    });
}

#[test]
fn tools_are_called_from_threads_and_beside_other_work() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        let code = "import asyncio, threading, time\nfrom concurrent.futures import ThreadPoolExecutor\n\
                    with ThreadPoolExecutor(8) as pool: plain = list(pool.map(double, range(40)))\n\
                    done = []\n\
                    async def work():\n    await asyncio.to_thread(time.sleep, 0.05)\n    done.append('work')\n\
                    async def call():\n    value = await slow(1)\n    done.append('tool')\n    return value\n\
                    values = await asyncio.gather(call(), work(), asyncio.create_subprocess_exec('true'))\n\
                    in_thread = await asyncio.to_thread(lambda: asyncio.run(later()))\n\
                    plain == [2 * n for n in range(40)], done, values[0], in_thread";
        let code = code.replace("in_thread = ", "async def later(): return await slow(2)\nin_thread = ");
        let (port, mut desk) = tools(vec![Tool::new("double"), Tool::new("slow").awaited(true)]).expect("tools");
        let call = cells.cell(&code).tools(port);
        let answering = async {
            while let Some(calls) = desk.calls.recv().await {
                for call in calls {
                    let args: Vec<u64> = call.args.parse().expect("numbers");
                    if call.name == "slow" {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    }
                    let result = ToolResult::new(call.id, Ok(json!(args[0] * 2).into()));
                    desk.results.send(result).expect("somebody waits");
                }
            }
        };
        let (outcome, ()) = tokio::join!(cells.attempt(call), answering);
        let outcome = outcome.expect("a call");
        assert_eq!(outcome.result.as_deref(), Some("(True, ['work', 'tool'], 2, 4)"), "{outcome:#?}");
        // Large ones, both ways; and more than may be.
        let (port, mut desk) = tools(vec![Tool::new("same"), Tool::new("many").awaited(true)]).expect("tools");
        let code = "text = 'x' * (4 << 20)\nprint(same(text) == text)\n\
                    try: same('x' * (17 << 20))\nexcept ValueError as e: print(e)\n\
                    found = await asyncio.gather(*(many() for _ in range(300)), return_exceptions=True)\n\
                    sum(isinstance(one, RuntimeError) for one in found)";
        let call = cells.cell(code).tools(port);
        let answering = async {
            while let Some(calls) = desk.calls.recv().await {
                for call in calls {
                    let args: Vec<Value> = call.args.parse().expect("a list");
                    let value = args.into_iter().next().unwrap_or_default();
                    desk.results.send(ToolResult::new(call.id, Ok(value.into()))).expect("somebody waits");
                }
            }
        };
        let (outcome, ()) = tokio::join!(cells.attempt(call), answering);
        let outcome = outcome.expect("a call");
        assert_eq!(outcome.result.as_deref(), Some("44"), "{outcome:#?}");
        assert_eq!(outcome.stdout.text, "True\nthe arguments of tools take more than 16777216 bytes\n");
    });
}

#[test]
fn memory_that_a_call_has_taken_is_missed_and_given_back() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        let outcome = cells.call("kept = []\nwhile True: kept.append('x' * 100_000)").await;
        assert_eq!(outcome.exception.as_ref().map(|it| &*it.kind), Some("MemoryError"), "{outcome:#?}");
        assert_eq!(outcome.limits_hit, [LimitHit::Memory]);
        assert_eq!(
            cells.call("other = bytearray(50 << 20)").await.exception.map(|it| it.kind).as_deref(),
            Some("MemoryError")
        );
        assert_eq!(cells.value("kept.clear()\nother = bytearray(50 << 20)\nlen(other)").await, "52428800");
        // Of small objects, which leave no room at all.
        let outcome = cells.call("kept, other = [], None\nwhile True: kept.append([kept])").await;
        assert_eq!(outcome.exception.as_ref().map(|it| &*it.kind), Some("MemoryError"), "{outcome:#?}");
        assert_eq!(cells.value("kept.clear()\n1").await, "1");
    });
}

#[test]
fn files_are_reached_between_calls() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        let large: Vec<u8> = (0..9_000_000_u32).map(|n| n as u8).collect();
        cells.session.write_file("deep/in.bin", large.clone().into()).await.expect("written");
        cells.session.write_file("empty", Vec::new().into()).await.expect("written");
        let code = "import os\ndata = open('deep/in.bin', 'rb').read()\nopen('out.txt', 'w').write('of a call')\n\
                    os.symlink('/etc/passwd', 'link'); os.mkfifo('fifo'); open(b'\\xff', 'w').close()\nlen(data), data[-1]";
        assert_eq!(cells.value(code).await, format!("(9000000, {})", 8_999_999_u32 as u8));
        let mut listed = cells.session.list_files().await.expect("files");
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        let listed: Vec<_> = listed.iter().map(|file| (&*file.path, file.bytes)).collect();
        assert_eq!(listed, [("deep/in.bin", 9_000_000), ("empty", 0), ("main.py", 0), ("out.txt", 9)]);
        assert_eq!(cells.session.read_file("out.txt").await.expect("content"), "of a call");
        assert!(cells.session.read_file("deep/in.bin").await.expect("content") == large);
        for path in ["none", "link", "fifo", "deep", "../etc/passwd", "/etc/passwd", ""] {
            assert!(cells.session.read_file(path).await.is_err(), "{path}");
        }
        let full = cells.session.write_file("more", vec![1; 17 << 20].into()).await.expect_err("a full disk");
        assert!(full.to_string().contains("\"more\": "), "{full}");
        cells.session.remove_file("out.txt").await.expect("removed");
        assert!(cells.session.remove_file("out.txt").await.is_err());
        assert_eq!(cells.value("os.path.exists('out.txt')").await, "False");
    });
}

#[test]
fn a_process_that_ends_takes_the_session() {
    with_docker(async |containers| {
        for (code, ending) in [
            ("import os\nos._exit(3)", Ending::Exited { exit_code: 3 }),
            ("import ctypes\nctypes.string_at(0)", Ending::Exited { exit_code: 139 }),
        ] {
            let mut cells = Cells::open(&containers).await;
            assert_eq!(cells.call(code).await.ending, ending, "{code}");
            cells.is_lost().await;
        }
        gone(&containers).await;
    });
}

#[test]
fn forged_frames_harm_only_the_forgers_session() {
    with_docker(async |containers| {
        // Of a call before, of no tool, and of an answer that nobody asked for.
        let mut cells = Cells::open(&containers).await;
        cells.value(FORGE).await;
        let code = "for _ in range(100):\n    forge(frame(b'D', b'{\"call\": 1, \"code\": 9}') + frame(b'T', b'[{]') + frame(b'U') + frame(b'K'))\n'own'";
        assert_eq!(cells.value(code).await, "'own'");
        // An end that comes before its time: the next call waits for the one that goes on.
        let code = "forge(frame(b'D', b'{\"call\": 3, \"code\": 7}'))\ntime.sleep(0.3)\nx = 1";
        assert_eq!(cells.call(code).await.ending, Ending::Exited { exit_code: 7 });
        assert_eq!(cells.value("x").await, "1");
        for nonsense in
            ["b'\\xff' * 100000", "frame(b'D', b'[')", "frame(b'D', b'{\"call\": 99}')", "frame(b'N', b'{}')"]
        {
            let mut cells = Cells::open(&containers).await;
            cells.value(FORGE).await;
            let outcome = cells.call(&format!("forge({nonsense})\ntime.sleep(60)")).await;
            assert!(matches!(outcome.ending, Ending::Stopped { .. }), "{nonsense} {outcome:#?}");
            cells.is_lost().await;
        }
        // Its runner stopped.
        let mut cells = Cells::open(&containers).await;
        let outcome = cells.stops_at(300, "import os\nos.kill(os.getppid(), 19)").await;
        assert_eq!(outcome.ending, super::stopped(StopReason::TimeLimit));
        cells.is_lost().await;
        // To wait for tools that were not called stops no clock.
        let mut cells = Cells::open(&containers).await;
        cells.value(FORGE).await;
        let (port, _desk) = tools(vec![Tool::new("tool")]).expect("tools");
        cells.limits.wall_clock_ms = 500;
        let call = cells.cell("forge(frame(b'T', b'[]'))\nwhile True: pass").tools(port);
        let outcome = cells.attempt(call).await.expect("a call");
        assert_eq!(outcome.ending, super::stopped(StopReason::TimeLimit));
        // Between calls it says as much as it likes, and none of it is kept.
        cells.limits.wall_clock_ms = 20_000;
        cells.value("import threading\ndef flood():\n    while True: os.write(1, b'x' * 65536)\nthreading.Thread(target=flood, daemon=True).start()").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        cells.limits.output_bytes = 10_000;
        let outcome = cells.call("'still here'").await;
        assert_eq!(outcome.result.as_deref(), Some("'still here'"));
        assert!(outcome.stdout.text.len() < 11_000, "{}", outcome.stdout.text.len());
    });
}

#[test]
fn other_interpreters_have_sessions_too() {
    with_docker(async |containers| {
        for (version, shown) in [("3.11", "(3, 11)"), ("3.14", "(3, 14)")] {
            has_sessions(&containers, version, shown).await;
        }
    });
}

async fn has_sessions(containers: &Containers, version: &str, shown: &str) {
    let mut placement = Placement::default();
    placement.python = Some(version.to_owned());
    let mut cells = Cells::placed(containers, limits(|_| ()), &placement).await;
    assert_eq!(cells.value("import sys, asyncio\nsys.version_info[:2]").await, shown);
    assert_eq!(cells.value("await asyncio.sleep(0, _)").await, shown);
    for (code, status) in [("if x:", "incomplete"), ("x = 1", "complete"), ("x = )", "invalid"), ("f(1,", "incomplete")]
    {
        let answer: Value =
            cells.session.ask(Question::is_complete(code)).await.expect("an answer").parse().expect("JSON");
        assert_eq!(answer["status"], status, "{code}");
    }
    let outcome = cells.stops_at(300, "await asyncio.sleep(60)").await;
    assert_eq!(outcome.exception.map(|it| it.kind).as_deref(), Some("KeyboardInterrupt"));
    assert_eq!(cells.value("await asyncio.sleep(0, 1)").await, "1");
}

#[test]
fn packages_are_there_and_a_waiting_container_serves_a_session() {
    with_docker(async |containers| {
        let mut cells = Cells::placed(&containers, limits(|_| ()), &with_package()).await;
        assert_eq!(cells.value("import prepared_package\nprepared_package.VALUE").await, "42");
    });
    block_on(async {
        // Before the image is made, which needs Docker.
        let Some(none) = Containers::new(|_| ()) else { return };
        drop(none);
        let image = image_with_packages().to_owned();
        let Some(containers) = pool::pooled(1, |options| options.default_image = image).await else { return };
        let usual = Limits { wall_clock_ms: 20_000, ..Limits::default() };
        let hits = containers.executor().pool_stats().hits;
        let mut cells = Cells::placed(&containers, usual, &Placement::default()).await;
        assert_eq!(containers.executor().pool_stats().hits, hits + 1);
        assert_eq!(cells.value("import sys\n'numpy' in sys.modules").await, "False");
        let code = "import time; began = time.perf_counter()\nimport numpy as np\ntime.perf_counter() - began < 0.015, int(np.arange(4).sum())";
        assert_eq!(cells.value(code).await, "(True, 6)");
        let outcome = cells.call("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})\nframe.a.sum()").await;
        assert_eq!(outcome.result.as_deref(), Some("np.int64(3)"), "{outcome:#?}");
    });
}

#[test]
fn figures_are_those_of_their_call() {
    with_docker(async |containers| {
        let mut placement = Placement::default();
        placement.image = Some(image_with_packages().to_owned());
        let roomy = limits(|limits| limits.memory_bytes = 512 << 20);
        let mut cells = Cells::placed(&containers, roomy, &placement).await;
        let start =
            "import matplotlib.pyplot as plt\ndef draw(width):\n    plt.figure(figsize=(width, 1)); plt.plot([1, 2])";
        assert_eq!(figures::widths(&cells.call(start).await), Vec::<u32>::new());
        assert_eq!(figures::widths(&cells.call("draw(1); plt.show(); draw(2)").await), [100, 200]);
        assert_eq!(figures::widths(&cells.call("draw(3); 1 / 0").await), [300]);
        let outcome = cells.call("draw(1); plt.show(); draw(2)\nplt.Figure(figsize=(3, 1))").await;
        let shown = |display: &Display| (display.data.keys().cloned().collect::<Vec<_>>(), display.is_result);
        let shown: Vec<_> = outcome.displays.iter().map(shown).collect();
        let png = || vec!["image/png".to_owned()];
        // The value comes before the figures that are left open, as in a notebook.
        let value = (vec!["image/png".to_owned(), "text/plain".to_owned()], true);
        assert_eq!(shown, [(png(), false), value, (png(), false)], "{:?}", outcome.stderr);
        assert_eq!(outcome.displays[0].text("image/png").as_deref(), Some(&*outcome.outputs[0].data));
        assert_eq!(cells.call("plt.get_fignums()").await.result.as_deref(), Some("[]"));
    });
}

/// One that comes before its call has begun is heard as well.
#[test]
fn an_early_interrupt_is_heard() {
    let Some(containers) = Containers::new(|options| options.session_idle = Duration::from_millis(100)) else { return };
    block_on(async {
        let mut cells = Cells::open(&containers).await;
        for pause in [0, 0, 0, 400] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let call = cells.cell("while True: pass");
            let interrupt = call.interrupt();
            let asking = async { interrupt.ask() };
            let (outcome, ()) = tokio::join!(cells.attempt(call), asking);
            let outcome = outcome.expect("a call");
            assert_eq!(outcome.ending, Ending::Exited { exit_code: 130 }, "{outcome:#?}");
        }
    });
}

#[test]
fn a_call_takes_little() {
    with_docker(async |containers| {
        let mut cells = Cells::open(&containers).await;
        cells.value("x = 0").await;
        let mut times = Vec::new();
        for _ in 0..200 {
            let began = Instant::now();
            cells.value("x += 1").await;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        println!("a call in a container: p50 {:?}, p99 {:?}", times[100], times[198]);
        // Far more than it takes, for a busy machine.
        assert!(times[100] < Duration::from_millis(25), "{:?}", times[100]);
    });
}
