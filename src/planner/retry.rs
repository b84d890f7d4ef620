//! Another attempt at a job that has met something it did not have: with one more package, or in a container.
//!
//! A job has no effects outside itself, but for the network of a container that has one: it can be stopped where it stands
//! and run again from its start, in the time and with the input that are left.

use super::{
    analysis::Analysis,
    knowledge::Knowledge,
    plan::{Plan, Ready},
    reason::ReplayReason,
    replay::{self, Second},
};
use crate::{
    Outcome, ResolvedJob,
    environment::Platform,
    executor::{QUESTION, StopAt},
    needs::{Capability, Needs},
    outcome::{CapabilityMiss, Tier},
};
use std::{sync::Arc, time::Duration};

/// Attempts at one job. Each has at least one package more than the one before, or is the first in a container.
const ATTEMPTS_MAX: u32 = 5;
/// Time that must be left for an attempt after one that has ended.
const LEFT_MIN: Duration = Duration::from_millis(50);

/// Says what another attempt would have that this one lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The package that a module comes from.
    Package { module: String, distribution: String },
    /// A package that is only asked about.
    Distribution(String),
    /// All that Linux has.
    Container,
}

/// Says what a job may get if it misses something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Means {
    /// A container, in which it is not yet.
    pub(super) container: bool,
    /// The network, in a container.
    pub(super) network: bool,
    /// Packages that it imports without having asked for them.
    pub(super) packages: bool,
}

/// Returns what would make a miss good, if anything would.
pub(super) fn remedy(miss: &CapabilityMiss, analysis: &Analysis, means: Means) -> Option<Remedy> {
    let container = means.container.then_some(Remedy::Container);
    match miss.kind.as_str() {
        "module" => {
            let top = miss.detail.split('.').next().unwrap_or_default();
            // The standard library's own modules may fail at their native halves: `ssl` at `_ssl`.
            if analysis.needs.optional.contains(top) || analysis.needs.optional.contains(top.trim_start_matches('_')) {
                return None;
            }
            if Needs::is_standard(top) {
                // Slim images have none of what windows take.
                return container
                    .filter(|_| !matches!(top, "tkinter" | "_tkinter" | "turtle" | "turtledemo" | "idlelib"));
            }
            let distribution = analysis.possible(&miss.detail).or_else(|| Needs::distribution_of(&miss.detail))?;
            let is_new = means.packages && !analysis.has(&distribution);
            is_new.then(|| Remedy::Package { module: top.to_owned(), distribution })
        }
        // It asked whether there is one. What it never imports it does not need.
        QUESTION => {
            let top = miss.detail.split('.').next().unwrap_or_default();
            let distribution = analysis.possible(&miss.detail).filter(|_| !analysis.needs.optional.contains(top))?;
            let is_new = means.packages && !analysis.has(&distribution);
            is_new.then(|| Remedy::Package { module: top.to_owned(), distribution })
        }
        "distribution" => {
            let distribution = Needs::known_distribution(&miss.detail)?;
            let is_new =
                means.packages && !analysis.has(&distribution) && !analysis.needs.optional.contains(&distribution);
            is_new.then_some(Remedy::Distribution(distribution))
        }
        "network" => container.filter(|_| means.network),
        // They are not there in containers either.
        "terminal" | "privilege" => None,
        _ => container,
    }
}

/// A job that may have to run again.
pub(crate) struct Retry {
    job: ResolvedJob,
    stdin: Second,
    analysis: Analysis,
    knowledge: Knowledge,
    attempts: u32,
    means: Means,
}

/// Another attempt at a job, of which it is still to be chosen where.
pub(super) struct Next {
    pub(super) plan: Plan,
    /// What was known before, should there be no other place.
    pub(super) before: Analysis,
}

