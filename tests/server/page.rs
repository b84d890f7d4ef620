//! The page, in a real browser.

use super::support::Server;
use crate::support::repository;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn the_page_works_in_a_browser() {
    let browser = browser().expect(
        "this test needs Chromium; on Debian: apt-get install -y --no-install-recommends chromium fonts-dejavu-core",
    );
    let server = Server::start(&[], &[]);
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let check = Command::new("python3")
        .arg(repository("tests/browser/check_page.py"))
        .args([server.url().as_ref(), browser.as_os_str(), screenshots.as_os_str()])
        .output()
        .expect("python3 starts");
    assert!(
        check.status.success(),
        "{}, screenshots are in {}\n{}{}",
        check.status,
        screenshots.display(),
        String::from_utf8_lossy(&check.stdout),
        String::from_utf8_lossy(&check.stderr)
    );
}

fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    found.find(|file| file.is_file())
}
