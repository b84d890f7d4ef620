//! From arguments to a job or a call of a session, and to what came of it.

use super::{
    Host,
    answer::{Answer, MadeFile, is_read},
    arguments::{Arguments, NEW, Place},
    tool::{Face, Failure, Owner},
};
use crate::{
    Error, ErrorKind, Event, Job, Limits, Project, Want,
    executor::SessionFile,
    outcome::OutputFile,
    server::render::number,
    sessions::{CallEnd, Cell, Sessions},
};
use bytes::Bytes;
use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant, SystemTime},
};
use tokio::{runtime::Handle, sync::mpsc, task::JoinHandle, time::timeout};

/// The script, beside the files that come with it.
const SCRIPT: &str = "main.py";
/// What a model is shown of each of stdout and stderr: all of it is read, and paid for.
const OUTPUT_BYTES_MAX: u64 = 32 << 10;
/// Sessions of one client that is connected; the one that was not used for longest goes.
const SESSIONS_MAX: usize = 16;
/// Calls at the same time, of all clients together.
const CALLS_MAX: usize = 1000;
/// Between two words about what a script prints.
const OUTPUT_EVERY: Duration = Duration::from_millis(500);
/// Between two words about nothing new, for clients that give up without any.
const ALIVE_EVERY: Duration = Duration::from_secs(5);
/// For a client that does not read.
const NOTIFY_FOR: Duration = Duration::from_secs(2);
const LINE_BYTES_MAX: usize = 200;
const UPDATES_WAITING_MAX: usize = 16;

type Result<T> = std::result::Result<T, Failure>;

/// Runs the code of one call.
pub(super) async fn run(
    face: &Face,
    owner: &Owner,
    arguments: Arguments,
    context: &RequestContext<RoleServer>,
) -> Result<Answer> {
    let _counted = Counted::new(face.host())?;
    match &arguments.session {
        Place::Alone => alone(face.host(), owner, arguments, context).await,
        Place::New => in_new_session(face, owner, arguments, context).await,
        Place::Session(id) => {
            let id = id.clone();
            in_session(face, owner, &id, arguments, context).await
        }
    }
}

/// Reads a file of a session.
pub(super) async fn read_file(host: &Host, owner: &Owner, session: &str, path: &str) -> Result<Bytes> {
    Ok(sessions(host)?.read_file(&owner.name, session, path).await?)
}

async fn alone(
    host: &Host,
    owner: &Owner,
    arguments: Arguments,
    context: &RequestContext<RoleServer>,
) -> Result<Answer> {
    let Arguments { code, files, stdin, warnings, .. } = &arguments;
    let mut notes = warnings.clone();
    if files.iter().any(|(name, _)| name == SCRIPT) {
        return Err(Failure::Told(format!("{SCRIPT} is the code itself: give the file another name")));
    }
    let script = (SCRIPT.to_owned(), Bytes::from(code.clone()));
    let project = Project::files([script].into_iter().chain(files.iter().cloned()))?;
    let limits = limits(host, arguments.timeout_seconds, &mut notes);
    let job = job(host, project, &arguments, limits)
        .stdin(stdin.clone())
        .want(Want::LastExpression)
        .collect_files(true)
        .owner(owner.index);
    let (observer, updates) = Updates::new();
    let pyexec = host.pyexec.clone();
    let task = host.jobs.spawn(async move { pyexec.run_observed(job, observer.into_closure()).await });
    let mut outcome = followed(task, updates, context).await?;
    let made = std::mem::take(&mut outcome.files).into_iter().map(|OutputFile { path, content, .. }| MadeFile {
        bytes: content.len() as u64,
        content: Some(content),
        path,
    });
    let files = made.collect();
    notes.extend(outcome.uncollected.iter().map(|path| format!("{path} is too large to come back")));
    Ok(Answer { outcome, timeout: limits.wall_clock(), session: None, files, warnings: notes })
}

async fn in_new_session(
    face: &Face,
    owner: &Owner,
    arguments: Arguments,
    context: &RequestContext<RoleServer>,
) -> Result<Answer> {
    let host = face.host();
    let sessions = sessions(host)?;
    let project = Project::files(arguments.files.iter().cloned())?;
    // Memory and disk of the session; its calls have their own time.
    let job = job(host, project, &arguments, limits(host, None, &mut Vec::new())).owner(owner.index);
    let (sessions, name, jobs) = (sessions.clone(), Arc::clone(&owner.name), host.jobs.clone());
    // Made whole, also when the client goes meanwhile: nobody else would remove it.
    let made = host.jobs.spawn(async move {
        let id = sessions.create(&name, job).await?.id;
        Ok::<_, Error>(NewSession { sessions, owner: name, jobs, id: Some(id) })
    });
    let mut made = made.await.map_err(|fault| Error::caused("making a session failed", fault))??;
    let id = made.id.clone().unwrap_or_default();
    let before = arguments.files.iter().map(|(name, content)| (name.clone(), (content.len() as u64, None))).collect();
    let answer = call(host, owner, &id, arguments, before, context).await?;
    // From now on its client has its name.
    made.id = None;
    if let Some(oldest) = face.made().add(&id, SESSIONS_MAX) {
        remove(&made.sessions, &owner.name, &oldest).await;
    }
    Ok(answer)
}

