//! The life of one job in one container.

use super::{
    Placement, Prepared, Progress,
    container::{Container, Waiting},
    engine::{Engine, Fault},
    feed::{Signals, feed},
    hardening::Spec,
    helper,
    network::{self, Attachment},
    pool::Pool,
    prepare::prepare,
    told::{End, Ended, Told},
};
use crate::{
    Error, Job, Limits, Result, Want,
    executor::{COLLECTED_BYTES_MAX, Observer, Run, StopAt, traceback},
    outcome::{Ending, StopReason},
};
use bollard::models::ContainerState;
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::OwnedSemaphorePermit;

/// An interpreter needs some, before any of the job's.
const MEMORY_BYTES_MIN: u64 = 32 << 20;
/// For a job at its deadline to say where it is.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// The daemon learns of a process killed for memory a moment later than we learn of its end.
const OOM_NEWS: Duration = Duration::from_millis(500);
/// The end of a container that has closed its output.
const END_NEWS: Duration = Duration::from_secs(1);
const NEWS_PAUSE: Duration = Duration::from_millis(10);
const SIGKILL: i64 = 9;

/// Says where a job runs.
pub(crate) enum Place {
    Ready(Prepared),
    /// To be prepared, in the job's own time.
    Wanted(Placement),
}

impl Place {
    fn placement(&self) -> &Placement {
        match self {
            Place::Ready(prepared) => prepared.placement(),
            Place::Wanted(placement) => placement,
        }
    }
}

pub(crate) async fn run(
    engine: &Arc<Engine>,
    pool: &Pool,
    mut job: Job,
    place: Place,
    stop_at: Option<StopAt>,
    observer: Box<dyn Observer>,
) -> Result<Run> {
    let script = check(&job)?;
    let placement = place.placement().clone();
    let header = header(&job, &script, placement.network);
    let mut slot = Some(engine.slot().await?);
    let limits = job.limits;
    let began = Instant::now();
    let deadline = tokio::time::Instant::from_std(began + limits.wall_clock());
    let mut told = Told::new(&job, stop_at, observer);

    let mut may_be_warm = true;
    // Once more only when a container that waited has ended before it started the job.
    loop {
        let starting = start(engine, (pool, may_be_warm), &place, limits, slot.take());
        let Ok(started) = tokio::time::timeout_at(deadline, starting).await else {
            let reason = StopReason::TimeLimit;
            let explained = traceback::explain(&reason, &limits);
            told.explain(&format!("{explained} before its container had started"));
            let outcome = told.outcome(Ending::Stopped { reason }, began.elapsed(), &limits, &placement);
            return Ok(Run::Ended(Box::new(outcome)));
        };
        let Started { waiting: Waiting { container, input, mut output }, was_warm, prepared } = started?;
        let signals = Signals::new();
        let mut feeding = pin!(feed(input, &header, job.project.clone(), &mut job.stdin, &signals));
        let ended = tokio::select! {
            error = &mut feeding => return Err(error),
            () = tokio::time::sleep_until(deadline) => None,
            ended = told.listen(&mut output, &signals) => Some(ended),
        };
        let ending = match ended {
            Some(Ended::Gone) if was_warm && !told.started => {
                slot = container.release();
                told.restart();
                may_be_warm = false;
                continue;
            }
            None => {
                if told.started {
                    signals.ask_where();
                    let until = tokio::time::Instant::now() + LAST_WORDS;
                    let answered = tokio::select! {
                        _ = &mut feeding => false,
                        () = tokio::time::sleep_until(until) => false,
                        ended = told.listen(&mut output, &signals) => matches!(ended, Ended::Placed),
                    };
                    // One that has as many processes as it may leaves little of the CPU to the runner.
                    if !answered && container.has_all_processes().await {
                        told.note_all_processes();
                    }
                }
                container.kill().await;
                Ending::Stopped { reason: StopReason::TimeLimit }
            }
            // The container is removed with its guard.
            Some(Ended::Missed(miss)) => return Ok(Run::Missed(miss, began.elapsed())),
            Some(Ended::Refused(refusal)) => return Err(refusal.into_error(&limits)),
            Some(Ended::Told(end)) => finished(engine, &container, &end, &mut told).await,
            Some(Ended::Gone) => vanished(engine, &container, &prepared.base().name.to_string(), &mut told).await?,
            Some(Ended::Nonsense | Ended::Placed) => {
                container.kill().await;
                Ending::Stopped { reason: StopReason::Crashed("its runner was made to talk nonsense".to_owned()) }
            }
        };
        if let Ending::Stopped { reason } = &ending {
            told.say_where(reason, &limits, &job.project);
        }
        return Ok(Run::Ended(Box::new(told.outcome(ending, began.elapsed(), &limits, prepared.placement()))));
    }
}

struct Started {
    waiting: Waiting,
    was_warm: bool,
    /// Keeps its layer.
    prepared: Prepared,
}

