//! uv, as a child process: it finds out which versions go together, and unpacks wheels.
//!
//! Nothing of a package runs on this machine. What could is building: of source packages (`--only-binary :all:` takes
//! wheels alone, whose metadata is read from a file in them), and of editables, paths and URLs, which that option does
//! not cover; [`Requirements`](super::requirements::Requirements) lets none of them through. A wheel has no code that runs
//! when it is unpacked, and what it holds is not compiled to bytecode here. The Python that uv is given is asked for its
//! version and nothing else.
//!
//! uv gets a folder of its own as home, so that nobody's settings, credentials or `.env` count, and of the environment
//! only how to reach the index.

use super::{
    EnvironmentOptions, disk,
    lock::{self, Locked},
    refusal::{Reason, Refusal, bounded, understood},
    requirements::HASH,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    fs::File,
    io, iter,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

/// What is kept of each of its streams, in bytes. Some hundred packages with several wheels each fit.
const OUTPUT_BYTES_MAX: usize = 2 << 20;
/// Packages with newer versions of which it is found out why they were not chosen.
const OUTDATED_MAX: usize = 10;
/// Variables that say how the network is reached; uv gets these of the service's own.
const NETWORK_VARIABLES: [&str; 11] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSL_CLIENT_CERT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];
/// How often it is looked at how much has been installed.
const MEASURED_EVERY: Duration = Duration::from_secs(1);

/// One installation's uv.
pub(super) struct Uv<'a> {
    pub(super) options: &'a EnvironmentOptions,
    /// Its downloads, which installations share.
    pub(super) cache: &'a Path,
    /// Where it works; empty at first, and gone afterwards.
    pub(super) folder: &'a Path,
    /// The lock of what is installed. uv has it as its input: as long as it runs, whatever became of this process,
    /// nobody else installs the same or sweeps the folder.
    pub(super) lock: &'a File,
    /// Versions that the operator prescribes.
    pub(super) constraints: &'a [String],
    /// Of packages that are only installed from files with one of them, by name.
    pub(super) hashes: BTreeMap<String, BTreeSet<String>>,
    /// In words.
    pub(super) platform: String,
}

/// Holds what is to be installed.
pub(super) struct Wheels<'a> {
    /// Whose.
    pub(super) platform: &'a str,
    pub(super) pins: &'a [String],
    pub(super) into: &'a Path,
    /// It is given up when more than that comes together.
    pub(super) bytes_max: u64,
    /// Whether files may be links into the cache, which is faster. Where they stay, they must not: one environment's files
    /// would change another's.
    pub(super) linked: bool,
}

