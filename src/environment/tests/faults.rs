//! Broken entries, broken tools, limits.

use super::*;
use crate::{ErrorKind, Hint};
use std::fs::FileTimes;

/// Changes a byte and leaves size and time as they were.
fn poison(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    fs::write(path, "x = 2\n").unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
}

#[tokio::test]
async fn a_poisoned_entry_is_made_anew() {
    for verification in [Verification::Full, Verification::Stamp] {
        let script = Script::new("");
        let options = EnvironmentOptions { verification, ..script.options() };
        let changes: [&dyn Fn(&Path); 5] = [
            &|packages| poison(&packages.join("one.py")),
            &|packages| fs::remove_file(packages.join("one.py")).unwrap(),
            &|packages| fs::write(packages.join("two.py"), "").unwrap(),
            &|packages| std::os::unix::fs::symlink("/etc/passwd", packages.join("link")).unwrap(),
            &|packages| fs::remove_file(packages.with_file_name("meta.json")).unwrap(),
        ];
        let mut packages =
            prepare(&Environments::new(options.clone()).unwrap(), "one").await.unwrap().packages_folder().to_owned();
        for (n, change) in changes.into_iter().enumerate() {
            change(&packages);
            let environments = Environments::new(options.clone()).unwrap();
            let installed = prepare(&environments, "one").await.unwrap();
            assert_eq!(script.installs(), n + 2, "change {n} was not seen with {verification:?}");
            assert_eq!(fs::read_to_string(installed.packages_folder().join("one.py")).unwrap(), "x = 1\n");
            packages = installed.packages_folder().to_owned();
        }
        assert_eq!(unfinished(&script.path("store")), 0);
    }
}

#[tokio::test]
async fn a_process_that_knows_an_entry_sees_that_it_was_poisoned() {
    let script = Script::new("");
    let environments = Environments::new(script.options()).unwrap();
    let installed = prepare(&environments, "one").await.unwrap();
    poison(&installed.packages_folder().join("one.py"));
    let long_ago = Instant::now().checked_sub(LOOKED_AT_EVERY * 2).unwrap();
    *crate::sync::lock(&installed.known.looked_at) = long_ago;
    drop(installed);
    let installed = prepare(&environments, "one").await.unwrap();
    assert_eq!(fs::read_to_string(installed.packages_folder().join("one.py")).unwrap(), "x = 1\n");
    assert_eq!(script.installs(), 2);
    // Untouched, it is only looked at.
    *crate::sync::lock(&installed.known.looked_at) = long_ago;
    prepare(&environments, "one").await.unwrap();
    assert_eq!(script.installs(), 2);
}

#[tokio::test]
async fn an_entry_that_others_removed_is_made_anew() {
    let script = Script::new("");
    let environments = Environments::new(script.options()).unwrap();
    let id = prepare(&environments, "one").await.unwrap().id().to_owned();
    fs::remove_dir_all(script.path("store").join(&id)).unwrap();
    assert!(environments.known(&required("one"), PLATFORM).is_none());
    prepare(&environments, "one").await.unwrap();
    assert_eq!(script.installs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_has_a_deadline() {
    let script = Script::new("sleep 1000 & echo $! > ../../../../started; wait");
    let options = EnvironmentOptions { install_timeout: Duration::from_secs(1), ..script.options() };
    let refusal = prepare(&Environments::new(options).unwrap(), "one").await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Timeout { seconds: 1 });
    ends(&script.made("started").await).await;
}

#[tokio::test]
async fn packages_that_are_too_large_are_refused() {
    let bytes_max = 1_000_000;
    for extra in ["head -c 2000000 /dev/zero > one.bin", "head -c 2000000 /dev/zero > one.bin; sleep 1000"] {
        let script = Script::new(extra);
        let environments = Environments::new(EnvironmentOptions { bytes_max, ..script.options() }).unwrap();
        let refusal = prepare(&environments, "one").await.unwrap_err();
        assert_eq!(refusal.reason, Reason::TooLarge { bytes_max }, "{extra}");
        assert!(environments.list().unwrap().is_empty());
    }
}

#[tokio::test]
async fn without_uv_it_is_said_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = EnvironmentOptions { uv: Some("/nonexistent/uv".into()), ..options(folder.path()) };
    let refusal = prepare(&Environments::new(options).unwrap(), "one").await.unwrap_err();
    assert_eq!(refusal.reason, Reason::NoUv);
    let error = crate::planner::refused(&refusal, &Requirements::parse("one").unwrap());
    assert_eq!((error.kind(), error.hint()), (ErrorKind::Unavailable, Some(&Hint::InstallUv)));
}

#[tokio::test]
async fn a_broken_uv_is_a_fault_of_the_service() {
    for extra in [
        "echo in /root/secret >&2; exit 3",
        "rm -r one-1.0.dist-info; exit",
        "ln -s /etc/passwd link",
        "head -c 1000000 /dev/zero >&2; exit 1",
    ] {
        let script = Script::new(extra);
        let environments = Environments::new(script.options()).unwrap();
        let refusal = prepare(&environments, "one").await.unwrap_err();
        assert_eq!(refusal.reason, Reason::Fault, "{extra}");
        assert!(!refusal.to_string().contains("secret") && refusal.log().len() < 40_000, "{refusal}");
        assert!(environments.list().unwrap().is_empty());
        assert_eq!(unfinished(&script.path("store")), 0);
    }
}

#[tokio::test]
async fn uv_is_told_no_more_than_it_needs() {
    let script = Script::new("env > ../../../../environment; pwd > ../../../../target");
    let options =
        EnvironmentOptions { index_url: Some("https://me:secret@index.example".to_owned()), ..script.options() };
    prepare(&Environments::new(options).unwrap(), "one").await.unwrap();
    let environment = fs::read_to_string(script.path("environment")).unwrap();
    let names: BTreeSet<_> =
        environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = "PATH HOME LANG TMPDIR SSL_CERT_FILE SSL_CERT_DIR SSL_CLIENT_CERT HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY \
                 http_proxy https_proxy all_proxy no_proxy UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_PYTHON_DOWNLOADS \
                 UV_DEFAULT_INDEX PWD OLDPWD SHLVL _";
    let unknown: Vec<_> = names.iter().filter(|name| !known.split_whitespace().any(|known| known == **name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(environment.contains("UV_DEFAULT_INDEX=https://me:secret@index.example\n"));
}

#[test]
fn a_folder_that_others_can_enter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("store")).unwrap();
    fs::set_permissions(folder.path().join("store"), fs::Permissions::from_mode(0o755)).unwrap();
    let error = Environments::new(options(folder.path())).unwrap_err().to_string();
    assert!(error.contains("chmod 700"), "{error}");
}