/// Takes a container from the pool, or makes one for this job alone, prepared anew where need be.
async fn start(
    engine: &Arc<Engine>,
    (pool, may_be_warm): (&Pool, bool),
    place: &Place,
    limits: Limits,
    slot: Option<OwnedSemaphorePermit>,
) -> Result<Started> {
    let silent: Progress = Arc::new(|_| ());
    let prepared = match place {
        Place::Ready(prepared) => prepared.clone(),
        Place::Wanted(placement) => Box::pin(prepare(engine, placement, &silent)).await?,
    };
    let spec = spec(engine, &prepared, limits).await?;
    if let Some(mut waiting) = may_be_warm.then(|| pool.take(&spec)).flatten() {
        waiting.container.hold(slot);
        return Ok(Started { waiting, was_warm: true, prepared });
    }
    let error = match Box::pin(cold(engine, pool, &spec, slot)).await {
        Ok(waiting) => return Ok(Started { waiting, was_warm: false, prepared }),
        Err(error) if image_is_gone(engine, &prepared).await => error,
        Err(error) => return Err(error),
    };
    tracing::warn!(%error, "an image was removed, and is made again");
    prepared.forget(engine).await;
    let prepared = Box::pin(prepare(engine, prepared.placement(), &silent)).await?;
    let spec = self::spec(engine, &prepared, limits).await?;
    let waiting = Box::pin(cold(engine, pool, &spec, Some(engine.slot().await?))).await?;
    Ok(Started { waiting, was_warm: false, prepared })
}

async fn spec(engine: &Engine, prepared: &Prepared, limits: Limits) -> Result<Spec> {
    let network = match prepared.placement().network {
        true => network::attachment(engine).await?,
        false => Attachment::None,
    };
    Ok(engine.spec(limits, prepared, network))
}

/// Makes a container for this job alone.
async fn cold(engine: &Arc<Engine>, pool: &Pool, spec: &Spec, slot: Option<OwnedSemaphorePermit>) -> Result<Waiting> {
    let _cold = pool.cold_start();
    let waiting = Container::start(engine, spec.clone(), slot).await?;
    pool.learn(spec);
    Ok(waiting)
}

async fn image_is_gone(engine: &Engine, prepared: &Prepared) -> bool {
    let found = engine.ask(engine.docker().inspect_image(&prepared.image())).await;
    matches!(found, Err(Fault::Refused { status: 404, .. }))
}

/// Refuses what this tier cannot run; returns the path of the script.
pub(crate) fn check(job: &Job) -> Result<String> {
    job.check()?;
    if job.limits.cpu_fuel.is_some() {
        return Err(Error::invalid(
            "a CPU budget in fuel is counted in WebAssembly only: run this job there, or without the budget",
        ));
    }
    if job.limits.memory_bytes < MEMORY_BYTES_MIN {
        return Err(Error::invalid(format!(
            "a memory limit of {} bytes is less than the interpreter itself needs: ask for 64 MiB or more",
            job.limits.memory_bytes
        )));
    }
    let script = job.script()?;
    if job.containers.pre_commands.is_empty() {
        // A link is not a script, on either tier.
        job.project.read(&script)?;
    }
    Ok(script)
}

/// Encodes the job as the runner reads it.
fn header(job: &Job, script: &str, network: bool) -> Vec<u8> {
    let (function, arguments) = match &job.want {
        Want::Call { function, arguments } => (Some(function), Some(arguments.as_str())),
        Want::Nothing | Want::LastExpression => (None, None),
    };
    serde_json::json!({
        "script": script,
        "args": job.args,
        "env": job.env,
        "memory_bytes": job.limits.memory_bytes,
        "network": network,
        "collect": job.collect_files,
        "collect_bytes": COLLECTED_BYTES_MAX,
        "last_expression": job.want == Want::LastExpression,
        "function": function,
        "arguments": arguments,
    })
    .to_string()
    .into_bytes()
}

/// Makes the ending of a script that has ended, as the runner says.
async fn finished(engine: &Engine, container: &Container, end: &End, told: &mut Told) -> Ending {
    let killed = end.signal == Some(SIGKILL);
    // Asking always would cost every job a call.
    if killed || end.oom > 0 {
        let state = news(engine, container, OOM_NEWS, |state| state.oom_killed == Some(true)).await;
        told.out_of_memory = state.is_some_and(|state| state.oom_killed == Some(true));
    }
    match end.signal {
        Some(_) if killed && told.out_of_memory => Ending::Stopped { reason: StopReason::MemoryLimit },
        // As a shell has it.
        Some(signal) => Ending::Exited { exit_code: (128 + (signal & 0x7f)) as u8 },
        None => Ending::Exited { exit_code: (end.code.unwrap_or_default() & 0xff) as u8 },
    }
}

/// Finds out how a script ended whose container fell silent.
async fn vanished(engine: &Engine, container: &Container, image: &str, told: &mut Told) -> Result<Ending> {
    let ended = |state: &ContainerState| state.running == Some(false) && state.status.is_some();
    let Some(state) = news(engine, container, END_NEWS, ended).await else {
        return Err(Error::unavailable("the connection to the job's container was lost, and Docker does not answer"));
    };
    if !ended(&state) {
        return Err(Error::unavailable("the connection to the job's container was lost"));
    }
    let state = if state.oom_killed == Some(true) {
        state
    } else {
        news(engine, container, OOM_NEWS, |state| state.oom_killed == Some(true)).await.unwrap_or(state)
    };
    told.out_of_memory = state.oom_killed == Some(true);
    if told.out_of_memory {
        return Ok(Ending::Stopped { reason: StopReason::MemoryLimit });
    }
    let status = state.exit_code.unwrap_or_default();
    let complaint = told.complaint().map(|line| format!(": {line}")).unwrap_or_default();
    if !told.started {
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
async fn news(
    engine: &Engine,
    container: &Container,
    longest: Duration,
    wanted: impl Fn(&ContainerState) -> bool,
) -> Option<ContainerState> {
    let until = Instant::now() + longest;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let state = tokio::time::timeout(left + longest, engine.state(container.name())).await.ok()?.ok()?;
        if wanted(&state) || Instant::now() >= until {
            return Some(state);
        }
        tokio::time::sleep(NEWS_PAUSE).await;
    }
}
