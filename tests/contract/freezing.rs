//! What freezing and thawing promise, in WebAssembly.

use super::{Door, suite::block_on, wasm};
use pyexec::{
    Event, Limits, Outcome, Project,
    executor::{Call, Executor, Frozen, Provisioned, Run, Session, SessionSpec, wasm::WasmExecutor},
};
use std::{path::Path, sync::Arc};

/// Sessions with their files in folders of their own.
struct Sessions {
    executor: Arc<WasmExecutor>,
    folder: tempfile::TempDir,
}

impl Sessions {
    fn new() -> Sessions {
        let Door::Wasm(executor) = wasm() else { unreachable!("the door of WebAssembly") };
        Sessions { executor, folder: tempfile::tempdir().expect("a folder") }
    }

    fn spec(&self, home: &str) -> SessionSpec {
        let project = Project::files([("data.txt", "from the project")]).expect("a project");
        SessionSpec::new(project, Vec::new(), Limits::default()).home(self.folder.path().join(home))
    }

    async fn open(&self, home: &str) -> Box<dyn Session> {
        self.executor.open(Provisioned::wasm(), self.spec(home)).await.expect("a session")
    }

    async fn thaw(&self, frozen: &Frozen, home: &str) -> pyexec::Result<Box<dyn Session>> {
        self.executor.thaw(frozen, Provisioned::wasm(), self.spec(home)).await
    }

    fn copy(&self, from: &str, to: &str) {
        copy(&self.folder.path().join(from), &self.folder.path().join(to));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let into = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &into) } else { drop(std::fs::copy(entry.path(), into)) }
    }
}

async fn call(session: &mut dyn Session, code: &str) -> Outcome {
    let call = Call::cell(1, code.to_owned(), Limits::default());
    match session.call(call, Box::new(|_: Event<'_>| ())).await.expect("a call") {
        Run::Ended(outcome) => *outcome,
        Run::Missed(miss, _) => panic!("stopped at {miss:?}"),
    }
}

async fn value(session: &mut dyn Session, code: &str) -> String {
    let outcome = call(session, code).await;
    assert!(outcome.success(), "{code}\n{outcome:#?}");
    outcome.result.unwrap_or_default()
}

#[test]
fn a_session_goes_on_where_it_was_frozen() {
    block_on(async {
        let sessions = Sessions::new();
        let mut session = sessions.open("a").await;
        let code = "import os, random, asyncio, time\nrandom.seed(5)\nbig = {n: str(n) for n in range(20_000)}\n\
                    out = open('log.txt', 'w')\nout.write('one ')\nread = open('data.txt'); read.read(5)\n\
                    gone = open('/tmp/gone', 'w+'); gone.write('kept'); gone.flush(); os.remove('/tmp/gone')\n\
                    os.chmod('data.txt', 0o600)\nr, w = os.pipe(); os.write(w, b'in the pipe')\n\
                    both = os.dup(read.fileno())\n\
                    started = time.monotonic()\nqueue = asyncio.Queue()\nawait queue.put(7)\n\
                    generator = (n * n for n in range(10)); next(generator); next(generator)\n'done'";
        assert_eq!(value(&mut *session, code).await, "'done'");
        let frozen = session.freeze().await.expect("frozen");
        // It goes on as if nothing had happened.
        assert_eq!(value(&mut *session, "next(generator), random.random()").await, "(4, 0.6229016948897019)");
        drop(session);
        let mut thawed = sessions.thaw(&Frozen::new(frozen.bytes().to_vec()), "a").await.expect("thawed");
        let checks = [
            ("next(generator), random.random()", "(4, 0.6229016948897019)"),
            ("big[19_999], len(big)", "('19999', 20000)"),
            ("out.write('two'); out.close(); open('log.txt').read()", "'one two'"),
            ("read.read()", "'the project'"),
            ("gone.seek(0); gone.read()", "'kept'"),
            ("oct(os.stat('data.txt').st_mode & 0o777)", "'0o600'"),
            ("os.read(r, 100)", "b'in the pipe'"),
            ("os.lseek(both, 0, 0), os.lseek(read.fileno(), 0, 1)", "(0, 0)"),
            ("await queue.get()", "7"),
            ("0 < time.monotonic() - started < 60", "True"),
            ("sorted(os.listdir())", "['data.txt', 'log.txt']"),
        ];
        for (code, expected) in checks {
            assert_eq!(value(&mut *thawed, code).await, expected, "{code}");
        }
    });
}

#[test]
fn a_frozen_session_can_be_thawed_twice() {
    block_on(async {
        let sessions = Sessions::new();
        let mut session = sessions.open("a").await;
        value(&mut *session, "import random\nrandom.random()\nx = 1\nopen('f', 'w').write('both')").await;
        let frozen = session.freeze().await.expect("frozen");
        assert!(frozen.bytes().len() < 2 << 20, "{} bytes", frozen.bytes().len());
        sessions.copy("a", "b");
        let mut fork = sessions.thaw(&frozen, "b").await.expect("thawed");
        value(&mut *fork, "x += 10\nopen('f', 'w').write('fork')").await;
        assert_eq!(value(&mut *session, "x, open('f').read()").await, "(1, 'both')");
        assert_eq!(value(&mut *fork, "x, open('f').read()").await, "(11, 'fork')");
    });
}

#[test]
fn what_was_frozen_a_hundred_times_is_the_same() {
    block_on(async {
        let sessions = Sessions::new();
        let mut session = sessions.open("a").await;
        value(&mut *session, "items = []").await;
        for n in 0..100 {
            value(&mut *session, "items.append(len(items)); s = 'x' * len(items) * 1000").await;
            let frozen = session.freeze().await.expect("frozen");
            session = sessions.thaw(&frozen, "a").await.expect("thawed");
            assert_eq!(
                value(&mut *session, "items == list(range(len(items))), len(s)").await,
                format!("(True, {})", (n + 1) * 1000)
            );
        }
    });
}

#[test]
fn bytes_that_are_no_session_are_refused() {
    block_on(async {
        let sessions = Sessions::new();
        let mut session = sessions.open("a").await;
        value(&mut *session, "x = 1").await;
        let bytes = session.freeze().await.expect("frozen").bytes().to_vec();
        for cut in [0, 7, 8, 15, 16, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(sessions.thaw(&Frozen::new(bytes[..cut].to_vec()), "a").await.is_err(), "{cut}");
        }
        for at in (0..bytes.len()).step_by(997) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            assert!(sessions.thaw(&Frozen::new(changed), "a").await.is_err(), "{at}");
        }
        let small = Limits { memory_bytes: 8 << 20, ..Limits::default() };
        let spec = SessionSpec::new(Project::script(""), Vec::new(), small);
        assert!(sessions.executor.thaw(&Frozen::new(bytes), Provisioned::wasm(), spec).await.is_err());
    });
}
