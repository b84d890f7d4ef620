//! The life of one job in one container.

use super::{
    collected::Files,
    container::{Container, Waiting},
    daemon::{Daemon, Fault},
    hardening::{Attachment, Spec},
    helper,
    network::Network,
    pool::Pool,
    prepare::{Preparation, Prepared},
    progress::Progress,
    protocol::End,
    runner_session::{Ended, Line, RunnerSession},
    stdin_writer::{Signals, write_job},
};
use crate::{
    Error, Limits, Project, Result, Want,
    executor::{COLLECTED_BYTES_MAX, Call, Code, Observer, Run, SessionSpec, traceback},
    outcome::{Ending, StopReason},
};
use bollard::models::ContainerState;
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

/// An interpreter needs some, before any of the job's.
const MEMORY_BYTES_MIN: u64 = 32 << 20;
/// For a job at its deadline to say where it is.
pub(super) const POST_MORTEM: Duration = Duration::from_millis(200);
/// For the files of a job that was stopped at its deadline.
const COLLECTION: Duration = Duration::from_secs(10);
/// The daemon learns of a process killed for memory a moment later than we learn of its end.
const OOM_REPORT_GRACE: Duration = Duration::from_millis(500);
/// The end of a container that has closed its output.
const END_REPORT_GRACE: Duration = Duration::from_secs(1);
const STATE_PAUSE: Duration = Duration::from_millis(10);
const SIGKILL: i64 = 9;

/// Runs jobs on one daemon.
pub(crate) struct Runner {
    network: Arc<Network>,
    preparation: Arc<Preparation>,
    pool: Arc<Pool>,
}

impl Runner {
    pub(crate) fn new(network: Arc<Network>, preparation: Arc<Preparation>) -> Arc<Runner> {
        let pool = Pool::start(Arc::clone(&network), Arc::clone(&preparation));
        Arc::new(Runner { network, preparation, pool })
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        self.network.containers().daemon()
    }

    /// Ends all jobs and builds.
    pub(crate) fn close(&self) {
        self.daemon().close();
    }

    /// Waits until its containers are gone, but not longer than `longest`, and gives up the network.
    pub(crate) async fn leave(&self, longest: Duration) {
        let _ = tokio::time::timeout(longest, self.pool.ended()).await;
        self.network.containers().wait_until_gone(longest).await;
        self.network.leave().await;
    }

    /// Runs a call in a container of its own, until it ends or meets something at which it is to stop.
    pub(crate) async fn run(
        &self,
        spec: SessionSpec,
        call: Call,
        mut prepared: Prepared,
        observer: Box<dyn Observer>,
    ) -> Result<Run> {
        let Code::Script(script) = &call.code else {
            return Err(Error::invalid("this session is of a script: open one of cells"));
        };
        check(&spec.limits, &spec.project, script, &prepared.placement().pre_commands)?;
        let header = header(&spec, &call, script, prepared.placement().network);
        let Call { mut stdin, stop_at, .. } = call;
        let limits = spec.limits;
        let began = Instant::now();
        let deadline = tokio::time::Instant::from_std(began + limits.wall_clock());
        let files = spec.collect_files.then(|| Files::new(&spec.project, limits.disk_files));
        let mut session = RunnerSession::new(&limits, files, stop_at, observer);

        let mut may_be_warm = true;
        // Once more only when a container that waited has ended before it started the job.
        loop {
            let starting = self.start(may_be_warm, &prepared, limits);
            let Ok(started) = tokio::time::timeout_at(deadline, starting).await else {
                let reason = StopReason::TimeLimit;
                let explained = traceback::explain(&reason, &limits);
                session.explain(&format!("{explained} before its container had started"));
                let outcome =
                    session.outcome(Ending::Stopped { reason }, began.elapsed(), &limits, prepared.placement());
                return Ok(Run::Ended(Box::new(outcome)));
            };
            let Started { waiting: Waiting { container, input, output }, was_warm, prepared: used } = started?;
            prepared = used;
            let mut line = Line::new(output);
            let signals = Signals::new();
            let mut writing = pin!(write_job(input, &header, spec.project.clone(), &mut stdin, &signals));
            let ended = tokio::select! {
                error = &mut writing => return Err(error),
                () = tokio::time::sleep_until(deadline) => None,
                ended = session.listen(&mut line, &signals) => Some(ended),
            };
            let ending = match ended {
                Some(Ended::Gone) if was_warm && !session.started => {
                    drop(container);
                    may_be_warm = false;
                    continue;
                }
                None => {
                    if session.started {
                        signals.ask_where();
                        let until = tokio::time::Instant::now() + POST_MORTEM;
                        let answered = tokio::select! {
                            _ = &mut writing => false,
                            () = tokio::time::sleep_until(until) => false,
                            ended = session.listen(&mut line, &signals) => matches!(ended, Ended::Located),
                        };
                        // One that has as many processes as it may leaves little of the CPU to the runner.
                        if !answered && container.has_all_processes().await {
                            session.note_all_processes();
                        }
                        if spec.collect_files {
                            signals.stop();
                            let until = tokio::time::Instant::now() + COLLECTION;
                            tokio::select! {
                                _ = &mut writing => {}
                                () = tokio::time::sleep_until(until) => {}
                                () = async { while let Ended::Located = session.listen(&mut line, &signals).await {} } => {}
                            }
                        }
                    }
                    container.kill().await;
                    Ending::Stopped { reason: StopReason::TimeLimit }
                }
                // The container is removed with its guard.
                Some(Ended::Missed(miss)) => return Ok(Run::Missed(miss, began.elapsed())),
                Some(Ended::Refused(refusal)) => return Err(refusal.into_error(&limits)),
                Some(Ended::Reported(end)) => finished(&container, &end, &mut session).await,
                Some(Ended::Gone) => {
                    vanished(&container, &prepared.base().name.to_string(), line.complaint(), &mut session).await?
                }
                // What only sessions say is nonsense, too.
                Some(
                    Ended::Malformed
                    | Ended::Located
                    | Ended::Tools(_)
                    | Ended::GoesOn
                    | Ended::Answered(_)
                    | Ended::Called(_)
                    | Ended::Files(_),
                ) => {
                    container.kill().await;
                    nonsense()
                }
            };
            if let Ending::Stopped { reason } = &ending {
                session.say_where(reason, &limits, &spec.project);
            }
            return Ok(Run::Ended(Box::new(session.outcome(ending, began.elapsed(), &limits, prepared.placement()))));
        }
    }