impl Uv<'_> {
    /// Resolves requirements to all packages, as `name==version`, but for some that are always left out.
    pub(super) async fn resolve(
        &self,
        python: &str,
        platform: &str,
        requirements: &str,
        left_out: &[&str],
    ) -> Result<Vec<String>, Refusal> {
        let output = self.compile(python, platform, requirements, left_out, "requirements.txt").await?;
        let pins = output.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
            line.split_once("==")
                .map(|_| line.to_owned())
                .ok_or_else(|| Refusal::fault(format!("uv resolved to {line:?}, which is no pinned version")))
        });
        pins.collect()
    }

    /// Resolves requirements as well, to a lock with the wheels of each package.
    pub(super) async fn lock(&self, python: &str, platform: &str, requirements: &str) -> Result<Vec<Locked>, Refusal> {
        let output = self.compile(python, platform, requirements, &[], "pylock.toml").await?;
        lock::read(&output).map_err(|error| Refusal::fault(format!("uv made no lock: {error}")))
    }

    /// Refuses versions in whose place pip takes newer ones, which must be built or need what must be.
    ///
    /// Only wheels are resolved to, so that a package of which there are none makes uv go back to whatever does without it.
    /// Each package that the index has a newer version of is tried with that, and with none older of the others: where only
    /// wheels are lacking, it is what pip takes.
    pub(super) async fn check_newest(
        &self,
        python: &str,
        platform: &str,
        requirements: &str,
        left_out: &[&str],
        pins: &[String],
    ) -> Result<(), Refusal> {
        if self.options.offline {
            return Ok(());
        }
        let chosen: Vec<_> = pins.iter().filter_map(|pin| name_and_version(pin)).collect();
        let outdated = match self.outdated(&chosen).await {
            Ok(outdated) => outdated,
            Err(refusal) => {
                tracing::warn!(log = refusal.log(), "it is not known whether there are newer versions");
                return Ok(());
            }
        };
        for newer in outdated.iter().take(OUTDATED_MAX) {
            let Some((_, version)) = chosen.iter().find(|(name, _)| *name == newer.name) else { continue };
            // The newest says best what is the matter, but others may not allow it.
            for bound in [format!("=={}", newer.latest_version), format!(">{version}")] {
                let bounds = chosen.iter().map(|(name, version)| match *name == newer.name {
                    true => format!("{name}{bound}"),
                    false => format!("{name}>={version}"),
                });
                let bounds: Vec<_> = self.constraints.iter().cloned().chain(bounds).collect();
                let found = self.compile_within(&bounds, python, platform, requirements, left_out, "requirements.txt");
                match found.await {
                    Err(refusal) if matches!(refusal.reason, Reason::NoWheel { .. }) => return Err(refusal),
                    Err(_) => {}
                    Ok(_) => break,
                }
            }
        }
        Ok(())
    }

    /// Returns those versions that the index has newer ones of, in whatever kind of file.
    async fn outdated(&self, chosen: &[(&str, &str)]) -> Result<Vec<Outdated>, Refusal> {
        // uv looks at what is installed; the names and versions of it are enough.
        let folder = self.folder.join("chosen");
        for (name, version) in chosen {
            let info = folder.join(format!("{}-{version}.dist-info", name.replace('-', "_")));
            std::fs::create_dir_all(&info)
                .map_err(|error| Refusal::fault(format!("cannot create {}: {error}", info.display())))?;
            write(&info.join("METADATA"), &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"))?;
        }
        let arguments = ["list", "--outdated", "--format", "json", "--target"].map(OsString::from);
        let arguments = arguments.into_iter().chain([folder.into()]).collect();
        let listed = self.run(arguments, self.options.bytes_max).await?;
        serde_json::from_str(&listed).map_err(|error| Refusal::fault(format!("uv made no list: {error}")))
    }

    async fn compile(
        &self,
        python: &str,
        platform: &str,
        requirements: &str,
        left_out: &[&str],
        format: &str,
    ) -> Result<String, Refusal> {
        self.compile_within(self.constraints, python, platform, requirements, left_out, format).await
    }

    async fn compile_within(
        &self,
        bounds: &[String],
        python: &str,
        platform: &str,
        requirements: &str,
        left_out: &[&str],
        format: &str,
    ) -> Result<String, Refusal> {
        let (asked, constraints) = (self.folder.join("requirements.in"), self.folder.join("constraints.in"));
        write(&asked, requirements)?;
        let mut arguments = vec![OsString::from("compile"), asked.into()];
        if !bounds.is_empty() {
            write(&constraints, &bounds.join("\n"))?;
            arguments.extend(["--constraints".into(), constraints.into()]);
        }
        if !left_out.is_empty() {
            let overrides = self.folder.join("overrides.in");
            // On no version that there is.
            let lines = left_out.iter().map(|name| format!("{name} ; python_version < '3'\n"));
            write(&overrides, &lines.collect::<String>())?;
            arguments.extend(["--overrides".into(), overrides.into()]);
        }
        arguments.extend(["--no-header", "--no-annotate", "--format", format].map(Into::into));
        arguments.extend(of_wheels(python, platform));
        self.run(arguments, self.options.bytes_max).await
    }

    /// Installs these versions, and nothing else, into a folder.
    pub(super) async fn install(&self, python: &str, wheels: Wheels<'_>) -> Result<(), Refusal> {
        let Wheels { platform, pins, into, bytes_max, linked } = wheels;
        let list = self.folder.join(format!("pins-{platform}.in"));
        let with_hashes = pins.iter().map(|pin| {
            let name = pin.split(['=', '[']).next().unwrap_or(pin);
            let hashes = self.hashes.get(name).into_iter().flatten().map(|hash| format!("{HASH}{hash}"));
            format!("{pin}{}\n", hashes.collect::<String>())
        });
        write(&list, &with_hashes.collect::<String>())?;
        let link_mode = if linked { "hardlink" } else { "copy" };
        let mut arguments: Vec<OsString> =
            ["install", "--no-deps", "--link-mode", link_mode, "-r"].map(Into::into).into();
        arguments.extend([list.into(), "--target".into(), into.into()]);
        arguments.extend(of_wheels(python, platform));
        self.run(arguments, bytes_max).await.map(drop)
    }

    /// Runs `uv pip` until it is done, or this future is dropped.
    async fn run(&self, arguments: Vec<OsString>, bytes_max: u64) -> Result<String, Refusal> {
        let uv = self.options.uv.clone().or_else(|| found("uv")).ok_or_else(|| Refusal::new(Reason::NoUv, "no uv"))?;
        let interpreter = interpreter(&uv).ok_or_else(|| Refusal::new(Reason::NoUv, "no Python for uv"))?;
        let home = self.folder.join("home");
        let mut command = Command::new(&uv);
        command.arg("--no-config").arg("pip").args(arguments);
        command.arg("--python").arg(interpreter);
        command.args(["--no-progress", "--color", "never", "--cache-dir"]).arg(self.cache);
        command.args(self.options.offline.then_some("--offline"));
        command.env_clear().env("HOME", &home).env("LANG", "C.UTF-8").env("TMPDIR", self.folder);
        // A Python may be a script that looks for programs.
        command.envs(["PATH"].into_iter().chain(NETWORK_VARIABLES).filter_map(|name| Some((name, env::var_os(name)?))));
        // An index that does not answer is given up long before the deadline.
        let answer_within = (self.options.install_timeout.as_secs() / 30).clamp(1, 10);
        command.env("UV_HTTP_TIMEOUT", answer_within.to_string()).env("UV_HTTP_RETRIES", "2");
        command.env("UV_PYTHON_DOWNLOADS", "never");
        // Not as arguments, which other users of the machine can see.
        command.envs(self.options.index_url.iter().map(|url| ("UV_DEFAULT_INDEX", url)));
        if !self.options.extra_index_urls.is_empty() {
            command.env("UV_INDEX", self.options.extra_index_urls.join(" "));
        }
        command.current_dir(self.folder).process_group(0);
        let input = self.lock.try_clone().map_err(|error| Refusal::fault(format!("cannot share the lock: {error}")))?;
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            let reason = if error.kind() == io::ErrorKind::NotFound { Reason::NoUv } else { Reason::Fault };
            Refusal::new(reason, format!("cannot start {}: {error}", uv.display()))
        })?;
        let mut group = Group(child);
        let (status, stdout, stderr) = tokio::select! {
            ended = group.ended() => ended.map_err(|error| Refusal::fault(format!("cannot wait for uv: {error}")))?,
            () = self.grown_beyond(bytes_max) => {
                return Err(Refusal::new(Reason::TooLarge { bytes_max }, "stopped while it was installed"));
            }
        };
        let stderr = String::from_utf8_lossy(&stderr);
        if !status.success() {
            let refusal = understood(&stderr, &self.platform);
            tracing::debug!(%status, said = refusal.log(), "uv failed");
            return Err(refusal);
        }
        if stderr.contains("warning:") {
            tracing::info!(said = bounded(stderr.trim(), 2000), "uv warned");
        }
        if stdout.len() > OUTPUT_BYTES_MAX {
            return Err(Refusal::fault(format!("uv printed more than {OUTPUT_BYTES_MAX} bytes")));
        }
        String::from_utf8(stdout).map_err(|_| Refusal::fault("uv did not print UTF-8"))
    }

    /// Waits until there is more than that; downloads count until they are installed.
    async fn grown_beyond(&self, bytes_max: u64) {
        let cache_before = measured(self.cache).await;
        loop {
            tokio::time::sleep(MEASURED_EVERY).await;
            let downloaded = measured(self.cache).await.saturating_sub(cache_before);
            if measured(self.folder).await.max(downloaded) > bytes_max {
                return;
            }
        }
    }
}

