//! Images for the tests, made of what is on this machine: `python:3.13-slim`, and the program that is tested.

use crate::support::{docker::docker, repository};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// As slim as `debian:trixie-slim`: without a Python.
const BASE: &str = "FROM python:3.13-slim\n\
    RUN dpkg --purge --force-depends $(dpkg-query --show --showformat '${Package} ' '*python3*') >/dev/null 2>&1; \
        rm -rf /usr/local/bin/*python* /usr/local/bin/pip* /usr/local/lib/python3* /usr/lib/python3* && ! command -v python3";

/// An image, which is removed with this.
pub struct Image {
    pub name: String,
}

impl Image {
    /// The service, without prepared environments. Tests that run at the same time share it.
    pub fn service() -> Arc<Image> {
        static SHARED: Mutex<Weak<Image>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        // Statics are never dropped, so it must not be the static that keeps the image.
        shared.upgrade().unwrap_or_else(|| {
            let image = Arc::new(Image::service_with("service", &[]));
            *shared = Arc::downgrade(&image);
            image
        })
    }

    /// The service, built with more arguments.
    pub fn service_with(name: &str, arguments: &[&str]) -> Image {
        let binary = Image::of_the_program(&format!("{name}-binary"));
        let base = Image::build(&format!("{name}-base"), &["-"], BASE);
        let (binary, base) = (format!("BINARY={}", binary.name), format!("BASE_IMAGE={}", base.name));
        let (dockerfile, context) = (repository("deploy/Dockerfile"), repository("."));
        let fixed = ["--build-arg", &binary, "--build-arg", &base, "--file", text(&dockerfile), text(&context)];
        Image::build(name, &[arguments, &fixed].concat(), "")
    }

    /// An image for jobs.
    pub fn for_jobs(name: &str, arguments: &[&str]) -> Image {
        Image::build(name, &[arguments, &[text(&repository("fallback"))]].concat(), "")
    }

    /// `docker build` with BuildKit.
    pub fn build(name: &str, arguments: &[&str], dockerfile: &str) -> Image {
        let image = Image::named(name);
        let mut command = Command::new(builder());
        command.env("DOCKER_BUILDKIT", "1").args(["build", "--quiet", "--label", "pyexec.test=deploy"]);
        fed(command.args(["--tag", &image.name]).args(arguments), dockerfile.as_bytes());
        image
    }

    /// One that has the program, and nothing else.
    fn of_the_program(name: &str) -> Image {
        let image = Image::named(name);
        let mut archive = tar::Builder::new(Vec::new());
        // Docker takes no holes.
        archive.sparse(false);
        archive.append_path_with_name(env!("CARGO_BIN_EXE_pyexec"), "pyexec").expect("the program");
        let mut command = Command::new("docker");
        command.args(["import", "--change", "LABEL pyexec.test=deploy", "-", &image.name]);
        fed(&mut command, &archive.into_inner().expect("in memory"));
        image
    }

    fn named(name: &str) -> Image {
        Image { name: format!("pyexec-test-{name}:{}", std::process::id()) }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // It may not have come to be.
        let _ = Command::new("docker").args(["rmi", "--force", &self.name]).output();
    }
}

/// A `docker` command that can build with BuildKit: from version 23 on that is a plugin, which may be missing.
fn builder() -> &'static str {
    let able = |command: &&str| {
        let said = |args: &[&str]| Command::new(command).args(args).output().ok().filter(|said| said.status.success());
        let version = said(&["version", "--format", "{{.Client.Version}}"]);
        let major =
            version.and_then(|said| String::from_utf8_lossy(&said.stdout).split('.').next()?.parse::<u32>().ok());
        major.is_some_and(|major| major < 23) || said(&["buildx", "version"]).is_some()
    };
    ["docker", "/usr/bin/docker"].into_iter().find(able).expect("docker with BuildKit: install docker-buildx")
}

/// Runs a command that must succeed, with this as its input.
fn fed(command: &mut Command, input: &[u8]) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    // A command that fails early does not read it; its status tells.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Ids of all containers, running or not, with this label.
pub fn containers_with(label: &str) -> Vec<String> {
    let ids = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &format!("label={label}")]);
    ids.lines().map(str::to_owned).collect()
}