impl Retry {
    /// Takes what another attempt at a job needs; leaves the job with an input that can be read again.
    pub(super) fn of(ready: &mut Ready, means: Means) -> Option<Retry> {
        let possible = means.container || means.packages;
        if !possible || !ready.may_stop || ready.attempts >= ATTEMPTS_MAX {
            return None;
        }
        let (first, second) = replay::twice(std::mem::take(&mut ready.job.stdin));
        ready.job.stdin = first;
        let mut analysis = ready.analysis.clone();
        // What was left out once is not asked for again.
        analysis.keep(&ready.chosen.inferred);
        Some(Retry {
            job: ready.job.without_stdin(),
            stdin: second,
            analysis,
            knowledge: ready.knowledge.clone(),
            attempts: ready.attempts,
            means,
        })
    }

    /// Decides at which misses the job is stopped.
    pub(crate) fn stop_at(&self) -> StopAt {
        let (analysis, means, stdin) = (self.analysis.clone(), self.means, self.stdin.clone());
        Arc::new(move |miss| stdin.is_whole() && remedy(miss, &analysis, means).is_some())
    }

    /// Returns the next attempt at a job that was stopped at a miss after `used`.
    pub(super) fn after_miss(self, miss: &CapabilityMiss, used: Duration) -> Option<Next> {
        let mut analysis = self.analysis.clone();
        let reason = match remedy(miss, &self.analysis, self.means)? {
            Remedy::Package { module, distribution } => {
                analysis.provide(&module, distribution.clone());
                ReplayReason::Imported { module, distribution }
            }
            Remedy::Distribution(distribution) => {
                analysis.provide_distribution(distribution.clone());
                ReplayReason::AskedAbout { distribution }
            }
            Remedy::Container => {
                analysis.meet(miss);
                ReplayReason::Lacked { kind: miss.kind.clone(), detail: miss.detail.clone() }
            }
        };
        self.next(analysis, reason, used)
    }

    /// Returns the next attempt at a job that ended because a module was missing that could have been its own, that failed
    /// without packages which it has substitutes for, or whose exception names the package it is about.
    pub(super) fn after_end(self, outcome: &Outcome) -> Option<Next> {
        if !self.means.packages {
            return None;
        }
        let mut analysis = self.analysis.clone();
        let reason = if let Some(module) = analysis.missed(outcome) {
            analysis.take_as_packages();
            ReplayReason::NotItsOwn { module }
        } else if let Some(distributions) = provide_optional(&mut analysis, outcome) {
            ReplayReason::FailedWithout { distributions }
        } else {
            let required = self.job.containers.requirements.names(&Platform::WASM);
            let is_new = |name: &String| !analysis.has(name) && !required.contains(&&**name);
            let exception = outcome.exception.as_ref();
            let by_error = exception.and_then(|it| Needs::named_by_error(&it.kind, &it.message)).filter(is_new);
            let by_child = || self.missed_by_child(outcome).filter(is_new);
            let (distribution, by_error) = match by_error {
                Some(distribution) => (distribution, true),
                None => (by_child()?, false),
            };
            analysis.provide_distribution(distribution.clone());
            match by_error {
                true => ReplayReason::AskedFor { distribution },
                false => ReplayReason::MissedByChild { distribution },
            }
        };
        let used = Duration::from_micros(outcome.usage.wall_us);
        // What it ended with says more than that another attempt had no time.
        let left = self.job.limits.wall_clock().saturating_sub(used);
        (left >= LEFT_MIN).then(|| self.next(analysis, reason, used))?
    }

    /// Returns the package that another interpreter missed which the program started, by its words.
    fn missed_by_child(&self, outcome: &Outcome) -> Option<String> {
        let needs = &self.analysis.needs;
        let starts = needs.use_of(Capability::Processes).is_some() || needs.met.is_some();
        let in_container = outcome.tier == Tier::Docker && starts;
        let printed = [&outcome.stderr, &outcome.stdout].map(|output| &*output.text);
        printed.into_iter().filter(|_| in_container).find_map(Needs::missed_by_child)
    }

