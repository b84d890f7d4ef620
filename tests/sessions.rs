//! Sessions as the library keeps them: across calls, across processes, and as copies.

use crate::support;
use pyexec::{
    ErrorKind, Job, Limits, Project, RunEvent,
    executor::{Question, Tool, ToolResult, tools},
    outcome::{Ending, StopReason},
    sessions::{CallEnd, CallEvent, Cell, SessionState, Sessions, SessionsOptions},
};
use std::{path::Path, time::Duration};

const ME: &str = "me";

fn options(folder: &Path) -> SessionsOptions {
    let mut options = SessionsOptions::default();
    options.folder = Some(folder.to_owned());
    options
}

fn open(folder: &Path) -> Sessions {
    Sessions::open(support::pyexec().clone(), options(folder)).expect("sessions")
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future);
}

async fn call(sessions: &Sessions, id: &str, code: &str) -> CallEnd {
    sessions.call(ME, id, Cell::new(code.to_owned())).await.expect("a call")
}

async fn value(sessions: &Sessions, id: &str, code: &str) -> String {
    let end = call(sessions, id, code).await;
    assert!(end.outcome.success(), "{code}\n{end:#?}");
    end.outcome.result.unwrap_or_default()
}

#[test]
fn a_session_has_what_a_job_has() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let project = Project::files([("data.txt", "seven")]).expect("a project");
        let session = sessions.create(ME, Job::project(project).env("NAME", "value")).await.expect("a session");
        assert_eq!((session.id.len(), session.calls), (21, 0));
        assert_eq!(
            value(&sessions, &session.id, "import os\nopen('data.txt').read(), os.environ['NAME']").await,
            "('seven', 'value')"
        );
        let end = call(&sessions, &session.id, "len(os.listdir())").await;
        assert_eq!((end.number, end.session.calls, end.outcome.result.as_deref()), (2, 2, Some("1")));
        let files = sessions.files(ME, &session.id).await.expect("files");
        assert_eq!(files.iter().map(|file| (&*file.path, file.bytes)).collect::<Vec<_>>(), [("data.txt", 5)]);
        sessions.write_file(ME, &session.id, "a/new.txt", "new".into()).await.expect("written");
        assert_eq!(value(&sessions, &session.id, "open('a/new.txt').read()").await, "'new'");
        assert_eq!(sessions.read_file(ME, &session.id, "a/new.txt").await.expect("read"), "new");
        sessions.remove_file(ME, &session.id, "a/new.txt").await.expect("removed");
        assert_eq!(value(&sessions, &session.id, "os.listdir('a')").await, "[]");
        for path in ["../x", "/etc/passwd", "a/../../x", "", "a/new.txt"] {
            assert!(sessions.read_file(ME, &session.id, path).await.is_err(), "{path}");
        }
        assert!(sessions.write_file(ME, &session.id, "../x", "".into()).await.is_err());
    });
}

#[test]
fn nobody_has_the_sessions_of_another() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let session = sessions.create(ME, Job::session()).await.expect("a session");
        let not_mine = sessions.call("you", &session.id, Cell::new("1")).await.expect_err("not theirs").to_string();
        let not_there =
            sessions.call(ME, "AAAAAAAAAAAAAAAAAAAAA", Cell::new("1")).await.expect_err("not there").to_string();
        assert_eq!(not_mine.replace(&session.id, ""), not_there.replace("AAAAAAAAAAAAAAAAAAAAA", ""));
        assert!(sessions.list("you").await.is_empty());
        assert!(sessions.remove("you", &session.id).await.is_err());
        assert_eq!(sessions.list(ME).await.len(), 1);
        sessions.remove(ME, &session.id).await.expect("removed");
        assert!(sessions.list(ME).await.is_empty());
        assert!(std::fs::read_dir(folder.path()).expect("a folder").flatten().all(|it| !it.path().is_dir()));
    });
}

