//! Making one layer: a container of its base, in which commands run and packages are put, and which is then committed.

use super::{
    container::Container,
    engine::{Engine, Fault},
    flights::{Progress, Step},
    folder,
    hardening::{self, BUILD_MEMORY_BYTES, BuildSpec, ENVIRONMENT, INSTANCE_LABEL, KIND_LABEL},
    layers::{BYTES_LABEL, LAYER, PackageFolder, Packages, REPOSITORY, Recipe},
    network::{self, Attachment},
    said::Said,
};
use crate::{Error, Result};
use bollard::{
    exec::StartExecResults,
    models::{ContainerConfig, ExecConfig},
    query_parameters::{
        CommitContainerOptionsBuilder, InspectContainerOptionsBuilder, UploadToContainerOptionsBuilder,
    },
};
use futures_util::{StreamExt, stream};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How often it is looked how much a build has written.
const DISK_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether a command has ended whose output has not, because a child of it lives on.
const END_PAUSE: Duration = Duration::from_millis(500);
/// For the daemon to notice the end of a command whose output has ended.
const END_NEWS: Duration = Duration::from_secs(5);
const NEWS_PAUSE: Duration = Duration::from_millis(20);
/// Of a command, in a message.
const COMMAND_CHARS_MAX: usize = 200;
const PARTS_READ_AHEAD: usize = 4;

/// Makes the layer `key`.
///
/// # Errors
///
/// [`Error::InvalidJob`] when a command fails or goes beyond a limit: they are the job's.
pub(crate) async fn layer(engine: &Arc<Engine>, recipe: &Recipe, key: &str, tell: &Progress) -> Result<()> {
    let builds = engine.layers().builds.acquire().await;
    let _turn = builds.map_err(|_| Error::unavailable("the executor is shutting down"))?;
    let longest = engine.options().build_timeout;
    let made = tokio::time::timeout(longest, make(engine, recipe, key, tell)).await;
    made.unwrap_or_else(|_| {
        Err(Error::invalid(format!("commands and packages take longer than {} s to install", longest.as_secs())))
    })
}

async fn make(engine: &Arc<Engine>, recipe: &Recipe, key: &str, tell: &Progress) -> Result<()> {
    let instance = engine.options().instance.name();
    let container = match &recipe.packages {
        Packages::Folder(packages) if recipe.pre_commands.is_empty() => {
            let body = hardening::fill_body(&recipe.base.id, instance);
            let container = Container::make(engine, body, None).await?;
            fill(engine, &container, packages, tell).await?;
            container
        }
        _ => run(engine, recipe, tell).await?,
    };
    let bytes = written(engine, &container).await.map_err(not_made)?;
    within_disk(engine, bytes)?;
    let options = CommitContainerOptionsBuilder::default()
        .container(container.name())
        .repo(REPOSITORY)
        .tag(key)
        .pause(true)
        .build();
    let labels = [(INSTANCE_LABEL, instance), (KIND_LABEL, LAYER), (BYTES_LABEL, &bytes.to_string())]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = ContainerConfig { labels: Some(HashMap::from(labels)), ..ContainerConfig::default() };
    // Bounded by the deadline of the whole.
    let docker = engine.docker().clone().with_timeout(engine.options().build_timeout);
    docker.commit_container(options, config).await.map_err(|error| not_made(error.into()))?;
    Ok(())
}

/// A container in which all commands have run.
async fn run(engine: &Arc<Engine>, recipe: &Recipe, tell: &Progress) -> Result<Container> {
    let options = engine.options();
    let spec = BuildSpec {
        image: recipe.base.id.clone(),
        network: network::attachment(engine).await?,
        dns: options.dns.clone(),
        disk_bytes: options.build_disk_bytes,
    };
    let body = hardening::build_body(&spec, options.instance.name());
    let container = Container::make(engine, body, None).await?;
    let (_input, mut output) = container.attach_and_start().await?;
    if let Attachment::Guarded(_) = spec.network {
        network::guard(engine, container.name()).await?;
    }
    let working = async {
        for command in &recipe.pre_commands {
            let script = ["sh", "-c", command];
            tell(Step::Running { command: short(command) });
            command_in(engine, &container, &script, &format!("the command `{}`", short(command)), tell).await?;
        }
        match &recipe.packages {
            Packages::None => Ok(()),
            Packages::Folder(packages) => fill(engine, &container, packages, tell).await,
            Packages::Build(requirements) => install(engine, &container, requirements, tell).await,
        }
    };
    let ended = async { while output.next().await.is_some_and(|said| said.is_ok()) {} };
    tokio::select! {
        worked = working => worked?,
        error = disk_full(engine, &container) => return Err(error),
        () = ended => {
            return Err(Error::unavailable("the container in which packages were installed ended, or the connection to it"));
        }
    }
    Ok(container)
}

async fn install(engine: &Engine, container: &Container, requirements: &[String], tell: &Progress) -> Result<()> {
    if requirements.is_empty() {
        return Ok(());
    }
    let mut pip = vec!["python3", "-m", "pip", "install", "--target", ENVIRONMENT, "--no-cache-dir", "--no-input"];
    pip.extend(["--disable-pip-version-check", "--no-warn-script-location", "--progress-bar", "off"]);
    // What follows is no option, whatever it looks like.
    pip.push("--");
    pip.extend(requirements.iter().map(String::as_str));
    let packages = short(&requirements.join(", "));
    let what = format!("installing {packages} with pip");
    tell(Step::Installing { packages });
    command_in(engine, container, &pip, &what, tell).await?;
    // Packages may have files that only their owner could read, which is root.
    let readable = ["chmod", "-R", "a+rX", ENVIRONMENT];
    command_in(engine, container, &readable, "making the packages readable", tell).await
}

