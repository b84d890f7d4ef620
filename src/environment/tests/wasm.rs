//! Which packages WebAssembly takes, and what is kept of them.

use super::{
    bench::{ANY, NATIVE, Wheels, no_wheel, packed, prepare_wasm},
    *,
};
use std::{
    fs::FileTimes,
    sync::atomic::{AtomicUsize, Ordering},
};

/// With optional native parts.
fn add_optional(wheels: &Wheels) {
    let files = [
        ("one/__init__.py", "from . import _c"),
        ("one/_c.cpython-314-x86_64-linux-gnu.so", "\x7fELF"),
        ("one/data.txt", "data"),
        ("one/tests/test_one.py", ""),
        ("_one/__init__.py", "raise ImportError"),
        ("one.libs/libc.so.6", "\x7fELF"),
        ("bin/one", "#!/bin/sh"),
    ];
    wheels.add("one", NATIVE, &files);
}

fn asking(names: &[&str]) -> Bench {
    Bench { asked_for: names.iter().map(ToString::to_string).collect(), ..Bench::default() }
}

#[tokio::test]
async fn a_package_that_does_without_its_native_parts_is_taken() {
    let wheels = Wheels::new("");
    add_optional(&wheels);
    wheels.add("two", ANY, &[("two.py", "x = 2")]);
    let environments = asking(&["one._c"]).environments(wheels.options());
    let installed = prepare_wasm(&environments, "one\ntwo").await.unwrap();
    let files = [
        (".native-parts", false),
        ("_one/__init__.py", true),
        ("one-1.dist-info/RECORD", false),
        ("one-1.dist-info/WHEEL", false),
        ("one/__init__.py", true),
        ("one/data.txt", false),
        ("one/tests/test_one.py", false),
        ("two-1.dist-info/RECORD", false),
        ("two-1.dist-info/WHEEL", false),
        ("two.py", true),
    ];
    assert_eq!(packed(&installed), files.map(|(path, code)| (path.to_owned(), code)));
    let pins: Vec<_> = installed.pins().iter().map(|pin| (pin.pinned(), pin.pure)).collect();
    assert_eq!(pins, [("one==1".to_owned(), false), ("two==1".to_owned(), true)]);
    assert_eq!(wheels.calls(), ["compile", "install any", "install native"]);
    let known = environments.known(&required("one\ntwo"), Platform::WASM).unwrap().unwrap();
    assert_eq!((known.id(), packed(&known).len()), (installed.id(), files.len()));
    // A process that comes later reads it.
    let again = prepare_wasm(&asking(&[]).environments(wheels.options()), "one\ntwo").await.unwrap();
    assert_eq!((again.id(), packed(&again)), (installed.id(), packed(&installed)));
    assert_eq!(wheels.calls().len(), 3);
}

#[tokio::test]
async fn a_package_that_needs_its_native_parts_is_refused() {
    let failing = || Bench { failing: vec!["one".to_owned()], ..asking(&["one._c"]) };
    for bench in [failing(), asking(&[]), asking(&["one._d"])] {
        let wheels = Wheels::new("");
        add_optional(&wheels);
        let refusal = prepare_wasm(&bench.environments(wheels.options()), "one").await.unwrap_err();
        assert!(refusal.to_string().starts_with("one==1 has no wheel for Python 3.14 on WebAssembly"), "{refusal}");
        assert_eq!(no_wheel(refusal), ["one==1"]);
        assert_eq!(unfinished(&wheels.path("store")), 0);
    }
    let wheels = Wheels::new("");
    wheels.add("tool", NATIVE, &[("tool/__init__.py", ""), ("bin/tool", "\x7fELF and so on")]);
    let refusal = prepare_wasm(&asking(&[]).environments(wheels.options()), "tool").await.unwrap_err();
    assert_eq!(no_wheel(refusal), ["tool==1"]);
}

#[tokio::test]
async fn a_wheel_for_every_machine_comes_before_a_native_one_of_the_same_version() {
    let wheels = Wheels::new("");
    wheels.add("one", &[NATIVE[0], ANY[0]], &[("one.py", "")]);
    let installed = prepare_wasm(&asking(&[]).environments(wheels.options()), "one").await.unwrap();
    assert!(installed.is_pure());
    assert_eq!(wheels.calls(), ["compile", "install any"]);
}