#[test]
fn sessions_outlive_their_process() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let id;
        {
            let sessions = open(folder.path());
            id = sessions.create(ME, Job::session()).await.expect("a session").id;
            value(&sessions, &id, "x = [1]\nopen('f.txt', 'w').write('kept')").await;
            // Longer than a session waits before it is written down.
            tokio::time::sleep(Duration::from_millis(600)).await;
            let (port, mut desk) = tools(vec![Tool::new("ask")]).expect("tools");
            let answering = async {
                let calls = desk.calls.recv().await.expect("a call");
                desk.results
                    .send(ToolResult::new(calls[0].id.clone(), Ok(serde_json::json!(41).into())))
                    .expect("sent");
            };
            let cell = Cell::new("x.append(ask() + int(input()))").stdin("1\n").tools(port);
            let (end, ()) = tokio::join!(sessions.call(ME, &id, cell), answering);
            assert!(end.expect("a call").outcome.success());
            // Nothing of this call is on disk but that it was.
        }
        let sessions = loop {
            match Sessions::open(support::pyexec().clone(), options(folder.path())) {
                Ok(sessions) => break sessions,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        assert_eq!(sessions.info(ME, &id).await.expect("a session").state, SessionState::Frozen);
        assert_eq!(value(&sessions, &id, "x, open('f.txt').read()").await, "([1, 42], 'kept')");
        assert_eq!(sessions.info(ME, &id).await.expect("a session").state, SessionState::Live);
    });
}

#[test]
fn a_call_that_loses_the_interpreter_loses_no_session() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "x = 1").await;
        for code in [
            "import os\nx = 2\nos._exit(3)",
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        ] {
            let limits = Limits { wall_clock_ms: 300, ..Limits::default() };
            let end = sessions.call(ME, &id, Cell::new(code).limits(limits)).await.expect("a call");
            assert!(end.lost, "{end:#?}");
            assert_eq!(value(&sessions, &id, "x").await, "1");
        }
    });
}

#[test]
fn forks_and_checkpoints_go_their_own_ways() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "import random\nrandom.random()\nx = 1\nopen('f', 'w').write('1')").await;
        sessions.checkpoint(ME, &id, "first").await.expect("kept");
        let fork = sessions.fork(ME, &id).await.expect("a fork").id;
        value(&sessions, &fork, "x += 10\nopen('f', 'w').write('11')").await;
        value(&sessions, &id, "x += 1\nopen('f', 'w').write('2')").await;
        assert_eq!(value(&sessions, &fork, "x, open('f').read()").await, "(11, '11')");
        assert_eq!(value(&sessions, &id, "x, open('f').read()").await, "(2, '2')");
        assert_ne!(value(&sessions, &fork, "random.random()").await, value(&sessions, &id, "random.random()").await);
        assert_eq!(sessions.checkpoints(ME, &id).await.expect("names"), ["first"]);
        assert_eq!(sessions.roll_back(ME, &id, "first").await.expect("back").calls, 1);
        assert_eq!(value(&sessions, &id, "x, open('f').read()").await, "(1, '1')");
        assert!(sessions.roll_back(ME, &id, "second").await.is_err());
        for name in ["", "../x", ".x", "a/b"] {
            assert!(sessions.checkpoint(ME, &id, name).await.is_err(), "{name}");
        }
    });
}

#[test]
fn sessions_beyond_what_memory_has_are_on_disk() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        options.live_max = 3;
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let mut ids = Vec::new();
        for n in 0..10 {
            let id = sessions.create(ME, Job::session()).await.expect("a session").id;
            value(&sessions, &id, &format!("x = {n}")).await;
            ids.push(id);
        }
        let live = sessions.list(ME).await.iter().filter(|it| it.state == SessionState::Live).count();
        assert_eq!(live, 3);
        for round in 0..2 {
            for (n, id) in ids.iter().enumerate() {
                assert_eq!(value(&sessions, id, "x += 100; x").await, format!("{}", n + 100 * (round + 1)));
            }
        }
    });
}

