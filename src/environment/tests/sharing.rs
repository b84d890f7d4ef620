//! Many callers, several processes, and what one of them leaves behind.

use super::*;
use std::process::{Child, Command, Stdio};

/// Says to the test below what to do, in another process.
const STORE: &str = "PYEXEC_TEST_STORE";
const UV: &str = "PYEXEC_TEST_UV";
const WASM: &str = "PYEXEC_TEST_WASM";

/// Prepares an environment in a process of its own; for WebAssembly, where there is a bench.
pub(super) fn process(folder: &Path, bench: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "environment::tests::sharing::in_another_process"]);
    command.env(UV, folder.join("uv")).env(STORE, folder).envs(bench.map(|version| (WASM, version)));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The other process: without what it is told to do it has nothing to do.
#[tokio::test]
async fn in_another_process() {
    let (Some(uv), Some(folder)) = (std::env::var_os(UV), std::env::var_os(STORE)) else { return };
    let folder = PathBuf::from(folder).join("store");
    let options = EnvironmentOptions { uv: Some(uv.into()), folder: Some(folder), ..Default::default() };
    if let Ok(version) = std::env::var(WASM) {
        let environments = Bench { version, ..Bench::default() }.environments(options);
        environments.prepare(&required("one"), Platform::WASM, &|_| {}).await.unwrap();
    } else {
        prepare(&Environments::new(options).unwrap(), "one").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_first_uses_are_one_installation() {
    let script = Script::new("sleep 0.2");
    let environments = Environments::new(script.options()).unwrap();
    let callers = (0..50).map(|_| {
        let environments = environments.clone();
        tokio::spawn(async move { prepare(&environments, "one").await.unwrap().id().to_owned() })
    });
    let ids: Vec<_> = futures_util::future::try_join_all(callers).await.unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(script.installs(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_goes_on_as_long_as_somebody_waits() {
    let script = Script::new("echo $$ > ../../../../first; sleep 1");
    let environments = Environments::new(script.options()).unwrap();
    let start = || {
        let environments = environments.clone();
        tokio::spawn(async move { prepare(&environments, "one").await.map(|installed| installed.id().to_owned()) })
    };
    let (first, second) = (start(), start());
    let process = script.made("first").await;
    first.abort();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(script.installs(), 1);
    assert!(!is_running(&process));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_nobody_waits_for_is_killed_with_all_that_it_started() {
    let script = Script::new("sleep 1000 & echo $! > ../../../../started; wait");
    let environments = Environments::new(script.options()).unwrap();
    let waiting = environments.clone();
    let caller = tokio::spawn(async move { prepare(&waiting, "one").await.map(drop) });
    let process = script.made("started").await;
    assert!(is_running(&process));
    caller.abort();
    ends(&process).await;
    assert!(environments.list().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_install_once() {
    let script = Script::new("echo x > ../../../../started; sleep 1");
    let environments = Environments::new(script.options()).unwrap();
    let mut other = process(script.folder.path(), None);
    script.made("started").await;
    let said = Mutex::new(Vec::new());
    let progress = |phase: &str| said.lock().unwrap().push(phase.to_owned());
    environments.prepare(&required("one"), PLATFORM, &progress).await.unwrap();
    assert!(other.wait().unwrap().success());
    assert_eq!(script.installs(), 1);
    assert!(said.into_inner().unwrap().iter().any(|phase| phase.contains("another process")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_leaves_is_swept() {
    let script = Script::new("if ! [ -e ../../../../started ]; then echo $$ > ../../../../started; sleep 2; fi");
    let mut other = process(script.folder.path(), None);
    let uv = script.made("started").await;
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(unfinished(&script.path("store")), 1);
    assert!(is_running(&uv));
    // uv has outlived the process, and keeps the lock.
    let installed = prepare(&Environments::new(script.options()).unwrap(), "one").await.unwrap();
    assert!(!is_running(&uv));
    assert_eq!(unfinished(&script.path("store")), 0);
    assert_eq!((script.installs(), installed.pins().len()), (2, 1));
}

#[tokio::test]
async fn what_is_not_used_for_longest_makes_room() {
    let script = Script::new("head -c 1000000 /dev/zero > one.bin");
    let bytes_max = 3_500_000;
    let environments = Environments::new(EnvironmentOptions { bytes_max, ..script.options() }).unwrap();
    let held = prepare(&environments, "a").await.unwrap();
    for name in ["b", "c", "b", "d", "e"] {
        prepare(&environments, name).await.unwrap();
        // Times on disk are compared.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left = || {
        let mut names: Vec<_> =
            environments.list().unwrap().into_iter().flat_map(|listed| listed.requirements).collect();
        names.sort();
        names
    };
    assert_eq!(left(), ["a", "d", "e"], "a is in use, b and c are older");
    assert!(held.packages_folder().join("one.bin").exists());
    drop(held);
    prepare(&environments, "f").await.unwrap();
    assert_eq!(left(), ["d", "e", "f"]);
    assert_eq!(unfinished(&script.path("store")), 0);
}

#[tokio::test]
async fn downloads_have_a_quarter_of_the_room() {
    let script = Script::new("mkdir -p ../../../uv; head -c 2000000 /dev/zero > ../../../uv/download");
    let environments = Environments::new(EnvironmentOptions { bytes_max: 9_000_000, ..script.options() }).unwrap();
    prepare(&environments, "a").await.unwrap();
    assert!(script.path("store/uv/download").exists());
    let environments = Environments::new(EnvironmentOptions { bytes_max: 7_000_000, ..script.options() }).unwrap();
    prepare(&environments, "b").await.unwrap();
    assert!(!script.path("store/uv/download").exists());
}

#[tokio::test]
async fn prepared_environments_need_neither_uv_nor_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let maker = Environments::new(options(folder.path())).unwrap();
    let made = prepare(&maker, "jinja2\ntabulate").await.unwrap();
    // As in an image: other times, other owners of the blocks.
    let prepared = folder.path().join("prepared");
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .arg(folder.path().join("store"))
            .arg(&prepared)
            .status()
            .unwrap()
            .success()
    );
    let options = EnvironmentOptions {
        uv: Some("/nonexistent/uv".into()),
        index_url: Some("http://127.0.0.1:9/simple".to_owned()),
        folder: Some(folder.path().join("other")),
        prepared: vec![folder.path().join("nothing"), prepared.clone()],
        ..options(folder.path())
    };
    let environments = Environments::new(options.clone()).unwrap();
    for text in ["jinja2\ntabulate", "jinja2", "markupsafe>=2", "tabulate"] {
        let installed = prepare(&environments, text).await.unwrap();
        assert_eq!(installed.id(), made.id(), "{text}");
        assert!(installed.packages_folder().starts_with(&prepared));
        let again = environments.known(&required(text), PLATFORM).unwrap().unwrap();
        assert_eq!(again.id(), made.id());
    }
    let newer = Platform {
        target: Target::Linux { machine: Machine::X86_64, libc: Libc::Glibc { major: 2, minor: 41 } },
        ..PLATFORM
    };
    assert!(environments.prepare(&required("jinja2"), newer, &|_| {}).await.is_ok());
    for text in ["jinja2<3", "sympy", "jinja2[i18n]"] {
        assert_eq!(prepare(&environments, text).await.unwrap_err().reason, Reason::NoUv, "{text}");
    }
    fs::write(prepared.join(made.id()).join("packages/tabulate/__init__.py"), "").unwrap();
    let environments = Environments::new(options).unwrap();
    assert_eq!(prepare(&environments, "jinja2").await.unwrap_err().reason, Reason::NoUv);
}
