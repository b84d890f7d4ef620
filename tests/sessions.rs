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
        assert_eq!(sessions.checkpoints(ME, &id).expect("names"), ["first"]);
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