#[tokio::test]
async fn large_native_wheels_are_not_even_fetched() {
    let wheels = Wheels::new("");
    wheels.add("small", &[("cp314-cp314-manylinux_2_28_x86_64", Some(8 << 20))], &[("small.py", "")]);
    wheels.add("large", &[("cp314-cp314-manylinux_2_28_x86_64", Some((8 << 20) + 1))], &[("large.py", "")]);
    let refusal = prepare_wasm(&asking(&[]).environments(wheels.options()), "small\nlarge").await.unwrap_err();
    assert_eq!(no_wheel(refusal), ["large==1"]);
    assert_eq!(wheels.calls(), ["compile"]);

    // Where its size is not known, it is seen when it is there.
    let wheels = Wheels::new("");
    let content = "x".repeat(33 << 20);
    wheels.add("large", NATIVE, &[("large/__init__.py", ""), ("large/_c.so", &content)]);
    let refusal = prepare_wasm(&asking(&["large._c"]).environments(wheels.options()), "large").await.unwrap_err();
    assert_eq!(no_wheel(refusal), ["large==1"]);
}

#[tokio::test]
async fn what_cannot_be_taken_is_remembered_for_a_day() {
    let wheels = Wheels::new("");
    add_optional(&wheels);
    let environments = asking(&[]).environments(wheels.options());
    assert!(environments.known(&required("one"), Platform::WASM).is_none());
    prepare_wasm(&environments, "one").await.unwrap_err();
    let calls = wheels.calls();
    let known = environments.known(&required("one"), Platform::WASM).unwrap().unwrap_err();
    assert_eq!(no_wheel(known), ["one==1"]);
    assert_eq!(no_wheel(prepare_wasm(&environments, "one").await.unwrap_err()), ["one==1"]);
    // So it is by other processes.
    let others = asking(&[]).environments(wheels.options());
    assert!(others.known(&required("one"), Platform::WASM).is_none());
    assert_eq!(no_wheel(prepare_wasm(&others, "one").await.unwrap_err()), ["one==1"]);
    assert_eq!(wheels.calls(), calls);

    let verdict = fs::read_dir(wheels.path("store/verdicts")).unwrap().next().unwrap().unwrap().path();
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&verdict).unwrap()).unwrap();
    let since = text["since"]["secs_since_epoch"].as_u64().unwrap();
    text["since"]["secs_since_epoch"] = (since - 25 * 3600).into();
    fs::write(&verdict, text.to_string()).unwrap();
    let tomorrow = asking(&["one._c"]).environments(wheels.options());
    assert!(prepare_wasm(&tomorrow, "one").await.is_ok());
    // Another interpreter may take what this one could not.
    let other = Bench { version: "2".to_owned(), ..asking(&["one._c"]) };
    assert!(prepare_wasm(&other.environments(wheels.options()), "one").await.is_ok());
}

#[tokio::test]
async fn without_the_interpreter_there_are_none_for_it() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one.py", "")]);
    let environments = Environments::new(wheels.options()).unwrap();
    let refusal = prepare_wasm(&environments, "one").await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Fault);
    assert!(
        refusal.log().contains("the interpreter") || refusal.log().contains("its interpreter"),
        "{}",
        refusal.log()
    );
    assert!(wheels.calls().is_empty());
}

#[tokio::test]
async fn a_poisoned_pack_is_made_anew() {
    for verification in [Verification::Full, Verification::Stamp] {
        let wheels = Wheels::new("");
        wheels.add("one", ANY, &[("one.py", "x = 1")]);
        let options = EnvironmentOptions { verification, ..wheels.options() };
        let made = prepare_wasm(&asking(&[]).environments(options.clone()), "one").await.unwrap();
        let (path, expected) = (made.packages_folder().join("pack"), packed(&made));
        drop(made);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for (n, poison) in [&flipped[..], &whole[..whole.len() - 1], b""].into_iter().enumerate() {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, poison).unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_times(FileTimes::new().set_modified(modified))
                .unwrap();
            let environments = asking(&[]).environments(options.clone());
            let installed = prepare_wasm(&environments, "one").await.unwrap();
            assert_eq!(packed(&installed), expected);
            assert_eq!(wheels.calls().len(), 2 * (n + 2), "{n} with {verification:?}");
        }
    }
}

