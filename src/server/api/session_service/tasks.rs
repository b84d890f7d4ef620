//! Which task is which: a bounded number for each caller, each for an hour.

use crate::sync::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const KEPT: Duration = Duration::from_secs(3600);
/// Of one caller. Past it the oldest ones are forgotten.
const TASKS_MAX: usize = 2000;

/// Knows the tasks of all callers.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
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

impl Tasks {
    pub(super) fn set(&self, owner: &Arc<str>, id: &str, task: Task) {
        let mut owners = lock(&self.by_owner);
        let tasks = owners.entry(Arc::clone(owner)).or_default();
        if tasks.len() >= TASKS_MAX && !tasks.contains_key(id) {
            tasks.retain(|_, known| known.since.elapsed() < KEPT);
            // Half of them at once, so that this is rare.
            if tasks.len() >= TASKS_MAX {
                let mut since: Vec<_> = tasks.values().map(|known| known.since).collect();
                since.sort_unstable();
                let middle = since.get(TASKS_MAX / 2).copied();
                tasks.retain(|_, known| middle.is_none_or(|middle| known.since > middle));
            }
        }
        tasks.insert(id.to_owned(), Known { since: Instant::now(), task });
    }

    pub(super) fn get(&self, owner: &str, id: &str) -> Option<Task> {
        let owners = lock(&self.by_owner);
        let known = owners.get(owner)?.get(id)?;
        (known.since.elapsed() < KEPT).then(|| known.task.clone())
    }

    pub(super) fn forget(&self, owner: &str, id: &str) {
        if let Some(tasks) = lock(&self.by_owner).get_mut(owner) {
            tasks.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