    /// Takes a container from the pool, or makes one for this job alone, prepared anew where need be.
    pub(super) async fn start(&self, may_be_warm: bool, prepared: &Prepared, limits: Limits) -> Result<Started> {
        let prepared = prepared.clone();
        let spec = self.spec(&prepared, limits).await?;
        if let Some(waiting) = may_be_warm.then(|| self.pool.take(&spec)).flatten() {
            return Ok(Started { waiting, was_warm: true, prepared });
        }
        let error = match Box::pin(self.cold(&spec)).await {
            Ok(waiting) => return Ok(Started { waiting, was_warm: false, prepared }),
            Err(error) if self.image_is_gone(&prepared).await => error,
            Err(error) => return Err(error),
        };
        tracing::warn!(%error, "an image was removed, and is made again");
        self.preparation.forget(&prepared).await;
        let silent: Progress = Arc::new(|_| ());
        let prepared = Box::pin(self.preparation.prepare(prepared.placement(), &silent)).await?;
        let spec = self.spec(&prepared, limits).await?;
        let waiting = Box::pin(self.cold(&spec)).await?;
        Ok(Started { waiting, was_warm: false, prepared })
    }

    async fn spec(&self, prepared: &Prepared, limits: Limits) -> Result<Spec> {
        let network = match prepared.placement().network {
            true => self.network.attachment().await?,
            false => Attachment::None,
        };
        let options = self.daemon().options();
        Ok(Spec {
            image: prepared.image(),
            limits: limits.into(),
            network,
            cpu_shares: prepared.placement().cpu_shares.unwrap_or(options.cpu_shares),
            pids_max: options.pids_max,
            dns: options.dns.clone(),
            preload: Vec::new(),
        })
    }

    /// Makes a container for this job alone.
    async fn cold(&self, spec: &Spec) -> Result<Waiting> {
        let _cold = self.pool.cold_start();
        let waiting = self.network.start(spec).await?;
        self.pool.learn(spec);
        Ok(waiting)
    }

    async fn image_is_gone(&self, prepared: &Prepared) -> bool {
        let found = self.daemon().ask(self.daemon().client().inspect_image(&prepared.image())).await;
        matches!(found, Err(Fault::Refused { status: 404, .. }))
    }
}

pub(super) struct Started {
    pub(super) waiting: Waiting,
    pub(super) was_warm: bool,
    /// Keeps its layer.
    pub(super) prepared: Prepared,
}

/// Refuses limits that this tier cannot hold, and a script that is none.
pub(crate) fn check(limits: &Limits, project: &Project, script: &str, pre_commands: &[String]) -> Result<()> {
    check_limits(limits)?;
    // Commands may have made it; a link is not a script, on either tier.
    if pre_commands.is_empty() {
        project.read(script)?;
    }
    Ok(())
}

