//! Which task is which: a bounded number for each caller, each for an hour.

use crate::sync::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KEPT: Duration = Duration::from_secs(3600);
/// Of one caller. Past it the oldest ones are forgotten.
const TASKS_MAX: usize = 2000;

/// Installations at the same time, of all callers.
const INSTALLS_MAX: usize = 16;

/// Knows the tasks of all callers.
#[derive(Debug)]
pub(crate) struct Tasks {
    installs: Arc<Semaphore>,
    by_owner: Mutex<HashMap<Arc<str>, HashMap<String, Known>>>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    task: Task,
}

/// What a task is.
#[derive(Debug, Clone)]
pub(super) enum Task {
    Install(Install),
    /// The id of its execution.
    Execution(String),
}

/// How far an installation is.
#[derive(Debug, Clone)]
pub(super) enum Install {
    Running,
    Done { logs: String },
    Failed { logs: String, error: String },
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks { installs: Arc::new(Semaphore::new(INSTALLS_MAX)), by_owner: Mutex::default() }
    }
}

impl Known {
    /// Returns whether it may be forgotten: of what installs there is not more than is bounded anyway.
    fn is_at_rest(&self) -> bool {
        !matches!(self.task, Task::Install(Install::Running))
    }
}

impl Tasks {
    /// Begins the one installation that a session may have at a time, which adds to the packages from before it.
    ///
    /// # Errors
    ///
    /// When the session has one, or there are too many.
    pub(super) fn begin_install(&self, owner: &Arc<str>, id: &str) -> Result<OwnedSemaphorePermit, &'static str> {
        let mut owners = lock(&self.by_owner);
        if owners.get(&**owner).and_then(|tasks| tasks.get(id)).is_some_and(|known| !known.is_at_rest()) {
            return Err(
                "an installation for this session is under way: ask for its status, and try again when it has ended",
            );
        }
        let permit = Arc::clone(&self.installs).try_acquire_owned();
        let permit = permit.map_err(|_| "too many installations are under way: try again later")?;
        put(&mut owners, owner, id, Task::Install(Install::Running));
        Ok(permit)
    }

    pub(super) fn set(&self, owner: &Arc<str>, id: &str, task: Task) {
        put(&mut lock(&self.by_owner), owner, id, task);
    }

    pub(super) fn get(&self, owner: &str, id: &str) -> Option<Task> {
        let owners = lock(&self.by_owner);
        let known = owners.get(owner)?.get(id)?;
        (known.since.elapsed() < KEPT || !known.is_at_rest()).then(|| known.task.clone())
    }

    /// Forgets a task, but for an installation that is under way.
    pub(super) fn forget(&self, owner: &str, id: &str) {
        if let Some(tasks) = lock(&self.by_owner).get_mut(owner)
            && tasks.get(id).is_some_and(Known::is_at_rest)
        {
            tasks.remove(id);
        }
    }
}

fn put(owners: &mut HashMap<Arc<str>, HashMap<String, Known>>, owner: &Arc<str>, id: &str, task: Task) {
    let tasks = owners.entry(Arc::clone(owner)).or_default();
    if tasks.len() >= TASKS_MAX && !tasks.contains_key(id) {
        tasks.retain(|_, known| known.since.elapsed() < KEPT || !known.is_at_rest());
        // Half of them at once, so that this is rare.
        if tasks.len() >= TASKS_MAX {
            let mut since: Vec<_> = tasks.values().map(|known| known.since).collect();
            since.sort_unstable();
            let middle = since.get(TASKS_MAX / 2).copied();
            tasks.retain(|_, known| middle.is_none_or(|middle| known.since > middle) || !known.is_at_rest());
        }
    }
    tasks.insert(id.to_owned(), Known { since: Instant::now(), task });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_installation_at_a_time_and_all_have_a_bounded_number() {
        let tasks = Tasks::default();
        let [alice, bob] = ["alice", "bob"].map(Arc::<str>::from);
        let mut permits = vec![tasks.begin_install(&alice, "install-0").expect("begun")];
        assert!(tasks.begin_install(&alice, "install-0").is_err_and(|why| why.contains("this session")));
        // Of a session that was ended meanwhile, too.
        tasks.forget("alice", "install-0");
        assert!(tasks.begin_install(&alice, "install-0").is_err());
        permits.push(tasks.begin_install(&bob, "install-0").expect("another session"));
        for n in permits.len()..INSTALLS_MAX {
            permits.push(tasks.begin_install(&alice, &format!("install-{n}")).expect("begun"));
        }
        assert!(tasks.begin_install(&bob, "install-1").is_err_and(|why| why.contains("too many")));
        permits.clear();
        assert!(tasks.begin_install(&bob, "install-1").is_ok());
        tasks.set(&alice, "install-0", Task::Install(Install::Done { logs: String::new() }));
        assert!(tasks.begin_install(&alice, "install-0").is_ok());
    }

    #[test]
    fn owners_have_tasks_of_their_own_and_a_bounded_number() {
        let tasks = Tasks::default();
        let [alice, bob] = ["alice", "bob"].map(Arc::<str>::from);
        tasks.set(&bob, "exec-1", Task::Execution("exe_bob".to_owned()));
        for n in 0..3 * TASKS_MAX {
            tasks.set(&alice, &format!("exec-{n}"), Task::Execution(format!("exe_{n}")));
        }
        let id = |owner: &str, id: &str| match tasks.get(owner, id) {
            Some(Task::Execution(id)) => Some(id),
            _ => None,
        };
        assert_eq!(id("alice", "exec-1"), None);
        assert_eq!(id("bob", "exec-1").as_deref(), Some("exe_bob"));
        let last = 3 * TASKS_MAX - 1;
        assert_eq!(id("alice", &format!("exec-{last}")), Some(format!("exe_{last}")));
        assert!(lock(&tasks.by_owner)["alice"].len() <= TASKS_MAX);
        tasks.forget("bob", "exec-1");
        assert_eq!(id("bob", "exec-1"), None);
    }
}