#[test]
fn whoever_goes_away_interrupts_the_call() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "n = 0").await;
        let gone = tokio::time::timeout(Duration::from_millis(200), call(&sessions, &id, "while True: n += 1")).await;
        assert!(gone.is_err());
        assert_eq!(value(&sessions, &id, "n > 0").await, "True");
        // One who goes before his turn has come interrupts nobody.
        let waiting = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let call = call(&sessions, &id, "n = 'never'");
            assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        };
        let code = "import time\nfor _ in range(30): time.sleep(0.01)\n'whole'";
        let (end, ()) = tokio::join!(call(&sessions, &id, code), waiting);
        assert_eq!(end.outcome.result.as_deref(), Some("'whole'"));
        assert_eq!(value(&sessions, &id, "n > 0").await, "True");
        let interrupting = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sessions.interrupt(ME, &id).expect("interrupted");
        };
        let (end, ()) = tokio::join!(call(&sessions, &id, "import time\ntime.sleep(60)"), interrupting);
        assert_eq!(end.outcome.ending, Ending::Exited { exit_code: 130 });
    });
}

#[test]
fn packages_are_there_when_a_cell_imports_them() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "x = 1").await;
        assert_eq!(value(&sessions, &id, "import humanize\nhumanize.intcomma(12345 + x)").await, "'12,346'");
        assert_eq!(value(&sessions, &id, "humanize.ordinal(x)").await, "'1st'");
        assert_eq!(value(&sessions, &id, "import toolz\nlist(toolz.unique([x, x]))").await, "[1]");
        assert_eq!(value(&sessions, &id, "humanize.intcomma(1000), x").await, "('1,000', 1)");
    });
}

#[test]
fn what_time_is_left_is_each_calls_own() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        let limits = Limits { wall_clock_ms: 200, ..Limits::default() };
        let end = sessions.call(ME, &id, Cell::new("x = 1\nwhile True: pass").limits(limits)).await.expect("a call");
        assert_eq!(end.outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit });
        assert!(!end.lost);
        assert_eq!(value(&sessions, &id, "x").await, "1");
        let variables = sessions.ask(ME, &id, Question::variables()).await.expect("an answer");
        assert!(variables.as_str().contains("\"name\": \"x\""), "{}", variables.as_str());
    });
}

#[test]
fn one_process_has_a_folder() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let _sessions = open(folder.path());
        let again = Sessions::open(support::pyexec().clone(), options(folder.path()));
        assert_eq!(again.err().map(|error| error.kind()), Some(ErrorKind::Unavailable));
    });
}

#[test]
fn a_call_is_a_stream_of_what_happens_in_it() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        let mut events = sessions.call_stream(ME, &id, Cell::new("print('out')\ndisplay(1)\nprint(2)\n'x'"));
        let mut seen = Vec::new();
        while let Some(event) = events.next().await {
            seen.push(match event.expect("an event") {
                CallEvent::Run(RunEvent::Stdout(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
                CallEvent::Run(RunEvent::Display(display)) => display.text("text/plain").expect("text"),
                CallEvent::Ended(end) => format!("end of {}, {} displays", end.number, end.outcome.displays.len()),
                event => format!("{event:?}"),
            });
        }
        assert_eq!(seen, ["Run(Started)", "out\n", "1", "2\n", "'x'", "end of 1, 2 displays"]);
        // Whoever does not read has a bounded queue; whoever goes away interrupts the call.
        let mut events = sessions.call_stream(ME, &id, Cell::new("n = 0\nwhile True: n += 1; print('x' * 10_000)"));
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(matches!(events.next().await, Some(Ok(CallEvent::Lagged(missed))) if missed > 0));
        drop(events);
        assert_eq!(value(&sessions, &id, "n > 200").await, "True");
        let mut events = sessions.call_stream("you", &id, Cell::new("1"));
        assert_eq!(events.next().await.and_then(Result::err).map(|it| it.kind()), Some(ErrorKind::NotFound));
        assert!(events.next().await.is_none());
    });
}

/// Opens sessions again that another process, or what stands for it, had open.
async fn reopened(options: SessionsOptions) -> Sessions {
    loop {
        match Sessions::open(support::pyexec().clone(), options.clone()) {
            Ok(sessions) => return sessions,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Options of sessions that are not written down before their process ends.
fn never_written(folder: &Path) -> SessionsOptions {
    let mut options = options(folder);
    options.freeze_after = Duration::from_secs(3600);
    options
}

/// The files of the only session in a folder whose names begin like this.
fn in_session(folder: &Path, id: &str, prefix: &str) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(folder.join(id)).expect("a session").flatten().map(|entry| entry.path());
    files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))).collect()
}

