//! The library as a program has it that only runs code: these tests need none of its features.

use pyexec::{
    ByteSize, Job, Limits, Pyexec, RunEvent, Want,
    sessions::{Cell, Sessions, SessionsOptions},
};
use std::{sync::LazyLock, time::Duration};

static PYEXEC: LazyLock<Pyexec> = LazyLock::new(|| {
    Pyexec::builder().without_docker("these tests do without").slots(2).build().expect("an interpreter")
});

async fn events(job: Job) -> Vec<RunEvent> {
    let mut stream = PYEXEC.run_stream(job);
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event.expect("an event"));
    }
    assert!(stream.next().await.is_none(), "nothing comes after the last");
    events
}

#[tokio::test]
async fn the_value_of_a_job_comes_back_in_its_type() {
    let job = Job::code("{'n': [n * n for n in range(4)]}").want(Want::LastExpression);
    let outcome = PYEXEC.run(job).await.expect("an outcome").check().expect("success");
    let value: std::collections::BTreeMap<String, Vec<u32>> = outcome.result().expect("a map");
    assert_eq!(value["n"], [0, 1, 4, 9]);
}

#[tokio::test]
async fn a_script_that_fails_is_an_error_for_who_wants_that() {
    let outcome = PYEXEC.run(Job::code("print('so far')\n1 / 0")).await.expect("an outcome");
    let failure = outcome.check().expect_err("a failure");
    assert_eq!(failure.to_string(), "the script exited with 1: ZeroDivisionError: division by zero");
    assert_eq!(failure.outcome().stdout.text, "so far\n");
}

#[tokio::test]
async fn limits_are_given_as_durations_and_sizes() {
    let outcome = PYEXEC.run(Job::code("while True: pass").timeout(Duration::from_millis(200))).await;
    let failure = outcome.expect("an outcome").check().expect_err("a failure");
    assert_eq!(failure.to_string(), "the script was stopped: time limit exceeded");
    let limits = Limits::default().with_memory(ByteSize::mib(64));
    let outcome = PYEXEC.run(Job::code("x = bytearray(100 << 20)").limits(limits)).await.expect("an outcome");
    assert!(outcome.check().expect_err("a failure").to_string().contains("MemoryError"));
}

#[tokio::test]
async fn a_stream_has_what_happens_in_order_and_the_outcome_last() {
    let code = "import sys\nprint('one', flush=True)\nprint('two', file=sys.stderr, flush=True)\nprint('three')";
    let events = events(Job::code(code)).await;
    let seen: Vec<String> = events
        .iter()
        .map(|event| match event {
            RunEvent::Started => "started".to_owned(),
            RunEvent::Stdout(bytes) => format!("out {}", String::from_utf8_lossy(bytes).trim_end()),
            RunEvent::Stderr(bytes) => format!("err {}", String::from_utf8_lossy(bytes).trim_end()),
            RunEvent::Ended(outcome) => format!("ended {}", outcome.stdout.text.replace('\n', " ").trim_end()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, ["started", "out one", "err two", "out three", "ended one three"]);
}

#[tokio::test]
async fn a_job_runs_no_further_than_its_stream_is_read_and_ends_with_it() {
    let pyexec = Pyexec::builder().without_docker("this test does without").slots(1).build().expect("an interpreter");
    let mut stream = pyexec.run_stream(Job::code("n = 0\nwhile True:\n    print(n, flush=True)\n    n += 1"));
    for _ in 0..100 {
        assert!(matches!(stream.next().await, Some(Ok(_))));
    }
    drop(stream);
    let outcome = pyexec.run(Job::code("print('free')")).await.expect("the slot is free again");
    assert_eq!(outcome.stdout.text, "free\n");
}

#[tokio::test]
async fn a_stream_of_a_job_that_cannot_be_ends_with_the_reason() {
    let mut stream = PYEXEC.run_stream(Job::code("print(1)").entrypoint("other.py"));
    assert!(stream.next().await.expect("an event").is_err());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_session_lives_on_between_calls_and_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let mut options = SessionsOptions::default();
        options.folder = Some(folder.path().to_owned());
        Sessions::open(PYEXEC.clone(), options).expect("sessions")
    };
    let sessions = open();
    let session = sessions.create("me", Job::session()).await.expect("a session");
    sessions.call("me", &session.id, Cell::new("x = 20")).await.expect("a call");
    let end = sessions.call("me", &session.id, Cell::new("x + 1")).await.expect("a call");
    assert_eq!(end.outcome.result.as_deref(), Some("21"));
    sessions.freeze_all().await;
    drop(sessions);
    let end = open().call("me", &session.id, Cell::new("x + 2")).await.expect("a call");
    assert_eq!(end.outcome.result.as_deref(), Some("22"));
}

#[cfg(not(feature = "docker"))]
#[tokio::test]
async fn what_takes_a_container_is_refused_with_the_reason() {
    let pyexec = Pyexec::builder().build().expect("an interpreter");
    let error = pyexec.run(Job::code("print(1)").image("python:3.13-slim")).await.expect_err("a refusal").to_string();
    assert!(error.contains("built without containers"), "{error}");
}

#[cfg(not(feature = "packages"))]
#[tokio::test]
async fn packages_are_refused_with_the_reason() {
    for job in [Job::code("import sympy"), Job::code("1").requirements(pyexec::Requirements::parse("six").unwrap())] {
        let error = PYEXEC.run(job).await.expect_err("a refusal").to_string();
        assert!(error.contains("built without packages"), "{error}");
    }
    // It handles that there is none.
    let job = Job::code("try:\n    import sympy\nexcept ImportError:\n    sympy = None\nprint(sympy)");
    assert_eq!(PYEXEC.run(job).await.expect("an outcome").stdout.text, "None\n");
    let error = PYEXEC.run(Job::code("1").environment("0123456789")).await.expect_err("a refusal").to_string();
    assert!(error.contains("built without packages"), "{error}");
}