    fn next(self, mut analysis: Analysis, reason: ReplayReason, used: Duration) -> Option<Next> {
        let Retry { mut job, stdin, analysis: before, mut knowledge, attempts, .. } = self;
        job.stdin = stdin.rewound()?;
        job.limits.shorten(job.limits.wall_clock().saturating_sub(used));
        knowledge.forget_containers();
        analysis.replay = Some(reason);
        let plan = Plan { job, analysis, knowledge, decision: None, attempts: attempts + 1, may_stop: true };
        Some(Next { plan, before })
    }
}

/// Adds the packages that a program which failed has a substitute for; returns their names.
///
/// It may be the kind of substitute with which a program says what it cannot do.
fn provide_optional(analysis: &mut Analysis, outcome: &Outcome) -> Option<Vec<String>> {
    let names = match outcome.success() {
        true => Vec::new(),
        false => analysis.provide_optional(&outcome.capability_misses),
    };
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Project;

    const ALL: Means = Means { container: true, network: false, packages: true };

    fn of(source: &str, miss: &str, means: Means) -> String {
        let needs = Needs::of(&Project::script(source.to_owned()), "main.py", false).unwrap();
        let analysis = Analysis::new(needs, true);
        let (kind, detail) = miss.split_once(": ").unwrap();
        let miss = CapabilityMiss { kind: kind.to_owned(), detail: detail.to_owned() };
        match remedy(&miss, &analysis, means) {
            None => "-".to_owned(),
            Some(Remedy::Container) => "container".to_owned(),
            Some(Remedy::Package { module, distribution }) => format!("{module} from {distribution}"),
            Some(Remedy::Distribution(distribution)) => distribution,
        }
    }

    #[test]
    fn what_another_attempt_would_have_makes_a_miss_good() {
        let optional = "try:\n    import numpy\n    import ssl\nexcept ImportError:\n    numpy = None";
        let later = "def f():\n    import yaml\n    from google.cloud import storage";
        for (source, miss, expected) in [
            ("", "thread: start of a thread", "container"),
            ("", "process: os.fork()", "container"),
            ("", "socket: socket()", "container"),
            ("", "library: ctypes: libc.so.6", "container"),
            ("", "signal: signal.alarm()", "container"),
            ("", "native module: yaml._yaml", "container"),
            ("", "module: ssl", "container"),
            ("", "module: _ssl", "container"),
            ("", "module: imp", "container"),
            ("", "module: tkinter", "-"),
            ("", "module: numpy", "numpy from numpy"),
            ("", "module: utils_of_nobody", "-"),
            (optional, "module: numpy", "-"),
            (optional, "module: ssl", "-"),
            (optional, "module: _ssl", "-"),
            (later, "module: yaml", "yaml from pyyaml"),
            (later, "module: google", "google from google-cloud-storage"),
            // It was there, and did not help.
            ("import numpy", "module: numpy", "-"),
            ("def f():\n    import numpy", "find_spec: numpy", "numpy from numpy"),
            ("def f():\n    import numpy", "find_spec: pandas", "-"),
            (optional, "find_spec: numpy", "-"),
            ("", "distribution: Python_dateutil", "python-dateutil"),
            ("", "distribution: distribution-of-nobody", "-"),
            ("import numpy", "distribution: numpy", "-"),
            ("", "network: look-up of 'example.org'", "-"),
            ("", "terminal: os.ttyname()", "-"),
            ("", "privilege: os.setuid()", "-"),
        ] {
            assert_eq!(of(source, miss, ALL), expected, "{source:?} {miss}");
        }
        assert_eq!(of("", "network: look-up of 'example.org'", Means { network: true, ..ALL }), "container");
        let alone = Means { container: false, network: true, packages: false };
        for miss in ["thread: x", "module: ssl", "module: numpy", "network: x"] {
            assert_eq!(of("", miss, alone), "-", "{miss}");
        }
    }
}