const APPENDS: &str =
    "import os\nwith open('log', 'a') as log: log.write('x')\nos.rename('before', 'after')\nos.mkdir('made')";

#[test]
fn what_runs_again_finds_the_files_of_before() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let id;
        {
            let sessions = reopened(never_written(folder.path())).await;
            let project = Project::files([("before", "content"), ("log", "")]).expect("a project");
            id = sessions.create(ME, Job::project(project)).await.expect("a session").id;
            value(&sessions, &id, APPENDS).await;
            // Half of a call that is never answered.
            let code = "open('log', 'a').write('half')\nimport time\ntime.sleep(60)";
            let gone = tokio::time::timeout(Duration::from_millis(300), call(&sessions, &id, code)).await;
            assert!(gone.is_err());
            sessions.write_file(ME, &id, "from/outside", "put".into()).await.expect("written");
            value(&sessions, &id, "open('log', 'a').write(open('from/outside').read())").await;
            sessions.remove_file(ME, &id, "from/outside").await.expect("removed");
            value(&sessions, &id, "open('log', 'a').write('!')").await;
        }
        let sessions = reopened(options(folder.path())).await;
        let end = call(&sessions, &id, "open('log').read(), sorted(os.listdir()), os.listdir('from')").await;
        assert_eq!(
            end.outcome.result.as_deref(),
            Some("('xhalfput!', ['after', 'from', 'log', 'made'], [])"),
            "{end:#?}"
        );
        let restored = end.restored.expect("calls ran again");
        assert_eq!((restored.replayed, restored.different, restored.lost), (2, vec![], 0));
    });
}

#[test]
fn a_call_that_runs_again_with_packages_has_its_effects_once() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = reopened(never_written(folder.path())).await;
        let project = Project::files([("before", ""), ("log", "")]).expect("a project");
        let id = sessions.create(ME, Job::project(project)).await.expect("a session").id;
        value(&sessions, &id, APPENDS).await;
        // Which package it is shows when it runs.
        let code = "import importlib\nopen('log', 'a').write('y')\nos.mkdir('once')\n\
                    importlib.import_module('human' + 'ize').ordinal(2), open('log').read()";
        assert_eq!(value(&sessions, &id, code).await, "('2nd', 'xy')");
    });
}

#[test]
fn a_call_that_takes_the_interpreter_takes_its_files_back() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "open('log', 'a').write('x')").await;
        assert!(call(&sessions, &id, "import os\nopen('log', 'a').write('lost')\nos._exit(1)").await.lost);
        assert_eq!(sessions.read_file(ME, &id, "log").await.expect("a file"), "x");
        assert_eq!(value(&sessions, &id, "open('log').read()").await, "'x'");
    });
}

#[test]
fn whoever_goes_away_leaves_nothing_half_done() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        options.owner_max = 100;
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "x = 1\nfor n in range(200): open(f'f{n}', 'w').write('1' * 1000)").await;
        sessions.checkpoint(ME, &id, "first").await.expect("kept");
        for round in 0..20 {
            let wait = Duration::from_micros(round * 150);
            value(&sessions, &id, "x = 2\nfor n in range(200): open(f'f{n}', 'w').write('2')").await;
            let _ = tokio::time::timeout(wait, sessions.ask(ME, &id, Question::variables())).await;
            let _ = tokio::time::timeout(wait, sessions.fork(ME, &id)).await;
            let _ = tokio::time::timeout(wait, sessions.checkpoint(ME, &id, "second")).await;
            let _ = tokio::time::timeout(wait, sessions.roll_back(ME, &id, "first")).await;
            let end = call(&sessions, &id, "x, {len(open(f'f{n}').read()) for n in range(200)}").await;
            // It has gone back, all of it.
            assert_eq!(end.outcome.result.as_deref(), Some("(1, {1000})"), "{round}: {end:#?}");
            assert_eq!(end.restored, None);
        }
        let forks = sessions.list(ME).await;
        for fork in &forks {
            let seen = value(&sessions, &fork.id, "x, {len(open(f'f{n}').read()) for n in range(200)}").await;
            assert!(["(1, {1000})", "(2, {1})"].contains(&&*seen), "{seen}");
        }
        let _ = tokio::time::timeout(Duration::ZERO, sessions.remove(ME, &id)).await;
        for _ in 0..100 {
            if sessions.list(ME).await.len() < forks.len() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let folders =
            std::fs::read_dir(folder.path()).expect("a folder").flatten().filter(|it| it.path().is_dir()).count();
        assert_eq!((folders, sessions.list(ME).await.len()), (forks.len() - 1, forks.len() - 1));
    });
}

