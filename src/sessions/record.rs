//! What is known of a session, and what it was made for.

use crate::{Error, Job, Limits, Project, Python, Requirements, Result, TierChoice, outcome::Tier};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Numbers the layout of what is on disk.
const FORMAT: u32 = 2;
const ID_CHARACTERS: usize = 21;
/// Bytes of earlier cells that are looked at with each new one.
const NEEDFUL_BYTES_MAX: usize = 1 << 20;

/// Says how a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// It is in a call.
    Busy,
    /// It waits in memory.
    Live,
    /// It is on disk; its next call brings it back.
    Frozen,
}

/// Says what is known of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionInfo {
    /// 21 characters.
    pub id: String,
    /// How it is.
    pub state: SessionState,
    /// Where its code runs.
    pub tier: Tier,
    /// Calls that it has had.
    pub calls: u64,
    /// When it was made.
    pub created: SystemTime,
    /// When it was last used.
    pub last_used: SystemTime,
    /// When it goes, unless it is used.
    pub expires: SystemTime,
}

/// Says how a session came back that was not in memory: what was not frozen was done again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Calls that ran again.
    pub replayed: u64,
    /// Those that ended differently, by number.
    pub different: Vec<u64>,
    /// Calls whose names are gone for good, since they could not run again; files are kept.
    pub lost: u64,
}

impl Restored {
    pub(super) fn new(replayed: u64, different: Vec<u64>, lost: u64) -> Restored {
        Restored { replayed, different, lost }
    }
}

/// Says that a session went on elsewhere: its calls ran again there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Calls that ran again.
    pub replayed: u64,
    /// Those that ended differently, by number.
    pub different: Vec<u64>,
}

impl Moved {
    pub(super) fn new(replayed: u64, different: Vec<u64>) -> Moved {
        Moved { replayed, different }
    }
}

/// What is written down of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) definition: Definition,
    pub(super) created: SystemTime,
    pub(super) last_used: SystemTime,
    time_to_live: Duration,
    pub(super) calls: u64,
    /// What was done: calls, and files that came from outside.
    pub(super) entries: u64,
    /// Where what was done is written down.
    pub(super) journal: u64,
    /// Where everything begins that can be done again.
    pub(super) origin: Base,
    /// Whether all that was done since can be done again.
    pub(super) is_reachable: bool,
    /// The latest state that is kept whole.
    pub(super) kept: Option<Base>,
    /// Bytes of files from outside that are kept to be written again.
    pub(super) content_bytes: u64,
    /// The last number that was given to something in the folder: none is given twice.
    last_id: u64,
    pub(super) in_container: bool,
    /// Cells that took packages or a container: what comes after them takes these as well.
    needful: Vec<String>,
}

/// A state of a session that is in its folder, under numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Base {
    /// What was done before.
    pub(super) entries: u64,
    /// Calls among these.
    pub(super) calls: u64,
    /// The frozen interpreter; `None` is a new one.
    pub(super) interpreter: Option<u64>,
    /// The tree of files; `None` is no files.
    pub(super) files: Option<u64>,
    /// Whether its random generators are those of another session.
    pub(super) is_copy: bool,
}

