//! Why a job runs where it runs, as values; the one place that puts them into words.

use crate::{
    Python,
    needs::{Capability, Place, Urgency, Use},
};
use std::{fmt, sync::Arc};

/// Says why a job runs on its tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteReason {
    pub(super) why: Why,
    pub(super) note: Option<NetworkNote>,
    /// Distributions that it has, where they are in WebAssembly.
    pub(super) packages: Vec<String>,
}

/// Says what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    AsksForWasm,
    AsksForDocker,
    /// WebAssembly can do all that the code has.
    NothingBeyond,
    /// What WebAssembly lacks may be reached.
    Maybe(Vec<Demand>),
    /// What WebAssembly lacks is reached for certain.
    Takes(Vec<Demand>),
    /// The code handles that it is missing, and there are no containers.
    MayDoWithout {
        demands: Vec<Demand>,
        off: Arc<str>,
    },
    /// An attempt before did not have what it takes.
    Replay(ReplayReason),
}

/// Says why a job that was to have the network, or uses it, has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkNote {
    NotAllowed,
    NoPermission,
}

/// Something that takes a container, and how surely it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) what: What,
    pub(super) urgency: Urgency,
}

/// Says what takes a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Image(String),
    PreCommands,
    AsksForPython(Python),
    RequiresPython {
        required: String,
        python: Python,
    },
    Memory {
        asked_mb: u64,
        most_mb: u64,
    },
    /// An attempt before has come upon it.
    Met {
        kind: String,
        detail: String,
    },
    Package {
        wanted: Wanted,
        trouble: PackageTrouble,
    },
    /// Several packages are needed, and it is not known which of them needs these.
    NativeDependencies {
        native: Vec<String>,
        of: Vec<String>,
    },
    /// A module that newer versions of Python do not have.
    RemovedModule {
        module: String,
        python: Python,
        place: Place,
    },
    Uses(Use),
    Network(Use),
}

/// A package that a job needs, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) distribution: String,
    /// The module that its code imports, and where; otherwise it is required.
    pub(super) import: Option<(String, Place)>,
}

/// Says why WebAssembly does not take a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PackageTrouble {
    NoPureWheel,
    Needs(Vec<String>),
    Unknown,
}

impl RouteReason {
    pub(super) fn of_replay(replay: ReplayReason) -> RouteReason {
        RouteReason { why: Why::Replay(replay), note: None, packages: Vec::new() }
    }
}

impl Demand {
    pub(super) fn now(what: What) -> Demand {
        Demand { what, urgency: Urgency::Required }
    }

    /// Returns whether the code reaches it whenever it runs.
    pub(super) fn is_certain(&self) -> bool {
        self.urgency <= Urgency::Guarded
    }

    /// Returns whether the code ends where it is missing.
    pub(super) fn is_fatal(&self) -> bool {
        self.urgency == Urgency::Required
    }
}

impl fmt::Display for RouteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        if let Some(note) = self.note {
            write!(f, "; {note}")?;
        }
        if !self.packages.is_empty() {
            let comma = if self.note.is_some() { ";" } else { "," };
            write!(f, "{comma} with {}", listed(&self.packages))?;
        }
        Ok(())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::AsksForWasm => f.write_str("the job asks for wasm"),
            Why::AsksForDocker => f.write_str("the job asks for docker"),
            Why::NothingBeyond => f.write_str("needs nothing beyond WebAssembly"),
            Why::Maybe(demands) => {
                write!(f, "needs nothing for certain beyond WebAssembly, but maybe {}", in_words(demands))
            }
            Why::Takes(demands) => f.write_str(&in_words(demands)),
            Why::Replay(replay) => replay.fmt(f),
            Why::MayDoWithout { demands, off } => {
                write!(f, "may do without, but {}, which takes docker: {off}", in_words(demands))
            }
        }
    }
}

impl fmt::Display for NetworkNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NetworkNote::NotAllowed => "without the network, which this service does not allow",
            NetworkNote::NoPermission => "without the network, for which it has no permission",
        })
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