/// Puts a folder into a container, which need not run.
async fn fill(engine: &Engine, container: &Container, packages: &PackageFolder, tell: &Progress) -> Result<()> {
    tell(Step::Copying);
    let (sender, mut parts) = mpsc::channel(PARTS_READ_AHEAD);
    let reading = {
        let packages = packages.clone();
        tokio::task::spawn_blocking(move || folder::send(packages.path(), sender))
    };
    let archive = stream::poll_fn(move |context| parts.poll_recv(context));
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    let docker = engine.docker().clone().with_timeout(engine.options().build_timeout);
    let sending = docker.upload_to_container(container.name(), Some(options), bollard::body_try_stream(archive)).await;
    let read = reading.await.unwrap_or_else(|fault| Err(std::io::Error::other(fault)));
    match (read, sending) {
        (Ok(_), Ok(())) => Ok(()),
        // It stops reading when nobody takes what it reads.
        (Err(error), Err(fault)) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(not_made(fault.into())),
        (Err(error), _) => Err(Error::caused("the packages cannot be read", error)),
        (Ok(_), Err(fault)) => Err(not_made(fault.into())),
    }
}

/// Runs a command as root in `container`; `what` names it when it fails.
async fn command_in(engine: &Engine, container: &Container, argv: &[&str], what: &str, tell: &Progress) -> Result<()> {
    let mut env = vec!["DEBIAN_FRONTEND=noninteractive".to_owned(), "PIP_ROOT_USER_ACTION=ignore".to_owned()];
    // Only here, and not in the container's own: that would become part of the layer.
    env.extend(engine.options().build_env.iter().map(|(name, value)| format!("{name}={value}")));
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(argv.iter().map(|&word| word.to_owned()).collect()),
        env: Some(env),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        ..ExecConfig::default()
    };
    let docker = engine.docker();
    let id = engine.work(docker.create_exec(container.name(), config)).await.map_err(not_made)?.id;
    let started = engine.work(docker.start_exec(&id, None)).await.map_err(not_made)?;
    let mut said = Said::new(tell);
    if let StartExecResults::Attached { mut output, input: _input } = started {
        let mut ended_before = false;
        loop {
            match tokio::time::timeout(END_PAUSE, output.next()).await {
                Ok(Some(Ok(piece))) => said.hear(&piece.into_bytes()),
                Ok(Some(Err(error))) => return Err(not_made(error.into())),
                Ok(None) => break,
                // A moment more for what it said last.
                Err(_) if ended_before => break,
                Err(_) => ended_before = status(engine, &id).await.map_err(not_made)?.is_some(),
            }
        }
    }
    let until = tokio::time::Instant::now() + END_NEWS;
    let status = loop {
        match status(engine, &id).await.map_err(not_made)? {
            Some(status) => break status,
            None if tokio::time::Instant::now() >= until => {
                return Err(Error::unavailable(format!("Docker does not say how {what} ended")));
            }
            None => tokio::time::sleep(NEWS_PAUSE).await,
        }
    };
    if status == 0 {
        return Ok(());
    }
    let state = engine.state(container.name()).await.map_err(not_made)?;
    let why = if state.oom_killed == Some(true) {
        format!(", and memory was used up ({} MiB)", BUILD_MEMORY_BYTES >> 20)
    } else {
        String::new()
    };
    Err(Error::failed_command(format!("{what} failed with status {status}{why}:\n{}", said.end()), status))
}

/// The status of a command that has ended.
async fn status(engine: &Engine, exec: &str) -> Result<Option<i64>, Fault> {
    let found = engine.ask(engine.docker().inspect_exec(exec)).await?;
    Ok(found.exit_code.filter(|_| found.running == Some(false)))
}

/// Returns when a build has written more than it may. It is looked now and then: what is written in between is too much.
async fn disk_full(engine: &Engine, container: &Container) -> Error {
    loop {
        tokio::time::sleep(DISK_PAUSE).await;
        // A daemon that does not answer here does not answer there, where it is told.
        if let Ok(bytes) = written(engine, container).await
            && let Err(error) = within_disk(engine, bytes)
        {
            return error;
        }
    }
}

/// What a container has beyond its image, in bytes.
async fn written(engine: &Engine, container: &Container) -> Result<u64, Fault> {
    let options = InspectContainerOptionsBuilder::default().size(true).build();
    let found = engine.work(engine.docker().inspect_container(container.name(), Some(options))).await?;
    Ok(found.size_rw.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default())
}

fn within_disk(engine: &Engine, bytes: u64) -> Result<()> {
    let most = engine.options().build_disk_bytes;
    if bytes <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("commands and packages take more than {most} bytes of disk (PYEXEC_BUILD_DISK_MB)")))
}

fn not_made(fault: Fault) -> Error {
    Error::caused("Docker does not make a layer", fault.to_string())
}

fn short(command: &str) -> String {
    let mut text: String = command.chars().take(COMMAND_CHARS_MAX).collect();
    if text.len() < command.len() {
        text.push('…');
    }
    text
}