#[test]
fn removal_waits_for_no_queue() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "import time").await;
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let (sessions, id) = (sessions.clone(), id.clone());
                tokio::spawn(async move {
                    sessions.call(ME, &id, Cell::new("time.sleep(5)")).await.map(|end| end.outcome.ending)
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = std::time::Instant::now();
        sessions.remove(ME, &id).await.expect("removed");
        let mut interrupted = 0;
        for call in calls {
            match call.await.expect("a task") {
                Ok(ending) => {
                    assert_eq!(ending, Ending::Exited { exit_code: 130 });
                    interrupted += 1;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            }
        }
        assert_eq!(interrupted, 1);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    });
}

#[test]
fn what_takes_too_long_to_run_again_is_said_to_be_lost() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let id;
        {
            let sessions = reopened(never_written(folder.path())).await;
            id = sessions.create(ME, Job::session()).await.expect("a session").id;
            value(&sessions, &id, "import time\nx = 1\nopen('f', 'w').write('1')").await;
            sessions.checkpoint(ME, &id, "kept").await.expect("kept");
            value(&sessions, &id, "x = 2\ntime.sleep(0.5)").await;
            sessions.write_file(ME, &id, "put", "put".into()).await.expect("written");
            value(&sessions, &id, "time.sleep(0.5)").await;
        }
        let mut options = options(folder.path());
        options.replay_time = Duration::from_millis(600);
        let sessions = reopened(options).await;
        let end = call(&sessions, &id, "x, open('f').read(), open('put').read()").await;
        assert_eq!(end.outcome.result.as_deref(), Some("(1, '1', 'put')"), "{end:#?}");
        assert_eq!(end.restored.map(|it| it.lost), Some(2));
        assert_eq!(call(&sessions, &id, "x").await.restored, None);
    });
}

#[test]
fn a_frozen_state_that_cannot_be_thawed_is_made_again() {
    block_on(async {
        for journal_too in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let id;
            {
                let sessions = open(folder.path());
                id = sessions.create(ME, Job::session()).await.expect("a session").id;
                value(&sessions, &id, "x = 41\nopen('f', 'a').write('kept')").await;
                sessions.freeze_all().await;
            }
            let frozen = in_session(folder.path(), &id, "frozen-");
            assert_eq!(frozen.len(), 1, "{frozen:?}");
            let mut bytes = std::fs::read(&frozen[0]).expect("a frozen state");
            let at = bytes.len() - 100;
            bytes[at] ^= 1;
            std::fs::write(&frozen[0], bytes).expect("written");
            if journal_too {
                std::fs::remove_file(&in_session(folder.path(), &id, "calls-")[0]).expect("removed");
            }
            let sessions = reopened(options(folder.path())).await;
            let end = call(&sessions, &id, "globals().get('x'), open('f').read()").await;
            let restored = end.restored.expect("it was made again");
            if journal_too {
                assert_eq!((end.outcome.result.as_deref(), restored.lost), (Some("(None, 'kept')"), 1));
            } else {
                assert_eq!((end.outcome.result.as_deref(), restored.replayed), (Some("(41, 'kept')"), 1));
            }
            assert_eq!(value(&sessions, &id, "y = 2; y").await, "2");
        }
    });
}