/// Continues "this job".
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Image(image) => write!(f, "asks for the image {image}"),
            What::PreCommands => f.write_str("has pre_commands"),
            What::AsksForPython(python) => write!(f, "asks for Python {python}"),
            What::RequiresPython { required, python } => write!(f, "requires Python {required}, that is {python}"),
            What::Memory { asked_mb, most_mb } => {
                write!(f, "asks for {asked_mb} MB of memory, more than the {most_mb} MB of WebAssembly")
            }
            What::Met { kind, detail } => write!(f, "uses what WebAssembly lacks ({kind}: {detail})"),
            What::Package { wanted, trouble } => match &wanted.import {
                Some((module, place)) => write!(f, "imports {module}, {trouble} ({place})"),
                None => write!(f, "requires {}, {trouble}", wanted.distribution),
            },
            What::NativeDependencies { native, of } => {
                write!(f, "needs {} for {}, which {} no pure-Python wheel", listed(native), listed(of), have(native))
            }
            What::RemovedModule { module, python, place } => {
                write!(f, "imports {module}, which Python has up to {python} ({place})")
            }
            What::Uses(Use { capability, what, place, .. }) => match capability {
                Capability::Threads => write!(f, "starts a thread ({what}, {place})"),
                Capability::Processes => write!(f, "starts a process ({what}, {place})"),
                Capability::Sockets => write!(f, "opens a socket ({what}, {place})"),
                Capability::Libraries => write!(f, "loads a native library ({what}, {place})"),
                Capability::Signals => write!(f, "waits for a signal ({what}, {place})"),
                Capability::Modules => write!(f, "imports {what}, which WebAssembly lacks ({place})"),
                Capability::Network => write!(f, "uses the network ({what}, {place})"),
            },
            What::Network(Use { what, place, .. }) => write!(f, "uses the network ({what}, {place})"),
        }
    }
}

impl fmt::Display for PackageTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackageTrouble::NoPureWheel => f.write_str("which has no pure-Python wheel"),
            PackageTrouble::Needs(native) => {
                write!(f, "which needs {}, which {} no pure-Python wheel", listed(native), have(native))
            }
            PackageTrouble::Unknown => f.write_str("a third-party package"),
        }
    }
}

/// Says why a job runs once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayReason {
    /// It imported a module that it was not certain to import.
    Imported { module: String, distribution: String },
    /// It used what only Linux has.
    Lacked { kind: String, detail: String },
    /// A module that could have been its own was not.
    NotItsOwn { module: String },
    /// It failed without packages for which it has substitutes.
    FailedWithout { distributions: Vec<String> },
    /// It ended with an exception that names a package.
    AskedFor { distribution: String },
    /// It asked about a distribution that is well known.
    AskedAbout { distribution: String },
    /// Another interpreter that it started missed a package.
    MissedByChild { distribution: String },
    /// There is no other place to run it after all.
    NoOtherPlace { wanted: Box<ReplayReason>, why: String },
}

impl fmt::Display for ReplayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayReason::Imported { module, distribution } => {
                write!(f, "run again with {distribution}: it may import {module}, and did")
            }
            ReplayReason::Lacked { kind, detail } => {
                write!(f, "run again: WebAssembly lacks what it used ({kind}: {detail})")
            }
            ReplayReason::NotItsOwn { module } => {
                write!(f, "run again: {module} is not the program's own, so it is taken for a third-party package")
            }
            ReplayReason::FailedWithout { distributions } => {
                write!(f, "run again with {}: it failed without", distributions.join(", "))
            }
            ReplayReason::AskedFor { distribution } => {
                write!(f, "run again with {distribution}: it ended with an exception that asks for it")
            }
            ReplayReason::AskedAbout { distribution } => {
                write!(f, "run again with {distribution}: it may ask about it, and did")
            }
            ReplayReason::MissedByChild { distribution } => {
                write!(f, "run again with {distribution}: another interpreter that it started missed it")
            }
            ReplayReason::NoOtherPlace { wanted, why } => write!(f, "{wanted}, but {why}"),
        }
    }
}

pub(super) fn in_words(demands: &[Demand]) -> String {
    listed(&demands.iter().map(Demand::to_string).collect::<Vec<_>>())
}

fn have(names: &[String]) -> &'static str {
    if names.len() == 1 { "has" } else { "have" }
}

/// Lists the first few, and how many more there are.
pub(crate) fn listed(words: &[String]) -> String {
    const NAMED: usize = 3;
    let mut named: Vec<_> = words.iter().take(NAMED).cloned().collect();
    if words.len() > NAMED {
        named.push(format!("{} more", words.len() - NAMED));
    }
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