/// A package with a newer version.
#[derive(Deserialize)]
struct Outdated {
    name: String,
    latest_version: String,
}

/// Splits a pin. A local version takes no part in comparisons.
fn name_and_version(pin: &str) -> Option<(&str, &str)> {
    let (name, version) = pin.split_once("==")?;
    Some((name.split('[').next()?, version.split('+').next()?))
}

/// Returns the options of what resolves and installs: for whom, and never anything but wheels.
fn of_wheels(python: &str, platform: &str) -> [OsString; 6] {
    ["--python-version", python, "--python-platform", platform, "--only-binary", ":all:"].map(Into::into)
}

async fn measured(folder: &Path) -> u64 {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || disk::size(&folder)).await.unwrap_or(0)
}

/// A process and all that it starts, which are killed when this is dropped.
struct Group(Child);

impl Group {
    async fn ended(&mut self) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        let (stdout, stderr) = tokio::join!(bounded_output(stdout), bounded_output(stderr));
        Ok((self.0.wait().await?, stdout, stderr))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Without an id it has ended and been waited for.
        let id = self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(id) = id
            && let Err(error) = rustix::process::kill_process_group(id, rustix::process::Signal::KILL)
        {
            tracing::warn!(%error, "cannot kill uv");
        }
    }
}

/// Keeps the start of a stream, and reads all of it, so that its writer goes on. One byte more than is kept says that
/// there was more.
async fn bounded_output(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = (OUTPUT_BYTES_MAX + 1).saturating_sub(kept.len());
        kept.extend(buffer.iter().take(count.min(room)));
    }
    kept
}

/// Finds a program beside this one or on the search path.
fn found(program: &str) -> Option<PathBuf> {
    let beside = env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    let path = env::var_os("PATH").unwrap_or_default();
    beside.into_iter().chain(env::split_paths(&path)).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Finds a Python of any version, which uv asks how Python programs are laid out.
fn interpreter(uv: &Path) -> Option<PathBuf> {
    let beside = uv.parent().into_iter().flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)));
    beside.filter(|path| path.is_file()).chain(iter::once_with(|| found("python3")).flatten()).next()
}

fn write(path: &Path, text: &str) -> Result<(), Refusal> {
    std::fs::write(path, text).map_err(|error| Refusal::fault(format!("cannot write {}: {error}", path.display())))
}