#[test]
fn what_is_too_large_to_run_again_is_frozen_at_once() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let id;
        {
            let sessions = reopened(never_written(folder.path())).await;
            id = sessions.create(ME, Job::session()).await.expect("a session").id;
            let cell = Cell::new("import sys\nx = len(sys.stdin.read())").stdin(vec![b'x'; 17 << 20]);
            assert!(sessions.call(ME, &id, cell).await.expect("a call").outcome.success());
        }
        let sessions = reopened(options(folder.path())).await;
        let end = call(&sessions, &id, "x").await;
        assert_eq!((end.outcome.result.as_deref(), end.restored), (Some("17825792"), None));
    });
}

#[test]
fn a_fork_has_random_numbers_of_its_own_whatever_its_first_call_does() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "import random, os\nrandom.random()").await;
        let fork = sessions.fork(ME, &id).await.expect("a fork").id;
        assert!(call(&sessions, &fork, "os._exit(1)").await.lost);
        assert_ne!(value(&sessions, &fork, "random.random()").await, value(&sessions, &id, "random.random()").await);
    });
}

#[test]
fn an_owner_and_memory_have_their_share_at_once() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        (options.owner_max, options.live_max) = (6, 4);
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let making: Vec<_> = (0..10)
            .map(|_| {
                let sessions = sessions.clone();
                tokio::spawn(async move { sessions.create(ME, Job::session()).await })
            })
            .collect();
        let mut refused = 0;
        for made in making {
            refused += usize::from(made.await.expect("a task").is_err_and(|error| error.kind() == ErrorKind::Busy));
        }
        let ids: Vec<_> = sessions.list(ME).await.into_iter().map(|it| it.id).collect();
        assert_eq!((refused, ids.len()), (4, 6));
        assert_eq!(sessions.fork(ME, &ids[0]).await.err().map(|error| error.kind()), Some(ErrorKind::Busy));
        let calls: Vec<_> = ids
            .into_iter()
            .map(|id| {
                let sessions = sessions.clone();
                tokio::spawn(async move { sessions.call(ME, &id, Cell::new("import time\ntime.sleep(0.5)")).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let live = sessions.list(ME).await.iter().filter(|it| it.state != SessionState::Frozen).count();
        let mut ran = 0;
        for call in calls {
            match call.await.expect("a task") {
                Ok(_) => ran += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Busy),
            }
        }
        // Half of the places are for others.
        assert_eq!((live, ran), (2, 2));
    });
}

#[test]
fn folders_of_files_from_outside_count() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = open(folder.path());
        let limits = Limits { disk_files: 20, ..Limits::default() };
        let id = sessions.create(ME, Job::session().limits(limits)).await.expect("a session").id;
        sessions.write_file(ME, &id, "a/b/c", "".into()).await.expect("written");
        value(&sessions, &id, "import os; os.symlink('..', 'up'); os.symlink('a', 'in')").await;
        assert!(sessions.write_file(ME, &id, "up/out", "".into()).await.is_err(), "it would be in no list");
        sessions.write_file(ME, &id, "in/file", "content".into()).await.expect("written");
        assert_eq!(sessions.read_file(ME, &id, "a/file").await.expect("a file"), "content");
        let deep = "d/".repeat(30) + "file";
        assert!(sessions.write_file(ME, &id, &deep, "".into()).await.is_err());
        let code = "import os\nsum(len(folders) for _, folders, _ in os.walk('.'))";
        assert!(value(&sessions, &id, code).await.parse::<u32>().is_ok_and(|folders| folders <= 20));
    });
}

#[test]
fn copies_have_a_budget_on_disk() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        options.owner_bytes_max = 40 << 20;
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        value(&sessions, &id, "open('f', 'wb').write(b'x' * (8 << 20))").await;
        sessions.checkpoint(ME, &id, "a").await.expect("kept");
        let mut ends = Vec::new();
        for n in 0..5 {
            value(&sessions, &id, &format!("open('f', 'wb').write(b'{n}' * (8 << 20))")).await;
            ends.push(sessions.checkpoint(ME, &id, &format!("c{n}")).await.map_err(|error| error.kind()));
        }
        assert_eq!((ends[0], ends[4]), (Ok(()), Err(ErrorKind::Busy)), "{ends:?}");
    });
}