#[tokio::test]
async fn a_process_that_has_a_pack_in_memory_sees_that_it_was_poisoned_on_disk() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one.py", "x = 1")]);
    let environments = asking(&[]).environments(wheels.options());
    let installed = prepare_wasm(&environments, "one").await.unwrap();
    fs::write(installed.packages_folder().join("pack"), "").unwrap();
    *crate::sync::lock(&installed.known.looked_at) = Instant::now().checked_sub(LOOKED_AT_EVERY * 2).unwrap();
    drop(installed);
    prepare_wasm(&environments, "one").await.unwrap();
    assert_eq!(wheels.calls().len(), 4);
}

#[tokio::test]
async fn a_pack_that_is_not_in_memory_is_read_again() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one.py", "x = 1")]);
    let environments = asking(&[]).environments(wheels.options());
    let expected = packed(&prepare_wasm(&environments, "one").await.unwrap());
    environments.shared.packs.invalidate_all();
    assert!(environments.known(&required("one"), Platform::WASM).is_none());
    assert_eq!(packed(&prepare_wasm(&environments, "one").await.unwrap()), expected);
    assert!(environments.known(&required("one"), Platform::WASM).is_some());
    assert_eq!(wheels.calls().len(), 2);
}

#[tokio::test]
async fn what_was_compiled_once_is_not_compiled_again() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one/__init__.py", "x = 1"), ("one/y.py", "y = 1"), ("one/tests/t.py", "")]);
    let compiled = Arc::new(AtomicUsize::new(0));
    let bench =
        |version: &str| Bench { version: version.to_owned(), compiled: Arc::clone(&compiled), ..Bench::default() };
    let environments = bench("1").environments(wheels.options());
    prepare_wasm(&environments, "a").await.unwrap();
    assert_eq!(compiled.load(Ordering::Relaxed), 2);
    wheels.add("two", ANY, &[("two.py", "x = 2")]);
    let phases = Mutex::new(Vec::new());
    let progress = |phase: &str| phases.lock().unwrap().push(phase.to_owned());
    let installed = environments.prepare(&required("b"), Platform::WASM, &progress).await.unwrap();
    assert_eq!(compiled.load(Ordering::Relaxed), 3);
    assert_eq!(packed(&installed).iter().filter(|(_, code)| *code).count(), 3);
    let phases = phases.into_inner().unwrap();
    assert!(phases.contains(&"compiling 1 module".to_owned()), "{phases:?}");
    // For another interpreter it is other bytecode.
    prepare_wasm(&bench("2").environments(wheels.options()), "b").await.unwrap();
    assert_eq!(compiled.load(Ordering::Relaxed), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_first_uses_are_one_pack() {
    let wheels = Wheels::new("sleep 0.2");
    add_optional(&wheels);
    let compiled = Arc::new(AtomicUsize::new(0));
    let bench = Bench { compiled: Arc::clone(&compiled), ..asking(&["one._c"]) };
    let environments = bench.environments(wheels.options());
    let callers = (0..50).map(|_| {
        let environments = environments.clone();
        tokio::spawn(async move { prepare_wasm(&environments, "one").await.unwrap().id().to_owned() })
    });
    let ids: Vec<_> = futures_util::future::try_join_all(callers).await.unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(wheels.calls(), ["compile", "install native"]);
    assert_eq!(compiled.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_leaves_that_was_killed_while_it_made_a_pack_is_swept() {
    let wheels = Wheels::new("if ! [ -e \"$here/started\" ]; then echo $$ > \"$here/started\"; sleep 2; fi");
    wheels.add("one", ANY, &[("one.py", "x = 1")]);
    let mut other = sharing::process(wheels.folder.path(), Some(""));
    let uv = made(&wheels.path("started")).await;
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(unfinished(&wheels.path("store")), 1);
    assert!(is_running(&uv));
    // uv has outlived the process, and keeps the lock.
    let installed = prepare_wasm(&Bench::default().environments(wheels.options()), "one").await.unwrap();
    assert!(!is_running(&uv));
    assert_eq!((unfinished(&wheels.path("store")), packed(&installed).len()), (0, 3));
}

#[tokio::test]
async fn packs_that_are_not_used_for_longest_make_room() {
    let wheels = Wheels::new("");
    let data = "x".repeat(1_000_000);
    wheels.add("one", ANY, &[("one.py", "x = 1"), ("one.txt", &data)]);
    let options = EnvironmentOptions { bytes_max: 3_500_000, ..wheels.options() };
    let environments = asking(&[]).environments(options);
    let held = prepare_wasm(&environments, "a").await.unwrap();
    for name in ["b", "c", "b", "d", "e"] {
        prepare_wasm(&environments, name).await.unwrap();
        // Times on disk are compared.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut left: Vec<_> = environments.list().unwrap().into_iter().flat_map(|listed| listed.requirements).collect();
    left.sort();
    assert_eq!(left, ["a", "d", "e"], "a is in use, b and c are older");
    assert_eq!(packed(&held).len(), 4);
    assert!(environments.known(&required("b"), Platform::WASM).is_none());
}

#[tokio::test]
async fn prepared_packs_are_taken_by_the_interpreter_that_they_are_for() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one.py", "x = 1")]);
    wheels.add("two", ANY, &[("two.py", "x = 1")]);
    let made = prepare_wasm(&asking(&[]).environments(wheels.options()), "one\ntwo").await.unwrap();
    let prepared = wheels.path("prepared");
    let copied = std::process::Command::new("cp").arg("-r").arg(wheels.path("store")).arg(&prepared).status().unwrap();
    assert!(copied.success());
    let options = EnvironmentOptions {
        uv: Some("/nonexistent/uv".into()),
        folder: Some(wheels.path("other")),
        prepared: vec![prepared],
        ..wheels.options()
    };
    let environments = asking(&[]).environments(options.clone());
    for text in ["one\ntwo", "two"] {
        let installed = prepare_wasm(&environments, text).await.unwrap();
        assert_eq!((installed.id(), packed(&installed)), (made.id(), packed(&made)));
        assert!(environments.known(&required(text), Platform::WASM).is_some_and(|known| known.is_ok()));
    }
    let newer = Bench { version: "2".to_owned(), ..Bench::default() }.environments(options);
    assert_eq!(prepare_wasm(&newer, "two").await.unwrap_err().reason, Reason::NoUv);
}

#[tokio::test]
async fn an_index_that_is_down_is_left_alone_for_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\necho x >> \"$(dirname \"$0\")/calls\"\necho 'error: Failed to fetch: `http://x/simple/x/` error sending request' >&2\nexit 2\n";
    fs::write(folder.path().join("uv"), script).unwrap();
    fs::set_permissions(folder.path().join("uv"), fs::Permissions::from_mode(0o700)).unwrap();
    let options = EnvironmentOptions { uv: Some(folder.path().join("uv")), ..options(folder.path()) };
    let environments = asking(&[]).environments(options);
    let calls = || fs::read_to_string(folder.path().join("calls")).unwrap().lines().count();
    for name in ["a", "b", "c"] {
        assert_eq!(prepare_wasm(&environments, name).await.unwrap_err().reason, Reason::IndexDown);
        assert_eq!(prepare(&environments, name).await.unwrap_err().reason, Reason::IndexDown);
    }
    assert_eq!(calls(), 1);
    let before = Instant::now().checked_sub(making::INDEX_LEFT_ALONE).unwrap();
    crate::sync::lock(&environments.shared.index_down).as_mut().unwrap().0 = before;
    assert_eq!(prepare_wasm(&environments, "a").await.unwrap_err().reason, Reason::IndexDown);
    assert_eq!(calls(), 2);
}

#[tokio::test]
async fn no_older_version_is_taken_to_stay_in_wasm() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench { failing: vec!["pydantic_core".to_owned()], ..Bench::default() };
    let environments = bench.environments(options(folder.path()));
    // It has wheels of both kinds.
    let installed = prepare_wasm(&environments, "sympy\ncharset-normalizer").await.unwrap();
    assert!(installed.is_pure() && installed.pins().len() == 3, "{:?}", installed.pins());
    // Its last version without native parts is years old.
    let packages = no_wheel(prepare_wasm(&environments, "pydantic").await.unwrap_err());
    assert!(packages[0].starts_with("pydantic-core==") && packages.len() == 1, "{packages:?}");
}