/// Refuses limits that this tier cannot hold.
pub(super) fn check_limits(limits: &Limits) -> Result<()> {
    if limits.cpu_fuel.is_some() {
        return Err(Error::invalid(
            "a CPU budget in fuel is counted in WebAssembly only: run this job there, or without the budget",
        ));
    }
    if limits.memory_bytes < MEMORY_BYTES_MIN {
        return Err(Error::invalid(format!(
            "a memory limit of {} bytes is less than the interpreter itself needs: ask for 64 MiB or more",
            limits.memory_bytes
        )));
    }
    Ok(())
}

/// Encodes a call as the runner reads it.
fn header(spec: &SessionSpec, call: &Call, script: &str, network: bool) -> Vec<u8> {
    let (function, arguments) = match &call.want {
        Want::Call { function, arguments } => (Some(function), Some(arguments.as_str())),
        Want::Nothing | Want::LastExpression => (None, None),
    };
    serde_json::json!({
        "script": script,
        "args": call.args,
        "env": spec.env,
        "memory_bytes": spec.limits.memory_bytes,
        "network": network,
        "collect": spec.collect_files,
        "collect_bytes": COLLECTED_BYTES_MAX,
        "last_expression": call.want == Want::LastExpression,
        "function": function,
        "arguments": arguments,
        "session": false,
    })
    .to_string()
    .into_bytes()
}

/// Makes the ending of a job that has sent what the runner does not say.
pub(super) fn nonsense() -> Ending {
    Ending::Stopped { reason: StopReason::Crashed("its runner was made to talk nonsense".to_owned()) }
}

/// Makes the ending of a script that has ended, as the runner says.
pub(super) async fn finished(container: &Container, end: &End, session: &mut RunnerSession) -> Ending {
    let killed = end.signal == Some(SIGKILL);
    // Asking always would cost every job a call.
    if killed || end.oom > 0 {
        let state = wait_for_state(container, OOM_REPORT_GRACE, |state| state.oom_killed == Some(true)).await;
        session.out_of_memory = state.is_some_and(|state| state.oom_killed == Some(true));
    }
    match end.signal {
        Some(_) if killed && session.out_of_memory => Ending::Stopped { reason: StopReason::MemoryLimit },
        // As a shell has it.
        Some(signal) => Ending::Exited { exit_code: (128 + (signal & 0x7f)) as u8 },
        None => Ending::Exited { exit_code: (end.code.unwrap_or_default() & 0xff) as u8 },
    }
}

/// Finds out how a script ended whose container fell silent.
pub(super) async fn vanished(
    container: &Container,
    image: &str,
    complaint: Option<String>,
    session: &mut RunnerSession,
) -> Result<Ending> {
    let ended = |state: &ContainerState| state.running == Some(false) && state.status.is_some();
    let Some(state) = wait_for_state(container, END_REPORT_GRACE, ended).await else {
        return Err(Error::unavailable("the connection to the job's container was lost, and Docker does not answer"));
    };
    if !ended(&state) {
        return Err(Error::unavailable("the connection to the job's container was lost"));
    }
    let state = if state.oom_killed == Some(true) {
        state
    } else {
        wait_for_state(container, OOM_REPORT_GRACE, |state| state.oom_killed == Some(true)).await.unwrap_or(state)
    };
    session.out_of_memory = state.oom_killed == Some(true);
    if session.out_of_memory {
        return Ok(Ending::Stopped { reason: StopReason::MemoryLimit });
    }
    let status = state.exit_code.unwrap_or_default();
    let complaint = complaint.map(|line| format!(": {line}")).unwrap_or_default();
    if !session.started {
        // Nothing of the job ran: it is the image, or this service.
        let what = if matches!(status, helper::NOT_EXECUTABLE | helper::NOT_FOUND) {
            "has no python3"
        } else {
            "does not run the runner"
        };
        return Err(Error::unavailable(format!("the image {image:?} {what} (status {status}{complaint})")));
    }
    Ok(Ending::Stopped { reason: StopReason::Crashed(format!("the container ended with status {status}{complaint}")) })
}

/// Waits until the container's state is as `wanted`, for a while.
async fn wait_for_state(
    container: &Container,
    longest: Duration,
    wanted: impl Fn(&ContainerState) -> bool,
) -> Option<ContainerState> {
    let until = Instant::now() + longest;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let state = tokio::time::timeout(left + longest, container.state()).await.ok()?.ok()?;
        if wanted(&state) || Instant::now() >= until {
            return Some(state);
        }
        tokio::time::sleep(STATE_PAUSE).await;
    }
}