#[test]
fn files_go_along_with_a_session_in_a_container() {
    if support::docker::without_docker() {
        return;
    }
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let (id, fork);
        {
            let sessions = reopened(never_written(folder.path())).await;
            let project = Project::files([("before", "content"), ("log", "")]).expect("a project");
            id = sessions.create(ME, Job::project(project)).await.expect("a session").id;
            value(&sessions, &id, APPENDS).await;
            sessions.write_file(ME, &id, "data.csv", "1,2\n".into()).await.expect("written");
            let code = "import subprocess\nsubprocess.run(['cat', 'log', 'after', 'data.csv'], capture_output=True, text=True).stdout";
            let end = call(&sessions, &id, code).await;
            assert_eq!(end.outcome.result.as_deref(), Some("'xcontent1,2\\n'"), "{end:#?}");
            assert_eq!(end.moved.map(|it| (it.replayed, it.different)), Some((1, vec![])));
            value(&sessions, &id, "y = 5\nopen('log', 'a').write('y')").await;
            sessions.checkpoint(ME, &id, "here").await.expect("kept");
            fork = sessions.fork(ME, &id).await.expect("a fork").id;
            value(&sessions, &id, "y = 6\nopen('log', 'a').write('z')").await;
            sessions.write_file(ME, &id, "more", "more".into()).await.expect("written");
            sessions.freeze_all().await;
        }
        let sessions = reopened(options(folder.path())).await;
        assert_eq!(value(&sessions, &id, "y, open('log').read(), open('more').read()").await, "(6, 'xyz', 'more')");
        assert_eq!(
            value(&sessions, &fork, "y, open('log').read(), open('data.csv').read()").await,
            "(5, 'xy', '1,2\\n')"
        );
        sessions.roll_back(ME, &id, "here").await.expect("back");
        assert_eq!(value(&sessions, &id, "y, open('log').read(), os.path.exists('more')").await, "(5, 'xy', False)");
        for id in [&id, &fork] {
            sessions.remove(ME, id).await.expect("removed");
        }
    });
}

#[test]
fn an_owner_without_room_on_disk_makes_and_writes_nothing_more() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        options.owner_bytes_max = 200_000;
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let id = sessions.create(ME, Job::session()).await.expect("a session").id;
        sessions.write_file(ME, &id, "a", vec![b'a'; 90_000].into()).await.expect("written");
        let full = sessions.write_file(ME, &id, "b", vec![b'b'; 90_000].into()).await;
        assert_eq!(full.err().map(|error| error.kind()), Some(ErrorKind::Busy));
        sessions.remove(ME, &id).await.expect("removed");
        let id = sessions.create(ME, Job::session()).await.expect("there is room again").id;
        sessions.write_file(ME, &id, "b", vec![b'b'; 90_000].into()).await.expect("written");
    });
}

#[test]
fn calls_that_wait_leave_half_of_the_places_to_others() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(folder.path());
        options.live_max = 2;
        let sessions = Sessions::open(support::pyexec().clone(), options).expect("sessions");
        let [waiting, more] = [(); 2].map(|()| sessions.create(ME, Job::session()));
        let (waiting, more) = (waiting.await.expect("a session").id, more.await.expect("a session").id);
        let others = sessions.create("other", Job::session()).await.expect("a session").id;
        let (one, id) = (sessions.clone(), waiting.clone());
        let call = tokio::spawn(async move { one.call(ME, &id, Cell::new("import time\ntime.sleep(60)")).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let refused = sessions.call(ME, &more, Cell::new("1")).await;
        assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::Busy));
        let end = sessions.call("other", &others, Cell::new("1")).await.expect("a place");
        assert_eq!(end.outcome.result.as_deref(), Some("1"));
        sessions.interrupt(ME, &waiting).expect("interrupted");
        call.await.expect("a task").expect("an end");
        sessions.call(ME, &more, Cell::new("1")).await.expect("a place again");
    });
}