/// What a session was made for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Definition {
    env: Vec<(String, String)>,
    limits: StoredLimits,
    tier: StoredTier,
    python: Option<String>,
    image: Option<String>,
    requirements: String,
    environment: Option<String>,
    pre_commands: Vec<String>,
    network: bool,
    detect_packages: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct StoredLimits {
    wall_clock_ms: u64,
    cpu_fuel: Option<u64>,
    memory_bytes: u64,
    disk_bytes: u64,
    disk_files: u64,
    output_bytes: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum StoredTier {
    Auto,
    Wasm,
    Docker,
}

impl Record {
    pub(super) fn new(owner: &str, definition: Definition, time_to_live: Duration) -> Record {
        let now = SystemTime::now();
        Record {
            format: FORMAT,
            id: new_id(),
            owner: owner.to_owned(),
            definition,
            created: now,
            last_used: now,
            time_to_live,
            calls: 0,
            entries: 0,
            journal: 0,
            origin: Base::default(),
            is_reachable: true,
            kept: None,
            content_bytes: 0,
            last_id: 0,
            in_container: false,
            needful: Vec::new(),
        }
    }

    /// Reads a record that was written.
    ///
    /// # Errors
    ///
    /// When it is of another version, or damaged.
    pub(super) fn read(bytes: &[u8]) -> Result<Record> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable = |e| Error::caused("a session is unreadable", e);
        let Format { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format != FORMAT {
            return Err(Error::unavailable(format!("a session has format {format}, not {FORMAT}")));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // A plain record is always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Makes the record of a copy.
    pub(super) fn copied(&self) -> Record {
        let now = SystemTime::now();
        let mut kept = self.kept.clone();
        if let Some(kept) = &mut kept {
            kept.is_copy = true;
        }
        Record { id: new_id(), created: now, last_used: now, kept, ..self.clone() }
    }

    /// Gives out a number for something in the folder.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Becomes an earlier state of the same session, and returns the numbers that were given out since.
    pub(super) fn go_back(&mut self, to: Record) -> std::ops::RangeInclusive<u64> {
        let (last, id, created) = (self.last_id, self.id.clone(), self.created);
        let since = to.last_id + 1..=last;
        *self = Record { id, created, last_id: last.max(to.last_id), last_used: SystemTime::now(), ..to };
        since
    }

    /// Returns the state from which the session goes on: the latest that is kept, or the origin.
    pub(super) fn base(&self) -> &Base {
        self.kept.as_ref().unwrap_or(&self.origin)
    }

    /// Returns whether its code may have effects outside of it, so that it does not run again.
    pub(super) fn has_outside_effects(&self) -> bool {
        self.in_container && self.definition.network
    }

    pub(super) fn expires(&self) -> SystemTime {
        self.last_used + self.time_to_live
    }

    pub(super) fn tier(&self) -> Tier {
        if self.in_container { Tier::Docker } else { Tier::Wasm }
    }

    pub(super) fn info(&self, state: SessionState) -> SessionInfo {
        SessionInfo {
            id: self.id.clone(),
            state,
            tier: self.tier(),
            calls: self.calls,
            created: self.created,
            last_used: self.last_used,
            expires: self.expires(),
        }
    }

    /// Makes the job that says what a new cell takes: with it come those cells that took something before.
    pub(super) fn job_for(&self, cell: &Bytes) -> Result<Job> {
        let mut source = Vec::new();
        for earlier in &self.needful {
            source.extend_from_slice(earlier.as_bytes());
            source.push(b'\n');
        }
        source.extend_from_slice(cell);
        let job = self.definition.job(source)?;
        Ok(if self.in_container { job.tier(TierChoice::Docker) } else { job })
    }

    /// Keeps a cell that took something.
    pub(super) fn keep_needful(&mut self, cell: &Bytes) {
        let text = String::from_utf8_lossy(cell).into_owned();
        let bytes: usize = self.needful.iter().map(String::len).sum();
        if bytes + text.len() <= NEEDFUL_BYTES_MAX && !self.needful.contains(&text) {
            self.needful.push(text);
        }
    }
}

impl Definition {
    pub(super) fn of(job: &Job) -> Definition {
        let asked = &job.containers;
        let limits = job.limits;
        Definition {
            env: job.env.clone(),
            limits: StoredLimits {
                wall_clock_ms: limits.wall_clock_ms,
                cpu_fuel: limits.cpu_fuel,
                memory_bytes: limits.memory_bytes,
                disk_bytes: limits.disk_bytes,
                disk_files: limits.disk_files,
                output_bytes: limits.output_bytes,
            },
            tier: match asked.tier {
                TierChoice::Auto => StoredTier::Auto,
                TierChoice::Wasm => StoredTier::Wasm,
                TierChoice::Docker => StoredTier::Docker,
            },
            python: asked.python.map(|python| python.to_string()),
            image: asked.image.clone(),
            requirements: asked.requirements.to_string(),
            environment: asked.environment.clone(),
            pre_commands: asked.pre_commands.clone(),
            network: asked.network,
            detect_packages: asked.detect_packages,
        }
    }

    pub(super) fn env(&self) -> &[(String, String)] {
        &self.env
    }

    pub(super) fn limits(&self) -> Limits {
        let StoredLimits { wall_clock_ms, cpu_fuel, memory_bytes, disk_bytes, disk_files, output_bytes } = self.limits;
        Limits { wall_clock_ms, cpu_fuel, memory_bytes, disk_bytes, disk_files, output_bytes }
    }

    /// Makes a job of a cell.
    fn job(&self, source: Vec<u8>) -> Result<Job> {
        let python: Option<Python> = match &self.python {
            Some(python) => Some(python.parse().map_err(|e| Error::caused("a session is unreadable", e))?),
            None => None,
        };
        let mut job = Job::project(Project::script(source))
            .limits(self.limits())
            .want(crate::Want::LastExpression)
            .tier(match self.tier {
                StoredTier::Auto => TierChoice::Auto,
                StoredTier::Wasm => TierChoice::Wasm,
                StoredTier::Docker => TierChoice::Docker,
            })
            .requirements(Requirements::parse(&self.requirements)?)
            .pre_commands(self.pre_commands.iter().cloned())
            .network(self.network)
            .detect_packages(self.detect_packages);
        job.env.clone_from(&self.env);
        job.containers.python = python;
        job.containers.image.clone_from(&self.image);
        job.containers.environment.clone_from(&self.environment);
        Ok(job)
    }
}

/// Makes an id that nobody guesses: almost 126 bits, in letters that need no escape anywhere.
fn new_id() -> String {
    loop {
        let id = drawn_id();
        // Commands would take it for a flag.
        if !id.starts_with('-') {
            return id;
        }
    }
}

fn drawn_id() -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = [0; ID_CHARACTERS];
    for half in random.chunks_mut(16) {
        half.copy_from_slice(&uuid_bytes()[..half.len()]);
    }
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect()
}

fn uuid_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // The same source, which panics where there is none: an id that can be guessed is worse.
        bytes = *uuid::Uuid::new_v4().as_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_taken_for_a_flag() {
        for _ in 0..5000 {
            let id = new_id();
            assert!(id.len() == ID_CHARACTERS && !id.starts_with('-'), "{id}");
        }
    }
}