/// A session whose name nobody has yet. Dropping it removes it.
struct NewSession {
    sessions: Sessions,
    owner: Arc<str>,
    jobs: Handle,
    id: Option<String>,
}

impl Drop for NewSession {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (sessions, owner) = (self.sessions.clone(), Arc::clone(&self.owner));
        self.jobs.spawn(async move { remove(&sessions, &owner, &id).await });
    }
}

/// Removes a session, which may have gone by itself.
async fn remove(sessions: &Sessions, owner: &str, id: &str) {
    if let Err(error) = sessions.remove(owner, id).await
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, session = id, "a session cannot be removed");
    }
}

async fn in_session(
    face: &Face,
    owner: &Owner,
    id: &str,
    arguments: Arguments,
    context: &RequestContext<RoleServer>,
) -> Result<Answer> {
    let host = face.host();
    let sessions = sessions(host)?;
    let known = sessions.info(&owner.name, id).await;
    known.map_err(|_| {
        let advice = format!("pass \"session\": \"{NEW}\" to start one, and run what it needs again");
        Failure::Told(format!("there is no session {id:?}, or no longer\nhint: {advice}"))
    })?;
    if !arguments.requirements.is_empty() {
        let advice = "packages that the code imports are installed by themselves; or have it begin with `%pip install NAME==VERSION`";
        return Err(Failure::Told(format!("requirements are given when a session is made\nhint: {advice}")));
    }
    if arguments.network.is_some() {
        return Err(Failure::Told("network is said when a session is made: make another one".to_owned()));
    }
    face.made().used(id);
    for (name, content) in &arguments.files {
        sessions.write_file(&owner.name, id, name, content.clone()).await?;
    }
    let before = sessions.files(&owner.name, id).await?;
    let before = before.into_iter().map(|file| (file.path, (file.bytes, Some(file.modified)))).collect();
    call(host, owner, id, arguments, before, context).await
}

/// Files of a session by path: their length, and when they were written, as far as that is known.
type Listing = HashMap<String, (u64, Option<SystemTime>)>;

async fn call(
    host: &Host,
    owner: &Owner,
    id: &str,
    arguments: Arguments,
    before: Listing,
    context: &RequestContext<RoleServer>,
) -> Result<Answer> {
    let sessions = sessions(host)?;
    let Arguments { code, stdin, timeout_seconds, mut warnings, .. } = arguments;
    let limits = limits(host, timeout_seconds, &mut warnings);
    let cell = Cell::new(code).stdin(stdin).limits(limits);
    let (observer, updates) = Updates::new();
    let started = SystemTime::now();
    let task = {
        let (sessions, owner, id) = (sessions.clone(), owner.name.clone(), id.to_owned());
        host.jobs.spawn(async move { sessions.call_observed(&owner, &id, cell, observer.into_closure()).await })
    };
    let CallEnd { outcome, moved, lost, .. } = followed(task, updates, context).await?;
    if lost {
        warnings.push("the interpreter was lost: the session is what it was before this call".to_owned());
    }
    if let Some(moved) = moved.filter(|moved| !moved.different.is_empty()) {
        warnings.push(format!("the session moved to a container, where calls {:?} ended differently", moved.different));
    }
    let mut files = Vec::new();
    match sessions.files(&owner.name, id).await {
        Ok(after) => {
            for SessionFile { path, bytes, modified, .. } in after {
                let is_old = before.get(&path).is_some_and(|(length, written)| {
                    *length == bytes && written.map_or(modified <= started, |written| written == modified)
                });
                if is_old {
                    continue;
                }
                let content =
                    if is_read(&path, bytes) { sessions.read_file(&owner.name, id, &path).await.ok() } else { None };
                files.push(MadeFile { path, bytes, content });
            }
        }
        Err(error) => warnings.push(format!("its files cannot be listed: {}", error.message())),
    }
    Ok(Answer { outcome, timeout: limits.wall_clock(), session: Some(id.to_owned()), files, warnings })
}

fn sessions(host: &Host) -> Result<&Sessions> {
    let missing = "this server has no sessions: run the code without one, or set its data_dir to a folder of its own";
    host.sessions.as_ref().ok_or_else(|| Failure::Told(missing.to_owned()))
}

fn job(host: &Host, project: Project, arguments: &Arguments, limits: Limits) -> Job {
    Job::project(project)
        .limits(limits)
        .requirements(arguments.requirements.clone())
        .network(arguments.network.unwrap_or(host.settings.default_network))
}

