//! Making one layer: a container of its base, in which commands run and packages are put, and which is then committed.

use super::{
    build_log::BuildLog,
    container::{Container, Output, Waiting},
    daemon::{Daemon, Fault},
    folder,
    hardening::{
        self, ARRANGE, Attachment, BUILD_MEMORY_BYTES, BuildSpec, COMMANDS, DEBIAN_PYTHON, ENVIRONMENT, HOME,
        INSTANCE_LABEL, KEPT, KIND_LABEL, PROJECT,
    },
    images::{Base, MADE_REPOSITORY},
    network::Network,
    placement::{PackageFolder, Packages},
    progress::{Progress, Step},
    recipe::{BYTES_LABEL, LAYER, REPOSITORY, Recipe},
};
use crate::{Error, Hint, Project, Result, python::Python, turns::Turns};
use bollard::{
    exec::StartExecResults,
    models::{ContainerConfig, ExecConfig},
    query_parameters::{
        CommitContainerOptionsBuilder, InspectContainerOptionsBuilder, UploadToContainerOptionsBuilder,
    },
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::{collections::HashMap, io, sync::Arc, time::Duration};
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
/// Runs its third argument and those that follow, each as a command, one after the other, until one fails. The first is the
/// script that keeps what they change, the second the mark before each.
const ONE_SHELL: &str = r#"
_pyexec_kept=$1 _pyexec_mark=$2 _pyexec_at=0
shift 2
# In the order in which it is said.
exec 2>&1
[ -e /mnt/data ] || ln -s /work /mnt/data
python3 -I -c "$_pyexec_kept" begin || exit
for _pyexec_command; do
  printf '\n%s %d\n' "$_pyexec_mark" "$_pyexec_at"
  _pyexec_at=$((_pyexec_at + 1))
  eval "$_pyexec_command"
  _pyexec_status=$?
  [ "$_pyexec_status" = 0 ] || exit "$_pyexec_status"
done
exec python3 -I -c "$_pyexec_kept" end
"#;

/// Makes layers, and images of versions of Python, a few at a time.
pub(crate) struct Builder {
    network: Arc<Network>,
    /// Taken in turns by the owners of jobs.
    builds: Arc<Turns>,
}

impl Builder {
    pub(crate) fn new(network: Arc<Network>) -> Arc<Builder> {
        let builds = Turns::new(network.containers().daemon().options().builds.max(1) as usize);
        Arc::new(Builder { network, builds })
    }

    fn daemon(&self) -> &Daemon {
        self.network.containers().daemon()
    }

    /// Does some work in the turn of `owner`; its time begins then.
    async fn in_turn(
        &self,
        owner: u64,
        work: impl Future<Output = Result<()>>,
        late: impl FnOnce(u64) -> Error,
    ) -> Result<()> {
        let _turn = self.builds.acquire(owner).await;
        let longest = self.daemon().options().build_timeout;
        tokio::time::timeout(longest, work).await.unwrap_or_else(|_| Err(late(longest.as_secs())))
    }

    /// Makes the layer `key`.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when a command fails or goes beyond a limit: they are the job's.
    pub(crate) async fn layer(&self, recipe: &Recipe, key: &str, tell: &Progress) -> Result<()> {
        let late = |seconds| Error::invalid(format!("commands and packages take longer than {seconds} s to install"));
        let making = Box::pin(async {
            let container = self.run(recipe, tell).await?;
            let bytes = written(&container).await.map_err(not_made)?;
            within_disk(&container, bytes)?;
            let instance = self.daemon().instance();
            let labels = [(INSTANCE_LABEL, instance), (KIND_LABEL, LAYER), (BYTES_LABEL, &bytes.to_string())]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            commit(&container, REPOSITORY, key, HashMap::from(labels)).await
        });
        self.in_turn(recipe.owner, making, late).await
    }

    /// Makes the image of a Python version: `base`, which is Debian's, with packages of another release of Debian.
    pub(crate) async fn python(&self, base: &Base, version: Python, release: &str, tell: &Progress) -> Result<()> {
        let version = version.to_string();
        let making = Box::pin(async {
            let network = self.network.attachment().await?;
            let Waiting { container, input: _input, output } = self.start(base, network).await?;
            let install = Command::new(["sh", "-c", DEBIAN_PYTHON, "sh", &version, release]);
            watched(&container, output, install.run(&container, "installing Python", tell)).await?;
            let labels = HashMap::from([(KIND_LABEL.to_owned(), "python".to_owned())]);
            commit(&container, MADE_REPOSITORY, &version, labels).await
        });
        // Jobs of whomever it may be wait for it.
        self.in_turn(0, making, |seconds| Error::unavailable(format!("it takes longer than {seconds} s"))).await
    }

    async fn start(&self, base: &Base, network: Attachment) -> Result<Waiting> {
        let options = self.daemon().options();
        let spec = BuildSpec {
            image: base.id.clone(),
            network,
            dns: options.dns.clone(),
            disk_bytes: options.build_disk_bytes,
        };
        let body = hardening::build_body(&spec, self.daemon().instance());
        let container = Container::make(self.network.containers(), body).await?;
        self.network.start_made(container, &spec.network).await
    }

    /// Returns a container in which all commands have run, and all packages are.
    async fn run(&self, recipe: &Recipe, tell: &Progress) -> Result<Container> {
        let network = match recipe.runs_strangers() {
            true => self.network.attachment().await?,
            // Wheels are only put in place.
            false => Attachment::None,
        };
        let Waiting { container, input: _input, output } = self.start(&recipe.base, network).await?;
        let working = async {
            if !recipe.pre_commands.is_empty() {
                commands(&container, recipe, tell).await?;
            }
            match &recipe.packages {
                Packages::None => return Ok::<_, Error>(()),
                Packages::Folder(packages) => fill(&container, packages, tell).await?,
                Packages::Build(requirements) => install(&container, requirements, tell).await?,
                Packages::File(requirements) => install_file(&container, requirements, tell).await?,
            }
            if recipe.has_packages() {
                let arrange = Command::new(["python3", "-I", "-c", ARRANGE]);
                arrange.run(&container, "arranging the packages", tell).await?;
            }
            Ok(())
        };
        watched(&container, output, working).await?;
        Ok(container)
    }
}

/// Makes an image of a container.
async fn commit(container: &Container, repository: &str, tag: &str, labels: HashMap<String, String>) -> Result<()> {
    let options = CommitContainerOptionsBuilder::default()
        .container(container.name())
        .repo(repository)
        .tag(tag)
        .pause(true)
        .build();
    let config = ContainerConfig { labels: Some(labels), ..ContainerConfig::default() };
    // Bounded by the deadline of the whole.
    let daemon = container.daemon();
    let client = daemon.client().clone().with_timeout(daemon.options().build_timeout);
    client.commit_container(options, config).await.map_err(|error| not_made(error.into()))?;
    Ok(())
}

/// Does some work in a container, which must not end or fill the disk meanwhile.
async fn watched(container: &Container, mut output: Output, working: impl Future<Output = Result<()>>) -> Result<()> {
    let ended = async { while output.next().await.is_some_and(|said| said.is_ok()) {} };
    tokio::select! {
        worked = working => worked,
        error = disk_full(container) => Err(error),
        () = ended => {
            Err(Error::unavailable("the container in which packages were installed ended, or the connection to it"))
        }
    }
}

/// Runs the job's commands in one shell, so that a variable or a folder that one of them sets is there for the next.
async fn commands(container: &Container, recipe: &Recipe, tell: &Progress) -> Result<()> {
    Command::new(["mkdir", "-p", PROJECT, KEPT]).run(container, "making folders", tell).await?;
    if let Some(seen) = &recipe.seen {
        upload_project(container, seen.project.clone()).await?;
    }
    // Nobody who writes commands knows it.
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let shell = ["sh", "-c", ONE_SHELL, "sh", COMMANDS, &mark].map(str::to_owned);
    let command = Command {
        argv: shell.into_iter().chain(recipe.pre_commands.iter().cloned()).collect(),
        env: recipe.env.iter().map(|(name, value)| format!("{name}={value}")).chain([format!("HOME={HOME}")]).collect(),
        folder: PROJECT,
    };
    let names = recipe.pre_commands.iter().map(|command| short(command)).collect();
    let mut log = BuildLog::of_several(tell, names, mark);
    let status = command.status(container, "the commands", &mut log).await?;
    let ran = recipe.pre_commands.get(log.command).map_or("the commands", String::as_str);
    if status != 0 {
        return Err(failed(container, &format!("the command `{}`", short(ran)), status, &log).await);
    }
    let kept = Command::new(["test", "-e", &format!("{KEPT}/left.json")]);
    if kept.status(container, "looking at what the commands left", &mut BuildLog::new(tell)).await? == 0 {
        return Ok(());
    }
    let ran = short(ran);
    Err(Error::invalid(format!("the command `{ran}` ended the shell before the rest could run: leave out its `exit`")))
}

/// Has pip install into the folder of packages; `what` are the arguments that say what.
async fn pip(container: &Container, what: &[&str], packages: String, tell: &Progress) -> Result<()> {
    let mut pip = vec!["python3", "-m", "pip", "install", "--target", ENVIRONMENT, "--no-cache-dir", "--no-input"];
    pip.extend(["--disable-pip-version-check", "--no-warn-script-location", "--progress-bar", "off"]);
    pip.extend(what);
    let installing = format!("installing {packages} with pip");
    tell(Step::Installing { packages });
    Command::new(pip).run(container, &installing, tell).await?;
    // Packages may have files that only their owner could read, which is root.
    Command::new(["chmod", "-R", "a+rX", ENVIRONMENT]).run(container, "making the packages readable", tell).await
}

async fn install(container: &Container, requirements: &[String], tell: &Progress) -> Result<()> {
    if requirements.is_empty() {
        return Ok(());
    }
    if requirements.iter().any(|requirement| requirement.contains("git+")) {
        // Slim images have none.
        let git = "command -v git || { apt-get update -q && apt-get install -y -q --no-install-recommends git; }";
        Command::new(["sh", "-c", git]).run(container, "installing git", tell).await?;
    }
    // What follows is no option, whatever it looks like.
    let what: Vec<_> = std::iter::once("--").chain(requirements.iter().map(String::as_str)).collect();
    pip(container, &what, short(&requirements.join(", ")), tell).await
}

async fn install_file(container: &Container, requirements: &str, tell: &Progress) -> Result<()> {
    const FILE: &str = "/.pyexec/requirements.txt";
    let write = ["sh", "-c", r#"mkdir -p /.pyexec && printf '%s\n' "$2" > "$1""#, "sh", FILE, requirements];
    Command::new(write).run(container, "writing the requirements", tell).await?;
    pip(container, &["-r", FILE], "the requirements".to_owned(), tell).await
}

/// Puts a folder of packages into a container.
async fn fill(container: &Container, packages: &PackageFolder, tell: &Progress) -> Result<()> {
    tell(Step::Copying);
    let packages = packages.clone();
    upload(container, "/", "the packages", move |parts| folder::send(packages.path(), parts).map(drop)).await
}

/// Puts a copy of a project where a job has it.
async fn upload_project(container: &Container, project: Project) -> Result<()> {
    upload(container, PROJECT, "the project", move |parts| folder::send_project(&project, parts)).await
}

/// Unpacks an archive in a container, which `send` writes; `what` names it when it cannot be read.
async fn upload(
    container: &Container,
    into: &str,
    what: &str,
    send: impl FnOnce(mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> + Send + 'static,
) -> Result<()> {
    let (sender, mut parts) = mpsc::channel(PARTS_READ_AHEAD);
    let reading = tokio::task::spawn_blocking(move || send(sender));
    let archive = stream::poll_fn(move |context| parts.poll_recv(context));
    let options = UploadToContainerOptionsBuilder::default().path(into).build();
    let daemon = container.daemon();
    let client = daemon.client().clone().with_timeout(daemon.options().build_timeout);
    let sending = client.upload_to_container(container.name(), Some(options), bollard::body_try_stream(archive)).await;
    let read = reading.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    match (read, sending) {
        (Ok(()), Ok(())) => Ok(()),
        // It stops reading when nobody takes what it reads.
        (Err(error), Err(fault)) if error.kind() == io::ErrorKind::BrokenPipe => Err(not_made(fault.into())),
        (Err(error), _) => Err(Error::caused(format!("{what} cannot be read"), error)),
        (Ok(()), Err(fault)) => Err(not_made(fault.into())),
    }
}

/// A command that runs as root in a build container.
struct Command {
    argv: Vec<String>,
    /// Variables beside those of the image and of the operator.
    env: Vec<String>,
    folder: &'static str,
}

impl Command {
    fn new<'a>(argv: impl IntoIterator<Item = &'a str>) -> Command {
        Command { argv: argv.into_iter().map(str::to_owned).collect(), env: Vec::new(), folder: "/" }
    }

    /// Runs it; `what` names it when it fails.
    async fn run(self, container: &Container, what: &str, tell: &Progress) -> Result<()> {
        let mut log = BuildLog::new(tell);
        match self.status(container, what, &mut log).await? {
            0 => Ok(()),
            status => Err(failed(container, what, status, &log).await),
        }
    }

    /// Runs it to its end, and returns its status.
    async fn status(&self, container: &Container, what: &str, log: &mut BuildLog<'_>) -> Result<i64> {
        let mut env = vec!["DEBIAN_FRONTEND=noninteractive".to_owned(), "PIP_ROOT_USER_ACTION=ignore".to_owned()];
        env.extend_from_slice(&self.env);
        // Only here, and not in the container's own: that would become part of the layer.
        let daemon = container.daemon();
        env.extend(daemon.options().build_env.iter().map(|(name, value)| format!("{name}={value}")));
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(self.argv.clone()),
            env: Some(env),
            user: Some("0:0".to_owned()),
            working_dir: Some(self.folder.to_owned()),
            ..ExecConfig::default()
        };
        let created = daemon.work(daemon.client().create_exec(container.name(), config)).await;
        let id = created.map_err(not_made)?.id;
        let started = daemon.work(daemon.client().start_exec(&id, None)).await.map_err(not_made)?;
        if let StartExecResults::Attached { mut output, input: _input } = started {
            let mut ended_before = false;
            loop {
                match tokio::time::timeout(END_PAUSE, output.next()).await {
                    Ok(Some(Ok(piece))) => log.write(&piece.into_bytes()),
                    Ok(Some(Err(error))) => return Err(not_made(error.into())),
                    Ok(None) => break,
                    // A moment more for what it said last.
                    Err(_) if ended_before => break,
                    Err(_) => ended_before = status(daemon, &id).await.map_err(not_made)?.is_some(),
                }
            }
        }
        let until = tokio::time::Instant::now() + END_NEWS;
        loop {
            match status(daemon, &id).await.map_err(not_made)? {
                Some(status) => return Ok(status),
                None if tokio::time::Instant::now() >= until => {
                    return Err(Error::unavailable(format!("Docker does not say how {what} ended")));
                }
                None => tokio::time::sleep(NEWS_PAUSE).await,
            }
        }
    }
}

/// Makes the error of a command that failed, which is the job's.
async fn failed(container: &Container, what: &str, status: i64, log: &BuildLog<'_>) -> Error {
    let state = match container.state().await {
        Ok(state) => state,
        Err(fault) => return not_made(fault),
    };
    let why = if state.oom_killed == Some(true) {
        format!(", and memory was used up ({} MiB)", BUILD_MEMORY_BYTES >> 20)
    } else {
        String::new()
    };
    let end = log.end();
    let missing = missing_package(&end);
    Error::failed_command(format!("{what} failed with status {status}{why}:\n{end}"), status)
        .with_missing_package(missing)
}

/// Returns the package that pip did not find, as pip says it, which has no other way.
fn missing_package(log: &str) -> Option<String> {
    let missing = |line: &str| Some(line.split_once("No matching distribution found for ")?.1.trim().to_owned());
    log.lines().find_map(missing)
}

/// Returns the status of a command that has ended.
async fn status(daemon: &Daemon, exec: &str) -> Result<Option<i64>, Fault> {
    let found = daemon.ask(daemon.client().inspect_exec(exec)).await?;
    Ok(found.exit_code.filter(|_| found.running == Some(false)))
}

/// Returns when a build has written more than it may. It is looked now and then: what is written in between is too much.
async fn disk_full(container: &Container) -> Error {
    loop {
        tokio::time::sleep(DISK_PAUSE).await;
        // A daemon that does not answer here does not answer there, where it is told.
        if let Ok(bytes) = written(container).await
            && let Err(error) = within_disk(container, bytes)
        {
            return error;
        }
    }
}

/// Counts the bytes that a container has beyond its image.
async fn written(container: &Container) -> Result<u64, Fault> {
    let options = InspectContainerOptionsBuilder::default().size(true).build();
    let daemon = container.daemon();
    let found = daemon.work(daemon.client().inspect_container(container.name(), Some(options))).await?;
    Ok(found.size_rw.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default())
}

fn within_disk(container: &Container, bytes: u64) -> Result<()> {
    let most = container.daemon().options().build_disk_bytes;
    if bytes <= most {
        return Ok(());
    }
    let message = format!("commands and packages take more than {most} bytes of disk");
    Err(Error::invalid(message).with_hint(Hint::RaiseBuildDisk))
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