fn limits(host: &Host, timeout_seconds: Option<f64>, warnings: &mut Vec<String>) -> Limits {
    let (usual, most) = (host.settings.defaults, host.settings.maxima);
    let mut limits = Limits { output_bytes: usual.output_bytes.min(OUTPUT_BYTES_MAX), ..usual };
    if let Some(seconds) = timeout_seconds {
        // Saturates.
        limits.wall_clock_ms = (seconds * 1000.0).round().max(1.0) as u64;
        if limits.wall_clock_ms > most.wall_clock_ms {
            let most = number(most.wall_clock_ms, 1000);
            warnings.push(format!("timeout_seconds: {seconds} is above this server's maximum, so it is {most}"));
        }
    }
    limits.clamped(&most)
}

/// Waits for the end of a task, and tells the client what goes on. When the client cancels, the task ends.
async fn followed<T>(
    task: JoinHandle<crate::Result<T>>,
    mut updates: mpsc::Receiver<String>,
    context: &RequestContext<RoleServer>,
) -> Result<T> {
    let mut task = EndOnDrop(task);
    let mut reporter = context.meta.get_progress_token().map(|token| Reporter::new(context.peer.clone(), token));
    let mut alive = tokio::time::interval(ALIVE_EVERY);
    alive.reset();
    loop {
        tokio::select! {
            biased;
            () = context.ct.cancelled() => return Err(Failure::Cancelled),
            Some(update) = updates.recv() => if let Some(reporter) = &mut reporter {
                alive.reset();
                reporter.tell(update).await;
            },
            end = &mut task.0 => {
                let end = end.map_err(|fault| Error::caused("running the code failed", fault))?;
                return Ok(end?);
            }
            _ = alive.tick() => if let Some(reporter) = &mut reporter {
                let seconds = reporter.since.elapsed().as_secs();
                reporter.tell(format!("running for {seconds} s")).await;
            },
        }
    }
}

/// Tells a client how far its call is.
struct Reporter {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    told: f64,
    since: Instant,
}

impl Reporter {
    fn new(peer: Peer<RoleServer>, token: ProgressToken) -> Reporter {
        Reporter { peer, token, told: 0.0, since: Instant::now() }
    }

    async fn tell(&mut self, message: String) {
        self.told += 1.0;
        let progress = ProgressNotificationParam::new(self.token.clone(), self.told).with_message(message);
        // Nothing is lost with it.
        let _ = timeout(NOTIFY_FOR, self.peer.notify_progress(progress)).await;
    }
}

/// Passes on what happens, as far as there is room.
struct Updates {
    to: mpsc::Sender<String>,
    printed: Option<Instant>,
}

impl Updates {
    fn new() -> (Updates, mpsc::Receiver<String>) {
        let (to, from) = mpsc::channel(UPDATES_WAITING_MAX);
        (Updates { to, printed: None }, from)
    }

    fn into_closure(mut self) -> impl FnMut(Event<'_>) + Send + 'static {
        move |event| self.event(event)
    }

    fn event(&mut self, event: Event<'_>) {
        let text = match event {
            Event::Progress(text) => text.to_owned(),
            Event::Restarted(reason) => format!("runs again: {reason}"),
            Event::Stdout(bytes) if self.printed.is_none_or(|printed| printed.elapsed() >= OUTPUT_EVERY) => {
                let Some(line) = last_line(bytes) else { return };
                self.printed = Some(Instant::now());
                line
            }
            _ => return,
        };
        // A client that does not follow misses some.
        let _ = self.to.try_send(text);
    }
}

/// Returns the last line that says something, shortened.
fn last_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\n').rev().map(<[u8]>::trim_ascii).find(|line| !line.is_empty())?;
    Some(String::from_utf8_lossy(line.get(..LINE_BYTES_MAX).unwrap_or(line)).into_owned())
}

/// Ends a task with whoever waits for it.
struct EndOnDrop<T>(JoinHandle<T>);

impl<T> Drop for EndOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Counts a call.
struct Counted<'a>(&'a Host);

impl Counted<'_> {
    fn new(host: &Host) -> Result<Counted<'_>> {
        let counted = Counted(host);
        if host.calls.fetch_add(1, Relaxed) >= CALLS_MAX {
            return Err(Failure::Told(format!("{CALLS_MAX} calls are on their way already: try again in a moment")));
        }
        Ok(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_printed_the_last_line_is_told() {
        assert_eq!(last_line(b"a\n  b \n\n").as_deref(), Some("b"));
        assert_eq!(last_line(b"\n \n"), None);
        assert_eq!(last_line(&[b'x'; 1000]).map(|line| line.len()), Some(LINE_BYTES_MAX));
        let (mut updates, mut told) = Updates::new();
        for event in [Event::Stdout(b"\n"), Event::Stdout(b"first"), Event::Stdout(b"too soon"), Event::Progress("p")] {
            updates.event(event);
        }
        drop(updates);
        let told: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(told, ["first", "p"]);
    }
}
